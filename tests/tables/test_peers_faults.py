"""Faults that were reproduced with peers (reference `peers`, section 2): each is shown not to happen here.

Every row gives the product the same situation that a peer got wrong. The site has a leaf of EOS, one of IOS-XE and a
host with nftables, so that what is said of a text is said of three.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.policies import GUARDED, ROOT, grouped, unique, workspace
from configlet import pipeline
from configlet.cli import main
from configlet.model.problem import Refused
from configlet.packets.differences import differences
from configlet.packets.walk import OVERRUN
from tests.builders import platform, row
from tests.cli_run import DAY

TODAY = date.fromisoformat(DAY)
PLATFORMS = ("eos", "ios", "nftables")
RULES = """policy:
  - {name: no telnet, from: [desks], to: [servers], service: [tcp/23], action: deny, reason: it is clear text}
  - {name: logs in, from: [desks], to: [server1], service: [mixed], action: allow, reason: administration}
  - {name: pings, from: [desks], to: [server1], service: [icmp/echo-request], action: allow, reason: to see}
"""
SERVICES = "services: {mixed: [tcp/22, udp/5405]}\n"


@dataclass
class Site:
    """A small site in a folder of its own, and what the commands say of it."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def path(self, file: str) -> Path:
        return self.root / "inventory" / "bench" / file

    def edit(self, file: str, old: str, new: str) -> str:
        """Change a file; the place of the change as complaints give it."""
        text = self.path(file).read_text()
        assert old in text
        head = text[: text.index(old)]
        self.path(file).write_text(text.replace(old, new, 1))
        return f"inventory/bench/{file}:{head.count(chr(10)) + 1}:{len(head) - head.rfind(chr(10))}"

    def run(self, *words: str) -> tuple[int, str, str]:
        status = main([words[0], "bench", *words[1:], "--workspace", str(self.root), "--at", DAY])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return status, said.out, said.err

    def data(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*words, "--json")[1])
        return found

    def texts(self) -> dict[str, str]:
        """What is rendered, by platform; proven before it is given."""
        artifacts, proofs = pipeline.render(self.root, "bench", TODAY), pipeline.prove(self.root, "bench", TODAY)
        assert {proof.verdict for proof in proofs} == {"PROVED"}
        return {artifact.platform: artifact.text for artifact in artifacts}

    def refused(self, place: str, word: str, status: int = 65) -> None:
        """Every command that goes on from the input refuses it there, and writes nothing."""
        out = self.root / "out"
        found, said, err = self.run("render", "--out", str(out))
        assert (found, said, out.exists()) == (status, "", False), err
        assert place in err and word in err, err


Row = Callable[[Site], None]
ROWS: dict[int, tuple[str, Row]] = {}


def fault(number: int, title: str) -> Callable[[Row], Row]:
    """A row of the table."""

    def enter(function: Row) -> Row:
        assert number not in ROWS
        ROWS[number] = title, function
        return function

    return enter


def filled(root: Path, policy: str = RULES, services: str = SERVICES) -> None:
    workspace(unique(1, GUARDED), PLATFORMS, root, room=None)
    (root / "inventory" / "bench" / "policy.yaml").write_text(policy)
    (root / "inventory" / "bench" / "services.yaml").write_text(services)


@fault(1, "a misspelt key widens the rule and the exit status is 0")
def _misspelt_key(site: Site) -> None:
    place = site.edit("policy.yaml", "from: [desks], to: [server1]", "form: [desks], to: [server1]")
    site.refused(place, "Did you mean `from`?")


@fault(2, "an unknown target gives no output and status 0")
def _unknown_target(site: Site) -> None:
    site.edit("devices.yaml", "platform: ios", "platform: ciscoo")
    site.refused("inventory/bench/devices.yaml:3:3", "Those that have: ")


@fault(3, "an undefined name is told without a place")
def _undefined_name(site: Site) -> None:
    place = site.edit("policy.yaml", "server1], service: [mixed]", "server1x], service: [mixed]")
    site.refused(place, "Did you mean `server1`?")


@fault(4, "places are lost before the checks run")
def _places_are_kept(site: Site) -> None:
    place = site.edit("policy.yaml", "  - {name: no telnet", "  - {name: no way in, from: [any], to: [management], "
                      "service: [any], action: deny, reason: a mistake}\n  - {name: no telnet")  # fmt: skip
    site.refused(place.rsplit(":", 1)[0], "Deny that meets a failsafe flow", 3)  # found after the expansion of rules
    filled(shutil.rmtree(site.root) or site.root)
    status, out, _ = site.run("why", "desks", "server1", "tcp/22")
    assert status == 0 and 'rule "logs in"  inventory/bench/policy.yaml:3:5' in out  # and from a line of text back


