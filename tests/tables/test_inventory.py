"""What an inventory means, what dc1 is, and that the schema has one meaning in two engines."""

from __future__ import annotations

import copy
import random
import re
import sys
from collections import Counter
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from configlet.model.inventory import Inventory, Term
from configlet.model.problem import Refused
from configlet.workspace import files, find_root, load, schema, services, sites, validate
from tests.tables.hostile import cases as hostile

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)
DOCUMENTATION = tuple(
    map(
        ip_network,
        ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/8", "239.0.0.0/8", "2001:db8::/32"),
    )
)


@pytest.fixture(scope="module")
def dc1() -> Inventory:
    return load(ROOT, "dc1", TODAY, hostile.NICS).inventory


def _changed(tmp_path: Path, file: str, old: str, new: str, today: date = TODAY) -> Inventory:
    hostile.plant(hostile.Case("", file, old, new, "", at=(file, "")), tmp_path)
    return load(tmp_path, "dc1", today, hostile.NICS).inventory


def test_dc1_is_the_site_that_was_promised(dc1: Inventory) -> None:
    assert [len(part) for part in (dc1.devices, dc1.segments, dc1.hosts, dc1.policy, dc1.tests)] == [5, 9, 14, 25, 20]
    assert [len(part) for part in (dc1.externals, dc1.multicast, dc1.links)] == [1, 1, 6]
    attachments = {"af_packet", "container-bridge", "container-ipvlan", "container-macvlan"}
    assert {work.stack for work in dc1.workloads} == set(schema.STACKS) - attachments
    assert any(one.mode for host in dc1.hosts for one in host.interfaces)
    assert any({a.version for a in work.addresses} == {4, 6} for work in dc1.workloads)
    assert {device.platform for device in dc1.devices} == {"eos", "ios"}
    assert dc1.lab_only and dc1.controller_realm == "mgmt"
    assert all(rule.reason and rule.owner for rule in dc1.policy)


def test_a_port_may_be_called_by_numbers_alone_as_on_aos_cx_and_sr_os(tmp_path: Path) -> None:
    found = _changed(tmp_path, "hosts.yaml", "attached: [leaf1/Ethernet1]", "attached: [leaf1/1/1/c1/1]")
    assert next(host for host in found.hosts if host.name == "client1").nics[0].attached == (("leaf1", "1/1/c1/1"),)


def test_what_ships_has_documentation_addresses_only() -> None:
    text = "".join(path.read_text() for path in sorted((ROOT / "inventory").rglob("*.yaml")))
    found = re.findall(r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|2[0-9a-f]{3}:[0-9a-f:]*)(?:/[0-9]+)?", text)
    networks = [ip_network(each, strict=False) for each in found]
    assert len(networks) > 80
    assert all(any(net.version == doc.version and net.subnet_of(doc) for doc in DOCUMENTATION) for net in networks)


def test_maps_are_sorted_and_lists_keep_their_order(dc1: Inventory) -> None:
    for part in (dc1.devices, dc1.segments, dc1.hosts, dc1.externals, dc1.services):
        assert [each.name for each in part] == sorted(each.name for each in part)
    assert [rule.place.line for rule in dc1.policy] == sorted(rule.place.line for rule in dc1.policy)


def test_everything_has_the_place_where_it_is_written(dc1: Inventory) -> None:
    for part in (dc1.devices, dc1.segments, dc1.hosts, dc1.workloads, dc1.services):
        for each in part:
            line = (ROOT / each.place.file).read_text().splitlines()[each.place.line - 1]
            assert line[each.place.column - 1 :].startswith(f"{each.name}:")
    for rule in (*dc1.policy, *dc1.failsafe, *dc1.infrastructure):
        line = (ROOT / rule.place.file).read_text().splitlines()[rule.place.line - 1]
        assert line[rule.place.column - 1 :] == f"name: {rule.name}"


def test_the_gateway_is_the_first_host_of_each_prefix_unless_said(dc1: Inventory, tmp_path: Path) -> None:
    clients = next(segment for segment in dc1.segments if segment.name == "clients")
    assert clients.gateways and [str(a) for a in clients.gateways.virtual] == ["10.1.10.1", "2001:db8:1:10::1"]
    said = _changed(tmp_path, "segments.yaml", "filter: [in, out]}", "addresses: [10.1.10.254]}")
    clients = next(segment for segment in said.segments if segment.name == "clients")
    assert clients.gateways and [str(a) for a in clients.gateways.virtual] == ["10.1.10.254"]
    assert clients.gateways.filter == ("in", "out"), "both directions are filtered unless one is named"


