"""Why may one end talk to another, or not: every gate on the way, its verdict, its line, the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from configlet.fit.law import ITSELF
from configlet.model.gate import Gate, Line, Proof, Reading
from configlet.model.inventory import Service, Term
from configlet.model.net import FAMILIES, Family, merge
from configlet.model.policy import DST, SRC, Box, Entry, Packet
from configlet.model.problem import refuse
from configlet.packets.boxes import packet_of, packet_text
from configlet.packets.entries import box_of, split
from configlet.packets.verdict import first
from configlet.pipeline.artifacts import Proven, artifacts_of, proven
from configlet.pipeline.ends import known_names
from configlet.pipeline.policies import Policies
from configlet.pipeline.site import Site, open_site
from configlet.place import End, ends_of, paths
from configlet.place import Path as Way
from configlet.place.local import inside
from configlet.workspace.services import complaint, term
from configlet.workspace.suggest import did_you_mean

LOCAL = "an address that talks to itself: local traffic never leaves the host, and the policy says nothing of it"

@dataclass(frozen=True, slots=True)
class HopSaid:
    """One gate: whether it sees the packet, what it says, the artifact's line, the rule, or the sentence of blindness."""

    gate: str
    sees: bool
    verdict: str
    line: str
    rule: str
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Leg:
    """One packet of the question: its realm, what the policy says, and each way it can take."""

    realm: str
    packet: str
    verdict: str
    rule: str
    place: str
    reason: str
    ways: tuple[tuple[str, tuple[HopSaid, ...]], ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer. ``verdict`` is allow, deny, or mixed."""

    source: str
    target: str
    service: str
    verdict: str
    legs: tuple[Leg, ...]

    def to_json(self) -> dict[str, object]:
        """For machines."""
        return {"version": 1, **asdict(self)}


def why(root: Path, site: str, today: date, source: str, destination: str, service: str) -> Why:
    """Answer for two names (workload, segment, external) or addresses, and a service or a literal such as tcp/22."""
    opened = open_site(root, site, today)
    for name in (source, destination):
        _expect(name, opened)
    meant = service_of(opened, service)
    made = cache(lambda owner: tuple(proven(opened, a) for a in artifacts_of(opened, {owner})))

    def texts(gate: Gate) -> Proven | None:
        return next((one for one in made(gate.owner) if one.artifact.platform == gate.platform), None)

    teller = _Teller(opened, texts, service)
    legs = tuple(teller.legs(source, destination, meant))
    if not legs:
        raise refuse(
            "Question without a packet",
            f'No packet goes from "{source}" to "{destination}" as "{service}": they share no realm and address family for it.',
        )
    verdicts = {leg.verdict for leg in legs}
    return Why(source, destination, service, verdicts.pop() if len(verdicts) == 1 else "mixed", legs)


@dataclass(frozen=True, slots=True)
class _Teller:
    site: Site
    texts: Callable[[Gate], Proven | None]
    """The text that holds a gate, with its proofs, made when a gate of its owner is met."""
    service: str

    def legs(self, source: str, target: str, service: Service) -> Iterator[Leg]:
        """One leg for each part of the question that is decided in its own way."""
        for realm in self.site.policy.realms:
            for family in FAMILIES:
                ends = ends_of(self.site.inventory, realm, family)
                for a in _find(ends, source):
                    for b in _find(ends, target):
                        yield from self._between(ends, a, b, service)

    def _between(self, ends: tuple[End, ...], a: End, b: End, service: Service) -> Iterator[Leg]:
        told: set[str | bool] = set()
        boxes = (
            box_of(part_of, near, far)
            for part_of in service.terms
            if part_of.family in (None, a.family)
            for near in a.spans
            for far in b.spans
        )
        for box in boxes:
            for part, entry in split(self.site.entries(a.realm, a.family), box):
                packet = _apart(packet_of(a.family, a.realm, part), part)
                key = packet.src == packet.dst or (entry.rule.name if entry else "")
                if key not in told and not (key is True and a.workload is None and a.spans[0][0] < a.spans[-1][1]):
                    told.add(key)
                    yield self._leg(_standing(ends, a, packet.src), _standing(ends, b, packet.dst), packet, entry)

    def _leg(self, a: End, b: End, packet: Packet, entry: Entry | None) -> Leg:
        local = packet.src == packet.dst
        ways = paths(self.site.placement, a, b, self.service)
        within = "inside the host" if local or inside(a, b) else "inside the segment"
        told = tuple((" and ".join(way.through) or within, self._hops(way, packet)) for way in ways)
        if local:
            return Leg(packet.realm, packet_text(packet), "allow", ITSELF.name, "", LOCAL, told)
        verdict = "allow" if entry and entry.permit else "deny"
        rule = entry.rule if entry else None
        name = rule.name if rule else "default deny"
        place = str(rule.place) if rule and rule.place else ""
        reason = rule.reason if rule else "no rule matches"
        return Leg(packet.realm, packet_text(packet), verdict, name, place, reason, told)

    def _hops(self, way: Way, packet: Packet) -> tuple[HopSaid, ...]:
        return tuple(
            self._said(hop.gate, packet)
            if hop.sees
            else HopSaid(hop.gate.name, False, "blind", "", "", "", hop.sentence)
            for hop in way.hops
        )

    def _said(self, gate: Gate, packet: Packet) -> HopSaid:
        text = self.texts(gate)
        line = _deciding(text.reading if text else None, gate, packet)
        entry = first(self.site.entries(packet.realm, packet.family), packet)
        known = text is not None and all(p.verdict == "PROVED" for p in text.proofs if _of(p, gate))
        verdict = "unproven" if not known else "passes" if line and line.permit else "drops"
        file = text.artifact.file if text else gate.owner
        said = f"{file}:{line.number}  {line.text.strip()}" if line else f"{file}  no line matches, default deny"
        rule = ITSELF if packet.src == packet.dst else entry.rule if entry else None
        place = str(rule.place) if rule and rule.place else ""
        return HopSaid(gate.name, True, verdict, said, rule.name if rule else "default deny", place, "")


def _of(proof: Proof, gate: Gate) -> bool:
    return proof.gate == gate.name or proof.gate.startswith(f"{gate.name}/")


def _deciding(reading: Reading | None, gate: Gate, packet: Packet) -> Line | None:
    if reading is None:
        return None
    if gate.kind == "acl":
        lines = reading.lists.get((gate.binding, gate.direction, packet.family), ())
    else:
        lines = next((found for (_, _, family), found in sorted(reading.lists.items()) if family == packet.family), ())
    return first(lines, packet)


def _apart(packet: Packet, part: Box) -> Packet:
    """The packet between two addresses, where the part has two: one to itself is another matter."""
    if packet.src != packet.dst:
        return packet
    other = next((packet.src + 1 if packet.src < high else packet.src - 1 for low, high in (part[DST], part[SRC]) if low < high),
                 packet.src)  # fmt: skip
    return replace(packet, dst=other) if part[DST][0] < part[DST][1] else replace(packet, src=other)


def _find(ends: tuple[End, ...], name: str) -> tuple[End, ...]:
    """What a name means among the ends of one realm and family: a workload before the host of the same name, as in rules;
    a segment as one end with all its addresses."""
    literal = _address(name)
    if literal is not None:
        family, value = literal
        return tuple(_at(e, value) for e in ends if e.family == family and _holds(e, value))
    served = [(e, e.workload) for e in ends if e.workload]
    found = [e for e, w in served if w.name == name] or [e for e, w in served if w.host == name]
    if found:
        return tuple(found)
    there = [e for e in ends if e.place == name]
    return (replace(there[0], workload=None, spans=merge(s for e in there for s in e.spans)),) if there else ()


def _standing(ends: tuple[End, ...], asked: End, value: int) -> End:
    """Who has an address of the end that was asked about: of a segment the workload, or its unlisted rest."""
    return next((_at(e, value) for e in ends if e.place == asked.place and _holds(e, value)), asked)


def _holds(end: End, value: int) -> bool:
    return any(lo <= value <= hi for lo, hi in end.spans)


def _expect(name: str, site: Site) -> None:
    """Refuse what is no end of a way here, with where to ask instead."""
    inventory, literal = site.inventory, _address(name)
    if literal is not None:
        family, value = literal
        if not any(_holds(e, value) for realm in site.policy.realms for e in ends_of(inventory, realm, family)):
            raise refuse(
                "Address that no way is known for",
                f"{name} is in no segment and no external of {site.name}, or is managed, or is a group: the gates on its "
                f"way cannot be named. What the policy says of it: configlet query {site.name} --from FROM --to TO.",
            )
        return
    names = [thing.name for group in (inventory.workloads, inventory.segments, inventory.externals) for thing in group]
    if name in names or name in {h.name for h in inventory.hosts}:
        return
    ask = f"configlet query {inventory.site} --from FROM --to TO"
    if name in known_names(inventory) or "=" in name or "/" in name:
        detail = f'"{name}" is no workload, host, segment or external, so that its gates could be named. Ask about one of them, '
        raise refuse("End of no single way", f"{detail}or what the policy says: {ask}.")
    detail = f'{inventory.site} has no workload, host, segment or external "{name}".{did_you_mean(name, names)}'
    raise refuse("Unknown name", detail)


def _address(name: str) -> tuple[Family, int] | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return (4 if address.version == 4 else 6), int(address)


def _at(end: End, value: int) -> End:
    return replace(end, spans=((value, value),))


def service_of(site: Site | Policies, text: str) -> Service:
    """A service of the site by name, ``any``, or a literal such as tcp/22."""
    named = next((s for s in site.inventory.services if s.name == text), None)
    if named is not None:
        return named
    if text == "any":
        return Service(text, (Term(None),), None)
    wrong = complaint(text)
    if wrong is not None:
        names = get_close_matches(text, [s.name for s in site.inventory.services], 1)
        hint = f' Did you mean "{names[0]}"?' if names else ""
        raise refuse("Unknown service", f'{site.name} has no service "{text}", and it is no literal: {wrong}{hint}')
    return Service(text, (term(text, site.inventory.ephemeral),), None)


def why_lines(answer: Why) -> Iterator[str]:
    """The answer for people."""
    yield f"{answer.source} -> {answer.target}  {answer.service}: {answer.verdict.upper()}"
    several = len({leg.realm for leg in answer.legs}) > 1
    for leg in answer.legs:
        at = f"  {leg.place}" if leg.place else ""
        yield ""
        yield f"  {leg.packet}: {leg.verdict}{f'  (realm {leg.realm})' if several else ''}"
        yield f'    rule "{leg.rule}"{at}'
        if leg.reason:
            yield f"    because: {leg.reason}"
        for through, hops in leg.ways:
            yield f"    by way of {through}"
            for hop in hops:
                yield f"      {hop.gate:<26} {hop.verdict:<8} {hop.line or hop.sentence}"
        if not leg.ways:
            yield "    nothing connects the two: no route between their segments"
