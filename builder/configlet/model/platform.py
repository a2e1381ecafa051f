"""What a platform's folder says, as values: kinds, capability records, operand formats, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from configlet.model.frozen import dataclass
from configlet.model.gate import Capability


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind on one platform: where its files are, and the data beside its template.

    ``template`` is the name that the template loader knows (``eos/acl.j2``); ``operands`` are the formats of values in
    the platform's syntax; ``change`` says how a text in force is replaced and taken away.
    """

    name: str
    capability: Capability
    template: str
    reader: Path
    operands: Mapping[str, Any]
    change: Mapping[str, Any]
    encoder: str = ""
    """Of a kind that is not text: the module of ``configlet.encoders`` that makes its tables, in place of a template."""
    semantics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a text means, item by item: ``is``, how that is ``known``, and ``said`` as a sentence."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One folder of ``configlets/``. ``search`` are the layers that it was found in, nearest first."""

    name: str
    title: str
    driver: str
    kinds: Mapping[str, Kind]
    refusals: Mapping[str, str]
    sources: tuple[str, ...]
    search: tuple[Path, ...]
    port: int = 0
    """The TCP port of its management, that the controller must be able to reach; 0 when no driver reaches it."""
    through: Literal["management", "manager"] = "management"
    """Which of a host's ways its driver takes: that to the host, or that to the manager of its NICs."""
    seen: bool = False
    """Whether its facts were ever seen on the real thing."""
