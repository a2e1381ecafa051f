"""The inventory of `desk` in its two states after `check` has said "unguarded": accepted for a time, and cured in the NIC."""

from __future__ import annotations

from pathlib import Path

ACCEPT = "accept:\n  - {what: unguarded, workload: me1, reason: until its NIC has a table, until: 2027-01-31}\n"
CURED = """\
accept:
  - {what: unguarded, from: me1, to: floor, reason: the NIC's table judges only what is received, until: 2027-01-31}
"""
CABLE = "attached: [leaf1/Ethernet3]"


def accept(site: Path) -> None:
    """Consent to the gap. ``site`` is the inventory's file."""
    site.write_text(site.read_text(encoding="utf-8") + ACCEPT, encoding="utf-8")


def cure(site: Path) -> None:
    """Give me1's NIC a table, and consent only to what such a table cannot see."""
    text = site.read_text(encoding="utf-8").replace(ACCEPT, CURED)
    site.write_text(text.replace(CABLE, f"{CABLE}, filter_table: simnic"), encoding="utf-8")
