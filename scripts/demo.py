"""The whole way, with the real command line: from a policy to packets, one change, and back.

Everything happens in a folder of its own that is removed at the end, and the lab is always taken down.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from bypass.stages import accept, cure

SITE = "dc1"
DESK = "desk"
DAY = "2026-11-24"
"""The sample is judged as of the day on which it was written, as its rules and acceptances expire like anybody's."""
LEAST = 500
STEPS = 14
SENT = re.compile(r"^probe: (\d+) packets sent, (\d+) as the policy says", re.MULTILINE)

NEW_RULE = """\
  - name: order gateways read the books
    from: [order-gateways]
    to: [databases]
    service: [postgres]
    action: allow
    reason: what tonight's change is for
    owner: trading
"""
OLD_RULE = re.compile(r"  - name: handlers quote the order gateways\n(?:    .*\n)+")


class Demo:
    """The demonstration under way: its folder, its clock, and what was counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = time.monotonic()
        self.step = 0
        self.sent = 0
        self.right = 0
        self.lab = ""
        """The site whose lab is up."""

    def say(self, *lines: str) -> None:
        """The next step in plain words."""
        self.step += 1
        seconds = time.monotonic() - self.started
        print(f"\n--- {self.step} of {STEPS}, after {seconds:.0f} s: {lines[0]}", flush=True)
        for line in lines[1:]:
            print(f"    {line}", flush=True)

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run the command as an operator would, show it and all that it says. Ends the demo when it goes wrong."""
        arguments = arguments if arguments[0] == "init" else (*arguments, "--at", DAY)
        print(f"$ configlet {' '.join(arguments)}", flush=True)
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "configlet", *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        print(ended.stdout, end="", flush=True)
        if ended.returncode != expect:
            raise SystemExit(f"demo: FAILED, exit status {ended.returncode} where {expect} was expected")
        return ended.stdout

    def probe(self) -> str:
        """Send packets between all pairs and keep the count; what the probe said."""
        said = self.run("lab", "probe", self.lab)
        found = SENT.search(said)
        if found is None:
            raise SystemExit("demo: FAILED, the probe did not say what it sent")
        self.sent += int(found[1])
        self.right += int(found[2])
        return said


def first_push(demo: Demo) -> None:
    """From the policy to filtered packets."""
    demo.say(
        "check, without touching anything",
        "The inventory and the policy are read. For every gate that can see a flow a table is fitted, rendered in the",
        "vendor's language, read back by a parser that knows only that language, and compared with the policy over",
        "the whole packet space. PROVED means: not one packet is judged differently.",
    )
    demo.run("check", SITE)
    demo.say(
        "the lab: this site on this machine",
        "Five simulated switches, three with EOS and two with IOS-XE, and fourteen hosts with real nftables, linked as",
        "the inventory says. All open yet.",
    )
    demo.lab = SITE
    demo.run("lab", "up", SITE)
    demo.say(
        "push: one policy to every gate",
        "Unmodified NAPALM and netmiko drivers. Each device takes the change under its own timer and would go back by",
        "itself; only after a probe over a new connection is it told to keep it. EOS takes a session as a whole; IOS-XE",
        "takes line by line, in an order of which every step is proven.",
    )
    demo.run("push", SITE, "--lab", "--yes")
    demo.say(
        "probe: real packets between all pairs",
        "TCP, UDP, ICMP and multicast, v4 and v6, allowed and denied; what arrives is compared with the policy.",
    )
    demo.probe()


def one_change(demo: Demo, policy: Path) -> None:
    """A change of the policy, end to end."""
    demo.say(
        "a change: one rule comes, one goes",
        "Order gateways shall read the databases; handlers shall no longer quote the order gateways. Before it:",
    )
    demo.run("why", SITE, "ogw2", "db2", "postgres")
    text = policy.read_text(encoding="utf-8")
    changed, count = OLD_RULE.subn(NEW_RULE, text)
    if count != 1:
        raise SystemExit("demo: FAILED, the policy has no rule of the name that the demo replaces")
    policy.write_text(changed, encoding="utf-8")
    demo.say("plan: what would open, what would close, and where")
    demo.run("plan", SITE, "--lab", "--no-diff")
    demo.say("push the change, and probe again")
    demo.run("push", SITE, "--lab", "--yes")
    demo.probe()
    demo.say(
        "why: every gate on the way",
        "The same question as before, a host whose application bypasses the kernel, and a way across both vendors.",
    )
    demo.run("why", SITE, "ogw2", "db2", "postgres")
    demo.run("why", SITE, "client1", "ogw1", "fix")
    demo.run("why", SITE, "ogw1", "me1", "engine-orders")
    demo.say("rollback: back to before the change, and probe again")
    demo.run("rollback", SITE, "--lab", "--yes")
    policy.write_text(text, encoding="utf-8")
    demo.probe()


