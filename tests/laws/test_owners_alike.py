"""Law: hosts are alike only where exchanging their addresses changes nothing that a rule or a table says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from configlet.fit import Laws, alike
from configlet.model.net import FAMILIES, Family, Span, family_of, span_of
from configlet.pipeline.site import open_site
from configlet.place.gates import host_locals, table_sees

ROOT = Path(__file__).resolve().parents[2]
GROUPS: dict[str, tuple[tuple[Family, Span], ...]] = {
    "receives": ((4, (0xE1000000, 0xE1000000)),),
    "receives another": ((4, (0xE1000001, 0xE1000001)),),
}
HOSTS = {
    "apart": ("10.1.10.201", "10.1.10.203"),
    "beside": ("10.1.10.211", "10.1.10.212"),
    "also apart": ("10.1.10.221", "10.1.10.224"),
    "also beside": ("10.1.10.231", "10.1.10.232"),
    "receives": ("10.1.10.241", "10.1.10.243"),
    "receives another": ("10.1.10.245", "10.1.10.247"),
    "of the network": ("10.1.10.1", "10.1.10.251"),
}


@pytest.mark.parametrize("turned", [False, True])
def test_addresses_that_join_a_group_and_an_address_of_a_rule_part_hosts(turned: bool) -> None:
    """Both that are ``beside`` have one span in their tables where others have two."""
    site = open_site(ROOT, "dc1", date(2026, 11, 24))
    like = next(host for host in site.inventory.hosts if host.name == "client1")
    gate, (work, *_) = site.placement.owners["client1"][0], like.workloads
    hosts, owners = [], {}
    for name, said in reversed(HOSTS.items()) if turned else HOSTS.items():
        own = tuple(map(ip_address, said))
        hosts.append(replace(like, name=name, management=None, workloads=(replace(work, addresses=own),)))
        locals_: tuple[tuple[Family, Span], ...] = tuple((4, (int(one), int(one))) for one in own)
        owners[name] = (replace(gate, owner=name, locals=(*locals_, *GROUPS.get(name, ()))),)
    laws = Laws(replace(site.inventory, hosts=(*site.inventory.hosts, *hosts)), site.policy)
    found = {frozenset(group) for group in alike(laws, owners)}
    alone = {frozenset((name,)) for name in ("receives", "receives another", "of the network")}
    assert found == {frozenset(("apart", "also apart")), frozenset(("beside", "also beside")), *alone}


def test_what_a_host_has_is_the_same_by_realm_and_by_address() -> None:
    site = open_site(ROOT, "dc1", date(2026, 11, 24))
    seen = 0
    for gate in (gates[0] for gates in site.placement.owners.values() if gates[0].locals):
        at = site.laws.realms_at(gate)
        for family in FAMILIES:
            realms = site.laws.realms_of(gate, family)
            assert {(family, span) for spans in realms.values() for span in spans} == {end for end in at if end[0] == family}
            for (_, span), named in ((end, named) for end, named in at.items() if end[0] == family):
                assert {*named} == {realm for realm, spans in realms.items() if span in spans}
                seen += 1
    assert seen > 10


def test_what_a_table_judges_as_local_are_addresses_management_and_the_groups_of_each_segment() -> None:
    inventory = open_site(ROOT, "dc1", date(2026, 11, 24)).inventory
    segments = tuple(dict.fromkeys(work.segment for host in inventory.hosts for work in host.workloads))
    group = inventory.multicast[0]
    several = replace(group, name="all", receivers=(*segments, *segments[:2]), groups=(ip_network("ff15::/16"), *group.groups))
    inventory = replace(inventory, multicast=(several, group))
    managed = 0
    for host in inventory.hosts:
        seen = [work for work in host.workloads if table_sees(host, work)]
        ends = [ip_network(address) for work in seen for address in work.addresses]
        ends += [ip_network(host.management.address)] if host.management else []
        ends += [n for work in seen for m in inventory.multicast if work.segment in m.receivers for n in m.groups]
        assert host_locals(inventory, host) == tuple(dict.fromkeys((family_of(end), span_of(end)) for end in ends))
        managed += host.management is not None
    assert managed
