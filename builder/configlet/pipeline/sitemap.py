"""A map of a site: what each rule, test and host speaks of, and on which lines it stands.

It is made when a site was looked at whole, and kept, so that a change can be looked at alone (``pipeline.slices``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, compress, count, groupby, islice, repeat
from operator import attrgetter, contains, gt, itemgetter, not_, or_
from typing import Any, NamedTuple, TypeVar

from configlet.model.frozen import dataclass
from configlet.model.inventory import External, Inventory, RuleLine, Segment, Selector, Service, Workload
from configlet.model.net import Addresses, Family, IPNetwork, Span, family_of, span_of
from configlet.model.policy import Rule
from configlet.model.problem import Place
from configlet.packets.index import Spans
from configlet.pipeline.cache import Parts
from configlet.pipeline.cuts import Cut, Speaking, Spoken, Texts, cut_of, from_parts, to_parts
from configlet.pipeline.inputs import Inputs
from configlet.pipeline.site import Site
from configlet.place.local import keeps
from configlet.rules import select

L = TypeVar("L")
ALL = "*"
"""A rule that speaks of more than a fifth of all places is kept in every slice."""


@dataclass(frozen=True, slots=True)
class Map:
    """What is known of a whole site, so that slices of it can be made. All but ``cuts`` and ``core`` is by place.

    ``words`` leads from every name and label to the places and hosts that a rule with such a word can mean;
    ``neighbours`` are places whose gates stand on the same devices; ``inside`` the hosts of a segment, ``bare`` those
    of them that no table guards; ``parted`` the places that a written deny parts from a place. ``core`` are the places
    of the realm in which management is.
    """

    cuts: dict[str, Cut]
    words: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    neighbours: dict[str, tuple[str, ...]]
    inside: dict[str, tuple[str, ...]]
    bare: dict[str, tuple[str, ...]]
    parted: dict[str, tuple[str, ...]]
    core: tuple[str, ...]
    free: tuple[str, ...]
    """Hosts that hold no gate."""


class Where:
    """The places of addresses: segments and externals that share any with a set, and segments that receive a group."""

    def __init__(self, inventory: Inventory) -> None:
        self._names: dict[tuple[str, Family], dict[Span, tuple[str, ...]]] = {}
        things: tuple[Segment | External, ...] = (*inventory.segments, *inventory.externals)
        held: list[tuple[str, IPNetwork, Texts]] = [(t.realm, net, (t.name,)) for t in things for net in t.prefixes]
        held += [(group.realm, network, group.receivers) for group in inventory.multicast for network in group.groups]
        for realm, network, names in held:
            at = self._names.setdefault((realm, family_of(network)), {})
            at[span_of(network)] = (*at.get(span_of(network), ()), *names)
        self._spans = {key: Spans(found) for key, found in self._names.items()}
        self.most = max(8, (len(inventory.segments) + len(inventory.externals)) // 5)
        self._known: dict[int, tuple[Texts, Addresses]] = {}
        """By identity, as equal sets of rules are one object; each with the set, so that no other gets its number."""

    def of(self, found: Addresses) -> tuple[str, ...]:
        """Their names, sorted; ALL when there are very many."""
        known = self._known.get(id(found))
        if known is None:
            names: set[str] = set()
            for realm, family, spans in found.parts:
                key = realm, family
                for span in spans if key in self._spans else ():
                    names.update(name for hit in self._spans[key].meeting(*span) for name in self._names[key][hit])
            known = self._known[id(found)] = (ALL,) if len(names) > self.most else tuple(sorted(names)), found
        return known[0]

    def both(self, source: Addresses, destination: Addresses) -> tuple[str, ...]:
        """The places of two ends together; ALL when either is everywhere."""
        return _together(self.of(source), self.of(destination))


def map_of(site: Site, given: Inputs) -> Map | None:
    """The map of a site that was understood whole. None where a slice could not be trusted."""
    inventory, where = site.inventory, Where(site.inventory)
    names = _Names(inventory)
    spoken = _spoken(site, names, where)
    found = _Found()
    found.add("policy", map(_PLACE, inventory.policy), map(_NAME, inventory.policy), spoken)
    for test in inventory.tests:
        ends = (
            where.of(select(inventory, test.source, source=True)),
            where.of(select(inventory, test.destination, source=False)),
        )
        few = tuple(sorted({name for end in ends if ALL not in end for name in end}))
        if not few:
            return None
        found.add("tests", (test.place,), ("",), ((few, names.hosts(test.source, test.destination), (), ()),))
    for one in inventory.accept:
        asked = [end for end in (one.source, one.destination) if end]
        named = (one.workload,) if one.workload else ()
        hosts = (*names.hosts(*asked), *(names.host[w] for w in named))
        found.add("accept", (one.place,), ("",), (((ALL,), hosts, (), ()),))
    speaking: list[Spoken] = [(_inside(host.workloads), (host.name,), (), ()) for host in inventory.hosts]
    found.add("hosts", map(_PLACE, inventory.hosts), map(_NAME, inventory.hosts), speaking)
    free = tuple(host.name for host in inventory.hosts if host.name not in site.placement.owners)
    denied = {said[0] for line, said in zip(inventory.policy, spoken, strict=True) if line.action == "deny"}
    cuts = dict(found.cuts(given))
    return Map(cuts, names.words(where), _neighbours(site), names.inside, *_bare(site, denied), _core(site), free)


def _inside(workloads: Sequence[Workload]) -> Texts:
    """The segments of a host's workloads."""
    if len(workloads) == 1:
        return (workloads[0].segment,)
    return tuple(dict.fromkeys([work.segment for work in workloads]))


