"""Curves over sizes as one SVG, both axes by powers of ten; no library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BELOW, LEGEND = 760, 460, 70, 40, 50, 250
COLOURS = ("#0b6e4f", "#1b9aaa", "#d1495b", "#edae49", "#30638e", "#6a4c93", "#8d6a9f", "#5f5f5f", "#b56576", "#2b2d42")


def svg(lines: Mapping[str, Sequence[tuple[int, float]]], title: str) -> str:
    """One picture of named lines of (size, nanoseconds)."""
    shown = {name: [(x, max(y, 1.0)) for x, y in points] for name, points in lines.items() if points}
    top = 10 ** math.ceil(math.log10(max(y for points in shown.values() for _, y in points)))
    parts = [f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>', *_axes(top)]
    for number, (name, points) in enumerate(sorted(shown.items())):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="5 4"' if "miss" in name else ""
        path = " ".join(f"{_x(x):.1f},{_y(y, top):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{_x(x):.1f}" cy="{_y(y, top):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        at = TOP + 14 * number
        parts.append(f'<line x1="{WIDTH}" y1="{at}" x2="{WIDTH + 24}" y2="{at}" stroke="{colour}" stroke-width="3"{dash}/>')
        parts.append(f'<text x="{WIDTH + 30}" y="{at + 4}" font-size="11">{escape(name)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + LEGEND} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def _x(size: float) -> float:
    return LEFT + (math.log10(size) - 1) / 4 * (WIDTH - LEFT - 30)


def _y(value: float, top: float) -> float:
    return HEIGHT - BELOW - math.log10(value) / math.log10(top) * (HEIGHT - BELOW - TOP)


def _axes(top: float) -> list[str]:
    parts = []
    for power in range(1, 6):
        x = _x(10**power)
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{HEIGHT - BELOW}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BELOW + 18}" font-size="11" text-anchor="middle">{10**power:,}</text>')
    parts.append(f'<text x="{_x(1000)}" y="{HEIGHT - 8}" font-size="11" text-anchor="middle">filters</text>')
    for power in range(int(math.log10(top)) + 1):
        for part in (2, 3, 5) if 10**power < top else ():
            y = _y(part * 10**power, top)
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 30}" y2="{y:.1f}" stroke="#f2f2f2"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" font-size="9" text-anchor="end">{part * 10**power:,}</text>')
        y = _y(10**power, top)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - 30}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" font-size="11" text-anchor="end">{10**power:,} ns</text>')
    return parts