@fault(5, "a match that a target lacks is dropped")
def _lacking_match(site: Site) -> None:
    texts = site.texts()
    assert re.search(r"permit icmp 10\.0\.0\.0/8 host 172\.16\.0\.1 8|permit icmp 10\.0\.0\.0/8 .* 8$", texts["eos"], re.M)
    assert "icmp type" in texts["nftables"] and re.search(r"permit icmp 10\.0\.0\.0 .* 8$", texts["ios"], re.M)
    template = site.root / "configlets" / "eos" / "acl.j2"
    template.parent.mkdir(parents=True)
    shipped = (ROOT / "configlets" / "eos" / "acl.j2").read_text()
    template.write_text(shipped.replace("{{ icmp }}", ""))  # a target that has no word for the type
    status, out, err = site.run("prove", "--out", str(site.root / "out"))
    assert status == 3 and "REFUTED" in out and not (site.root / "out").exists(), "what drops it is never written"
    assert site.run("check")[0] == 3
    template.write_text(shipped)
    file = site.root / "wide.txt"
    file.write_text(re.sub(r" eq 22$", " eq 22 ttl eq 255", texts["eos"], count=1, flags=re.M))
    status, out, err = site.run("prove", "--file", str(file), "--platform", "eos", "--gate", "leaf1/Vlan100/in/v4")
    assert status == 65 and out == "" and re.search(r"wide\.txt:\d+:\d+: .*", err) and "ttl" in err


@fault(6, "the last deny of everything vanishes")
def _last_deny(site: Site) -> None:
    texts = site.texts()
    for name in ("eos", "ios"):
        lists = re.split(r"^ip(?:v6)? access-list.*$", texts[name], flags=re.M)[1:]
        assert len(lists) == 2
        for body in lists:
            assert re.search(r"deny (ip|ipv6) any any( log)?$", body.split("!")[0].rstrip()), body
    assert len(re.findall(r"type filter hook .* policy drop;", texts["nftables"])) == 3


@fault(7, "`established` adds ports to those that were given")
def _established_narrows(site: Site) -> None:
    site.edit("policy.yaml", "from: [desks], to: [server1], service: [mixed]",
              "from: [server1], to: [desks], service: [tcp/9001]")  # fmt: skip
    texts = site.texts()
    for name in ("eos", "ios"):
        lines = [line for line in texts[name].splitlines() if line.endswith("established")]
        assert lines and all(" eq 9001 " in line and "1024" not in line for line in lines), lines


@fault(8, "two protocols in one rule are crossed with their ports")
def _no_product(site: Site) -> None:
    for name, text in site.texts().items():
        assert "udp" in text and not re.search(r"udp .*\b22\b|tcp .*\b5405\b", text), name
    says = {service: site.data("query", "--from", "desks", "--to", "server1", "--service", service)["says"]
            for service in ("tcp/22", "udp/5405", "udp/22", "tcp/5405")}  # fmt: skip
    assert says == {"tcp/22": "all", "udp/5405": "all", "udp/22": "none", "tcp/5405": "none"}


@fault(9, "one target that crashes loses every target")
def _targets(site: Site) -> None:
    assert set(site.texts()) == set(PLATFORMS)  # a single ICMP type, which crashed the peer's nftables
    template = site.root / "configlets" / "ios" / "acl.j2"
    template.parent.mkdir(parents=True)
    template.write_text((ROOT / "configlets" / "ios" / "acl.j2").read_text() + "{{ no_such_value.x }}")
    site.refused("ios/acl.j2", "no_such_value")  # names the target; half a site is never written


@fault(10, "the packet check disagrees with what is generated")
def _one_model(site: Site) -> None:
    status, out, _ = site.run("why", "desks", "server1", "tcp/80")
    assert status == 0 and "DENY" in out and "default deny" in out
    site.path("tests.yaml").write_text("tests:\n  - {from: desks, to: server1, service: tcp/80, expect: allow}\n")
    status, _, err = site.run("check")
    assert status == 3 and "Policy test is red" in err + _
    site.edit("policy.yaml", "reason: administration", "reason: administration, expires: 2026-01-01")
    for command in (("why", "desks", "server1", "tcp/22"), ("query", "--from", "desks", "--to", "server1")):
        assert site.run(*command)[0] == 3, "an expired rule decides nothing in silence"


@fault(11, "the policy is read again for each question")
def _read_once(site: Site) -> None:
    from configlet import workspace as files

    tests = "".join(f"  - {{from: desks, to: server1, service: tcp/{n}, expect: deny}}\n" for n in range(1000, 1200))
    site.path("tests.yaml").write_text(f"tests:\n{tests}")
    loads, load = [], files.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "load", lambda *given, **more: loads.append(1) or load(*given, **more))
        report = pipeline.check(site.root, "bench", TODAY)
    assert (len(report.tests), len(loads)) == (200, 1)


