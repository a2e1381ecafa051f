"""Configuration lines of a simulated IOS-XE switch: one line changes the configuration at once, or is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from configlet.lab.parsers import ios_groups
from configlet.lab.parsers.eos_entry import InvalidInput, Words, number
from configlet.lab.parsers.ios_entry import parse, show
from configlet.lab.switch_config import Way
from configlet.lab.switch_ios_config import BIND, GROUP_MODES, HEAD, SWITCHES, IosAcl, IosConfig
from configlet.lab.switch_match import Ambiguous, Said, incomplete, match
from configlet.lab.switch_words import hostname
from configlet.model.net import FAMILIES, Family

GLOBAL = ""
"""The mode outside every section. Any other mode is the header of its section."""
LAST_SEQUENCE = 2147483647
FAMILY_OF: dict[str, Family] = {"ip": 4, "ipv6": 6}
Global = Callable[[IosConfig, Sequence[str]], str]


def submode(mode: str) -> str:
    """What stands in the prompt for a mode."""
    if mode == GLOBAL:
        return "config"
    words = mode.split()
    match words:
        case ["ip", "access-list", *_]:
            return "config-ext-nacl"
        case ["ipv6", "access-list", *_]:
            return "config-ipv6-acl"
        case ["object-group", kind, _]:
            return GROUP_MODES[kind]
    return f"config-{ {'interface': 'if', 'line': 'line'}.get(words[0], words[0]) }"


def enter(config: IosConfig, mode: str, line: str) -> str:
    """Apply one line; the mode of the next. Unknown in a submode, it is tried as global. Raises with nothing changed."""
    words = line.split()
    if mode == GLOBAL:
        return _global(config, words, line)
    try:
        _inside(config, mode, words, line)
        return mode
    except InvalidInput as inner:
        try:
            return _global(config, words, line)
        except InvalidInput as outer:
            raise max(inner, outer, key=lambda refusal: refusal.token) from None


def _global(config: IosConfig, words: Sequence[str], line: str) -> str:
    header = " ".join(words)
    lines = config.baseline.lines(header)
    if lines is not None:
        config.present.add((header, ""))
        return header if lines or header.startswith("interface ") else GLOBAL
    if words[0] == "no" and config.baseline.lines(" ".join(words[1:])) is not None:
        raise Said("% The simulated hardware cannot be without this line")
    verb, taken = match(words, _FORMS)
    return verb(config, [*taken, line])


def _hostname(config: IosConfig, taken: Sequence[str]) -> str:
    hostname(config, taken)
    return GLOBAL


def _version(_: IosConfig, taken: Sequence[str]) -> str:
    if not taken[0].replace(".", "").isdigit():
        raise InvalidInput(1, taken[0])
    return GLOBAL


def _switch(line: str, on: bool) -> Global:
    def turn(config: IosConfig, _: Sequence[str]) -> str:
        (config.switches.add if on else config.switches.discard)(line)
        return GLOBAL

    return turn


def _alias(config: IosConfig, taken: Sequence[str]) -> str:
    config.aliases[taken[0]] = taken[-1].strip().split(maxsplit=3)[3]
    return GLOBAL


def _no_alias(config: IosConfig, taken: Sequence[str]) -> str:
    config.aliases.pop(taken[0], None)
    return GLOBAL


def _archive(config: IosConfig, _: Sequence[str]) -> str:
    config.archive = config.archive or {}
    return "archive"


def _no_archive(config: IosConfig, _: Sequence[str]) -> str:
    config.archive = None
    return GLOBAL


def _list(family: Family) -> Global:
    at = len(HEAD[family].split())

    def open_list(config: IosConfig, taken: Sequence[str]) -> str:
        name = _name(taken[0], at, family)
        config.acls.setdefault((family, name), IosAcl())
        return f"{HEAD[family]} {name}"

    return open_list


def _no_list(family: Family) -> Global:
    def remove(config: IosConfig, taken: Sequence[str]) -> str:
        config.acls.pop((family, taken[0]), None)
        return GLOBAL

    return remove


def _name(name: str, at: int, family: Family) -> str:
    numbered = family == 4 and name.isdigit() and (100 <= int(name) <= 199 or 2000 <= int(name) <= 2699)
    if not (name.isascii() and (name[0].isalpha() or numbered)) or '"' in name:
        raise InvalidInput(at, name)
    return name


def _resequence(config: IosConfig, taken: Sequence[str]) -> str:
    name, start, step = taken[:3]
    for at, word in ((4, start), (5, step)):
        if not word.isdigit() or not 1 <= int(word) <= LAST_SEQUENCE:
            raise InvalidInput(at, word)
    acl = config.acls.get((4, name))
    if acl is None:
        raise Said("% Specified access list does not exist")
    last = int(start) + int(step) * (len(acl.entries) - 1)
    if last > LAST_SEQUENCE:
        raise Said("% Access list sequence number exceeds the maximum")
    old = sorted(acl.entries)
    number = {key: int(start) + int(step) * n for n, key in enumerate(old)}
    fresh = IosAcl({number[key]: acl.entries[key] for key in old})
    for key, texts in sorted(acl.remarks.items()):
        following = next((number[n] for n in old if n >= key), last + int(step))
        fresh.remarks.setdefault(following, []).extend(texts)
    config.acls[4, name] = fresh
    return GLOBAL


def _group(kind: str) -> Global:
    def open_group(config: IosConfig, taken: Sequence[str]) -> str:
        if not taken[0][0].isalpha():
            raise InvalidInput(2, taken[0])
        config.groups.setdefault((kind, taken[0]), [])
        return f"object-group {kind} {taken[0]}"

    return open_group


def _no_group(kind: str) -> Global:
    def remove(config: IosConfig, taken: Sequence[str]) -> str:
        if (kind, taken[0]) in config.groups and used(config, kind, taken[0]):
            raise Said(f"%Object-group {taken[0]} cannot be deleted: it is in use")
        config.groups.pop((kind, taken[0]), None)
        return GLOBAL

    return remove


def used(config: IosConfig, kind: str, name: str) -> bool:
    """Whether an entry or another group names an object group."""
    for (family, _), acl in config.acls.items():
        for line in acl.entries.values():
            if f"object-group {name} " in f"{line} ":
                if (kind, name) in parse(family, line.split()).groups:
                    return True
    return any(f"group-object {name}" in lines for (k, _), lines in config.groups.items() if k == kind)


def _to_interface(config: IosConfig, taken: Sequence[str]) -> str:
    header = f"interface {taken[0]}"
    if config.baseline.lines(header) is None:
        raise InvalidInput(1, taken[0])
    config.present.add((header, ""))
    return header


_FORMS: dict[str, Global] = {
    "hostname NAME": _hostname,
    "version NUMBER": _version,
    **{line: _switch(line, True) for line in SWITCHES},
    **{f"no {line}": _switch(line, False) for line in SWITCHES},
    "alias exec NAME ...": _alias,
    "no alias exec NAME": _no_alias,
    "no alias exec NAME ...": _no_alias,
    "archive": _archive,
    "no archive": _no_archive,
    **{f"{HEAD[f]} NAME": _list(f) for f in FAMILIES},
    **{f"no {HEAD[f]} NAME": _no_list(f) for f in FAMILIES},
    "ip access-list resequence NAME START STEP": _resequence,
    **{f"object-group {kind} NAME": _group(kind) for kind in GROUP_MODES},
    **{f"no object-group {kind} NAME": _no_group(kind) for kind in GROUP_MODES},
    "interface NAME": _to_interface,
}


def _inside(config: IosConfig, mode: str, words: list[str], line: str) -> None:
    head = mode.split()
    match head:
        case ["ip", "access-list", _, name]:
            _in_list(config, 4, name, words, line)
        case ["ipv6", "access-list", name]:
            _in_list(config, 6, name, words, line)
        case ["object-group", kind, name]:
            _member(config, kind, name, words)
        case ["archive"]:
            _archiving(config, words)
        case ["interface", name] if words != ["no", "shutdown"]:
            _interface(config, name, words)
        case _:
            _baseline(config, mode, words)


def _baseline(config: IosConfig, mode: str, words: list[str]) -> None:
    text = " ".join(words)
    if text not in (config.baseline.lines(mode) or ()):
        raise InvalidInput(0, words[0])
    config.present.add((mode, text))


def _archiving(config: IosConfig, words: list[str]) -> None:
    archive = config.archive = config.archive or {}
    match words:
        case ["path", path]:
            archive["path"] = path
        case ["no", "path", *_]:
            archive.pop("path", None)
        case ["maximum", count] if count.isdigit() and 1 <= int(count) <= 14:
            archive["maximum"] = count
        case ["path" | "maximum"]:
            raise incomplete(words)
        case _:
            raise InvalidInput(int(words[0] in ("path", "maximum")), words[int(words[0] in ("path", "maximum"))])


def _interface(config: IosConfig, interface: str, words: list[str]) -> None:
    text = " ".join(words)
    if text in (config.baseline.lines(f"interface {interface}") or ()):
        config.present.add((f"interface {interface}", text))
        return
    if interface not in config.baseline.routed:
        raise InvalidInput(0, words[0])
    forms = {f"{BIND[f]} NAME {way}": (f, way) for f in FAMILIES for way in ("in", "out")}
    forms |= {f"no {form}": key for form, key in forms.items()}
    forms |= {form.replace(" NAME", ""): key for form, key in forms.items() if form.startswith("no ")}
    (family, way), taken = match(words, forms)
    key = (interface, family, _way(way))
    if words[0] != "no":
        config.bindings[key] = _name(taken[0], 2, family)
    elif not taken or config.bindings.get(key) == taken[0]:
        config.bindings.pop(key, None)


def _way(word: str) -> Way:
    return "in" if word == "in" else "out"


def _in_list(config: IosConfig, family: Family, name: str, words: list[str], line: str) -> None:
    """A line in a list; a list that somebody deleted meanwhile is there again after it."""
    acl = config.acls.get((family, name), IosAcl())
    gone = words[0] == "no"
    sequence, at = _sequence(family, words, int(gone))
    if words[at : at + 1] == ["remark"]:
        _remark(acl, family, sequence, line.strip().split(maxsplit=at + 1)[at + 1 :], words)
    elif gone:
        _remove(config, acl, family, sequence, words, at)
    else:
        _add(acl.entries, sequence, _shown(config, family, words, at))
    config.acls[family, name] = acl


def _remark(acl: IosAcl, family: Family, sequence: int | None, text: list[str], words: list[str]) -> None:
    last = max(acl.entries, default=0)
    if family == 6 and sequence is not None:
        raise InvalidInput(2 + (words[0] == "no"), "remark")
    key = sequence if sequence is not None else last + 10 if family == 4 else last
    if words[0] != "no":
        if not text:
            raise incomplete(words)
        acl.put(key, text[0])
        return
    keys = [key] if sequence is not None else [k for k, texts in acl.remarks.items() if text and text[0] in texts]
    if not any(acl.remarks.get(k) for k in keys):
        raise Said("% Specified remark does not exist")
    for k in keys:
        acl.remarks[k] = [t for t in acl.remarks[k] if text and t != text[0]]
        if not acl.remarks[k]:
            del acl.remarks[k]


def _remove(config: IosConfig, acl: IosAcl, family: Family, sequence: int | None, words: list[str], at: int) -> None:
    if at < len(words):
        shown = _shown(config, family, words, at)
        found = [n for n, line in acl.entries.items() if line == shown and sequence in (None, n)]
        if not found:
            raise Said("% Specified access list entry does not exist")
        del acl.entries[found[0]]
    elif sequence in acl.entries:
        del acl.entries[sequence]
    elif family == 4 and sequence in acl.remarks:
        del acl.remarks[sequence]
    else:
        raise Said("% Specified sequence number does not exist")


def _sequence(family: Family, words: list[str], at: int) -> tuple[int | None, int]:
    """The sequence number before an entry, and the position of the next word."""
    if at >= len(words):
        raise incomplete(words)
    if family == 4:
        return (number(Words(words, at), 1, LAST_SEQUENCE), at + 1) if words[at].isdigit() else (None, at)
    if words[at] != "sequence":
        return None, at
    return number(Words(words, at + 1), 1, LAST_SEQUENCE), at + 2


def _shown(config: IosConfig, family: Family, words: list[str], at: int) -> str:
    entry = parse(family, words, at)
    for kind, name in entry.groups:
        if (kind, name) not in config.groups:
            raise Said(f"%Object-group {name} of type {kind} does not exist")
        if not config.groups[kind, name]:
            raise Said(f"%Object-group {name} is empty")
    return show(entry)


def _add(entries: dict[int, str], sequence: int | None, shown: str) -> None:
    """An entry that the list has already, under whichever number, is silently not added."""
    if shown in entries.values():
        return
    if sequence is None:
        sequence = max(entries, default=0) + 10
    if sequence in entries:
        raise Said("% Duplicate sequence number")
    if sequence > LAST_SEQUENCE:
        raise Said("% Access list sequence number exceeds the maximum")
    entries[sequence] = shown


def _member(config: IosConfig, kind: str, name: str, words: list[str]) -> None:
    lines = list(config.groups.get((kind, name), ()))
    gone = words[0] == "no"
    rest = words[int(gone) :]
    if not rest:
        raise incomplete(words)
    if rest[0] == "description" and len(rest) > 1:
        shown = " ".join(rest)
    else:
        try:
            shown = (ios_groups.network_line if kind == "network" else ios_groups.service_line)(rest)[0]
        except InvalidInput as refusal:
            raise InvalidInput(refusal.token + gone, refusal.word, refusal.what) from None
    _check_member(config, kind, name, shown)
    if not gone:
        lines += [shown] * (shown not in lines)
    elif shown in lines:
        if len(lines) == 1 and used(config, kind, name):
            raise Said(f"%Object-group {name} cannot be emptied: it is in use")
        lines.remove(shown)
    config.groups[kind, name] = lines


def _check_member(config: IosConfig, kind: str, name: str, shown: str) -> None:
    """A group may hold groups that are there, and never itself."""
    if not shown.startswith("group-object "):
        return
    inner = shown.split()[1]
    if (kind, inner) not in config.groups:
        raise Said(f"%Object-group {inner} of type {kind} does not exist")
    seen, left = set(), [inner]
    while left:
        here = left.pop()
        if here == name:
            raise Said(f"%Object-group {name} cannot hold itself")
        if here not in seen:
            seen.add(here)
            left += [
                line.split()[1] for line in config.groups.get((kind, here), ()) if line.startswith("group-object ")
            ]


__all__ = ["GLOBAL", "Ambiguous", "InvalidInput", "Said", "enter", "submode"]
