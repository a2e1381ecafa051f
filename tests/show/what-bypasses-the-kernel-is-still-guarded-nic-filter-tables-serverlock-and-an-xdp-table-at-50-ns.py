"""What the sixth issue must show, at full size: the lines of the XDP table."""

from __future__ import annotations

from tests.xdp.shown import line_3, line_4, line_5, line_6, line_8

__all__ = ["line_3", "line_4", "line_5", "line_6", "line_8"]
