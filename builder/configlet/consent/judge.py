"""Whether an approval is consent to a plan, now. The answer is a sentence that says why not, or None."""

from __future__ import annotations

from datetime import datetime, timedelta

from configlet.consent.approval import Approval
from configlet.model.plan import Plan

SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""


def objection(plan: Plan, approval: Approval, now: datetime) -> str | None:
    """Why this approval is not consent to this plan at ``now`` (with a time zone); None when it is.

    Who approved is believed here: whether a signature is his is for the caller to verify.
    """
    if approval.plan != plan.digest:
        return f"the approval is for another plan: {approval.plan[:12]}, and this one is {plan.digest[:12]}"
    if (approval.site, approval.target) != (plan.site, plan.target):
        return f"the approval is for the {approval.target} {approval.site}, and this plan for the {plan.target} {plan.site}"
    if same_person(approval.by, plan.author):
        return f"{approval.by} made this plan, and nobody approves his own change"
    return _out_of_time(approval, now)


def _out_of_time(approval: Approval, now: datetime) -> str | None:
    start, end = datetime.fromisoformat(approval.at), datetime.fromisoformat(approval.expires)
    if now > end:
        return f"the approval of {approval.by} expired at {approval.expires}; ask for a new one"
    if now < start - SKEW:
        return f"the approval says it was given at {approval.at}, and that is still to come; look at the clocks"
    return None


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: with or without the part after @, in capitals or not."""
    return bool(one) and one.partition("@")[0].casefold() == other.partition("@")[0].casefold()
