"""Whose signatures are withheld, and until when.

Pure. A validator is watched from the epoch after it was met, and cleared after two epochs in a row
without a sign of life from elsewhere. A quorum of its own committee clears it at once: that many
operators do not sign for a stranger. Not so one that was active on the beacon chain before it
came here: its former operators may still sign, so it is watched whatever its committee does, and
signs of life in epochs in which its committee signed prove nothing.

Where beacon nodes answer and none of them tells of signs of life, an epoch is sat out like a silent
one: waiting longer would find nothing. Whoever was seen elsewhere is not cleared that way.

Source: Ethereum Beacon APIs, validator/liveness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sdk.types import PublicKey

WATCHED_EPOCHS: Final = 2
RECENT_EPOCHS: Final = 2
"""Whoever signed here so few epochs before a restart needs no new watch."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch that goes on.

    Attributes:
        last: the last epoch that needs no more judging; at first the one it began in.
        clean: epochs in a row, up to `last`, without a sign of life.
        must_wait: whether only time clears it.
        seen: epochs with signs of life.
    """

    last: int
    must_wait: bool
    clean: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A validator of ours.

    Attributes:
        index: on the beacon chain.
        quorums: the last epochs in which its committee was seen to sign for it, ascending.
        watch: None once it is cleared.
    """

    index: int
    quorums: tuple[int, ...] = ()
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What an epoch's signs of life mean: who is cleared now, and who signs elsewhere."""

    cleared: tuple[PublicKey, ...]
    seen: tuple[PublicKey, ...]


class Watches:
    """All own validators.

    Attributes:
        known: by key; hand it to a new instance after a restart.
    """

    def __init__(self, known: Mapping[PublicKey, Watched] | None = None) -> None:
        """What was known before the restart, if anything."""
        self.known: dict[PublicKey, Watched] = dict(known or {})
        self._met: set[PublicKey] = set()

    def is_met(self, key: PublicKey) -> bool:
        """Whether the validator was met since the start."""
        return key in self._met

    def meet(self, key: PublicKey, *, index: int, is_active: bool, epoch: int) -> bool:
        """A validator has duties from now on; whether its signatures are to be withheld.

        Args:
            key: the validator's.
            index: on the beacon chain.
            is_active: whether the beacon chain already expects it to sign.
            epoch: the running one.
        """
        known = self.known.get(key)
        if key not in self._met:
            self._met.add(key)
            if known is None or known.index != index:
                # Before the first epoch ends nobody can have signed with it.
                watch = None if epoch <= 0 else Watch(epoch, must_wait=is_active)
                known = self.known[key] = Watched(index, watch=watch)
            elif known.watch is None and not _is_recent(known, epoch):
                known = self.known[key] = replace(known, watch=Watch(epoch, must_wait=False))
        return known is not None and known.watch is not None

    def meet_again(self, key: PublicKey, *, is_active: bool, epoch: int) -> bool:
        """A validator came back from another committee or a liquidation; whether to withhold."""
        known = self.known.get(key)
        if known is None or epoch <= 0:
            return False
        watch = Watch(epoch, must_wait=is_active)
        self.known[key] = replace(known, quorums=(), watch=watch)
        return True

    def forget(self, key: PublicKey) -> None:
        """The validator is no longer ours; it is new if it comes back."""
        self.known.pop(key, None)
        self._met.discard(key)

    def note_quorum(self, key: PublicKey, epoch: int) -> bool:
        """The own committee signed for the validator; whether that clears it."""
        known = self.known.get(key)
        if known is None or epoch in known.quorums:
            return False
        quorums = tuple(sorted({*known.quorums, epoch}))[-(RECENT_EPOCHS + 1) :]
        is_cleared = known.watch is not None and not known.watch.must_wait
        watch = None if is_cleared else known.watch
        self.known[key] = replace(known, quorums=quorums, watch=watch)
        return is_cleared

    def to_ask(self, epoch: int) -> dict[int, PublicKey]:
        """Validators, by index, whose signs of life in an epoch that is over are to be judged."""
        return {
            known.index: key
            for key, known in self.known.items()
            if known.watch is not None and known.watch.last < epoch
        }

    def judge(self, epoch: int, live: Mapping[int, bool]) -> Judged:
        """An epoch's signs of life, of every validator that was to be asked for.

        Epochs that nobody judged since the last one make the watch begin anew. Validators that the
        answer leaves out are not judged, and so miss the epoch.
        """
        cleared, seen = [], []
        for index, key in self.to_ask(epoch).items():
            known = self.known[key]
            if index not in live or known.watch is None:
                continue
            is_elsewhere = live[index] and epoch not in known.quorums
            clean = known.watch.clean if known.watch.last == epoch - 1 else 0
            watch: Watch | None = replace(
                known.watch,
                last=epoch,
                clean=0 if is_elsewhere else clean + 1,
                seen=known.watch.seen + is_elsewhere,
            )
            if is_elsewhere:
                seen.append(key)
            elif clean + 1 >= WATCHED_EPOCHS:
                watch = None
                cleared.append(key)
            self.known[key] = replace(known, watch=watch)
        return Judged(tuple(cleared), tuple(seen))

    def sit_out(self, epoch: int) -> tuple[PublicKey, ...]:
        """Nobody tells of signs of life in this epoch, and nobody will; who is cleared now."""
        cleared = []
        for key in self.to_ask(epoch).values():
            known = self.known[key]
            if known.watch is None:
                continue
            self.known[key] = _sat_out(known, known.watch, epoch)
            if self.known[key].watch is None:
                cleared.append(key)
        return tuple(cleared)


def _sat_out(known: Watched, watch: Watch, epoch: int) -> Watched:
    if watch.seen:
        return replace(known, watch=replace(watch, last=epoch, clean=0))
    clean = (watch.clean if watch.last == epoch - 1 else 0) + 1
    is_cleared = clean >= WATCHED_EPOCHS
    return replace(known, watch=None if is_cleared else replace(watch, last=epoch, clean=clean))


def _is_recent(known: Watched, epoch: int) -> bool:
    return bool(known.quorums) and epoch - known.quorums[-1] <= RECENT_EPOCHS
