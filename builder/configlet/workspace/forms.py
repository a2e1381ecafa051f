"""The forms of text in an inventory: each function says in a sentence what is wrong with a value, or None.

Forms are full-match allow-lists, since values become parts of lines on devices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_network,
)

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}", re.ASCII)
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,40}", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}", re.ASCII)
_PORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,40}", re.ASCII)
_CREDENTIALS = re.compile(r"[a-z]{1,20}/[A-Za-z0-9_.-]{1,60}", re.ASCII)
_GATE = re.compile(r"[a-z][a-z0-9-]{0,40}(?:/[A-Za-z0-9_.:-]{1,45}){1,5}", re.ASCII)
_TITLE_BAD = re.compile(r"[^A-Za-z0-9 ,.:()/+&'=@_-]", re.ASCII)
_TITLE_GOOD = re.compile(
    r"(?!intra of|replies:|observed:|infrastructure addresses|default deny)"
    r"(?!.{81})"
    r"[A-Za-z0-9,.:()/+&'=@_-]+(?: [A-Za-z0-9,.:()/+&'=@_-]+)*",
    re.ASCII,
)
_TEXT_GOOD = re.compile(r"[!-~][ -~]{0,299}", re.ASCII)
_RESERVED = re.compile(r"(?:intra of|replies:|observed:|infrastructure addresses|default deny)")
_ADDRESS = re.compile(r"[0-9a-fA-F:.]{2,45}", re.ASCII)
_PREFIX = re.compile(r"[0-9a-fA-F:.]{2,45}(?:/(?:0|[1-9][0-9]{0,2}))?", re.ASCII)
_SIX = re.compile(r"(?:[23][0-9a-f]|f[cd])[0-9a-f]{2}(?::[0-9a-f]{1,4}){0,5}::[0-9a-f]{0,4}", re.ASCII)
"""Of global and local unicast alone, so none of them is IPv4 in another form."""
BOGON = 96
"""The length of ``::ffff:0:0/96``, which filters deny whole; what is longer was meant as an IPv4 address."""
_FQDN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*\.?", re.ASCII)
_PORTS = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:-(?:0|[1-9][0-9]{0,9}))?", re.ASCII)
PORT = "(?:0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""A number up to 65535, for patterns. Each is read in one way alone: a pattern of many lines would try all ways of each."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _pattern(pattern: re.Pattern[str], says: str) -> Callable[[str], str | None]:
    return lambda text: None if pattern.fullmatch(text) else f"`{text[:60]}` is not {says}."


name = _pattern(NAME, "a name: lower-case letters, digits and hyphens, a letter first, 41 at most")
label = _pattern(_LABEL, "a label value: letters, digits and . _ -, 41 at most")
model = _pattern(_MODEL, "a model name: letters, digits, spaces and . _ + -, 41 at most")
interface = _pattern(_INTERFACE, "an interface name: letters, digits and . _ -, 15 at most")
gate = _pattern(_GATE, "a gate such as `leaf1/Vlan120/in/v4` or `me1/ens1`")


def credentials(text: str) -> str | None:
    """A reference to credentials. What was written instead may be a secret, so it is not repeated."""
    if _CREDENTIALS.fullmatch(text):
        return None
    return "This is not a reference to credentials such as `env/DC1`; a secret never stands in an inventory."


def _is_port(text: str) -> bool:
    device, _, port = text.partition("/")
    return bool(NAME.fullmatch(device) and _PORT_NAME.fullmatch(port))


def port(text: str) -> str | None:
    """A device's port, ``leaf1/Ethernet49``."""
    return None if _is_port(text) else f"`{text[:60]}` is not a device and its port, such as `leaf1/Ethernet49`."


def title(text: str) -> str | None:
    """A rule's name: it becomes a remark on devices."""
    bad = _TITLE_BAD.search(text)
    if bad:
        good = "letters, digits, spaces and , . : ( ) / + & ' = @ _ -"
        return f"A rule's name becomes a remark on devices, and `{bad[0]}` is not among {good}."
    if not text or len(text) > 80:
        return f"A rule's name has 1 to 80 characters, this one {len(text)}."
    if text != " ".join(text.split()):
        return "A rule's name has single spaces inside and none around, as devices would drop the others."
    return "A rule's name cannot begin with words that name rules of our own." if _RESERVED.match(text) else None


def text(value: str) -> str | None:
    """A sentence for people: one line, at most 300 characters."""
    if not value.strip() or len(value) > 300:
        return f"A sentence of 1 to 300 characters belongs here, this has {len(value.strip())}."
    return None if value.isprintable() else "A sentence stands on one line, without characters that cannot be seen."


def day(value: str) -> str | None:
    """A date, ``2027-06-30``."""
    try:
        if _DATE.fullmatch(value):
            date.fromisoformat(value)
            return None
    except ValueError:
        return f"`{value}` is not a day of the calendar."
    return f"`{value[:60]}` is not a date such as 2027-06-30."


def host_name(value: str) -> str | None:
    """A sentence when it looks like a DNS name."""
    if _FQDN.fullmatch(value):
        why = "names are not resolved, as a filter would keep yesterday's answer"
        return f"`{value[:60]}` is a DNS name; {why}. Write the address."
    return None


def _mapped(value: str, inside: IPv4Address | None) -> str | None:
    """A sentence for an IPv4 address in an IPv6 one: no packet has it (RFC 4291, 2.5.5.2), so the rule would do nothing."""
    if inside is None:
        return None
    return f"`{value}` is IPv4 in the form of IPv6, which no packet has. Write it as IPv4, such as {inside}."


