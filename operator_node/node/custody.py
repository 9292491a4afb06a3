"""Where the operator's key, shares and slashing record are: in a process of their own, or here.

Opened in two steps, as a node comes to life: the key before anything is asked of anybody, the
record once the beacon chain is known. Whatever is built on it sees no difference.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from operator_node.clock import SlotClock
from operator_node.config import Settings
from operator_node.lease import LeasedRecord, LeaseRecord
from operator_node.shares import ShareSigner
from operator_node.signer.operator_key import OperatorKey
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.store import SlashingStore
from operator_node.signing import (
    OpenKey,
    OpenRecord,
    ProcessShares,
    SealedShare,
    SigningProcess,
)
from operator_node.signing.leasing import RemoteLeaseRecord
from operator_node.signing.words import CopyRecord, Done
from operator_node.spec.chain import ChainSpec
from sdk.crypto.secret import SecretKey
from sdk.types import Epoch, OperatorId, PublicKey, Slot

COPYING_S: Final = 100.0
"""For a record of thousands of validators while signing goes on."""

Shares: TypeAlias = ShareSigner | ProcessShares


@dataclass(frozen=True, slots=True)
class Custody:
    """Shares and record, open.

    Attributes:
        is_known_record: it was there before, and is no older copy.
        open_share: see `Registry`; what it returns goes to `keep_share` and to nobody else.
        bind_operator: see `SlashingStore.bind_operator`.
        copy_record: see `SlashingStore.copy_to`.
        lease_record: the record under a lease, None where the settings have none.
        close: gives the record free.
    """

    signer: Shares
    is_known_record: bool
    open_share: Callable[[bytes, bytes], Any]
    keep_share: Callable[[PublicKey, Any], None]
    bind_operator: Callable[[OperatorId], None]
    close: Callable[[], None]
    copy_record: Callable[[Path], None]
    lease_record: LeaseRecord | None = None


def open_key(settings: Settings) -> OperatorKey | SigningProcess:
    """The operator's key, or the process that has it.

    Raises:
        PhalanxError: the key cannot be used; see `OperatorKey`.
    """
    where = settings.operator_key
    if settings.has_signing_process:
        file, password_file = where.file, where.password_file
        raw = None if where.raw is None else where.raw.reveal()
        return SigningProcess(
            OpenKey(
                None if file is None else str(file.absolute()),
                None if password_file is None else str(password_file.absolute()),
                raw,
            )
        )
    return OperatorKey.named(file=where.file, password_file=where.password_file, raw=where.raw)


def open_custody(
    settings: Settings, key: OperatorKey | SigningProcess, chain: ChainSpec, clock: SlotClock
) -> Custody:
    """The record of this key on this chain, and the shares behind it, none so far.

    Raises:
        ConfigError: the record is of another network or operator.
        StorageError: the record is in use, damaged or newer than this software.
    """
    if isinstance(key, SigningProcess):
        return _in_its_process(settings, key, chain)
    return _here(settings, key, chain, clock)


def _in_its_process(settings: Settings, process: SigningProcess, chain: ChainSpec) -> Custody:
    has_lease = settings.safety.lease_file is not None
    opened = process.open_record(
        OpenRecord(
            path=str(settings.slashing_record.absolute()),
            network=settings.network.name,
            genesis_validators_root=chain.genesis_validators_root,
            genesis_time=chain.genesis_time,
            slot_ms=chain.seconds_per_slot * 1000,
            slots_per_epoch=chain.slots_per_epoch,
            sets_damage_aside=settings.safety.sets_damage_aside,
            has_lease=has_lease,
        )
    )
    shares = ProcessShares(process)

    def keep(validator_key: PublicKey, sealed: SealedShare) -> None:
        shares.keep_share(validator_key, sealed)

    return Custody(
        signer=shares,
        is_known_record=not opened.is_new and not opened.was_old,
        open_share=shares.open_share,
        keep_share=keep,
        bind_operator=process.bind_operator,
        close=process.close,
        copy_record=lambda path: _copy_in_its_process(process, path),
        lease_record=RemoteLeaseRecord(process) if has_lease else None,
    )


def _copy_in_its_process(process: SigningProcess, path: Path) -> None:
    process.ask(CopyRecord(str(path)), Done, timeout_s=COPYING_S)


def _here(settings: Settings, key: OperatorKey, chain: ChainSpec, clock: SlotClock) -> Custody:
    record = SlashingStore.open(
        settings.slashing_record,
        Owner(
            network=settings.network.name,
            genesis_validators_root=chain.genesis_validators_root,
            operator_key=key.public_key.fingerprint,
        ),
        on_damage=OnDamage.REBOUND if settings.safety.sets_damage_aside else OnDamage.STOP,
    )
    is_known = not record.is_new and not record.needs_arming
    if record.needs_arming:
        # An older copy was put back: what was signed since is unknown (SAF-7).
        record.arm_all(epoch=Epoch(max(clock.epoch(), 0)), slot=Slot(max(clock.slot(), 0)))
    signer = ShareSigner(record=record, clock=clock)

    def keep(validator_key: PublicKey, secret: SecretKey) -> None:
        signer.keep_share(validator_key, secret)

    return Custody(
        signer=signer,
        is_known_record=is_known,
        open_share=key.decrypt,
        keep_share=keep,
        bind_operator=record.bind_operator,
        close=record.close,
        copy_record=record.copy_to,
        lease_record=LeasedRecord(record, clock) if settings.safety.lease_file else None,
    )
