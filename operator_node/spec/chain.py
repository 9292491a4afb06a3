"""What a node must know of its chain: genesis, slots, epochs, fork schedule, domains.

Pure; it never asks for the time. A node reads these facts from its beacon node (`from_config`);
the public networks are here for tools and tests, and to tell whether that answer can be right.

Source: consensus-specs, phase0/beacon-chain.md and configs/; EIP-7044 (voluntary exits).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from operator_node.spec.presets import Preset
from operator_node.spec.signing import ZERO_ROOT, SigningDomain, compute_domain
from operator_node.spec.versions import CAPELLA, DENEB
from sdk.errors import ConfigError
from sdk.networks import FORK_VERSION_BYTES
from sdk.types import Epoch, Slot

FAR_FUTURE_EPOCH: Final = Epoch(2**64 - 1)
"""Epoch of what is not scheduled."""
ROOT_BYTES: Final = 32
_ANY_CHAIN: Final = frozenset({SigningDomain.DEPOSIT, SigningDomain.APPLICATION_BUILDER})
"""Signed under the genesis fork version and a zero root, whatever the epoch."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork and when it begins.

    Attributes:
        version: number of the fork in messages; phase0 is 1, fulu 7, later ones follow.
        epoch: first epoch.
        fork_version: 4 bytes.
    """

    version: int
    epoch: Epoch
    fork_version: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSpec:
    """One chain.

    Attributes:
        genesis_time: unix seconds of slot 0.
        genesis_validators_root: 32 bytes.
        genesis_fork_version: 4 bytes.
        forks: every scheduled fork from phase0 on, none left out, oldest first.

    Raises:
        ConfigError: lengths, or a schedule with gaps, out of order or not from epoch 0.
    """

    preset: Preset
    genesis_time: int
    seconds_per_slot: int
    slots_per_epoch: int
    genesis_validators_root: bytes
    genesis_fork_version: bytes
    forks: tuple[Fork, ...]
    _exit_fork_version: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require(self.seconds_per_slot > 0, f"slots of {self.seconds_per_slot} s")
        _require(self.slots_per_epoch > 0, f"epochs of {self.slots_per_epoch} slots")
        _require(
            len(self.genesis_validators_root) == ROOT_BYTES,
            f"a genesis validators root of {len(self.genesis_validators_root)} bytes",
        )
        numbers = [fork.version for fork in self.forks]
        _require(numbers == list(range(1, len(numbers) + 1)), f"forks numbered {numbers}")
        epochs = [fork.epoch for fork in self.forks]
        _require(epochs[:1] == [0] and epochs == sorted(epochs), f"forks at epochs {epochs}")
        sizes = {len(fork.fork_version) for fork in self.forks}
        _require(sizes == {FORK_VERSION_BYTES}, f"fork versions of {sorted(sizes)} bytes")
        _require(
            self.forks[0].fork_version == self.genesis_fork_version,
            "a first fork that is not under the genesis fork version",
        )
        capped = self.forks[min(len(self.forks), CAPELLA) - 1]
        object.__setattr__(self, "_exit_fork_version", capped.fork_version)

    def epoch_of(self, slot: int) -> Epoch:
        """The epoch that the slot belongs to."""
        return Epoch(slot // self.slots_per_epoch)

    def first_slot(self, epoch: int) -> Slot:
        """The epoch's first slot."""
        return Slot(epoch * self.slots_per_epoch)

    def slot_start(self, slot: int) -> int:
        """Unix seconds at which the slot begins."""
        return self.genesis_time + slot * self.seconds_per_slot

    def version_at(self, slot: int) -> int:
        """Number of the fork whose objects are in use at the slot; phase0 is 1, fulu 7."""
        return self._fork_at(slot // self.slots_per_epoch).version

    def fork_version_at(self, epoch: int) -> bytes:
        """The fork version of the epoch, 4 bytes."""
        return self._fork_at(epoch).fork_version

    def domain(self, kind: SigningDomain, epoch: int) -> bytes:
        """The domain under which an object of the epoch is signed, 32 bytes.

        Voluntary exits stay under the Capella version from Deneb on (EIP-7044); deposits and what
        builders are told do not depend on the epoch.
        """
        if kind in _ANY_CHAIN:
            return compute_domain(
                kind,
                fork_version=self.genesis_fork_version,
                genesis_validators_root=ZERO_ROOT,
            )
        fork = self._fork_at(epoch)
        is_capped = kind is SigningDomain.VOLUNTARY_EXIT and fork.version >= DENEB
        return compute_domain(
            kind,
            fork_version=self._exit_fork_version if is_capped else fork.fork_version,
            genesis_validators_root=self.genesis_validators_root,
        )

    def _fork_at(self, epoch: int) -> Fork:
        for fork in reversed(self.forks[1:]):  # the newest one nearly always
            if epoch >= fork.epoch:
                return fork
        return self.forks[0]


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ConfigError(
            f"the chain specification has {problem}",
            code="chain_spec",
            hint="Ask another beacon node, or correct the network's configuration.",
        )
