"""What a row of an access list asks for besides its addresses, in the platform's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from configlet.model.net import Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Box, Entry
from configlet.model.problem import Refused, refuse
from configlet.render.values import by_family

_PORTED = (6, 17)
_ICMP: dict[Family, int] = {4: 1, 6: 58}


def proto_word(operands: Mapping[str, Any], family: Family, entry: Entry) -> str:
    """The word for a protocol. Raises Refused for some of all."""
    low, high = entry.box[0]
    known = operands["proto"][family]
    if (low, high) == ANY_PROTO:
        return str(known["any"])
    if low != high:
        raise cannot(entry, f"protocols {low} to {high} are neither one nor all")
    if low not in known and known.get("others") == "refused":
        raise cannot(entry, operands["refusals"]["protocol"])
    return str(known.get(low, low))


def word_of(operands: Mapping[str, Any], words: Mapping[str, Any], key: str, entry: Entry) -> Any:
    """The platform's word; of ``established`` it may be two, each for a line of its own. Raises Refused where it has none."""
    if words.get(key) is None:
        names = {"type": ("icmp",), "code": ("icmp-code", "icmp")}.get(key, (key,))
        said = (operands["refusals"][name] for name in names if name in operands["refusals"])
        raise cannot(entry, next(said, f"the platform has no word for {key}"))
    return words[key]


def asks_established(entry: Entry) -> bool:
    """Whether a row asks for established TCP. Raises Refused for other flags."""
    box: Box = entry.box
    if box[5] == ANY_BIT:
        return False
    if box[5] == (1, 1) and box[0] == (6, 6):
        return True
    raise cannot(entry, "a line can ask for established TCP, never for new connections or other protocols' flags")


def asks_fragments(entry: Entry) -> bool:
    """Whether a row asks for non-first fragments. Raises Refused where it asks for more of them."""
    box = entry.box
    upper = box[3] == box[4] == ANY_PORT and box[5] == ANY_BIT
    if box[6][1] and not upper:
        raise cannot(entry, "a non-first fragment has no ports, types or flags")
    return box[6] == (1, 1)


def details_of(operands: Mapping[str, Any], family: Family, entry: Entry) -> Iterable[tuple[str, str]]:
    """Destination ports and ICMP types in words, one pair for each line. Raises Refused."""
    proto, dport, sport = entry.box[0], entry.box[3], entry.box[4]
    if dport == ANY_PORT and sport == ANY_PORT:
        return (("", ""),)
    if proto == (_ICMP[family],) * 2 and sport == ANY_PORT:
        return [("", word) for word in type_words(operands, family, entry)]
    if proto[0] == proto[1] and proto[0] in _PORTED:
        return [(form, "") for form in port_words(operands, dport, entry)] if dport != ANY_PORT else (("", ""),)
    if proto == (132, 132):
        raise cannot(entry, "it asks for ports of sctp, and a line has ports for tcp and udp only; allow the protocol whole "
                            "(service `ip/132`) between fewer addresses, or judge these ports where a table has them, at a "
                            "host on nftables")  # fmt: skip
    raise cannot(entry, "ports belong to TCP and UDP, types to the ICMP of the family")


def port_words(operands: Mapping[str, Any], span: Span, entry: Entry) -> tuple[str, ...]:
    """Ports in the platform's words: one, or two where port 0 has a word of its own beside the ranges. Raises Refused."""
    said, (low, high) = operands["ports"], span
    first: tuple[str, ...] = ()
    if low < said.get("lowest", 0):
        if "zero" not in said:
            raise cannot(entry, operands["refusals"]["port-zero"])
        first, low = (str(said["zero"]),), said["lowest"]
        if low > high:
            return first
    return (*first, str(said["one" if low == high else "range"].format(low=low, high=high)))


def type_words(operands: Mapping[str, Any], family: Family, entry: Entry) -> Iterator[str]:
    """ICMP types, and codes where not all are meant. Raises Refused."""
    low, high = entry.box[3]
    forms = by_family(operands["icmp"], family)
    while low <= high:
        kind, code = divmod(low, 256)
        whole = code == 0 and low + 255 <= high
        yield word_of(operands, forms, "type" if whole else "code", entry).format(type=kind, code=code)
        low += 256 if whole else 1


def cannot(entry: Entry, why: str) -> Refused:
    """A row that no line can say, as a refusal."""
    why = why.rstrip(".")
    detail = f'The rule "{entry.rule.name}" gives a row that an access list cannot say: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
