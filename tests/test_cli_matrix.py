"""`configlet matrix`: its cells are the policy itself, whatever packet is drawn, and its ends are all addresses."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from configlet.cli.matrix import LEGEND, WIDTH, lines, words
from configlet.model.net import FAMILIES, TOP, merge
from configlet.model.policy import Packet
from configlet.packets.boxes import ICMP
from configlet.packets.verdict import first
from configlet.pipeline import Site, open_site
from configlet.pipeline.matrix import Cell, Matrix, ends_of, matrix, matrix_of
from configlet.pipeline.why import service_of
from tests.cli_run import DAY, ROOT, configlet

TODAY = date.fromisoformat(DAY)


@pytest.fixture(scope="module")
def site() -> Site:
    return open_site(ROOT, "dc1", TODAY)


@pytest.fixture(scope="module")
def found(site: Site) -> Matrix:
    return matrix_of(site)


def cells(of: Matrix) -> dict[tuple[str, str, str], Cell]:
    """Every cell by realm, row and column."""
    return {(realm.name, a, b): cell for realm in of.realms for (a, b), cell in realm.cells.items()}


def test_the_ends_of_a_realm_share_no_address_and_leave_none_out(site: Site) -> None:
    for realm in site.policy.realms:
        for family in FAMILIES:
            spans = [span for end in ends_of(site.inventory, realm) for span in end.parts.of(realm, family)]
            assert merge(spans) == ((0, TOP[family]),)
            assert sum(hi - lo + 1 for lo, hi in spans) == TOP[family] + 1


def drawn(site: Site, seed: int, number: int) -> Iterator[tuple[str, str, str, Packet]]:
    """Packets between random ends, half of them towards a port that some rule names."""
    dice = random.Random(seed)
    ports = sorted({p for rule in site.policy.rules for term in rule.terms for p in term.dport})
    known = {
        (realm, family): [end for end in ends_of(site.inventory, realm) if end.parts.of(realm, family)]
        for realm in site.policy.realms
        for family in FAMILIES
    }
    for _ in range(number):
        realm, family = dice.choice(site.policy.realms), dice.choice(FAMILIES)
        a, b = dice.choice(known[realm, family]), dice.choice(known[realm, family])
        source, target = (
            dice.choice([span[0], span[1], dice.randint(*span), min(span[0] + 11, span[1])])
            for span in (dice.choice(a.parts.of(realm, family)), dice.choice(b.parts.of(realm, family)))
        )
        proto = dice.choice([6, 17, ICMP[family], 2, 112, dice.randrange(256)])
        port = dice.choice([dice.choice(ports), dice.randrange(65536)])
        yield realm, a.name, b.name, Packet(realm, family, proto, source, target, dice.choice([0, 49152]), port)


@pytest.mark.parametrize("seed", range(4))
def test_a_packet_fares_as_its_cell_says(site: Site, found: Matrix, seed: int) -> None:
    known = cells(found)
    counts = {True: 0, False: 0}
    for realm, a, b, packet in drawn(site, seed, 4000):
        entry = first(site.entries(realm, packet.family), packet)
        passes = entry is not None and entry.permit
        counts[passes] += 1
        cell = known.get((realm, a, b))
        if cell is None:
            assert not passes, (a, b, packet)
            continue
        assert cell.says in ({"all", "some"} if passes else {"none", "some"}), (cell, packet)
        if entry is not None and passes:
            assert any(entry.rule in passing.rules for passing in cell.passing), (cell, packet)
    assert all(counts.values()), "the dice must show both sides"


def test_a_star_stands_where_a_policy_test_of_the_service_would_be_mixed(site: Site) -> None:
    for name in ("fix", "ssh", "dns", "postgres", "metrics"):
        service = service_of(site, name)
        for key, cell in cells(matrix_of(site, service)).items():
            if cell.says == "all":
                assert cell.denied == "" and cell.allowed, (name, key)
            for passing in cell.passing:
                assert passing.whole or cell.denied, (name, key, passing)
                assert not (passing.service == name and passing.whole and cell.says == "some"), (name, key)


def test_what_dc1_says(found: Matrix) -> None:
    known = cells(found)

    def said(realm: str, a: str, b: str) -> tuple[str, ...]:
        return words(known[realm, a, b])

    assert said("trading", "clients", "order-gateways") == ("fix", "ping")
    assert said("trading", "clients", "matching") == ("-",)
    assert said("trading", "databases", "databases") == ("all",)
    assert said("trading", "virtual", "order-gateways") == ("fix*",)
    assert said("trading", "exchange-a", "market-data") == ("market-data",)
    assert said("mgmt", "management", "infrastructure") == ("!ssh*", "!eapi*"), "failsafe flows are in sight"
    assert said("trading", "monitoring", "infrastructure") == ("~ping*",)
    assert said("mgmt", "management", "management") == ("!ssh*", "!eapi*")


def test_a_rule_to_anywhere_is_in_sight_as_outside(tmp_path: Path) -> None:
    text = "\n  - {name: all the world, from: [risk], to: [any], service: [dns], action: allow, reason: a test, owner: t}\n"
    changed = matrix(planted(tmp_path, text), "dc1", TODAY)
    assert words(cells(changed)["trading", "risk", "outside"]) == ("dns",)
    assert "outside" not in next(realm for realm in changed.realms if realm.name == "trading").silent


def test_a_deny_before_an_allow_takes_a_part_and_the_star_says_so(tmp_path: Path) -> None:
    text = (
        "\n  - {name: not this one, from: [client1], to: [virtual], service: [dns], action: deny, reason: t, owner: t}"
        "\n  - {name: all others, from: [clients], to: [virtual], service: [dns], action: allow, reason: t, owner: t}\n"
    )
    root = planted(tmp_path, text)
    cell = cells(matrix(root, "dc1", TODAY))["trading", "clients", "virtual"]
    assert words(cell) == ("dns*",)
    one = cells(matrix(root, "dc1", TODAY, "udp/53"))["trading", "clients", "virtual"]
    assert one.says == "some" and one.allowed and one.denied


def planted(folder: Path, text: str) -> Path:
    """A workspace with dc1 whose policy ends with these rules."""
    import shutil

    shutil.copytree(ROOT / "inventory" / "dc1", folder / "inventory" / "dc1")
    with (folder / "inventory" / "dc1" / "policy.yaml").open("a") as file:
        file.write(text)
    return folder


@pytest.mark.parametrize("service", [None, "ssh"])
def test_the_tables_fit_into_eighty_columns_and_end_with_their_rules(site: Site, service: str | None) -> None:
    answer = matrix_of(site, service_of(site, service)) if service else matrix_of(site)
    said = list(lines(answer, TODAY, asked=service is not None))
    assert max(map(len, said)) <= WIDTH
    assert LEGEND.splitlines()[0] in said
    assert any("operators log in from monitoring" in line and "policy.yaml:" in line for line in said)


def test_json_holds_every_cell_with_its_rules_and_places() -> None:
    ended = configlet("matrix", "dc1", "--at", DAY, "--json")
    answer = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr, answer["version"], answer["site"]) == (0, "", 1, "dc1")
    for realm in answer["realms"]:
        assert {(c["from"], c["to"]) for c in realm["cells"]} == {
            (a, b) for a in realm["rows"] for b in realm["columns"]
        }
    (trading,) = (realm for realm in answer["realms"] if realm["realm"] == "trading")
    cell = next(c for c in trading["cells"] if (c["from"], c["to"]) == ("clients", "order-gateways"))
    rule = cell["passing"][0]["rules"][0]
    assert (cell["says"], rule["name"], rule["origin"]) == ("some", "clients place orders", "policy")
    assert rule["place"].startswith("inventory/dc1/policy.yaml:")


def test_an_unknown_service_is_refused_with_a_suggestion() -> None:
    ended = configlet("matrix", "dc1", "--service", "fxi", "--at", DAY)
    assert ended.returncode == 65
    assert 'Did you mean "fix"?' in ended.stderr and ended.stdout == ""


def test_a_service_that_passes_nowhere_is_said_in_every_cell() -> None:
    ended = configlet("matrix", "dc1", "--service", "tcp/6666", "--at", DAY, "--json")
    trading = next(r for r in json.loads(ended.stdout)["realms"] if r["realm"] == "trading")
    says = {(c["from"], c["to"]): c["says"] for c in trading["cells"]}
    assert says.pop(("databases", "databases")) == "all"
    assert says.pop(("feed-handlers", "feed-handlers")) == says.pop(("virtual", "virtual")) == "all"
    assert set(says.values()) == {"none"}


@pytest.mark.parametrize(
    ("rows", "columns"), [({"clients", "risk"}, set()), (set(), {"matching", "databases"}), ({"risk"}, {"risk"})]
)
def test_a_narrowed_table_has_the_cells_of_the_whole_one(
    site: Site, found: Matrix, rows: set[str], columns: set[str]
) -> None:
    whole = cells(found)
    part = matrix_of(site, rows=frozenset(rows), columns=frozenset(columns))
    shown = cells(part)
    assert shown and all(whole[key] == cell for key, cell in shown.items() if key in whole)
    assert {key[0] for key in shown} == {"trading"}, "a realm without the named ends has no table"
    asked = {key for key in whole if (not rows or key[1] in rows) and (not columns or key[2] in columns)}
    assert all(not whole[key].passing for key in asked - set(shown)), "what is left out is where nothing passes"
    (trading,) = part.realms
    assert not set(trading.silent) & {name for key in shown for name in key[1:]}


def test_labels_name_rows_and_columns() -> None:
    by_label = configlet("matrix", "dc1", "--from", "app=oms", "--at", DAY, "--json")
    assert by_label.returncode == 0, by_label.stderr
    rows = {name for realm in json.loads(by_label.stdout)["realms"] for name in realm["rows"]}
    segments = open_site(ROOT, "dc1", TODAY).inventory.segments
    assert rows == {s.name for s in segments if ("app", "oms") in s.labels}


def test_ends_that_share_no_realm_have_no_table() -> None:
    ended = configlet("matrix", "dc1", "--from", "clients", "--to", "management", "--at", DAY)
    assert ended.returncode == 8 and "no realm has both" in ended.stdout
    nothing = configlet("matrix", "dc1", "--from", "elsewhere", "--at", DAY)
    assert nothing.returncode == 0 and "nothing passes between these and: clients" in nothing.stdout


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_an_unknown_end_is_refused_with_a_suggestion(option: str) -> None:
    ended = configlet("matrix", "dc1", option, "clinets", "--at", DAY)
    assert ended.returncode == 65 and ended.stdout == ""
    assert f'{option}: dc1 has no row or column "clinets". Did you mean `clients`?' in ended.stderr


def test_csv_has_every_cell_and_what_passes_in_it(found: Matrix) -> None:
    ended = configlet("matrix", "dc1", "--csv", "--at", DAY)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = list(csv.DictReader(ended.stdout.splitlines()))
    passing = [
        (*key, p.service, "yes" if p.whole else "no") for key, cell in cells(found).items() for p in cell.passing
    ]
    assert passing == [
        tuple(row[k] for k in ("realm", "from", "to", "service", "whole")) for row in said if row["service"]
    ]
    assert {(row["realm"], row["from"], row["to"]): row["says"] for row in said} == {
        k: c.says for k, c in cells(found).items()
    }
    assert configlet("matrix", "dc1", "--csv", "--json").returncode == 64
