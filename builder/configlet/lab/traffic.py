"""The traffic agent: a process inside the lab that sends what it is told and says what it saw.

``python -m configlet.lab.traffic STATE`` reads shots as JSON from standard input and writes what was heard as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from configlet.lab.traffic_run import run
from configlet.lab.traffic_values import Heard, Shot, from_json, to_json
from configlet.model.problem import Refused, refuse


def send(state: Path, shots: Sequence[Shot]) -> tuple[Heard, ...]:
    """Have the lab's agent send these shots. Raises Refused when no lab is up or the agent could not do its work."""
    from configlet.lab.enter import run_in

    orders = json.dumps([to_json(shot) for shot in shots])
    done = run_in(state, "controller", [sys.executable, "-m", "configlet.lab.traffic", str(state)], stdin=orders)
    if done.returncode != 0:
        raise refuse(
            "the probe could not be carried out", done.stderr.strip() or "The agent said nothing.", nature="red"
        )
    return tuple(Heard(number, tuple(ears), answered, why) for number, ears, answered, why in json.loads(done.stdout))


def main(state: str) -> int:
    """Inside the lab: run the shots on standard input."""
    from configlet.lab.enter import open_namespaces

    shots = [from_json(value) for value in json.load(sys.stdin)]
    descriptors = open_namespaces(Path(state))
    try:
        heard = run(descriptors, shots)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
    json.dump([[h.number, h.ears, h.answered, h.stopped] for h in heard], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
