"""A host's table in the form that was written before its elements said themselves what is done: a chain for each rule."""

from __future__ import annotations

import re

_SAID = re.compile(r'comment "(?P<comment>[^"]*)" : (?P<verdict>accept|drop)')
_LINE = re.compile(r'(?P<match>\t\t.+ )counter (?P<verdict>accept|drop) comment "(?P<comment>[^"]*)"')
_KEPT = re.compile(r"\tchain (?P<name>\w+) \{\n\t\tlog ")
_WHOLE = re.compile(r"\tchain (infrastructure|stray_icmp) \{\n(?:\t\t.*\n)*\t\}\n")


def in_chains(text: str) -> str:
    """The same table with `goto` and a chain for every rule; those of rules that log stay, and their names."""
    taken = {found["name"] for found in _KEPT.finditer(text)}
    known: dict[tuple[str, str], str] = {}

    def chain(comment: str, verdict: str) -> str:
        if (comment, verdict) not in known:
            base = f"{'allow' if verdict == 'accept' else 'deny'}_{re.sub(r'[^a-z0-9]', '_', comment.lower())[:60]}"
            name = next(n for n in (base, *(f"{base}_{i}" for i in range(2, 999))) if n not in taken)
            taken.add(name)
            known[comment, verdict] = name
        return f"goto {known[comment, verdict]}"

    def said(found: re.Match[str]) -> str:
        return f": {chain(found['comment'], found['verdict'])}"

    def line(found: re.Match[str]) -> str:
        return f"{found['match']}{chain(found['comment'], found['verdict'])}"

    text = text.replace("\t\tflags interval\n\t\tcounter\n", "\t\tflags interval\n").replace(",\n\t\t}\n", "\n\t\t}\n")
    text = _SAID.sub(said, text)
    text = _WHOLE.sub(lambda found: _LINE.sub(line, found[0]), text)
    chains = "".join(
        f'\tchain {name} {{\n\t\tcounter {verdict} comment "{comment}"\n\t}}\n' for (comment, verdict), name in known.items()
    )
    at = text.index("\tchain ")
    return text[:at] + chains + text[at:]
