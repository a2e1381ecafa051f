"""A drafted site as the text of its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from configlet.importers.rules import Draft, Drafted

WIDE = 110


def documents(site: str, made: Draft, notes: Sequence[str]) -> Mapping[str, str]:
    """The files of a site by name. ``notes`` are said at the head of the policy."""
    out = {
        "site.yaml": (
            "# The controller and its segment stand for yours: write your own before anything is pushed.\n"
            f"site: {{name: {site}, controller: [192.0.2.10], controller_realm: default}}\n"
        ),
        "segments.yaml": "segments:\n  controllers: {realm: default, prefixes: [192.0.2.0/24], intra: policy}\n",
        "policy.yaml": "".join(f"# {line}\n" for line in notes) + _policy(made.rules),
    }
    if made.addresses:
        out["addresses.yaml"] = "addresses:\n" + "".join(_item(name, said) for name, said in made.addresses.items())
    if made.services:
        terms = "".join(f"  {name}: [{term}]\n" for name, term in made.services.items())
        out["services.yaml"] = f"services:\n{terms}"
    return out


def _policy(rules: Iterable[Drafted]) -> str:
    return "policy:\n" + "".join(map(_rule, rules))


def _rule(rule: Drafted) -> str:
    lines = [
        f"  - name: {json.dumps(rule.name)}",
        *_selectors("from", rule.sources),
        *_selectors("to", rule.destinations),
        f"    service: [{', '.join(map(_service, rule.services))}]",
        f"    action: {'allow' if rule.permit else 'deny'}",
        *(["    log: true"] if rule.log else []),
        f"    reason: {json.dumps(rule.reason, ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n"


def _service(name: str) -> str:
    return name


def _selectors(key: str, names: Sequence[str]) -> list[str]:
    return [f"    {key}: [{', '.join(names)}]"]


def _item(name: str, said: Sequence[str]) -> str:
    quoted = [json.dumps(one) if ":" in one else one for one in said]
    line = f"  {name}: [{', '.join(quoted)}]\n"
    return line if len(line) <= WIDE else f"  {name}:\n" + "".join(f"    - {one}\n" for one in quoted)
