"""API keys: who may ask more than an address. Kept as digests, so the file gives nobody a key.

Pure but for reading the file once. Keys never reach a log, an answer or a `repr`.

A line of the file is `name digest rate burst`: a word, the SHA-256 of the key in hex, tokens a
second, and tokens at once. Lines that begin with `#` are remarks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from sdk.errors import ConfigError

HEADER: Final = "X-API-Key"
MOST_KEYS: Final = 1_000
"""More belong to something that is made for it, in front of this."""
MOST_FILE_BYTES: Final = 256 * 1024
MOST_KEY_BYTES: Final = 256
_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{1,64})\s+(?P<digest>[0-9a-f]{64})\s+"
    r"(?P<rate>[0-9]{1,6}(\.[0-9]{1,3})?)\s+(?P<burst>[0-9]{1,7})"
)


@dataclass(frozen=True, slots=True)
class Allotment:
    """How much somebody with a key may ask.

    Attributes:
        name: whose it is, for whoever runs this.
        per_second: tokens that he gets back in a second.
        burst: most tokens that he can have.
    """

    name: str
    per_second: float
    burst: int


class Keys:
    """Who has which key."""

    def __init__(self, by_digest: Mapping[bytes, Allotment]) -> None:
        self._by_digest = dict(by_digest)

    def find(self, key: bytes) -> Allotment | None:
        """Whose key it is, None for nobody's; found by its digest, so time tells nothing."""
        if len(key) > MOST_KEY_BYTES:
            return None
        return self._by_digest.get(sha256(key).digest())

    @property
    def allotments(self) -> tuple[Allotment, ...]:
        """All of them."""
        return tuple(self._by_digest.values())


def read_keys(path: Path) -> Keys:
    """The keys of a file.

    Raises:
        ConfigError: `keys_file`, with the number of the line and never what is in it.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("ascii")
    except (OSError, UnicodeDecodeError) as failure:
        raise _wrong(f"cannot be read ({type(failure).__name__})") from None
    if len(raw) > MOST_FILE_BYTES:
        raise _wrong(f"has over {MOST_FILE_BYTES} bytes")
    found: dict[bytes, Allotment] = {}
    names: set[str] = set()
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        if parts is None or float(parts["rate"]) <= 0 or int(parts["burst"]) < 1:
            raise _wrong(f"line {place} is not of the form: name digest rate burst")
        digest = bytes.fromhex(parts["digest"])
        if digest in found or parts["name"] in names:
            raise _wrong(f"line {place} repeats a name or a key")
        names.add(parts["name"])
        found[digest] = Allotment(parts["name"], float(parts["rate"]), int(parts["burst"]))
    if not 1 <= len(found) <= MOST_KEYS:
        raise _wrong(f"has {len(found)} keys, expected 1 to {MOST_KEYS}")
    return Keys(found)


def _wrong(problem: str) -> ConfigError:
    return ConfigError(
        f"the file of API keys {problem}",
        code="keys_file",
        hint="One line per key: a name, the SHA-256 of the key in hex, tokens a second, and at "
        "once.",
    )
