"""Which denied packets may arrive all the same, because the operator has accepted it or no rule forbids it in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from configlet.lab.probe_law import Law
from configlet.lab.probe_members import Member
from configlet.lab.probe_pairs import GapOf
from configlet.model.inventory import Acceptance
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import Entry, Packet
from configlet.packets.verdict import first
from configlet.pipeline.site import Site
from configlet.place.beyond import Beyond
from configlet.place.ends import ends_of
from configlet.place.guard import Gap, accepted, bare, gaps


def gaps_of(site: Site, laws: Callable[[str, Family], Law]) -> GapOf:
    """A function that says why a denied packet between two members may arrive; empty when it must not.

    An unguarded pair counts only while somebody accepts it, and so does what gates pass that are blind to a field. A
    packet that a gate without memory takes for a reply (DESIGN 5.4) counts where no host's table remembers, and, if a
    written deny meets it, only while somebody accepts it.
    """
    inventory = site.inventory
    known: dict[tuple[str, str, str, Family], Acceptance] = {}
    unseen = _Unseen(site)
    for gap in gaps(site.placement, site.policy.realms, site.index, site.laws.towards):
        acceptance = accepted(gap, inventory.accept)
        if acceptance and gap.what == "blindness":
            unseen.add(gap, acceptance)
        elif acceptance:
            known[gap.what, gap.source.name, gap.target.name, gap.source.family] = acceptance
    ends = [end for realm in site.policy.realms for family in FAMILIES for end in ends_of(inventory, realm, family)]
    open_ends = {end.name for end in ends if bare(site.placement, end)}

    def gap_of(packet: Packet, source: Member, target: Member) -> str:
        pair = source.name, target.name, packet.family
        if found := known.get(("unguarded", *pair)):
            return _sentence(found)
        if found := unseen.passes(packet, *pair):
            return _sentence(found)
        law = laws(packet.realm, packet.family)
        reply = law.resembles_reply(packet)
        if reply is None or not {source.name, target.name} <= open_ends:
            return ""
        if found := known.get(("reply-exposure", *pair)):
            return _sentence(found)
        return _exposure(reply, first(law.entries, packet))

    return gap_of


class _Unseen:
    """What the gates between two ends pass because they are blind to a field, as far as somebody accepts it."""

    def __init__(self, site: Site) -> None:
        self._gates = {gate.name: gate for gate in site.placement.gates}
        self._beyond = Beyond(site.laws.towards)
        self._found: dict[tuple[str, str, Family], list[tuple[Gap, Acceptance]]] = {}

    def add(self, gap: Gap, acceptance: Acceptance) -> None:
        """A gap that somebody accepts."""
        self._found.setdefault((gap.source.name, gap.target.name, gap.source.family), []).append((gap, acceptance))

    def passes(self, packet: Packet, *pair: Any) -> Acceptance | None:
        """Who accepts that exactly this packet passes between the two ends; None when no gate's blindness is why."""
        for gap, acceptance in self._found.get(pair, ()):
            gates = [self._gates[name] for name in gap.gates]
            looked_like = (row for row in self._beyond.between(gates, gap.source, gap.target) if row.rule is gap.reply_of)
            if first(tuple(looked_like), packet):
                return acceptance
        return None


def _sentence(acceptance: Acceptance) -> str:
    return f"accepted until {acceptance.until}: {acceptance.reason} ({acceptance.place})"


def _exposure(reply: Entry, decides: Entry | None) -> str:
    """A written deny is not crossed in silence; what is merely not allowed is listed."""
    if decides is not None:
        return ""
    return f'reply exposure: a gate without memory takes it for a reply of "{reply.rule.name}"'
