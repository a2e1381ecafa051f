"""A small line plot as SVG text, so that a run's picture can be kept with its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDE, HIGH, LEFT, BELOW, ABOVE, RIGHT = 640, 360, 60, 50, 36, 110
COLOURS = ("#0b6e4f", "#b5541c", "#3d5a98", "#8a1c5b", "#555555")


def lines_svg(title: str, x_name: str, y_name: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines from the origin, both axes linear: what grows in proportion is straight."""
    most_x = max(x for points in series.values() for x, _ in points) or 1
    most_y = max(y for points in series.values() for _, y in points) or 1

    def at(x: float, y: float) -> str:
        across = LEFT + (WIDE - LEFT - RIGHT) * x / most_x
        down = HIGH - BELOW - (HIGH - BELOW - ABOVE) * y / most_y
        return f"{across:.1f},{down:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12">',
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>',
        f'<polyline fill="none" stroke="#999" points="{at(0, most_y)} {at(0, 0)} {at(most_x, 0)}"/>',
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 12}" text-anchor="middle">{escape(x_name)}</text>',
        f'<text x="14" y="{HIGH / 2}" transform="rotate(-90 14 {HIGH / 2})" text-anchor="middle">{escape(y_name)}</text>',
    ]
    for part in range(5):
        x, y = most_x * part / 4, most_y * part / 4
        across, down = at(x, 0).split(",")[0], at(0, y).split(",")[1]
        parts.append(f'<text x="{across}" y="{HIGH - BELOW + 16}" text-anchor="middle">{x:,.0f}</text>')
        parts.append(f'<text x="{LEFT - 6}" y="{down}" text-anchor="end">{y:.3g}</text>')
    for points, colour in zip(series.values(), COLOURS, strict=False):
        path = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        parts += [f'<circle r="3" fill="{colour}" cx="{p.split(",")[0]}" cy="{p.split(",")[1]}"/>' for p in path.split()]
    names = zip(series.items(), COLOURS, strict=False)
    for place, ((name, _), colour) in enumerate(sorted(names, key=lambda item: -item[0][1][-1][1])):
        parts.append(f'<text x="{WIDE - RIGHT + 10}" y="{ABOVE + 16 * place}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
