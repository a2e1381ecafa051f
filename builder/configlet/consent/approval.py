"""An approval as a value, and the bytes that its signature covers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from configlet.model.plan import Plan

FORMAT = "configlet-approval/1"
NAMESPACE = "configlet-plan"
"""What a signature is for (``ssh-keygen -Y sign -n``), so that none made for something else counts."""
HOURS = 24


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's consent to one plan. ``plan`` is its digest; times are ISO 8601 in UTC, to the second."""

    plan: str
    site: str
    target: Literal["site", "lab"]
    by: str
    at: str
    expires: str


@dataclass(frozen=True, slots=True)
class Signed:
    """An approval with its signature as ``ssh-keygen -Y sign`` gives it; "" when nobody signed."""

    approval: Approval
    signature: str = ""


def approve(plan: Plan, by: str, now: datetime, hours: int = HOURS) -> Approval:
    """Consent to exactly this plan, from ``now`` on for some hours."""
    start = now.astimezone(UTC).replace(microsecond=0)
    return Approval(plan.digest, plan.site, plan.target, by, _text(start), _text(start + timedelta(hours=hours)))


def message(approval: Approval) -> bytes:
    """What is signed: format and content in one form."""
    return json.dumps({"format": FORMAT, **asdict(approval)}, sort_keys=True, separators=(",", ":")).encode()


def _text(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