TERMS = [
    ("tcp/22", Term(6, dport=(22, 22))),
    ("udp/9001-9016", Term(17, dport=(9001, 9016))),
    ("sctp/0-65535", Term(132)),
    ("tcp", Term(6)),
    ("icmp", Term(1, family=4)),
    ("icmpv6", Term(58, family=6)),
    ("icmp/echo-request", Term(1, dport=(8 * 256, 8 * 256 + 255), family=4)),
    ("icmpv6/echo-request", Term(58, dport=(128 * 256, 128 * 256 + 255), family=6)),
    ("icmp/3", Term(1, dport=(3 * 256, 3 * 256 + 255), family=4)),
    ("icmp/3.4", Term(1, dport=(3 * 256 + 4, 3 * 256 + 4), family=4)),
    ("icmp/255.255", Term(1, dport=(65535, 65535), family=4)),
    ("ip/89", Term(89)),
    ({"udp": 53, "from": "ephemeral"}, Term(17, (2000, 3000), (53, 53))),
    ({"tcp": "53-54", "from": 20}, Term(6, (20, 20), (53, 54))),
    ({"tcp": 53, "from": "1-2"}, Term(6, (1, 2), (53, 53))),
]


@pytest.mark.parametrize(("item", "term"), TERMS, ids=str)
def test_a_term_means_its_packets(item: Any, term: Term) -> None:
    assert services.complaint(item) is None
    assert services.term(item, (2000, 3000)) == term


BAD_TERMS: list[Any] = [
    "",
    "tcp/",
    "/22",
    "tcp/22,443",
    "tcp/22-",
    "tcp/-22",
    "tcp/65536",
    "tcp/9-8",
    "tcp/022",
    "tcp/٢٢",
    "TCP/22",
    "ip",
    "ip/256",
    "ip/tcp",
    "icmp/256",
    "icmp/3.256",
    "icmp/3.",
    "icmp/packet-too-big",
    "icmpv6/timestamp-request",
    {},
    {"from": "ephemeral"},
    {"tcp": 1, "udp": 2},
    {"tcp": True},
    {"tcp": None},
    {"tcp": [1]},
    {"tcp": -1},
    {"tcp": 65536},
    {"icmp": 8},
    {"tcp": 1, "from": "everywhere"},
    {"tcp": 1, "to": 2},
    22,
    None,
]


@pytest.mark.parametrize("item", BAD_TERMS, ids=str)
def test_a_term_that_means_nothing_is_refused(item: Any) -> None:
    assert services.complaint(item)


def test_an_allow_is_good_on_its_last_day_and_the_week_before_is_a_warning(tmp_path: Path) -> None:
    hostile.plant(hostile.Case("", "notes.txt", "", "§", ""), tmp_path)
    first = min(rule.expires for rule in load(ROOT, "dc1", TODAY).inventory.policy if rule.expires)
    assert not load(tmp_path, "dc1", date.fromordinal(first.toordinal() - 8)).warnings
    for before in (7, 0):
        warnings = load(tmp_path, "dc1", date.fromordinal(first.toordinal() - before)).warnings
        assert Counter(each.summary for each in warnings)["Rule expires soon"] >= 1
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", date.fromordinal(first.toordinal() + 1))
    assert {problem.nature for problem in refused.value.problems} == {"red"}


@pytest.mark.parametrize("level", ["ignore", "warning", "error"])
def test_how_severe_a_day_that_comes_near_is_the_operator_says(level: str, tmp_path: Path) -> None:
    first = min(rule.expires for rule in load(ROOT, "dc1", TODAY).inventory.policy if rule.expires)
    hostile.plant(
        hostile.Case("", "site.yaml", "  lab: only\n", f"  lab: only\n  severity: {{expiring: {level}}}§\n", ""), tmp_path
    )
    if level == "error":
        with pytest.raises(Refused) as refused:
            load(tmp_path, "dc1", first)
        assert {problem.nature for problem in refused.value.problems} == {"red"}
    else:
        assert bool(load(tmp_path, "dc1", first).warnings) is (level == "warning")
    with pytest.raises(Refused, match="expired"):
        load(tmp_path, "dc1", date.fromordinal(first.toordinal() + 1))


