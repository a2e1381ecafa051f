"""What tables use of the hardware that holds them, in its own units."""

from __future__ import annotations

from collections import Counter
from dataclasses import field

from configlet.model.frozen import dataclass
from configlet.model.problem import Place, refuse


@dataclass(frozen=True, slots=True)
class Spent:
    """Unit to used and limit (0: not stated), and what each rule takes of the first unit, by name and place."""

    units: dict[str, tuple[int, int]]
    rules: Counter[tuple[str, object]] = field(default_factory=Counter)


def too_much(spent: Spent, gate: str) -> None:
    """Raises Refused when any unit is used beyond its limit: count, limit, and the rules that cost most."""
    over = [f"{used:,} {unit} and has room for {most:,}" for unit, (used, most) in spent.units.items() if used > most > 0]
    if not over:
        return
    most = spent.rules.most_common(3)
    said = "".join(f'\n"{name}" {count:,}' + (f" ({place})" if place else "") for (name, place), count in most)
    raise refuse(
        "Table larger than its gate",
        f"{gate} needs {'; '.join(over)}. Nothing was sent. Narrow these rules, join their addresses, or let the next gate "
        f"serve them. The rules that cost most: {said}",
        next((place for (_, place), _ in most if isinstance(place, Place)), None),
        nature="red",
    )
