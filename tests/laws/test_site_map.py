"""Law: the map of a site says of every rule and of every word what a look at each of them alone says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from configlet.analyse.names import _idle as idle
from configlet.model.inventory import Inventory, Selector
from configlet.model.problem import Place
from configlet.pipeline.cache import Store
from configlet.pipeline.cuts import Columns, Spoken, digest_of, from_parts, to_parts
from configlet.pipeline.inputs import Inputs, inputs
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.sitemap import Map, Where, from_dict, map_of, to_dict, uses_of
from configlet.rules import select

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module", name="known")
def _known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Inputs, Map]:
    """The sample site, where the label of two workloads is that of segments too."""
    root: Path = tmp_path_factory.mktemp("map")
    for path in (ROOT / "inventory" / "dc1").rglob("*.yaml"):
        to = root / path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(path.read_text().replace("standby", "prod").replace("role: primary", "role: prod"))
    site, given = open_site(root, "dc1", TODAY), inputs(root, "dc1", TODAY)
    found = map_of(site, given) if given else None
    assert given and found
    return site, given, found


def _words(inventory: Inventory) -> dict[str, tuple[set[str], set[str]]]:
    """Word by word, as a map says it."""
    where = Where(inventory)
    out: dict[str, tuple[set[str], set[str]]] = {}

    def add(word: str, places: set[str], hosts: set[str]) -> None:
        both = out.setdefault(word, (set(), set()))
        both[0].update(places)
        both[1].update(hosts)

    for thing in (*inventory.segments, *inventory.externals):
        add(thing.name, {thing.name}, set())
    for segment in inventory.segments:
        for _, value in segment.labels:
            add(value, {segment.name}, set())
    for work in inventory.workloads:
        for word in (work.name, work.host, *(value for _, value in work.labels)):
            add(word, {work.segment}, {work.host})
    for name in (*(n for n, _, _ in inventory.addresses), *(m.name for m in inventory.multicast)):
        add(name, set(where.of(select(inventory, Selector(name, (), Place("")), source=True))), set())
    return out


def test_every_word_leads_to_the_places_and_hosts_of_all_that_have_it(known: tuple[Site, Inputs, Map]) -> None:
    site, _, found = known
    slow = {word: (tuple(sorted(places)), tuple(sorted(hosts))) for word, (places, hosts) in _words(site.inventory).items()}
    assert found.words == slow
    assert len(slow["prod"][0]) > 1 and len(slow["prod"][1]) == 2


def test_every_rule_speaks_of_the_places_of_its_ends_and_uses_its_own_words(known: tuple[Site, Inputs, Map]) -> None:
    site, given, found = known
    items = {(file, item.start + 1): item for file, cut in found.cuts.items() if cut.kind == "policy" for item in cut.items}
    where, rules = Where(site.inventory), [rule for rule in site.policy.rules if rule.origin == "policy"]
    named = 0
    for line, rule in zip(site.inventory.policy, rules, strict=True):
        item = items.pop((line.place.file, line.place.line))
        assert item.name == line.name
        assert item.places == where.both(rule.source, rule.destination)
        assert item.uses == uses_of(line)
        text = given.files[line.place.file].split(b"\n")[item.start : item.stop]
        assert item.digest == digest_of(b"\n".join(text))
        named += any("/" not in service.name for service in line.services)
    assert not items and named > 3


def test_what_is_kept_of_a_map_is_the_map_again(known: tuple[Site, Inputs, Map], tmp_path: Path) -> None:
    _, _, found = known
    said, parts = to_dict(found)
    store = Store(tmp_path, b"k" * 32)
    store.put("map", said, parts)
    kept = store.opened("map")
    assert kept and {f: c.items for f, c in from_dict(*kept).cuts.items()} == {f: c.items for f, c in found.cuts.items()}


def test_items_that_speak_of_places_alone_are_kept_by_these_and_are_read_as_they_were(known: tuple[Site, Inputs, Map]) -> None:
    ends, others = [("a", "b"), ("a",), ()], [(), ("a",), ("a", "b"), ("c",)]
    spoken: list[Spoken] = [(p, h, u, w) for p in ends for h in others for u in others for w in others]
    columns = Columns(spoken, [*range(len(spoken))], [*range(1, 1 + len(spoken))], "", ["x"] * len(spoken))
    cut = next(cut for cut in known[2].cuts.values() if cut.kind == "policy")._replace(opened=lambda: columns)
    said, kept, names = to_parts(cut)
    again = from_parts(said, lambda: json.loads(json.dumps(kept)), lambda: json.dumps(names).encode())
    assert again.items == cut.items
    assert sum(len(each) == 1 for each in kept[0]) == len(ends)


@pytest.mark.parametrize("some", [1, 2, 7])
def test_names_of_services_are_found_however_late_they_are_said(some: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = open_site(Path(__file__).resolve().parents[2], "dc1", TODAY).inventory
    known = idle(inventory)
    assert len(known) < len([service for service in inventory.services if service.place])
    monkeypatch.setattr("configlet.analyse.names._SOME", some)
    assert idle(inventory) == known
