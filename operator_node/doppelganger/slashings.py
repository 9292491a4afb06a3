"""Own validators that were slashed: nothing is signed for them, and after two nothing at all.

A slashed validator was signed for by somebody, twice. One may be its owner's doing; two within an
epoch mean that something about this operator or its co-operators is wrong, and then each further
signature may cost another stake. Only a person ends it. What was seen is kept on the disk, so that
a restart does not forget it.

Source: docs/slashing.md, "After a slashing".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from sdk.errors import InputError, PhalanxError
from sdk.files import read_bounded, write_private
from sdk.types import PublicKey

STOPPING: Final = 2
"""So many within an epoch stop all signing."""
FILE_BYTES: Final = 1024 * 1024
"""120 bytes for each of many more validators than a node is made for."""

_UNREADABLE: Final = ("cannot be read", "cannot be read, either")
"""Stand for what a damaged file may have held; as many as stop everything."""

_log = logging.getLogger(__name__)


class Slashings:
    """The slashings of own validators that nobody has acknowledged. Safe to use from threads."""

    def __init__(self, path: Path, *, slots_per_epoch: int, on_stop: Callable[[str], None]) -> None:
        """Takes up what was seen before the start.

        Args:
            path: of the file that keeps them.
            slots_per_epoch: of the chain.
            on_stop: called with why nothing is signed at all, and with nothing when it ends.
        """
        self._path = path
        self._slots_per_epoch = slots_per_epoch
        self._on_stop = on_stop
        self._lock = Lock()
        self._seen = _read(path)
        self._tell()

    def is_slashed(self, key: PublicKey) -> bool:
        """Whether nothing is signed for the validator."""
        return f"0x{key.hex()}" in self._seen

    def __len__(self) -> int:
        return len(self._seen)

    def see(self, keys: Collection[PublicKey], slot: int) -> None:
        """Proof came in, in this slot, that these own validators are slashed.

        It counts at once; that the disk refused the note is told and changes nothing.
        """
        with self._lock:
            new = [f"0x{key.hex()}" for key in keys if not self.is_slashed(key)]
            if not new:
                return
            self._seen = {**self._seen, **dict.fromkeys(new, slot)}
            self._tell()
            for key in new:
                _log.critical("own validator %s is slashed: nothing is signed for it", key)
            self._write()

    def acknowledge(self) -> int:
        """A person knows of them; how many there were. Signing goes on, for all.

        Raises:
            StorageError: the disk refused, and nothing has changed.
        """
        with self._lock:
            count = len(self._seen)
            write_private(self._path, msgspec.json.encode({}), overwrite=True)
            self._seen = {}
            self._tell()
        return count

    def _tell(self) -> None:
        slots = sorted(self._seen.values())
        pairs = zip(slots, slots[STOPPING - 1 :], strict=False)
        if any(last - first < self._slots_per_epoch for first, last in pairs):
            self._on_stop(
                f"{len(slots)} own validators were slashed, {STOPPING} of them within an epoch"
            )
        else:
            self._on_stop("")

    def _write(self) -> None:
        try:
            write_private(self._path, msgspec.json.encode(self._seen), overwrite=True)
        except PhalanxError as problem:
            _log.error("slashings could not be written, the next start forgets them: %s", problem)


def _read(path: Path) -> dict[str, int]:
    """What the file holds; one that cannot be read stops all signing until it is acknowledged."""
    if not path.exists():
        return {}
    try:
        data = read_bounded(path, limit_bytes=FILE_BYTES)
        seen: dict[str, int] = msgspec.json.decode(data, type=dict[str, int])
    except (InputError, msgspec.DecodeError) as problem:
        _log.error(
            "%s cannot be read, and may have held slashings of own validators: nothing is signed "
            "until they are acknowledged (phalanx node acknowledge-slashings): %s",
            path,
            problem,
        )
        return dict.fromkeys(_UNREADABLE, 0)
    return seen
