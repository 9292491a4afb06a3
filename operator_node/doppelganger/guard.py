"""Asks beacon nodes for signs of life and holds or releases signatures as the rules say.

Signs nothing and delays nothing but partial signatures. What it knows is in one small file; losing
the file, or its last seconds, makes watches longer and never shorter.

Source: Ethereum Beacon APIs, validator/liveness.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import trio

from operator_node.beacon.trouble import LivenessUnavailable
from operator_node.beacon.types import ValidatorState
from operator_node.clock import SlotClock
from operator_node.doppelganger.watches import Watched, Watches
from sdk.errors import BeaconError, InputError, PhalanxError, StorageError, UsageError
from sdk.files import read_bounded, write_private
from sdk.types import Epoch, PublicKey

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # trio's own is hidden by the stubs that libp2p brings

SCHEMA: Final = 1
FILE_BYTES: Final = 16 * 1024 * 1024
"""Some 200 bytes for each of many more validators than a node is made for."""
ASKED_SLOT: Final = 1
"""The slot of the next epoch in which an epoch is judged: votes of its last slot are in a block."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
CALL_S: Final = 20.0
"""As long as any list of duties takes."""

_log = logging.getLogger(__name__)


class Beacon(Protocol):
    """Where signs of life come from."""

    async def liveness(self, epoch: Epoch, indices: Sequence[int], /) -> Mapping[int, bool]:
        """Whether each validator was seen to sign in the epoch.

        Raises:
            BeaconError: no beacon node answers.
        """


class _File(msgspec.Struct, frozen=True):
    schema: int
    validators: dict[str, Watched]


