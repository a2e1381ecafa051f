"""Suggestions for words that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` with a space before it, or nothing."""
    import difflib

    close = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f" Did you mean `{close[0]}`?" if close else ""
