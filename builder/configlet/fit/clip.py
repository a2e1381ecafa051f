"""First-match lists restricted to what can cross a gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configlet.model.net import Span, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, SRC, Box, Entry, Rule

NON_FIRST: Span = (1, 1)


def clip(entries: Iterable[Entry], dimension: int, spans: Spans) -> tuple[Entry, ...]:
    """Each entry cut to the spans in one address dimension, in order; what is outside vanishes."""
    return tuple(piece for entry in entries for piece in clip_one(entry, dimension, spans))


def clip_one(entry: Entry, dimension: int, spans: Spans) -> Iterable[Entry]:
    """One entry's pieces inside the spans."""
    lo, hi = entry.box[dimension]
    for a, b in spans:
        x, y = max(lo, a), min(hi, b)
        if x <= y:
            yield entry if (x, y) == (lo, hi) else entry.over(with_span(entry.box, dimension, (x, y)))


def with_span(box: Box, dimension: int, span: Span) -> Box:
    """The box with one interval replaced."""
    return (*box[:dimension], span, *box[dimension + 1 :])  # type: ignore[return-value]


def guarded(entries: Sequence[Entry], spans: Spans, rule: Rule, box: Box) -> tuple[Entry, ...]:
    """The list with a deny of everything inside the spans, ahead of what the operator wrote.

    Traffic inside a segment never crosses its gateway; what claims to is spoofed.
    """
    at = next((i for i, e in enumerate(entries) if not e.permit or e.rule.origin in ("policy", "intra")), len(entries))
    guard = [Entry(False, with_span(with_span(box, SRC, a), DST, b), rule) for a in spans for b in spans]
    return (*entries[:at], *guard, *entries[at:])


def with_fragments(entries: Iterable[Entry], *, match: bool) -> tuple[Entry, ...]:
    """What a list says of non-first fragments: nothing, or (``match``) what addresses and protocol alone say.

    A permit passes fragments of its addresses and protocol; a deny decides them only when it looks at no port.
    """
    if not match:
        return tuple(entries)
    out: list[Entry] = []
    for entry in entries:
        proto, dst, src, *upper, _ = entry.box
        if upper == [ANY_PORT, ANY_PORT, ANY_BIT]:
            out.append(entry.over(with_span(entry.box, 6, ANY_BIT)))
            continue
        out.append(entry)
        if entry.permit:
            out.append(entry.over((proto, dst, src, ANY_PORT, ANY_PORT, ANY_BIT, NON_FIRST)))
    return tuple(out)
