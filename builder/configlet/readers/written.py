"""The normal form of lists, in the platform's own words: what is compared, and what the device would take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from configlet.readers.called import Called
from configlet.readers.spans import BITS, Span, address_text, complement


class Written:
    """The formats under ``write`` in a grammar."""

    def __init__(self, formats: Mapping[str, Any]) -> None:
        self.list: Mapping[str, str] = formats["list"]
        self.binding: Mapping[str, str] = formats["binding"]
        self.entry: Mapping[int, str] = formats["entry"]
        self.remark: Mapping[int, str] = formats["remark"]
        self.address: Mapping[int, Mapping[str, str]] = formats["address"]
        self.protos: Mapping[int, Mapping[int | str, str]] = formats["proto"]
        self.numbers: bool = formats["numbers"]
        self.indent: str = " " * formats["indent"]
        self.words = Called(formats)
        self.icmp: Mapping[str, str] = formats.get("icmp", {"type": "{type}", "code": "{type} {code}"})
        self.hosts: Mapping[int, str] = {family: form.get("host", "host {address}") for family, form in self.address.items()}
        self.around: dict[tuple[int, int], tuple[str, str]] = {}
        """What stands around an address, by family and by how many more addresses are meant."""

    def lines(self, family: int, said: Iterable[tuple[int, str, bool]], *, numbers: bool) -> Iterator[str]:
        """Entries and remarks, with their numbers or without."""
        forms = ("{text}", "remark {text}") if not numbers else (self.entry[family], self.remark[family])
        entry, remark = (_cut(self.indent + form) for form in forms)
        for number, text, is_remark in said:
            first, second, last = remark if is_remark else entry
            yield f"{first}{number}{second}{text}{last}" if second is not None else f"{first}{text}{last}"

    def proto(self, family: int, proto: Span) -> str:
        """A protocol by the name that the device prints, else by number."""
        return self.protos[family].get("any" if proto == (0, 255) else proto[0], str(proto[0]))

    def end(self, family: int, spans: tuple[Span, ...], said: str) -> str:
        """An address clause; as it was said where it is a group or a wildcard with holes."""
        low, high = spans[0]
        if len(spans) > 1 or "group " in said:
            return said
        if low == 0 and high == (1 << BITS[family]) - 1:
            return "any"
        size = high - low
        around = self.around.get((family, size))
        if around is None:
            around = self.around[family, size] = self._around(family, size)
        return f"{around[0]}{address_text(family, low)}{around[1]}"

    def _around(self, family: int, size: int) -> tuple[str, str]:
        """What stands before and behind the first of ``size + 1`` addresses."""
        if not size:
            return _parted(self.hosts[family])
        length = BITS[family] - size.bit_length()
        masks = {"wildcard": address_text(family, size), "mask": address_text(family, (1 << BITS[family]) - 1 - size)}
        return _parted(self.address[family]["prefix"], length=length, **masks)

    def type(self, span: Span) -> str:
        """An ICMP type, and its code if it is one code."""
        kind, code = divmod(span[0], 256)
        return self.icmp["code" if span[0] == span[1] else "type"].format(type=kind, code=code)


def _parted(form: str, **values: object) -> tuple[str, str]:
    """A form before and behind its address."""
    before, _, behind = form.format(address="\0", **values).partition("\0")
    return before, behind


def _cut(form: str) -> tuple[str, str | None, str]:
    """What stands before the number, between it and the text, and behind; None where there is no number."""
    first, _, last = form.partition("{text}")
    before, number, between = first.partition("{number}")
    return before, between if number else None, last


def ports_text(spans: Sequence[Span]) -> str:
    """Ports with the operator that says them shortest."""
    if len(spans) == 1 and spans[0][0] == spans[0][1]:
        return f"eq {spans[0][0]}"
    if all(low == high for low, high in spans):
        return "eq " + " ".join(str(low) for low, _ in spans)
    if len(spans) == 1:
        return f"range {spans[0][0]} {spans[0][1]}"
    gaps = complement(list(spans), 65535)
    return "neq " + " ".join(str(port) for low, high in gaps for port in range(low, high + 1))
