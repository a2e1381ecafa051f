"""What the sixth issue must show, at full size: NIC filter tables, and the lines of the XDP table."""

from __future__ import annotations

from tests.nic.shown import line_2, line_6
from tests.xdp.shown import line_3, line_4, line_5, line_8

__all__ = ["line_2", "line_3", "line_4", "line_5", "line_6", "line_8"]
