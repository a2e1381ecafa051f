"""The configuration of a simulated switch whose vendor's way is a ``Dialect``: what it holds, how it is shown, its lines.

As on the other simulated switches, the lines that describe the lab's wiring (the baseline) cannot be changed; access
lists, their bindings, the host name and what a platform adds (``extra``) can. A line changes the configuration whole or
is refused whole, in the vendor's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from configlet.lab.parsers.dialect import Dialect, show
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_config import Baseline, Way
from configlet.lab.switch_match import Said, incomplete, match
from configlet.lab.switch_words import hostname
from configlet.model.net import FAMILIES, Family

GLOBAL = ""
"""The mode outside every section. Any other mode is the header of its section."""


@dataclass(slots=True)
class ListConfig:
    """One configuration. Mutable, as a line changes it in place; what is kept is a copy."""

    dialect: Dialect
    baseline: Baseline
    hostname: str
    present: set[tuple[str, str]]
    """(section header, line) of the baseline that stand in this configuration; line "" is the header itself."""
    acls: dict[tuple[Family, str], dict[int, str]] = field(default_factory=dict)
    """Entries and remarks by their sequence number, as they are shown."""
    bindings: dict[tuple[str, Family, Way], str] = field(default_factory=dict)
    extra: dict[str, list[str]] = field(default_factory=dict)
    """Sections that only this platform has: header to lines."""

    def copy(self) -> ListConfig:
        """An independent copy."""
        return ListConfig(
            self.dialect,
            self.baseline,
            self.hostname,
            set(self.present),
            {key: dict(entries) for key, entries in self.acls.items()},
            dict(self.bindings),
            {header: list(lines) for header, lines in self.extra.items()},
        )


def initial(dialect: Dialect, baseline: Baseline) -> ListConfig:
    """The configuration of a device that nobody has touched since it was put up."""
    whole = {(header, line) for header, lines in baseline.sections for line in ("", *lines)}
    return ListConfig(dialect, baseline, baseline.device, whole)


def empty(dialect: Dialect, baseline: Baseline) -> ListConfig:
    """A configuration without a line, to read a file into."""
    return ListConfig(dialect, baseline, "switch", set())


def missing(config: ListConfig) -> list[str]:
    """Baseline lines that are not in a configuration."""
    whole = initial(config.dialect, config.baseline).present
    return sorted(f"{header} {line}".strip() for header, line in whole - config.present)


def sections(config: ListConfig, starts: tuple[str, ...]) -> Iterator[list[str]]:
    """The baseline's sections whose headers begin so, each with its lines and, of an interface, its bindings."""
    for header, lines in config.baseline.sections:
        if header.startswith(starts) and (header, "") in config.present:
            inner = [line for line in lines if (header, line) in config.present]
            inner += list(_bound(config, header.removeprefix("interface ")))
            yield [header, *(config.dialect.indent + line for line in inner)]


def _bound(config: ListConfig, interface: str) -> Iterator[str]:
    for (name, family, way), acl in sorted(config.bindings.items()):
        if name == interface:
            yield f"{config.dialect.bind[family]} {acl} {config.dialect.way(way)}"


def lists(config: ListConfig) -> Iterator[list[str]]:
    """The access lists, each with its header, in sequence order."""
    for (family, name), entries in sorted(config.acls.items()):
        head = f"{config.dialect.head[family]} {name}"
        yield [head, *(f"{config.dialect.indent}{number} {text}" for number, text in sorted(entries.items()))]


def extras(config: ListConfig, start: str) -> Iterator[list[str]]:
    """The platform's own sections whose headers begin so."""
    for header, lines in sorted(config.extra.items()):
        if header.startswith(start):
            yield [header, *(config.dialect.indent + line for line in lines)]


Global = Callable[[ListConfig, Sequence[str]], str]
"""A command outside every section: it takes its arguments with the whole line behind them, and gives the next mode."""
Inner = Callable[[ListConfig, str, list[str], str], None]
"""A line inside a section of the platform's own: the section's header, the words of the line, the line."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a platform's configuration mode knows beside lists, interfaces and the host name."""

    forms: Mapping[str, Global] = field(default_factory=dict)
    inner: Mapping[str, Inner] = field(default_factory=dict)
    """By the beginning of their section's header."""


def enter(config: ListConfig, grammar: Grammar, mode: str, line: str) -> str:
    """Apply one line; the mode of the next. Unknown in a submode, it is tried as global. Raises with nothing changed."""
    words = line.split()
    if mode == GLOBAL:
        return _global(config, grammar, words, line)
    try:
        _inside(config, grammar, mode, words, line)
        return mode
    except InvalidInput as inner:
        try:
            return _global(config, grammar, words, line)
        except InvalidInput as outer:
            raise max(inner, outer, key=lambda refusal: refusal.token) from None


def _global(config: ListConfig, grammar: Grammar, words: list[str], line: str) -> str:
    header = " ".join(words)
    lines = config.baseline.lines(header)
    if lines is not None:
        config.present.add((header, ""))
        return header if lines or header.startswith("interface ") else GLOBAL
    if words[0] == "no" and config.baseline.lines(" ".join(words[1:])) is not None:
        raise Said("% The simulated hardware cannot be without this line")
    heads = {config.dialect.head[f]: f for f in FAMILIES}
    forms: dict[str, Global] = {**_FORMS, **grammar.forms}
    forms |= {f"{head} NAME": _list(family, len(head.split())) for head, family in heads.items()}
    forms |= {f"no {head} NAME": _no_list(family) for head, family in heads.items()}
    verb, taken = match(words, forms)
    return verb(config, [*taken, line])


