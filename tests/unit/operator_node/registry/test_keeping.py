"""Which shares are taken: those that decrypt, and recombine to their validator's key."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio

from operator_node.registry.assignments import Assignment
from operator_node.registry.keeping import keep_shares, recombines
from operator_node.wire.committee import Committee
from sdk.crypto import bls, threshold
from sdk.crypto.secret import SecretKey
from sdk.errors import KeysharesError
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, PublicKey

IDS = tuple(OperatorId(each) for each in (1, 2, 3, 4))
SECRET = SecretKey(77)
KEY = bls.public_key(SECRET)
SHARES = threshold.split(SECRET, (SecretKey(78), SecretKey(79)), IDS)
SHARE_KEYS = {operator: bls.public_key(each) for operator, each in SHARES.items()}
MINE = Assignment(
    validator_key=KEY,
    owner=Address(bytes(20)),
    cluster_id=ClusterId(bytes(32)),
    committee=Committee(IDS),
    share_keys=SHARE_KEYS,
    share_key=SHARE_KEYS[IDS[1]],
    fee_recipient=Address(bytes(20)),
    active=True,
    registered_at=BlockNumber(1),
    encrypted_share=b"box",
)
STRANGERS = replace(MINE, validator_key=bls.public_key(SecretKey(78)))
"""Somebody's own validator, registered with the public share keys and ciphertexts of another."""


def kept(*assignments: Assignment) -> tuple[list[PublicKey], dict[PublicKey, str]]:
    found: list[PublicKey] = []

    def open_share(box: bytes, share_key: bytes) -> SecretKey:
        if box != b"box":
            raise KeysharesError("no share in it")
        return SHARES[IDS[1]]

    async def main() -> dict[PublicKey, str]:
        return await keep_shares(
            assignments, open_share=open_share, keep_share=lambda key, _: found.append(key)
        )

    return found, trio.run(main)


def test_a_share_that_recombines_is_kept() -> None:
    assert kept(MINE) == ([KEY], {})


def test_another_validators_shares_are_refused_and_told() -> None:
    found, alarms = kept(STRANGERS, MINE)
    assert found == [KEY]
    assert "do not recombine" in alarms[STRANGERS.validator_key]


def test_a_share_that_does_not_decrypt_is_told() -> None:
    assert kept(replace(MINE, encrypted_share=b"junk")) == ([], {KEY: "no share in it"})


@pytest.mark.parametrize("bad", [bytes(48), bls.public_key(SecretKey(5))])
def test_one_share_key_that_does_not_fit_is_enough(bad: bytes) -> None:
    share_keys = {**SHARE_KEYS, IDS[3]: PublicKey(bad)}
    assert not recombines(replace(MINE, share_keys=share_keys))
