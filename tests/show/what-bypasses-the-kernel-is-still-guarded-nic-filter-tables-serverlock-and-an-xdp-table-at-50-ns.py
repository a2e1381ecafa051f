"""What the sixth issue must show, at full size: past the kernel, NIC filter tables, the XDP table, the table of stacks."""

from __future__ import annotations

from tests.lab.bypass_shown import line_1, line_7
from tests.nic.shown import line_2, line_6
from tests.xdp.shown import line_3, line_4, line_5, line_8

__all__ = ["line_1", "line_2", "line_3", "line_4", "line_5", "line_6", "line_7", "line_8"]