def _hostname(config: ListConfig, taken: Sequence[str]) -> str:
    hostname(config, taken)
    return GLOBAL


def _to_interface(config: ListConfig, taken: Sequence[str]) -> str:
    header = f"interface {taken[0]}"
    if config.baseline.lines(header) is None:
        raise InvalidInput(1, taken[0])
    config.present.add((header, ""))
    return header


_FORMS: dict[str, Global] = {"hostname NAME": _hostname, "interface NAME": _to_interface}


def _list(family: Family, at: int) -> Global:
    def open_list(config: ListConfig, taken: Sequence[str]) -> str:
        name = _name(taken[0], at)
        config.acls.setdefault((family, name), {})
        return f"{config.dialect.head[family]} {name}"

    return open_list


def _no_list(family: Family) -> Global:
    def remove(config: ListConfig, taken: Sequence[str]) -> str:
        if config.acls.pop((family, taken[0]), None) is None:
            raise Said(f"% Access list {taken[0]} does not exist")
        return GLOBAL

    return remove


def _name(name: str, at: int) -> str:
    if not (name.isascii() and name[0].isalpha() and len(name) <= 64) or '"' in name:
        raise InvalidInput(at, name)
    return name


def _inside(config: ListConfig, grammar: Grammar, mode: str, words: list[str], line: str) -> None:
    family = next((f for f in FAMILIES if mode.startswith(f"{config.dialect.head[f]} ")), None)
    own = next((inner for start, inner in grammar.inner.items() if mode.startswith(start)), None)
    if family is not None:
        _in_list(config, family, mode.rsplit(maxsplit=1)[-1], words, line)
    elif own is not None:
        own(config, mode, words, line)
    elif mode.startswith("interface "):
        _in_interface(config, mode, words)
    elif " ".join(words) in (config.baseline.lines(mode) or ()):
        config.present.add((mode, " ".join(words)))
    else:
        raise InvalidInput(0, words[0])


def _in_interface(config: ListConfig, mode: str, words: list[str]) -> None:
    text, interface = " ".join(words), mode.removeprefix("interface ")
    if text in (config.baseline.lines(mode) or ()):
        config.present.add((mode, text))
        return
    if config.dialect.wired(interface) not in config.baseline.routed:
        raise InvalidInput(0, words[0])
    dialect = config.dialect
    forms = {f"{dialect.bind[f]} NAME {word}": (f, way) for f in FAMILIES for word, way in dialect.ways.items()}
    forms |= {f"no {form}": key for form, key in forms.items()}
    forms |= {form.replace(" NAME", ""): key for form, key in forms.items() if form.startswith("no ")}
    (family, way), taken = match(words, forms)
    key = (interface, family, way)
    if words[0] != "no":
        config.bindings[key] = _name(taken[0], len(dialect.bind[family].split()))
    elif not taken or config.bindings.get(key) == taken[0]:
        config.bindings.pop(key, None)


def _in_list(config: ListConfig, family: Family, name: str, words: list[str], line: str) -> None:
    """A line in a list; a list that somebody deleted meanwhile is there again after it."""
    entries = dict(config.acls.get((family, name), {}))
    gone = int(words[0] == "no")
    sequence, at = _sequence(config.dialect, words, gone)
    if gone:
        _remove(config, entries, family, sequence, words, at)
    else:
        if sequence is None:
            sequence = max(entries, default=0) // 10 * 10 + 10
        text = _text(config, family, words, at, line)
        if entries.get(sequence, text) != text and not config.dialect.overwrites:
            raise Said(f"% Sequence number {sequence} is in use")
        entries[sequence] = text
    config.acls[family, name] = entries


def _sequence(dialect: Dialect, words: list[str], at: int) -> tuple[int | None, int]:
    """The sequence number before an entry, and the position of the next word."""
    if at >= len(words):
        raise incomplete(words)
    word = words[at]
    if not word.isdigit():
        return None, at
    if not 1 <= int(word) <= dialect.last_sequence:
        raise InvalidInput(at, word)
    return int(word), at + 1


def _text(config: ListConfig, family: Family, words: list[str], at: int, line: str) -> str:
    if words[at : at + 1] == ["remark"]:
        text = line.strip().split(maxsplit=at + 1)[at + 1 :]
        if not text:
            raise incomplete(words)
        return f"remark {text[0]}"
    if at >= len(words):
        raise incomplete(words)
    return show(config.dialect, config.dialect.entry(family, words, at))


def _remove(
    config: ListConfig, entries: dict[int, str], family: Family, sequence: int | None, words: list[str], at: int
) -> None:
    if at < len(words):
        text = _text(config, family, words, at, " ".join(words))
        found = [n for n, said in entries.items() if said == text and sequence in (None, n)]
    else:
        found = [n for n in entries if n == sequence]
    if not found:
        raise Said("% Specified sequence number does not exist")
    del entries[found[0]]