@fault(12, "a deny that two permits shadow together is not found")
def _union_shadow(site: Site) -> None:
    halves = "addresses: {low: [10.0.0.0/9], high: [10.128.0.0/9]}\n"
    site.path("addresses.yaml").write_text(halves)
    rules = (
        "policy:\n  - {name: one, from: [low], to: [server1], service: [tcp/22], action: allow, reason: x}\n"
        "  - {name: two, from: [high], to: [server1], service: [tcp/22], action: allow, reason: x}\n"
    )
    dead = "  - {name: never, from: [desks], to: [server1], service: [tcp/22], action: deny, reason: x}\n"
    site.path("policy.yaml").write_text(rules + dead)
    other = site.root / "inventory" / "without"
    shutil.copytree(site.root / "inventory" / "bench", other)
    (other / "site.yaml").write_text((other / "site.yaml").read_text().replace("name: bench", "name: without"))
    (other / "policy.yaml").write_text(rules)
    status, out, _ = site.run("diff", "without", "--exit-code")
    assert status == 0 and "the same" in out  # the deny takes nothing away, and that is known
    found = re.search(r'deny "never"\n((?:      .*\n)+)', site.run("analyse")[1])
    assert found and 'allow "one"' in found[1] and 'allow "two"' in found[1] and "packet  tcp 10." in found[1]


