"""Well-formed, and refused by what the policy means."""

from __future__ import annotations

from tests.tables.hostile.case import Case

_FIRST = "policy:\n  # Separation of duties.\n"
_DENY = """policy:
  - §name: close it
    from: [{who}]
    to: [management]
    service: [{what}]
    action: deny
    reason: r
"""

CASES = (
    Case(
        "a deny that closes failsafe",
        "policy.yaml",
        _FIRST,
        _DENY.format(who="any", what="any"),
        "Deny that meets a failsafe flow",
        "controller reaches management",
        "red",
    ),
    Case(
        "a deny that closes one service of failsafe",
        "policy.yaml",
        _FIRST,
        _DENY.format(who="outside, management", what="eapi"),
        "Deny that meets a failsafe flow",
        "controller reaches management",
        "red",
    ),
    Case(
        "a rule that no packet can match",
        "policy.yaml",
        _FIRST,
        _DENY.format(who="clients", what="ssh"),
        "Rule that no packet can match",
        "share no realm",
    ),
)
