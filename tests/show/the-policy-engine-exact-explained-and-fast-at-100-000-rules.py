"""What the fourth issue must show, at full size: the policy engine."""

from __future__ import annotations

from tests.show_run import Shown


def line_1() -> Shown:
    """20,000 terms from YAML to proven text, beside Aerleon and Capirca: CPU, memory, growth from 1k to 100k."""
    return 0, 1, "not built yet"


def line_2() -> Shown:
    """100 sources, 10 services, 100 destinations as groups: no explosion where groups exist, else a refusal in time."""
    return 0, 1, "not built yet"


def line_3() -> Shown:
    """Pairs of 20,000 entries proved or refuted in time, 2,000 mutants refuted, 20,000 small pairs agree with two judges."""
    return 0, 1, "not built yet"


def line_4() -> Shown:
    """A site of 400 switches, 10,000 hosts and 50,000 rules: check cold and warm, plan after one changed rule."""
    return 0, 1, "not built yet"


def line_5() -> Shown:
    """Analysis of 20,000 rules; a permit shadowed by two together; an adversarial set never answered wrongly."""
    return 0, 1, "not built yet"


def line_6() -> Shown:
    """The faults of peers, each shown not to happen here."""
    return 0, 1, "not built yet"


def line_7() -> Shown:
    """Every figure in the docs stands beside the command that makes it."""
    return 0, 1, "not built yet"
