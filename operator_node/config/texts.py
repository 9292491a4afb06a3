"""The text of a setting into its value. Pure.

Each function takes what was written and raises `ValueError` whose text continues 'expected'. None
of them repeats the text: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from operator_node.config.settings import Endpoint
from sdk.errors import InputError
from sdk.types import Address, parse_address, parse_hex

T = TypeVar("T")

_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|h|m|s)")
_MS: Final = {
    "h": 3_600_000.0,
    "m": 60_000.0,
    "s": 1000.0,
    "ms": 1.0,
    "us": 1e-3,
    "µs": 1e-3,
    "ns": 1e-6,
}
_SIZE: Final = re.compile(r"(\d{1,9}) ?(KB|MB|GB|TB)?", re.IGNORECASE)
_SIZES: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_TRUE: Final = ("true", "t", "1", "yes", "on")
_FALSE: Final = ("false", "f", "0", "no", "off")
_MAX_PORT: Final = 65_535
_GRAFFITI_BYTES: Final = 32
_SEPARATORS: Final = re.compile(r"[;,\s]+")
_WEB: Final = ("http", "https")
WEB_AND_SOCKETS: Final = (*_WEB, "ws", "wss")


class UnusableAddress(ValueError):
    """An address that cannot be used: which of several and why, without its text.

    Attributes:
        remedy: a sentence, what to give instead.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def duration_ms(text: str) -> int:
    """Milliseconds of `300ms`, `5s`, `1h30m` or `0`."""
    if text == "0":
        return 0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("a duration such as 300ms, 5s or 12m")
    return round(sum(float(number) * _MS[unit] for number, unit in parts))


def size_bytes(text: str) -> int:
    """Bytes of `5GB`, `500 MB` or a plain number."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("a size such as 500MB or 5GB")
    return int(found[1]) * _SIZES[(found[2] or "").upper()]


def flag(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError("true or false")
    return text.lower() in _TRUE


def number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within these bounds, both included."""

    def read(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        if not is_number or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


port = number(1, _MAX_PORT)


def optional_port(text: str) -> int | None:
    """A port, 0 for none."""
    return number(0, _MAX_PORT)(text) or None


def choice(options: Mapping[str, T]) -> Callable[[str], T]:
    """A reader of one of these words."""

    def read(text: str) -> T:
        if text.lower() not in options:
            raise ValueError(f"one of {', '.join(options)}")
        return options[text.lower()]

    return read


def path(text: str) -> Path:
    """A path; `~` is the home folder."""
    if "\0" in text:
        raise ValueError("a path")
    return Path(text).expanduser()


def shared_file(text: str) -> Path:
    """The path of `file:///path`."""
    parts = urlsplit(text)
    is_file = parts.scheme == "file" and not (parts.netloc or parts.query or parts.fragment)
    if not is_file or not parts.path.startswith("/") or parts.path.endswith("/"):
        raise ValueError("file:///path of a file on a disk that all instances share")
    return path(unquote(parts.path))


def words(text: str) -> tuple[str, ...]:
    """A list, separated by semicolons, commas or spaces."""
    return tuple(word for word in _SEPARATORS.split(text) if word)


def places(text: str) -> tuple[str, ...]:
    """A list separated by semicolons, in which a place may be empty."""
    return tuple(part.strip() for part in text.split(";"))


def is_multiaddress(text: str) -> bool:
    """Whether a peer is written as `/ip4/…`; the existing nodes also write `enr:…`."""
    return text.startswith("/")


def endpoints(
    remedy: str, *, most: int, allows_query: bool, schemes: tuple[str, ...] = _WEB
) -> Callable[[str], tuple[Endpoint, ...]]:
    """A reader of addresses, separated by semicolons.

    Args:
        remedy: told with an address that cannot be used; `UnusableAddress` has it.
        most: how many there may be.
        allows_query: whether an address may have a part after `?`.
        schemes: that they may have.
        schemes: that it may begin with.
    """

    def read(text: str) -> tuple[Endpoint, ...]:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        for place, part in enumerate(parts, 1):
            wrong = _wrong_with(part, allows_query=allows_query, schemes=schemes)
            if wrong is not None:
                which = f"address {place} of {len(parts)}" if len(parts) > 1 else "its address"
                raise UnusableAddress(f"{which} (not shown) {wrong}", remedy)
        found = tuple(map(Endpoint, parts))
        if not 1 <= len(found) <= most or len(set(found)) < len(found):
            raise ValueError(f"1 to {most} addresses, and none twice")
        return found

    return read


def address(text: str) -> Address:
    """An Ethereum address, the checksum right if there is one."""
    try:
        return parse_address(text)
    except InputError:
        raise ValueError("0x and 40 hex digits, with a right checksum if in mixed case") from None


def fixed_bytes(length: int) -> Callable[[str], bytes]:
    """A reader of so many bytes in hex."""

    def read(text: str) -> bytes:
        try:
            return parse_hex(text, what="value", length=length)
        except InputError:
            raise ValueError(f"0x and {2 * length} hex digits") from None

    return read


def graffiti(text: str) -> bytes:
    """32 bytes: the text in UTF-8 and zeros."""
    data = text.encode()
    if len(data) > _GRAFFITI_BYTES:
        raise ValueError(f"at most {_GRAFFITI_BYTES} bytes")
    return data.ljust(_GRAFFITI_BYTES, b"\0")


def _wrong_with(address: str, *, allows_query: bool, schemes: tuple[str, ...]) -> str | None:
    """What is wrong with it, as the rest of a sentence; None if nothing is."""
    scheme, mark, _ = address.partition("://")
    *others, last = [f"{each}://" for each in schemes]
    expected = f"{', '.join(others)} or {last}"
    if not mark:
        return f"begins with no {expected}"
    if scheme.lower() not in schemes:
        # A known scheme is no secret; any other text before `://` may be one.
        named = f"{scheme.lower()}://" if scheme.lower() in ("ws", "wss") else "something else"
        return f"begins with {named}, not {expected}"
    if not address.isprintable() or " " in address:
        return "holds a space or an unprintable character"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "has a wrong host"
    try:
        has_port = parts.port != 0
    except ValueError:
        has_port = False
    if not has_port:
        return f"has a wrong port, not 1 to {_MAX_PORT}"
    if not parts.hostname:
        return "names no host"
    if "," in parts.hostname:
        return "holds a comma; separate addresses by semicolons"
    return None if allows_query or not parts.query else "has a part after ?, which cannot be used"