def test_severity_and_width_are_what_was_said_and_else_a_warning(dc1: Inventory, tmp_path: Path) -> None:
    assert (dc1.level("redundant"), dc1.wide.addresses, dc1.wide.ports) == ("warning", 65536, 1024)
    lines = "  lab: only\n  severity: {too-wide: error, redundant: ignore}\n  wide: {addresses: 256}\n"
    said = _changed(tmp_path, "site.yaml", "  lab: only\n", lines)
    assert [said.level(kind) for kind in ("too-wide", "redundant", "expiring")] == ["error", "ignore", "warning"]
    assert (said.wide.addresses, said.wide.ports) == (256, 1024)


def test_the_sites_own_name_before_a_colon_is_understood(tmp_path: Path) -> None:
    changed = _changed(tmp_path, "policy.yaml", "from: [clients]", "from: [dc1:clients]")
    assert changed.policy[0].sources[0].name == "clients"


def test_the_workspace_is_the_nearest_folder_above_with_an_inventory(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    with pytest.raises(Refused, match="No workspace"):
        find_root(deep)
    (tmp_path / "inventory" / "dc2").mkdir(parents=True)
    (tmp_path / "inventory" / "dc1").mkdir()
    assert find_root(deep) == find_root(tmp_path) == tmp_path
    assert sites(tmp_path) == ("dc1", "dc2")
    assert sites(deep) == ()


def test_an_empty_site_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "inventory" / "dc1").mkdir(parents=True)
    with pytest.raises(Refused, match="Empty site"):
        load(tmp_path, "dc1", TODAY)


def test_every_field_of_the_schema_says_what_it_is_for() -> None:
    def fields(rules: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
        inner = rules.get("schema") or rules.get("valuesrules") or {}
        if rules.get("type") == "dict" and "schema" in rules:
            return [
                found for name, rule in inner.items() for found in [((*path, name), rule), *fields(rule, (*path, name))]
            ]
        return fields(inner, path) if isinstance(inner, dict) and inner else []

    found = fields({"type": "dict", "schema": schema.INVENTORY}, ())
    assert len(found) > 80
    assert [path for path, rule in found if not rule.get("meta", {}).get("help")] == []


JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    70000,
    "",
    "x",
    "no such",
    "a\nb",
    [],
    {},
    ["x"],
    [None],
    {"a": "b"},
    {"name": "x"},
]


def _mutant(document: Any, chance: random.Random) -> Any:
    mutant = copy.deepcopy(document)
    node = mutant
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = chance.choice(keys)
        if isinstance(node[key], (dict, list)) and node[key] and chance.random() < 0.85:
            node = node[key]
            continue
        if isinstance(node, dict) and chance.random() < 0.4:
            node[chance.choice(["nmae", "name", "ports", "UP"])] = node.pop(key)
        elif chance.random() < 0.3:
            del node[key]
        else:
            node[key] = chance.choice(JUNK)
        return mutant


def test_what_is_accepted_without_cerberus_is_what_cerberus_accepts() -> None:
    document, _, _ = files.read_site(ROOT, "dc1")
    assert document is not None
    small = {key: value for key, value in document.value.items() if key in schema.INVENTORY}
    for key, value in small.items():
        if key not in ("site", "services"):
            small[key] = value[:2] if isinstance(value, list) else dict(sorted(value.items())[:2])
    small["accept"] = [{"what": "unguarded", "gate": "me1/ens1", "reason": "r", "until": "2027-01-01"}]
    validator = validate.validator_class()(schema.INVENTORY)
    chance, seen = random.Random(7), Counter[bool]()
    for _ in range(600):
        mutant = _mutant(small, chance)
        by_cerberus = validator.validate(mutant, normalize=False)
        assert validate.accepts(mutant) is by_cerberus
        seen[by_cerberus] += 1
    assert seen[True] > 20 and seen[False] > 200


def test_cerberus_is_not_loaded_when_everything_is_right() -> None:
    import subprocess

    code = (
        "import sys, pathlib, datetime, configlet.workspace as w;"
        f"w.load(pathlib.Path({str(ROOT)!r}), 'dc1', datetime.date(2026, 11, 24));"
        "print(*sorted({'cerberus', 'jinja2', 'rich', 'ruamel', 'napalm', 'netmiko', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "builder")},
    )
    assert done.stdout.strip() == ""
