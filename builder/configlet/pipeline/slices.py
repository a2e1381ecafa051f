"""The part of a site that a change touches, as a site of its own.

A gate's law is made of the rules that speak of its addresses, in their order, and of what the network itself needs. So
a site of which everything is kept but the rules and hosts that have nothing to do with some segments gives the gates of
those segments the same laws as the whole. Rules and hosts are left out by emptying their lines: what is kept stands
where it stood, and is read, judged and understood by the same stages as ever.

What is said here is only trusted when it is seen: the items that were read must stand exactly where they were expected,
and a changed rule may speak of no address outside of what was taken for touched. In doubt the whole site is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain

from configlet.model.frozen import dataclass
from configlet.model.inventory import Inventory
from configlet.pipeline.cuts import TOP, Cut, Item, digest_of
from configlet.pipeline.inputs import Inputs
from configlet.pipeline.sitemap import ALL, Map

KINDS = ("policy", "tests", "accept", "hosts")
_WORD = re.compile(r"[A-Za-z0-9_.\-]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of rules: for each file that differs all of its items now, those that are new, and what it can touch."""

    now: dict[str, tuple[Item, ...]]
    new: frozenset[tuple[str, int]]
    """File and line of each new item."""
    places: frozenset[str]
    """Every place that the change can touch: of the new rules, what their words can mean."""
    left: frozenset[str]
    """The places of the rules that are gone."""
    named: frozenset[str] | None
    """Of the hosts there those that the change concerns; None: perhaps all, as long as the new rules were not read."""
    lost: frozenset[str]
    """The hosts that the rules that are gone concerned."""
    hosts: frozenset[str]
    removed: int
    names: frozenset[str]
    """The names of the rules that stay, of the files that differ."""
    used: tuple[frozenset[str], frozenset[str]]
    """What all rules of before speak of, and what those that stay do."""


def change_of(known: Map, before: Mapping[str, str], given: Inputs) -> Change | None:
    """What differs from the site of the map, if nothing but rules does; None when a slice cannot answer."""
    if set(before) != set(given.files):
        return None
    files = [name for name, digest in given.digests.items() if before[name] != digest]
    now: dict[str, tuple[Item, ...]] = {}
    gone: list[Item] = []
    new: list[tuple[str, Item]] = []
    for file in files:
        cut = known.cuts.get(file)
        found = _compared(cut, given.files[file]) if cut and cut.kind == "policy" and cut.alone else None
        if found is None:
            return None
        now[file], old, fresh = found
        gone += old
        new += [(file, item) for item in fresh]
    left = frozenset(name for item in gone for name in item.places)
    places, hosts = set(left), set[str]()
    for file, item in new:
        text = "\n".join(given.files[file].decode().split("\n")[item.start : item.stop])
        for word in set(_WORD.findall(text)) & known.words.keys():
            places.update(known.words[word][0])
            hosts.update(known.words[word][1])
    if ALL in places or places & set(known.core):
        return None
    same = [cut for file, cut in known.cuts.items() if cut.kind == "policy" and file not in now]
    uses = frozenset(chain.from_iterable(cut.uses for cut in same))
    used = uses.union(*(known.cuts[file].uses for file in now)), uses.union(*(i.uses for of in now.values() for i in of))
    lines = frozenset((file, item.start) for file, item in new)
    names = frozenset(item.name for items in now.values() for item in items)
    lost = {host for item in gone for host in (*item.hosts, *(h for p in item.whole for h in known.inside.get(p, ())))}
    return Change(
        now, lines, frozenset(places), left, None, frozenset(lost), frozenset(hosts), len(gone), names, used
    )


def _compared(cut: Cut, raw: bytes) -> tuple[tuple[Item, ...], list[Item], list[Item]] | None:
    """All items of a file now, those that are gone, and those that are new (without name, digest or places)."""
    lines = raw.split(b"\n")
    first = cut.opened().starts[0]
    if first >= len(lines) or digest_of(b"\n".join(lines[:first])) != cut.head:
        return None
    mark = lines[first][: len(lines[first]) - len(lines[first].lstrip())] + b"- "
    starts = [at for at, line in enumerate(lines) if line.startswith(mark)]
    if not starts or starts[0] != first or any(TOP.match(line) for line in lines[first:]):
        return None
    stops = [*starts[1:], len(lines)]
    spans = list(zip(starts, stops, strict=True))
    digests = [digest_of(b"\n".join(lines[a:b])) for a, b in spans]
    old = cut.items
    least = min(len(old), len(spans))
    ahead = next((n for n in range(least) if old[n].digest != digests[n]), least)
    behind = next((n for n in range(least - ahead) if old[-1 - n].digest != digests[-1 - n]), least - ahead)
    fresh = [Item(a, b, (), (), "", "") for a, b in spans[ahead : len(spans) - behind]]
    moved = len(spans) - behind
    kept = [
        was._replace(start=a, stop=b)
        for was, (a, b) in (
            *zip(old[:ahead], spans[:ahead], strict=True),
            *zip(old[len(old) - behind :], spans[moved:], strict=True),
        )
    ]
    items = (*kept[:ahead], *fresh, *kept[ahead:])
    return items, list(old[ahead : len(old) - behind]), fresh


