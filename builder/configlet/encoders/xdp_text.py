"""An encoded generation as text: what is carried to a host, kept in a plan, and read back."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

from configlet.encoders.xdp_layout import KEYS, SIZES, Encoded


def text(encoded: Encoded, attach: Iterable[str] = ()) -> str:
    """The generation as lines, its data compressed. ``attach`` are the interfaces that it is for."""
    lines = ["configlet-xdp 1", *(f"attach {name}" for name in sorted(attach))]
    lines += [f"constant {name} {value}" for name, value in encoded.constants.items()]
    for name, size in SIZES.items():
        data = encoded.arrays[name]
        lines.append(f"array {name} {size} {len(data) // size} {_packed(data)}")
    for name, (key, value) in KEYS.items():
        table = encoded.lookups[name]
        data = b"".join(k + table[k] for k in sorted(table))
        lines.append(f"lookup {name} {key} {value} {len(table)} {_packed(data)}")
    return "\n".join(lines) + "\n"


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()
