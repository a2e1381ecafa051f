"""One entry of an access list of the family of EOS: words to bits, and bits to the words that EOS prints.

The vendor's names are a ``Vocabulary``, which is data: NX-OS and IOS-XR write their entries alike, with names of their own.

Strict: a word that is not known here is refused in the words of EOS, with the token at which it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from configlet.lab.parsers import eos_names as names
from configlet.lab.parsers.vocabulary import Vocabulary
from configlet.model.net import BITS, TOP, Family, Spans, address_text, merge

OPERATORS = ("eq", "gt", "lt", "neq", "range")


class InvalidInput(Exception):  # noqa: N818 - the device's own words
    """A line that the device refuses. ``token`` is the position of the word from 0."""

    def __init__(self, token: int, word: str, what: str = "Invalid input") -> None:
        self.token = token
        self.word = word
        self.what = what
        super().__init__(f"{what} (at token {token}: '{word}')")


@dataclass(frozen=True, slots=True)
class Bits:
    """Addresses that agree with ``value`` in the bits that are set in ``care``."""

    value: int
    care: int


@dataclass(frozen=True, slots=True)
class Ports:
    """A port operator as entered, with its numbers."""

    operator: str
    numbers: tuple[int, ...]

    @property
    def spans(self) -> Spans:
        """The ports as sorted disjoint closed intervals."""
        first, last = self.numbers[0], self.numbers[-1]
        found = {
            "eq": [(n, n) for n in self.numbers],
            "gt": [(first + 1, 65535)],
            "lt": [(0, first - 1)],
            "neq": [(0, first - 1), (first + 1, 65535)],
            "range": [(first, last)],
        }[self.operator]
        return merge((lo, hi) for lo, hi in found if lo <= hi)


@dataclass(frozen=True, slots=True)
class Ace:
    """An access list entry in bits. ``proto`` None is any; ``sport`` and ``dport`` None are any."""

    permit: bool
    family: Family
    proto: int | None
    source: Bits
    destination: Bits
    sport: Ports | None = None
    dport: Ports | None = None
    established: bool = False
    icmp: tuple[int, int | None] | None = None
    fragments: bool = False
    log: bool = False
    first: bool = False
    """IPv6: the protocol is compared with the first next header alone, as some platforms do."""


class Words:
    """A cursor over the words of one line."""

    def __init__(self, words: Sequence[str], at: int = 0) -> None:
        self.words = words
        self.at = at

    def peek(self) -> str | None:
        """The next word, or None at the end of the line."""
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self) -> str:
        """The next word; the line is incomplete when there is none."""
        word = self.peek()
        if word is None:
            raise InvalidInput(len(self.words) - 1, self.words[-1], "Incomplete command")
        self.at += 1
        return word

    def skip(self, *wanted: str) -> bool:
        """Take the next word if it is one of these."""
        if self.peek() in wanted:
            self.at += 1
            return True
        return False

    def bad(self) -> InvalidInput:
        """The refusal of the word that was taken last."""
        return InvalidInput(self.at - 1, self.words[self.at - 1])

    def end(self) -> None:
        """Refuse whatever is left."""
        if self.peek() is not None:
            raise InvalidInput(self.at, self.words[self.at])


def number(words: Words, low: int, high: int) -> int:
    """A decimal number between two bounds, both included."""
    word = words.take()
    if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
        raise words.bad()
    return int(word)


def parse(family: Family, line: Sequence[str], at: int = 0, known: Vocabulary = names.EOS) -> Ace:
    """The entry that begins with its action at word ``at``. Raises InvalidInput."""
    words = Words(line, at)
    action = words.take()
    if action not in ("permit", "deny"):
        raise words.bad()
    proto = _protocol(words, family, known)
    source, sport = _address(words, family), _ports(words, proto, known)
    destination, dport = _address(words, family), _ports(words, proto, known)
    established = proto == names.TCP and words.skip("established")
    icmp = _icmp(words, family, proto, known)
    plain = not (sport or dport or established or icmp)
    fragments = plain and words.skip("fragments")
    log = words.skip("log")
    words.end()
    return Ace(action == "permit", family, proto, source, destination, sport, dport, established, icmp, fragments, log)


def _protocol(words: Words, family: Family, known: Vocabulary) -> int | None:
    word = words.take()
    if word == known.any_protocol[family]:
        return None
    if word in known.protocols[family]:
        return known.protocols[family][word]
    if word.isascii() and word.isdigit() and int(word) <= 255:
        return int(word)
    raise words.bad()


def _literal(words: Words, family: Family, text: str) -> int:
    try:
        return int(IPv4Address(text) if family == 4 else IPv6Address(text))
    except AddressValueError:
        raise words.bad() from None


def _address(words: Words, family: Family) -> Bits:
    word = words.take()
    top = TOP[family]
    if word == "any":
        return Bits(0, 0)
    if word == "host":
        return Bits(_literal(words, family, words.take()), top)
    if "/" not in word:
        return _wildcard(words, family, word)
    text, _, length = word.partition("/")
    value = _literal(words, family, text)
    if not (length.isascii() and length.isdigit() and int(length) <= BITS[family]):
        raise words.bad()
    care = top ^ (top >> int(length))
    if value & ~care:
        raise words.bad()
    return Bits(value, care)


def _wildcard(words: Words, family: Family, word: str) -> Bits:
    """An address and an inverted mask: a set bit in the mask means that the bit does not matter."""
    value = _literal(words, family, word)
    if family == 6:
        raise words.bad()
    care = TOP[4] ^ _literal(words, family, words.take())
    return Bits(value & care, care)


def _ports(words: Words, proto: int | None, known: Vocabulary) -> Ports | None:
    if proto is None or proto not in known.ports or words.peek() not in OPERATORS:
        return None
    named, operator = known.ports[proto], words.take()
    low, high = {"gt": (0, 65534), "lt": (1, 65535)}.get(operator, (0, 65535))
    numbers = [_port(words, named, low, high)]
    if operator == "range":
        numbers.append(_port(words, named, numbers[0], high))
    while operator == "eq" and len(numbers) < known.most_ports and _is_port(words.peek(), named):
        numbers.append(_port(words, named, low, high))
    return Ports(operator, tuple(numbers))


def _is_port(word: str | None, named: Mapping[str, int]) -> bool:
    return word is not None and (word in named or word.isdigit())


def _port(words: Words, named: Mapping[str, int], low: int, high: int) -> int:
    word = words.peek()
    if word is not None and low <= named.get(word, -1) <= high:
        return named[words.take()]
    return number(words, low, high)


def _icmp(words: Words, family: Family, proto: int | None, known: Vocabulary) -> tuple[int, int | None] | None:
    if proto != {4: names.ICMP, 6: names.ICMPV6}[family]:
        return None
    word = words.peek()
    if word in known.icmp_types[family]:
        return known.icmp_types[family][words.take()]
    if word is None or not word.isdigit():
        return None
    kind = number(words, 0, 255)
    following = words.peek()
    return kind, number(words, 0, 255) if following is not None and following.isdigit() else None


def show(ace: Ace) -> str:
    """The entry as EOS prints it in the running configuration: names for the ports and protocols that it names."""
    known = {value: name for name, value in names.PROTOCOLS[ace.family].items()}
    words = ["permit" if ace.permit else "deny"]
    words.append(names.ANY_PROTOCOL[ace.family] if ace.proto is None else known.get(ace.proto, str(ace.proto)))
    words += _show_address(ace.family, ace.source) + _show_ports(ace.proto, ace.sport)
    words += _show_address(ace.family, ace.destination) + _show_ports(ace.proto, ace.dport)
    words += ["established"] * ace.established + _show_icmp(ace)
    return " ".join(words + ["fragments"] * ace.fragments + ["log"] * ace.log)


def _show_address(family: Family, bits: Bits) -> list[str]:
    top = TOP[family]
    loose = top ^ bits.care
    if not bits.care:
        return ["any"]
    if not loose:
        return ["host", address_text(family, bits.value)]
    if loose & (loose + 1) == 0:
        return [f"{address_text(family, bits.value)}/{BITS[family] - loose.bit_length()}"]
    return [address_text(family, bits.value), address_text(family, loose)]


def _show_ports(proto: int | None, ports: Ports | None) -> list[str]:
    if ports is None or proto is None:
        return []
    known = {value: name for name, value in names.PORTS[proto].items()}
    return [ports.operator, *(known.get(n, str(n)) for n in ports.numbers)]


def _show_icmp(ace: Ace) -> list[str]:
    if ace.icmp is None:
        return []
    kind, code = ace.icmp
    if code is None:
        return [names.PRINTED_ICMP[ace.family].get(kind, str(kind))]
    return [str(kind), str(code)]