def is_taken(known: Map, change: Change, name: str) -> bool:
    """Whether a rule that stays has this name, or perhaps has."""
    others = (cut for file, cut in known.cuts.items() if cut.kind == "policy" and file not in change.now)
    return name in change.names or any(cut.has(name) for cut in others)


def touched_by(known: Map, change: Change) -> frozenset[str]:
    """The devices and hosts that have a gate at a place that a change touches."""
    free = set(known.free)
    hosts = {host for place in change.places for host in known.inside.get(place, ()) if host not in free}
    if change.named is not None:
        hosts &= change.named
    devices = {name[1:] for name, near in known.neighbours.items() if name[0] == "@" and change.places & set(near)}
    return frozenset(hosts | devices)


@dataclass(frozen=True, slots=True)
class Slice:
    """The texts of a slice's files, and the first lines of the items that they must hold, by kind."""

    texts: dict[str, str]
    expected: dict[str, frozenset[tuple[str, int]]]


def slice_of(known: Map, given: Inputs, change: Change, owners: Iterable[str] = ()) -> Slice:
    """The part of a site that decides about the places of a change, and about these owners besides."""
    hosts = {*change.hosts, *(h for place in change.places for h in known.inside.get(place, ()))}
    hosts |= {owner for owner in owners if owner in known.words}
    hosts |= {h for p in change.places for q in known.parted.get(p, ()) for h in known.bare.get(q, ())}
    places = _around(known, {*change.places, *(p for owner in owners for p in _places_of(known, owner))}, hosts)
    own = set(change.places)
    tested = [item for cut in known.cuts.values() if cut.kind == "tests" for item in cut.speaking(own)]
    places |= {name for item in tested for name in item.places}
    kept: dict[str, tuple[Item, ...]] = {}
    for file, cut in known.cuts.items():
        wanted = {ALL, *(own if cut.kind == "tests" else places)}
        if cut.kind != "hosts":
            now = change.now.get(file)
            kept[file] = cut.speaking(wanted) if now is None else tuple(
                i for i in now if not wanted.isdisjoint(i.places) or (file, i.start) in change.new
            )
            hosts.update(host for item in kept[file] for host in item.hosts)
    for file, cut in known.cuts.items():
        if cut.kind == "hosts":
            kept[file] = cut.named(hosts)
    texts = {file: raw.decode() for file, raw in given.files.items() if file not in known.cuts}
    expected: dict[str, set[tuple[str, int]]] = {kind: set() for kind in KINDS}
    for file, found in kept.items():
        cut = known.cuts[file]
        expected[cut.kind].update((file, item.start + 1) for item in found)
        if found or not cut.alone:
            texts[file] = _emptied(given.files[file].decode(), cut, change.now.get(file), found)
    return Slice(texts, {kind: frozenset(found) for kind, found in expected.items()})


def whole_places(known: Map, change: Change) -> set[str]:
    """The places of which a slice has every rule, at the least."""
    return _around(known, set(change.places), {h for place in change.places for h in known.inside.get(place, ())})


def _around(known: Map, places: set[str], hosts: Iterable[str]) -> set[str]:
    """Places with all that gates of theirs, and these hosts, judge besides."""
    found = {*places, *known.core, *(name for host in hosts for name in known.words.get(host, ((), ()))[0])}
    return found | {name for place in found for name in known.neighbours.get(place, ())}


def _places_of(known: Map, owner: str) -> tuple[str, ...]:
    return known.words[owner][0] if owner in known.words else known.neighbours.get(f"@{owner}", ())


def _emptied(text: str, cut: Cut, now: tuple[Item, ...] | None, kept: tuple[Item, ...]) -> str:
    lines, keep = text.split("\n"), {item.start for item in kept}
    for start, stop in cut.spans if now is None else ((item.start, item.stop) for item in now):
        if start not in keep:
            lines[start:stop] = [""] * (stop - start)
    if not kept:
        lines[cut.header] = ""
    return "\n".join(lines)


def as_expected(inventory: Inventory, cut: Slice, known: Map) -> bool:
    """Whether exactly those items were read that were to be read."""
    read = {
        "policy": [line.place for line in inventory.policy],
        "tests": [test.place for test in inventory.tests],
        "accept": [one.place for one in inventory.accept],
        "hosts": [host.place for host in inventory.hosts],
    }
    return all(
        {(p.file, p.line) for p in read[kind] if p.file in known.cuts} == cut.expected[kind] for kind in KINDS
    )
