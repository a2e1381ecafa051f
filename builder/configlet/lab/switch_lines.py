"""Configuration lines of a simulated EOS switch: one line changes one configuration, or is refused as EOS refuses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from configlet.lab.parsers import eos_entry
from configlet.lab.parsers.eos_entry import InvalidInput, Words, number
from configlet.lab.switch_config import FAMILY_WORD, GLOBAL, Acl, Config, Way, clean
from configlet.model.net import FAMILIES, Family

LAST_SEQUENCE = 4294967295
FAMILY_OF: dict[str, Family] = {word: family for family, word in FAMILY_WORD.items()}


class CannotRun(Exception):  # noqa: N818 - the device's own words
    """A line that the device understands and cannot carry out (eAPI code 1000)."""


def enter(config: Config, section: str, line: str) -> str:
    """Apply one line inside a section; returns the section in which the next line stands.

    As on EOS, a line that the section does not know is tried as a global one. Raises InvalidInput and CannotRun.
    """
    words = line.split()
    if section != GLOBAL:
        try:
            _inside(config, section, line, words)
            return section
        except InvalidInput as inner:
            try:
                return _global(config, words)
            except InvalidInput as outer:
                raise max(inner, outer, key=lambda refusal: refusal.token) from None
    return _global(config, words)


def start_clean(config: Config) -> None:
    """``rollback clean-config``: forget everything in this session."""
    fresh = clean(config.baseline)
    config.hostname, config.present, config.acls, config.bindings = fresh.hostname, fresh.present, {}, {}


def _fail(words: Sequence[str], token: int) -> NoReturn:
    if token >= len(words):
        raise InvalidInput(len(words) - 1, words[-1], "Incomplete command")
    raise InvalidInput(token, words[token])


def _global(config: Config, words: list[str]) -> str:
    text = " ".join(words)
    if config.baseline.lines(text) is not None:
        config.present.add((text, ""))
        return text
    match words:
        case ["hostname", name] if name.replace("-", "").replace(".", "").isalnum():
            config.hostname = name
            return GLOBAL
        case [("ip" | "ipv6") as word, "access-list", name] if _is_name(name):
            config.acls.setdefault((FAMILY_OF[word], name), Acl())
            return f"{word} access-list {name}"
        case ["no", ("ip" | "ipv6") as word, "access-list", name]:
            config.acls.pop((FAMILY_OF[word], name), None)
            return GLOBAL
    _fail(words, _agreed(words, _global_forms(config)))


def _global_forms(config: Config) -> list[str]:
    lists = [f"{no}{word} access-list" for no in ("", "no ") for word in FAMILY_OF]
    return ["hostname", *lists, *(header for header, _ in config.baseline.sections)]


def _agreed(words: Sequence[str], forms: Sequence[str]) -> int:
    """How many leading words agree with the best of the known forms."""
    best = 0
    for form in forms:
        same = 0
        for mine, known in zip(words, form.split(), strict=False):
            if mine != known:
                break
            same += 1
        best = max(best, same)
    return best


def _is_name(name: str) -> bool:
    return name[0].isalpha() and name.isascii() and name.isprintable() and name != "standard"


def _inside(config: Config, section: str, line: str, words: list[str]) -> None:
    head = section.split()
    if head[1:2] == ["access-list"]:
        _entry(config.acls[FAMILY_OF[head[0]], head[2]], FAMILY_OF[head[0]], line, words)
    elif " ".join(words) in (config.baseline.lines(section) or ()):
        config.present.add((section, " ".join(words)))
    elif head[0] == "interface" and words != ["no", "shutdown"]:
        _access_group(config, head[1], words)
    elif head[0] != "interface":
        _fail(words, 0)


def _entry(acl: Acl, family: Family, line: str, words: list[str]) -> None:
    match words:
        case ["counters", "per-entry"]:
            acl.counters = True
        case ["no", "counters", "per-entry"]:
            acl.counters = False
        case ["no", old] if old.isascii() and old.isdigit():
            if acl.entries.pop(int(old), None) is None:
                raise CannotRun(f"Sequence number {old} not found")
        case _:
            numbered = words[0].isdigit()
            seq = number(Words(words), 1, LAST_SEQUENCE) if numbered else max(acl.entries, default=0) + 10
            shown = _shown(family, line, words, 1 if numbered else 0)
            if seq in acl.entries:
                raise CannotRun("Duplicate sequence number")
            if seq > LAST_SEQUENCE:
                raise CannotRun("Sequence number out of range")
            acl.entries[seq] = shown


def _shown(family: Family, line: str, words: list[str], at: int) -> str:
    if words[at : at + 1] == ["remark"] and len(words) > at + 1:
        return "remark " + line.strip().split(maxsplit=at + 1)[-1]
    return eos_entry.show(eos_entry.parse(family, words, at))


def _access_group(config: Config, interface: str, words: list[str]) -> None:
    routed = interface in config.baseline.routed
    match words:
        case [("ip" | "ipv6") as word, "access-group", name, ("in" | "out") as way] if routed and _is_name(name):
            config.bindings[interface, FAMILY_OF[word], _way(way)] = name
        case ["no", ("ip" | "ipv6") as word, "access-group", *name, ("in" | "out") as way] if routed and len(name) < 2:
            key = (interface, FAMILY_OF[word], _way(way))
            if not name or config.bindings.get(key) == name[0]:
                config.bindings.pop(key, None)
        case _:
            groups = [f"{no}{FAMILY_WORD[f]} access-group" for no in ("", "no ") for f in FAMILIES if routed]
            token = _agreed(words, [*groups, *(config.baseline.lines(f"interface {interface}") or ())])
            _fail(words, words.index("access-group") + 2 if "access-group" in words[:token] else token)


def _way(word: str) -> Way:
    return "in" if word == "in" else "out"
