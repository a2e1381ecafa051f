"""Suggestions for words that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known word that is nearest, when one is near."""
    import difflib

    return difflib.get_close_matches(word, list(known), 1, 0.6)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` with a space before it, or nothing."""
    close = close_to(word, known)
    return f" Did you mean `{close[0]}`?" if close else ""
