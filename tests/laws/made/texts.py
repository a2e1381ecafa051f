"""YAML texts that dice make: documents in any style, files of many alike items, and what accidents make of them."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import yaml

NASTY = (
    ":", ": ", ",", ", ", "[", "]", "{", "}", "#", " #", "&a ", "*a", "!x ", "|\n", ">\n", "'", '"', "%", "@", "`", "- ", "? ",
    "~", "null", "true", "false", "0", "0123", "1e3", "0x1f", "-1", "\n", "\n\n", "\n  ", "\n    ", " ", "  ", "\\", "\\n",
    "é", "\u2028", "\u00a0", "\ufeff", "\t", "\r\n", "\r", "---\n", "...\n", "--- x\n", "<<: ", "name: ", "a: b\n", "\n# note\n",
    "::", "x" * 1100, "\x00", "\x85", "=", "10:20", "''", '""', ", true", ", null", "a, ", " - ", "\n- ", "\n  - ", "?", "!",
)  # fmt: skip


def plainly(document: Any) -> str:
    """A document as JSON, which is YAML."""
    return json.dumps(document)


def styled(document: Any, dice: random.Random) -> str:
    """A document in one of the styles that YAML has."""
    text: str = yaml.safe_dump(
        document,
        sort_keys=False,
        allow_unicode=dice.random() < 0.5,
        default_flow_style=dice.choice((True, False, None)),
        default_style=dice.choice((None, None, None, "'", '"')),
        width=dice.choice((40, 80, 10_000)),
        indent=dice.choice((2, 4)),
        explicit_start=dice.random() < 0.2,
    )
    return text


_ITEMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("policy", (
        "  - {{name: rule {n}, from: [h{a}], to: [h{b}], service: [tcp/{n}], action: allow, reason: made}}\n",
        "  - {{name: rule {n}, from: [h{a}, h{b}], to: [{{app: x{a}}}], service: [s{a}, s{b}], action: deny, "
        "reason: 'a {b}: c'}}\n",
        "  - name: rule {n}\n    from: [h{a}]\n    to:\n      - h{b}\n      - z{a}\n    service: [fix]\n    action: allow\n"
        "    log: true\n    reason: because, of {a}\n\n",
        "  # what follows is rule {n}\n  - name: \"rule {n}\"\n    from: [h{a}, h1, h2]\n    to: [h{b}]\n"
        "    service: [udp/{a}]  # so\n    action: deny\n    reason: x{b}\n    expires: 2027-06-30\n",
    )),
    ("addresses", ("  set-{n}: [10.{a}.{b}.0/24]\n", "  set-{n}: [10.{a}.{b}.0/24, '2001:db8:{a}::/48']\n",
                   "  set-{n}:\n    - 10.{a}.{b}.0/24\n    - \"2001:db8:{b}::/48\"\n")),
    ("hosts", (
        "  h{n}:\n    nics:\n      ens1: {{model: virtio, attached: [leaf{a}/Ethernet{b}]}}\n"
        "      ens2: {{model: virtio, attached: [leaf{b}/Ethernet{b}]}}\n"
        "    interfaces: {{bond0: {{members: [ens1, ens2], mode: lacp, vlan: {a}}}}}\n"
        "    management: {{address: 10.0.{a}.{b}, credentials: env/X}}\n"
        "    workloads:\n      w{n}: {{addresses: [10.{a}.1.{b}], on: [bond0], "
        "segment: seg{a}, stack: kernel, labels: {{tier: t{b}}}}}\n",
        "  h{n}: {{nics: {{e{a}: {{model: x{a}, attached: [l/E{b}]}}}}, workloads: {{w{n}: {{addresses: [10.0.0.{b}], "
        "on: [e{a}], segment: s, stack: dpdk}}}}, managed: false}}\n",
    )),
    ("services", ("  svc{n}: [tcp/{a}]\n", "  svc{n}: [{{udp: {a}, from: ephemeral}}, tcp/{b}]\n")),
)  # fmt: skip


def repeated(dice: random.Random) -> str:
    """A file with a section or two of many alike items."""
    out = ["# made\n"] if dice.random() < 0.5 else []
    out += ["---\n"] if dice.random() < 0.2 else []
    for key, forms in dice.sample(_ITEMS, dice.choice((1, 2))):
        chosen = dice.sample(forms, dice.randint(1, len(forms)))
        out.append(f"{key}:\n")
        for n in range(dice.randint(12, 20)):
            out.append(dice.choice(chosen).format(n=n, a=dice.randrange(250), b=dice.randrange(1, 250)))
    out += ["tier: 10\n"] if dice.random() < 0.3 else []
    return "".join(out)


def spoiled(text: str, dice: random.Random) -> str:
    """The text after one to three small accidents."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at = dice.randrange(len(text) + 1)
        kind = dice.random()
        if kind < 0.35:
            text = text[:at] + dice.choice(NASTY) + text[at + dice.choice((0, 0, 1, 2)) :]
        elif kind < 0.75:
            text = _word(text, dice)
        elif kind < 0.85:
            text = text[:at] + text[at + dice.randint(1, 6) :]
        else:
            text = _lines(text, dice)
    return text


SCALARS = (
    "true", "null", "~", "0123", "7", "-1", "1e3", "0x1f", "1_0", "a:", "a: b", "x #y", "x#y", "- x", "10:20", "'it''s'",
    '"\\x41"', "[a, true]", "[a, a]", "a,b", "a, b", "|", "x y",
    "x  y", "é", "yes", "<<", "*a", "&a b", "!!str x", "2001:db8::1",
    "::1", "{}", "''", '""', "a]", "b}", "x: y: z", "0", "00", "0.5",
    "a/b", "@x", "`x", "%x", "true x", "nullx", "=", "?", "? a", "x" * 1100,
)  # fmt: skip


def _word(text: str, dice: random.Random) -> str:
    """One word is another: a scalar that looks like something else, or a word of the same text."""
    words = list(re.finditer(r"[\w./-]+", text))
    if not words:
        return text
    old = dice.choice(words)
    new = dice.choice(SCALARS) if dice.random() < 0.7 else dice.choice(words)[0]
    return text[: old.start()] + new + text[old.end() :]


def _lines(text: str, dice: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    kind = dice.randrange(6)
    if kind == 0:
        lines.insert(other, lines[at])
    elif kind == 1:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 2:
        lines[at] = " " * dice.randint(1, 4) + lines[at]
    elif kind == 3:
        lines[at] = lines[at].removeprefix(" " * dice.randint(1, 3))
    elif kind == 4:
        lines[at] = dice.choice(("", "-", "- ", "?")) + lines[at].lstrip(" -")
    else:
        del lines[at]
    return "".join(lines)