def past_the_kernel(demo: Demo) -> None:
    """A workload that its host's nftables never meets: unguarded, accepted and open, then closed in its NIC."""
    sample = Path(__file__).parent / "bypass"
    demo.folder /= DESK
    for name in ("configlets", "inventory"):
        shutil.copytree(sample / name, demo.folder / name)
    (demo.folder / "pyproject.toml").write_text('[project]\nname = "desk"\nversion = "0"\n', encoding="utf-8")
    site = demo.folder / "inventory" / DESK / "site.yaml"
    demo.say(
        "another site: a matching engine past the kernel, and a desk in its own segment",
        "The policy denies client2 to me1. No gateway sees traffic inside a segment, and me1's nftables never meets what",
        "Onload takes from the NIC. check does not say enforced: it says unguarded, and what would cure it.",
    )
    demo.run("check", DESK, expect=3)
    demo.say(
        "with nftables on me1 alone the engine receives what the policy denies",
        "The gap is accepted for a time, else nothing would be pushed; the packets that arrive are real.",
    )
    accept(site)
    demo.lab = DESK
    demo.run("lab", "up", DESK)
    demo.run("push", DESK, "--lab", "--yes")
    arrived = re.search(r"^gaps +(\d+) packets sent .*; (\d+) arrived", demo.probe(), re.MULTILINE)
    if arrived is None or not int(arrived[1]) == int(arrived[2]) > 0:
        raise SystemExit("demo: FAILED, the workload past the kernel did not receive what its host's table denies")
    demo.say(
        "with a table in me1's NIC it receives nothing of it",
        "The NIC is simulated: a namespace between leaf and host. Its table is made from the same policy, and proven.",
    )
    cure(site)
    demo.run("check", DESK)
    demo.run("lab", "nics", DESK)
    demo.run("why", DESK, "client2", "me1", "orders")
    demo.probe()
    demo.run("lab", "down", DESK)
    demo.lab = ""


def show(demo: Demo) -> None:
    """The demonstration from beginning to end."""
    demo.say("a workspace of its own")
    demo.run("init", str(demo.folder / "workspace"))
    demo.folder /= "workspace"
    policy = demo.folder / "inventory" / SITE / "policy.yaml"
    first_push(demo)
    one_change(demo, policy)
    demo.say("the lab goes down")
    demo.run("lab", "down", SITE)
    demo.lab = ""
    past_the_kernel(demo)
    print(
        "\nWhat was shown: one policy became the configuration of five switches of two vendors and of fourteen hosts; every"
        "\ntext was proven before it was sent; it was pushed so that each device could have taken it back by itself; real"
        "\npackets went where the policy lets them and nowhere else, before a change, after it, and after its rollback."
        "\nA workload past the kernel received what its host denies, and nothing once its NIC had a table."
        "\nWhat was not: the switches and the NIC are simulated, and dc1's flows that only a NIC could guard are accepted gaps.\n"
    )


def main() -> int:
    """0 when all went as said and every packet as the policy says, else 1; the lab is taken down in any case."""
    signal.signal(signal.SIGTERM, lambda *_: _end())
    folder = Path(tempfile.mkdtemp(prefix="configlet-demo-"))
    demo = Demo(folder)
    try:
        show(demo)
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except SystemExit as ended:
        print(ended.code, file=sys.stderr)
        return 1
    finally:
        if demo.lab:
            down = [sys.executable, "-P", "-m", "configlet", "lab", "down", demo.lab]
            subprocess.run(down, cwd=demo.folder, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    if demo.sent < LEAST or demo.sent != demo.right:
        print(f"demo: FAILED, {demo.sent} packets sent, {demo.right} as the policy says", file=sys.stderr)
        return 1
    print(f"demo: {demo.sent} packets sent, {demo.right} as the policy says")
    return 0


def _end() -> NoReturn:
    raise SystemExit("demo: ended from outside")


if __name__ == "__main__":
    sys.exit(main())
