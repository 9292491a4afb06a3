"""Signing processes with a throwaway key, a record in a folder, and shares to put into them."""

from __future__ import annotations

import time
from pathlib import Path

from operator_node.duties.types import SignItem
from operator_node.signer.rules import Guard
from operator_node.signing import OpenKey, OpenRecord, ProcessShares, SigningProcess
from operator_node.wire.ids import DomainType
from operator_node.wire.records import Share
from sdk.crypto import bls
from sdk.crypto.operator_keys import encrypt_share
from sdk.crypto.secret import SecretKey
from sdk.testing.keys import operator_key
from sdk.types import Address, PublicKey, Slot
from tests.unit.operator_node.signer.guards import GENESIS, root

KEY = operator_key(1)
SLOT_MS, EPOCH_SLOTS = 12_000, 32
PATIENCE_S = 60.0
"""Starting takes half a second, and longer where many tests run."""
NOW_EPOCH = 12
"""It is the middle of this epoch when a record is opened."""
NOW = Slot(NOW_EPOCH * EPOCH_SLOTS + EPOCH_SLOTS // 2)


def raw_key() -> OpenKey:
    return OpenKey(None, None, KEY.reveal_base64().encode())


def key_file(folder: Path) -> OpenKey:
    path = folder / "operator.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(KEY.reveal_base64())
    return OpenKey(str(path), None, None)


def record(folder: Path, *, epochs_ago: int = 0) -> OpenRecord:
    """A chain that is in epoch 12 now; at an earlier time if shares are to be armed earlier."""
    since_genesis_s = (NOW - epochs_ago * EPOCH_SLOTS) * SLOT_MS // 1000
    return OpenRecord(
        path=str(folder / "safety.sqlite"),
        network="local",
        genesis_validators_root=GENESIS,
        genesis_time=int(time.time()) - since_genesis_s,
        slot_ms=SLOT_MS,
        slots_per_epoch=EPOCH_SLOTS,
        sets_damage_aside=False,
    )


def secret(number: int) -> SecretKey:
    return SecretKey(987_654_321 + number)


def validator(number: int) -> PublicKey:
    return PublicKey((1_000 + number).to_bytes(48, "big"))


def share(number: int) -> Share:
    return Share(
        validator_index=number,
        validator_key=validator(number),
        share_key=bls.public_key(secret(number)),
        committee=(),
        domain=DomainType(bytes(4)),
        fee_recipient=Address(bytes(20)),
        graffiti=bytes(32),
    )


def item(number: int, guard: Guard | None = None, said: int = 1) -> SignItem:
    return SignItem(share(number), root(said), guard)


def put(shares: ProcessShares, *numbers: int) -> None:
    """As the registry does it."""
    for number in numbers:
        ciphertext = encrypt_share(KEY.public_key, secret(number))
        sealed = shares.open_share(ciphertext, bls.public_key(secret(number)))
        shares.keep_share(validator(number), sealed)


def started(folder: Path, *numbers: int) -> tuple[SigningProcess, ProcessShares]:
    """A process with shares that were armed two epochs ago, in its second life."""
    earlier = SigningProcess(raw_key())
    try:
        earlier.open_record(record(folder, epochs_ago=2))
        put(ProcessShares(earlier), *numbers)
    finally:
        earlier.close()
    process = SigningProcess(key_file(folder), patience_s=PATIENCE_S)
    try:
        process.open_record(record(folder))
        shares = ProcessShares(process)
        put(shares, *numbers)
    except BaseException:
        process.close()
        raise
    return process, shares