def address(value: str) -> str | None:
    """One IPv4 or IPv6 address."""
    try:
        if _ADDRESS.fullmatch(value):
            if ":" in value:
                return _mapped(value, IPv6Address(value).ipv4_mapped)
            IPv4Address(value)
            return None
    except ValueError as error:
        return f"`{value}` is not an address: {_tidy(error)}."
    return host_name(value) or f"`{value[:60]}` is not an address such as 10.1.20.11 or 2001:db8::11."


def prefix(value: str) -> str | None:
    """A prefix without host bits; an address alone is a prefix of its full length."""
    try:
        if _PREFIX.fullmatch(value):
            found = (IPv6Network if ":" in value else IPv4Network)(value)
            inside = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) and found.prefixlen > BOGON else None
            return _mapped(value, inside)
    except ValueError as error:
        if str(error).endswith("has host bits set"):
            return f"`{value}` has host bits set. The prefix is {ip_network(value, strict=False)}; say which you mean."
        return f"`{value}` is not a prefix: {_tidy(error)}."
    return host_name(value) or f"`{value[:60]}` is not a prefix such as 10.1.20.0/24 (a length, not a mask)."


def socket(value: str) -> str | None:
    """An interface address with its prefix length, ``10.0.1.0/31``."""
    try:
        if _PREFIX.fullmatch(value) and "/" in value:
            (IPv6Interface if ":" in value else IPv4Interface)(value)
            return None
    except ValueError as error:
        return f"`{value}` is not an address with its length: {_tidy(error)}."
    return host_name(value) or f"`{value[:60]}` is not an address with its length, such as 10.0.1.0/31."


def ports(value: str) -> str | None:
    """A port or range of ports, ``9001-9016``."""
    if _PORTS.fullmatch(value) is None:
        return f"`{value[:60]}` is not a port or range such as 9001-9016."
    numbers = [int(part) for part in value.split("-")]
    if max(numbers) > 65535:
        return f"Port {max(numbers)} is above 65535."
    if numbers[0] > numbers[-1]:
        return f"The range {value} runs backwards. Write {numbers[-1]}-{numbers[0]}."
    return None


def span(value: str) -> tuple[int, int]:
    """The range that ``ports`` accepted."""
    low, _, high = value.partition("-")
    first = int(low)
    return first, int(high) if high else first


def _tidy(error: ValueError) -> str:
    return str(error).split(" in '")[0].rstrip(".").lower()


FORMS: dict[str, Callable[[str], str | None]] = {
    "name": name,
    "label": label,
    "model": model,
    "interface": interface,
    "credentials": credentials,
    "gate": gate,
    "port": port,
    "title": title,
    "text": text,
    "day": day,
    "address": address,
    "prefix": prefix,
    "socket": socket,
    "ports": ports,
}

_OCTETS = {str(number): number for number in range(256)}
_LENGTHS = {str(number): 2 ** (32 - number) - 1 for number in range(33)}
_LENGTHS_OF_SIX = {str(number): 2 ** (128 - number) - 1 for number in range(129)}


@cache
def quick_prefix(value: str) -> tuple[int, int] | None:
    """The first and last address of an IPv4 prefix (or address) in its only usual form; None says nothing.

    What was asked is remembered, as a value is judged before it is used; ``load`` forgets it in the end.
    """
    text, slash, length = value.partition("/")
    try:
        a, b, c, d = text.split(".")
        low = _OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d]
        size = _LENGTHS[length] if slash else 0
    except (ValueError, KeyError):
        return None
    return None if low & size else (low, low | size)


@cache
def quick_six(value: str) -> int | None:
    """An IPv6 address in its most usual form, with ``::`` before the last group or at the end, as a number; None says
    nothing. What was asked is remembered as that of ``quick_prefix`` is."""
    if _SIX.fullmatch(value) is None:
        return None
    head, _, last = value.partition("::")
    groups, number = head.split(":"), 0
    for group in groups:
        number = number << 16 | int(group, 16)
    return number << 16 * (8 - len(groups)) | int(last or "0", 16)


def _quick_address(value: str) -> bool:
    if ":" in value:
        return quick_six(value) is not None
    return "/" not in value and quick_prefix(value) is not None


def _quick_socket(value: str) -> bool:
    address, _, length = value.partition("/")
    if ":" in address:
        return length in _LENGTHS_OF_SIX and quick_six(address) is not None
    return length in _LENGTHS and quick_prefix(address) is not None


def quick_six_prefix(value: str) -> tuple[int, int] | None:
    """The first address of an IPv6 prefix (or address) in its most usual form, and its length; None says nothing."""
    text, slash, length = value.partition("/")
    low, size = quick_six(text), _LENGTHS_OF_SIX.get(length) if slash else 0
    if low is None or size is None or low & size:
        return None
    return low, int(length) if slash else 128


def _quick_prefix(value: str) -> bool:
    return (quick_six_prefix(value) if ":" in value else quick_prefix(value)) is not None


QUICK: dict[str, Callable[[str], object]] = {
    "name": NAME.fullmatch,
    "label": _LABEL.fullmatch,
    "model": _MODEL.fullmatch,
    "interface": _INTERFACE.fullmatch,
    "credentials": _CREDENTIALS.fullmatch,
    "gate": _GATE.fullmatch,
    "port": re.compile(rf"{NAME.pattern}/{_PORT_NAME.pattern}", re.ASCII).fullmatch,
    "title": _TITLE_GOOD.fullmatch,
    "text": _TEXT_GOOD.fullmatch,
    "prefix": _quick_prefix,
    "address": _quick_address,
    "socket": _quick_socket,
}
"""Says yes only to what the form of the name has nothing against, and does so faster."""

PATTERNS = {"name": NAME.pattern, "title": _TITLE_GOOD.pattern, "text": _TEXT_GOOD.pattern}
"""Those of them that are patterns and are asked of most texts; none matches the end of a line."""