class Doppelganger:
    """The watch over all own validators.

    Attributes:
        failures: how often signs of life could not be had, or the file not be written.
        found: signs of life of watched validators, in epochs.
        unseen: validators released though no beacon node could tell of signs of life.
    """

    def __init__(
        self,
        *,
        clock: SlotClock,
        beacon: Beacon,
        path: Path,
        own: Callable[[], Collection[PublicKey]],
        hold: Callable[[PublicKey], None],
        release: Callable[[PublicKey], None],
    ) -> None:
        """Holds at once whom it watched when it last ran.

        Args:
            clock: of the chain.
            beacon: the beacon nodes.
            path: of the file that keeps the watches.
            own: keys of the validators of which this operator holds a share.
            hold: withhold partial signatures for the validator.
            release: sign for it from now on.
        """
        self.failures = 0
        self.found = 0
        self.unseen = 0
        self._clock = clock
        self._beacon = beacon
        self._path = path
        self._own = own
        self._hold = hold
        self._release = release
        self._changed = trio.Event()
        self._writing = trio.Lock()
        self._watches = Watches(_read(path))
        for key in self.watched():
            hold(key)

    def watched(self) -> frozenset[PublicKey]:
        """Validators that are not signed for at present."""
        known = self._watches.known.items()
        return frozenset(key for key, each in known if each.watch is not None)

    def learn_states(self, states: Mapping[PublicKey, ValidatorState], epoch: Epoch) -> None:
        """What the beacon chain says of validators; own ones that are new are watched from now on.

        Call it before duties of the validators can begin.
        """
        own = self._own()
        for key, state in states.items():
            if key not in own or self._watches.is_met(key):
                continue
            is_active = state.activation_epoch <= epoch
            if self._watches.meet(key, index=state.index, is_active=is_active, epoch=epoch):
                self._hold(key)
            self._changed.set()

    def watch_again(self, key: PublicKey, *, is_active: bool) -> None:
        """The validator was reactivated or moved here; it is watched like a new one.

        Args:
            key: the validator's; nothing happens for one that was never met.
            is_active: whether the beacon chain expects it to sign already.
        """
        if self._watches.meet_again(key, is_active=is_active, epoch=self._clock.epoch()):
            self._hold(key)
            self._changed.set()

    def forget(self, key: PublicKey) -> None:
        """The validator left; nothing is held for it, and nothing known when it comes back."""
        self._watches.forget(key)
        self._release(key)
        self._changed.set()

    def saw_quorum(self, key: PublicKey, epoch: Epoch) -> None:
        """The own committee completed a signature of the validator in a duty of this epoch."""
        before = self._watches.known.get(key)
        if self._watches.note_quorum(key, epoch):
            _log.info("validator %s: its committee signs, so its watch ends", key.hex())
            self._release(key)
        if self._watches.known.get(key) is not before:
            self._changed.set()

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Judges each epoch when it is over, until it is cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._judge_epochs)
            nursery.start_soon(self._keep_file)
            task_status.started()

    async def _judge_epochs(self) -> None:
        last, whole_from = self._clock.epoch(), -1
        while True:
            epoch = self._clock.epoch()
            if epoch > last + 1:  # the machine slept, and perhaps the beacon nodes did
                whole_from = epoch + 1
            last = epoch
            first = epoch * self._clock.slots_per_epoch
            await self._clock.sleep_until(self._clock.start_ms(first + ASKED_SLOT))
            if self._clock.epoch() == epoch and epoch - 1 >= whole_from:
                await self._judge(Epoch(epoch - 1))
            next_ms = self._clock.start_ms(first + self._clock.slots_per_epoch)
            await self._clock.sleep_until(next_ms)

    async def _judge(self, epoch: Epoch) -> None:
        """Asks until an answer comes or the next epoch is over: beacon nodes know only two."""
        pause_s = FIRST_PAUSE_S
        is_untold = False
        while (asked := self._watches.to_ask(epoch)) and self._clock.epoch() == epoch + 1:
            try:
                with trio.move_on_after(CALL_S) as limit:
                    live = await self._beacon.liveness(epoch, sorted(asked))
                if limit.cancelled_caught:
                    raise BeaconError(f"liveness: no answer within {CALL_S:g} s")
                self._conclude(epoch, live)
            except Exception as problem:
                self.failures += 1
                is_untold = isinstance(problem, LivenessUnavailable)
                expected = isinstance(problem, BeaconError)
                _log.warning(
                    "signs of life in epoch %d could not be had, again in %g s: %s",
                    epoch,
                    pause_s,
                    problem,
                    exc_info=None if expected else problem,
                )
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                return
        if is_untold and asked:
            self._sit_out(epoch)

    def _sit_out(self, epoch: Epoch) -> None:
        """To the end of the time to ask, beacon nodes answered and none told."""
        cleared = self._watches.sit_out(epoch)
        self._changed.set()
        _log.warning(
            "no beacon node tells which validators signed in epoch %d: validators are not signed "
            "for while they are watched, and then are, with nobody having looked",
            epoch,
        )
        for key in cleared:
            self.unseen += 1
            _log.error(
                "validator %s is signed for now, and nobody could tell whether it signs somewhere "
                "else too. Give this node a beacon node that tracks liveness",
                key.hex(),
            )
            self._release(key)

    def _conclude(self, epoch: Epoch, live: Mapping[int, bool]) -> None:
        judged = self._watches.judge(epoch, live)
        self._changed.set()
        for key in judged.cleared:
            _log.info("validator %s: no sign of a doppelganger, so it signs now", key.hex())
            self._release(key)
        for key in judged.seen:
            self.found += 1
            _log.error(
                "validator %s signs somewhere else too: seen in epoch %d, while its committee was "
                "silent. Find and stop the other signer; nothing is signed for it here meanwhile",
                key.hex(),
                epoch,
            )

    async def _keep_file(self) -> None:
        """Writes what changed, at most once a slot, and once more at the end."""
        try:
            while True:
                await self._changed.wait()
                self._changed = trio.Event()
                await self.write()
                await trio.sleep(self._clock.slot_ms / 1000)
        finally:
            if self._changed.is_set():
                self._is_written(_write(self._path, _encode(self._watches.known)))

    async def write(self) -> bool:
        """Writes what is known now; whether it is on the disk when this returns."""
        async with self._writing:
            data = _encode(self._watches.known)
            problem = await trio.to_thread.run_sync(_write, self._path, data)
            return self._is_written(problem)

    def _is_written(self, problem: PhalanxError | None) -> bool:
        if problem is not None:
            self.failures += 1
            self._changed.set()
            _log.error("the doppelganger watches could not be written: %s", problem)
        return problem is None


def _encode(known: Mapping[PublicKey, Watched]) -> bytes:
    validators = {f"0x{key.hex()}": each for key, each in known.items()}
    return msgspec.json.encode(_File(SCHEMA, validators))


def _write(path: Path, data: bytes) -> PhalanxError | None:
    """Why it could not be written: the disk refused, or the folder is gone."""
    try:
        write_private(path, data, overwrite=True)
    except (StorageError, UsageError) as problem:
        return problem
    return None


def _read(path: Path) -> dict[PublicKey, Watched]:
    """What the file holds; a file that cannot be read counts as none, so all are watched anew."""
    if not path.exists():
        return {}
    try:
        content = msgspec.json.decode(read_bounded(path, limit_bytes=FILE_BYTES), type=_File)
        if content.schema != SCHEMA:
            raise ValueError(f"schema {content.schema}, this version reads {SCHEMA}")
        return {
            PublicKey(bytes.fromhex(key.removeprefix("0x"))): each
            for key, each in content.validators.items()
        }
    except (InputError, ValueError, msgspec.DecodeError) as problem:
        _log.warning("%s cannot be used, all validators are watched anew: %s", path, problem)
        return {}
