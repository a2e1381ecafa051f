"""Laws of Linux's own lists: the kernel takes what is rendered, and what it shows then is read as the same lists."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from configlet.model.gate import Reading
from configlet.model.problem import Refused
from configlet.readers import read
from tests.policies import ALL, Case, cases, text_of

POLICIES = int(os.environ.get("CONFIGLET_POLICIES", "2"))
MOST = 300
"""Lines of a text: a namespace without the machine's own rights loads few at once."""
TOOLS = {
    "iptables": ("iptables-restore", "iptables-save", "ip6tables-restore", "ip6tables-save", "ipset", "unshare"),
    "frr-linux": ("nft", "unshare"),
}
SCRIPTS = {
    "iptables": """set -e
rm -f sets v6 v4
awk '/^# ipset/{to="sets"} /^# ip6tables/{to="v6"} /^# iptables/{to="v4"} {print > to}'
for once in 1 2; do
    test ! -f sets || ipset restore -exist < sets
    ip6tables-restore --noflush v6
    iptables-restore --noflush v4
done
ipset save; ip6tables-save -t filter; iptables-save -t filter""",
    "frr-linux": "set -e; cat > all; nft -f all; nft -f all; nft -nn list table inet cfglt-router",
}


def meant(reading: Reading) -> dict[object, list[object]]:
    return {key: [(line.permit, line.box) for line in lines] for key, lines in reading.lists.items()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_kernel_takes_it_twice_and_shows_the_same_lists(name: str, tmp_path: object) -> None:
    if any(shutil.which(tool) is None for tool in TOOLS[name]):
        pytest.skip(f"{' '.join(TOOLS[name])} are not all here")
    known, taken = ALL[name], 0

    @settings(
        max_examples=POLICIES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @seed(20261124)
    @given(cases())
    def law(case: Case) -> None:
        nonlocal taken
        try:
            artifact = text_of(case, known, "acl")
        except Refused:
            return
        if artifact.text.count("\n") > MOST:
            return
        command = ["unshare", "-rn", "sh", "-c", SCRIPTS[name]]
        ended = subprocess.run(
            command, input=artifact.text, capture_output=True, text=True, check=False, cwd=str(tmp_path)
        )
        assert ended.returncode == 0, ended.stderr + artifact.text
        rendered, running = (read(known, "acl", text, "text") for text in (artifact.text, ended.stdout))
        assert meant(running) == meant(rendered)
        assert running.read == running.total
        taken += 1

    law()
    assert taken > 0