_PLACE, _NAME = attrgetter("place"), attrgetter("name")
_FILE, _LINE = itemgetter(0), itemgetter(1)


class _Found:
    """The items of all files: by file and kind, where each stands, its name, and what it speaks of."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, Speaking]] = {}

    def add(self, kind: str, places: Iterable[Place], names: Iterable[str], spoken: Sequence[Spoken]) -> None:
        """Items, those of one file together."""
        at = 0
        labels = iter(names)
        for file, of in groupby(places, _FILE):
            lines = [line - 1 for line in map(_LINE, of)]
            found = self._files.setdefault(file, {}).setdefault(kind, Speaking([], [], []))
            found.lines.extend(lines)
            found.names.extend(islice(labels, len(lines)))
            found.spoken.extend(spoken[at : at + len(lines)])
            at += len(lines)

    def cuts(self, given: Inputs) -> Iterator[tuple[str, Cut]]:
        """The files of which all items are of one kind and can be told apart."""
        for file, kinds in self._files.items():
            cut = cut_of(given.files[file], *next(iter(kinds.items()))) if len(kinds) == 1 else None
            if cut is not None:
                yield file, cut


def _spoken(site: Site, names: _Names, where: Where) -> list[Spoken]:
    """What each rule of the policy speaks of; most have the ends of another, as one object (``workspace.build``)."""
    lines = site.inventory.policy
    sources, destinations, services = ([*map(itemgetter(column), lines)] for column in (1, 2, 3))
    written = [rule for rule in site.policy.rules if rule.origin == "policy"]
    side = names.sides(where)
    starts = {id(said): side(said, rule.source) for said, rule in _distinct(sources, written)}
    ends = {id(said): side(said, rule.destination) for said, rule in _distinct(destinations, written)}
    both = [*zip(map(id, sources), map(id, destinations), strict=True)]
    by_ends = {pair: _both(starts[pair[0]], ends[pair[1]]) for pair in dict.fromkeys(both)}
    out = [*map(by_ends.__getitem__, both)]
    known: dict[tuple[int, Texts], Spoken] = {}
    for at, texts in _worded(services):
        key = id(out[at]), texts
        found = known.get(key)
        if found is None:
            places, hosts, uses, whole = out[at]
            found = known[key] = places, hosts, tuple(sorted({*uses, *texts})), whole
        out[at] = found
    return out


def _distinct(lists: Sequence[L], rules: Sequence[Rule]) -> Iterable[tuple[L, Rule]]:
    """Each list, by its identity, with one of the rules that have it."""
    return [(lists[at], rules[at]) for at in dict(zip(map(id, lists), count(), strict=False)).values()]


def _worded(services: Sequence[tuple[Service, ...]]) -> Iterator[tuple[int, Texts]]:
    """The rules that ask for services by name, by their places, and these names; most ask for a literal such as ``tcp/22``."""
    literal = map(contains, map(_NAME, map(itemgetter(0), services)), repeat("/"))
    for at in compress(count(), map(or_, map(not_, literal), map(gt, map(len, services), repeat(1)))):
        texts = tuple([of.name for of in services[at] if "/" not in of.name])
        if texts:
            yield at, texts


class _Side(NamedTuple):
    """What one end of rules says: its words, the hosts that it names, those with its labels, the places of whatever in it is no
    host or workload, and all of its places."""

    words: Texts
    named: Texts
    labelled: Texts
    others: Texts
    places: Texts
    plain: bool
    """Whether its words are its places, and it names nothing else."""


def _both(one: _Side, other: _Side) -> Spoken:
    """What rules between two ends speak of; of services they say nothing by name. Most ends are places, by their own names."""
    if one.plain and other.plain:
        places = _union(one.words, other.words)
        return places, (), places, places
    places = _together(one.places, other.places)
    if not (one.named or other.named or one.labelled or other.labelled):
        return places, (), _union(one.words, other.words), places
    named = (*one.named, *other.named)
    hosts = tuple(dict.fromkeys((*named, *one.labelled, *other.labelled)))
    whole = _union(one.others, other.others) if named else places
    return places, hosts, _union(one.words, other.words), whole


def _together(one: Texts, other: Texts) -> Texts:
    return (ALL,) if ALL in one or ALL in other else _union(one, other)


def _union(one: Texts, other: Texts) -> Texts:
    """The texts of two lists, sorted; nearly always both have one."""
    if len(one) == len(other) == 1 and one != other:
        return one + other if one < other else other + one
    return tuple(sorted({*one, *other}))


class _Names:
    """What the names and labels of a site lead to."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.host = {w.name: w.host for w in inventory.workloads} | {h.name: h.name for h in inventory.hosts}
        self.segments = {s.name: s for s in inventory.segments}
        found: dict[str, dict[str, None]] = {}
        for work in inventory.workloads:
            found.setdefault(work.segment, {})[work.host] = None
        self.inside = {name: tuple(hosts) for name, hosts in found.items()}
        self.labelled = cache(self._labelled)

    def hosts(self, *selectors: Selector) -> tuple[str, ...]:
        """The hosts without which these would mean something else."""
        found = [self.host[s.name] for s in selectors if s.name in self.host]
        return tuple(dict.fromkeys([*found, *(h for s in selectors if s.name is None for h in self.labelled(s.labels))]))

    def _labelled(self, labels: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        wanted = set(labels)
        return tuple(
            w.host
            for w in self.inventory.workloads
            if w.labels and wanted <= {*self.segments[w.segment].labels, *w.labels}
        )

    def sides(self, where: Where) -> Callable[[tuple[Selector, ...], Addresses], _Side]:
        """What each list of selectors says: selectors are known by their identity, as one that stands in many rules is one."""
        known: dict[int, Texts] = {}

        def others(selector: Selector) -> Texts:
            found = known.get(id(selector))
            if found is None:
                found = known[id(selector)] = where.of(select(self.inventory, selector, source=True))
            return found

        def side(selectors: tuple[Selector, ...], meant: Addresses) -> _Side:
            named = tuple([self.host[s.name] for s in selectors if s.name in self.host])
            labels = [self.labelled(s.labels) for s in selectors if s.name is None]
            rest = [others(s) for s in selectors if s.name not in self.host]
            words, places = tuple(map(str, selectors)), where.of(meant)
            plain = not (named or labels) and words == places
            return _Side(words, named, tuple(chain(*labels)), tuple(chain(*rest)), places, plain)

        return side

    def words(self, where: Where) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Every word that a selector can have."""
        found: dict[str, tuple[set[str], set[str]]] = {}
        only: dict[str, tuple[str, str]] = {}
        inventory = self.inventory

        def add(word: str, places: Iterable[str], hosts: Iterable[str] = ()) -> None:
            both = found.setdefault(word, (set(), set()))
            both[0].update(places)
            both[1].update(hosts)

        for name in (*(s.name for s in inventory.segments), *(e.name for e in inventory.externals)):
            add(name, [name])
        for segment in inventory.segments:
            for _, value in segment.labels:
                add(value, [segment.name])
        for work in inventory.workloads:
            here = work.segment, work.host
            for word in {work.name, work.host, *[value for _, value in work.labels]}:
                if only.setdefault(word, here) is not here:
                    add(word, [work.segment], [work.host])
        for name in (*(n for n, _, _ in inventory.addresses), *(m.name for m in inventory.multicast)):
            add(name, where.of(select(inventory, Selector(name, (), Place("")), source=True)))
        for word in found.keys() & only.keys():
            place, host = only[word]
            add(word, [place], [host])
        of_one = {word: ((place,), (host,)) for word, (place, host) in only.items()}
        return of_one | {word: (tuple(sorted(places)), tuple(sorted(hosts))) for word, (places, hosts) in found.items()}


def _neighbours(site: Site) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for gates in site.placement.owners.values():
        together = {name for gate in gates if gate.kind == "acl" for name in gate.segments}
        if together:
            found[f"@{gates[0].owner}"] = together
        for name in together:
            found.setdefault(name, set()).update(together)
    return {name: tuple(sorted(others)) for name, others in found.items()}


def _bare(site: Site, denied: Iterable[Texts]) -> tuple[dict[str, Texts], dict[str, Texts]]:
    """The hosts that have something unguarded, by place, and the places that denies (the places of each) part from one
    another."""
    bare: dict[str, dict[str, None]] = {}
    for host in site.inventory.hosts:
        for work in host.workloads:
            if not keeps(site.placement, work):
                bare.setdefault(work.segment, {})[host.name] = None
    parted: dict[str, set[str]] = {}
    for ends in denied if bare else ():
        for name in ends:
            parted.setdefault(name, set()).update(ends)
    return {k: tuple(v) for k, v in bare.items()}, {k: tuple(sorted(v)) for k, v in parted.items()}


def _core(site: Site) -> tuple[str, ...]:
    realm = site.inventory.controller_realm
    return tuple(s.name for s in site.inventory.segments if s.realm == realm)


def uses_of(line: RuleLine) -> tuple[str, ...]:
    """The names and labels that a rule speaks of; a literal such as ``tcp/22`` is none."""
    return tuple(sorted({*_words(line), *(service.name for service in line.services if "/" not in service.name)}))


def _words(line: RuleLine) -> tuple[str, ...]:
    return tuple(sorted({str(selector) for selector in (*line.sources, *line.destinations)}))


def to_dict(known: Map) -> tuple[dict[str, Any], dict[str, Any]]:
    """For a cache: what is always asked, and what stands in parts that are opened when they are: by file, and ``names``."""
    cuts: dict[str, list[Any]] = {}
    parts: dict[str, Any] = {}
    for file, cut in known.cuts.items():
        cuts[file], parts[file], parts[_NAMES + file] = to_parts(cut)
    return {"cuts": cuts} | {n: getattr(known, n) for n in _REST}, parts


_REST = ("words", "neighbours", "inside", "bare", "parted", "core", "free")
_NAMES = "names of "


def from_dict(said: Mapping[str, Any], parts: Parts) -> Map:
    """The map again. Raises KeyError, TypeError or ValueError for anything that ``to_dict`` did not make."""
    cuts = {
        file: from_parts(cut, partial(parts.value, file), partial(parts.content, _NAMES + file))
        for file, cut in said["cuts"].items()
    }
    return Map(cuts, *(said[name] for name in _REST))