@fault(13, "looking for shadows is quadratic")
def _near_linear(_: Site) -> None:
    for count in (200, 1600):
        rows = [row(f"permit tcp 10.0.{i // 250}.{i % 250} 10.9.0.0/16 to {i % 50}", line=i) for i in range(count)]
        assert differences(4, rows[: count // 2], rows, budget=100 * count) is not OVERRUN


@fault(14, "a finding writes no output and status 0")
def _findings_have_a_status(site: Site) -> None:
    site.path("tests.yaml").write_text("tests:\n  - {from: desks, to: server1, service: tcp/22, expect: deny}\n")
    status, out, err = site.run("check")
    assert status == 3 and "Policy test is red" in out + err and "PROVED" in out.upper()
    assert site.run("render")[0] == 0


@fault(15, "object groups in one system's words everywhere")
def _own_words(site: Site) -> None:
    from configlet import readers

    texts = site.texts()
    assert not any("object-group" in text for text in texts.values())
    for name, text in texts.items():
        for other in set(PLATFORMS) - {name}:
            known = platform(other)
            kind = next(iter(known.kinds))
            with pytest.raises(Refused):
                readers.read(known, kind, text, "foreign")


def _loads(site: Site, old: str, new: str) -> dict[str, str]:
    """What is sent to each owner when the policy changes, from what runs before."""
    before = {a.owner: a.text for a in pipeline.render(site.root, "bench", TODAY)}
    site.edit("policy.yaml", old, new)
    plan = pipeline.plan(site.root, "bench", TODAY, before, "site")
    return {change.owner: change.load for change in plan.changes}


@fault(16, "a list in use is deleted and written anew")
def _no_gap(site: Site) -> None:
    loads = _loads(site, "service: [mixed]", "service: [mixed, tcp/25]")
    assert set(loads) == {"leaf1", "leaf2", "server1"}
    assert not re.search(r"^no ip access-list extended cfglt-Vlan100-in-v4$", loads["leaf2"], re.M)
    assert "tcp" in loads["leaf2"] and platform("eos").kinds["acl"].capability.update == "session"
    assert loads["server1"].startswith("table inet configlet\ndelete table inet configlet\n")  # one transaction of nft


@fault(17, "what is applied twice is there twice")
def _twice(site: Site) -> None:
    before = {a.owner: a.text for a in pipeline.render(site.root, "bench", TODAY)}
    assert pipeline.plan(site.root, "bench", TODAY, before, "site").changes == ()
    file = site.root / "table.nft"
    file.write_text(before["server1"])
    script = f"nft -f {file}; nft list ruleset | wc -l; nft -f {file}; nft list ruleset | wc -l"
    said = subprocess.run(["unshare", "-Urn", "sh", "-ec", script], capture_output=True, text=True, check=True)
    once, twice = map(int, said.stdout.split())
    assert once == twice > 20, said.stderr


@fault(18, "a hundred thousand entries without a warning")
def _capacity(site: Site) -> None:
    shutil.rmtree(site.root)
    workspace(grouped(rules=5, sources=50, destinations=10), ("ios",), site.root, room=None)
    status, out, err = site.run("check")
    said = out + err
    assert status == 3 and re.search(r"leaf1/Vlan100/in/v4 needs .*2,50\d entries and has room for 2,000", said)
    assert '"term-0" 500' in said


VALUES = (
    ("addresses.yaml", "[10.0.1.0/28]", "[10.0.0.999/99]"),
    ("addresses.yaml", "[10.0.1.0/28]", "['2001:db8::1/64']"),
    ("services.yaml", "tcp/22", "tpc/22"),
    ("services.yaml", "tcp/22", "tcp/99999"),
    ("services.yaml", "tcp/22", "tcp/500-400"),
    ("policy.yaml", "name: pings", "name: logs in"),
    ("policy.yaml", "[server1], service: [mixed]", "[no-list], service: [mixed]"),
    ("policy.yaml", "action: allow", "action: permit"),
)


@fault(19, "shapes are validated and meanings are not")
def _values(site: Site) -> None:
    for file, old, new in VALUES:
        filled(shutil.rmtree(site.root) or site.root)
        site.edit(file, old, new)
        site.refused(f"inventory/bench/{file}:", ".")
    text = "ip access-list cfglt-Vlan100-in-v4\n   10 permit tcp 2001:db8::/32 any\n"
    wrong = site.root / "wrong.txt"
    wrong.write_text(text)
    from configlet import readers

    for body in (text, text.replace("2001:db8::/32", "10.0.0.0/8").replace("any\n", "any\n   10 permit udp any any\n")):
        with pytest.raises(Refused) as refused:
            readers.read(platform("eos"), "acl", body, "wrong.txt")
        assert "wrong.txt:" in str(refused.value)


@fault(20, "an entry without a destination is dropped without a word")
def _no_destination(site: Site) -> None:
    site.edit("policy.yaml", "from: [desks], to: [server1], service: [mixed]", "from: [desks], service: [mixed]")
    site.refused("inventory/bench/policy.yaml:3:5", "`to` is missing")


@fault(21, "a limit is hit without the name of the list")
def _named_limit(site: Site) -> None:
    folder = site.root / "configlets" / "eos"
    folder.mkdir(parents=True)
    text = (ROOT / "configlets" / "eos" / "platform.yaml").read_text()
    (folder / "platform.yaml").write_text(re.sub(r"capacity: \d+", "capacity: 5", text))
    status, out, err = site.run("check")
    found = re.search(r"leaf1/Vlan100/in/v4 needs (\d+) entries and has room for 5\.", out + err)
    assert status == 3 and found and int(found[1]) > 5 and '"logs in"' in out + err


@fault(22, "a host's table is one chain for each rule, walked in a line")
def _maps(site: Site) -> None:
    def walked(count: int) -> int:
        shutil.rmtree(site.root)
        workspace(unique(count, GUARDED), ("nftables",), site.root)
        text = site.texts()["nftables"]
        chain = text[text.index("chain judge") :]
        return chain[: chain.index("\n\t}")].count("\n")

    assert walked(32) == walked(160), "the rules that a packet meets do not grow with the policy"


@fault(23, "an error is a printed dictionary")
def _sentences(site: Site) -> None:
    place = site.edit("policy.yaml", "to: [server1], service: [mixed]", "to: {a: {b: [c]}}, service: [mixed]")
    status, _, err = site.run("check")
    assert status == 65 and place.rsplit(":", 1)[0] in err
    assert "{" not in err and "None" not in err and re.search(r"belongs here\.", err), err


@fault(24, "a patch adds a number and then deletes it")
def _numbers(site: Site) -> None:
    load = _loads(site, "service: [mixed]", "service: [tcp/22, tcp/25]")["leaf2"]
    added: set[str] = set()
    for line in load.splitlines():
        if found := re.match(r"\s*(\d+) (?:permit|deny|remark)", line):
            added.add(found[1])
        elif found := re.match(r"\s*no (\d+)", line):
            assert found[1] not in added, load
    assert added, load  # every state on the way is proven: tests/laws/test_recipes.py


@fault(25, "a policy can shut out the one who manages the node")
def _way_in(site: Site) -> None:
    site.path("site.yaml").write_text(site.path("site.yaml").read_text().split("failsafe:")[0])
    status, out, err = site.run("check")
    assert status == 3 and "Way in closed" in out + err and "server1" in out + err


@pytest.mark.parametrize("number", range(1, 26), ids=lambda n: f"{n:02}-{ROWS[n][0].replace(' ', '-')}" if n in ROWS else str(n))
def test_a_fault_of_a_peer_does_not_happen_here(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "site"
    filled(root)
    ROWS[number][1](Site(root, capsys))
