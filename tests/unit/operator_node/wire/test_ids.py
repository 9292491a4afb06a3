from __future__ import annotations

from hashlib import sha256

import pytest

from operator_node.wire import ids
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole, RunnerRole
from operator_node.wire.roles import runner_of
from sdk.types import OperatorId
from tests.unit.operator_node.wire.examples import COMMITTEE, DOMAIN, KEY, OPERATORS


def test_a_committee_id_hashes_ascending_ids_of_four_bytes() -> None:
    packed = bytes.fromhex("01000000020000000300000004000000")
    assert ids.committee_id([4, 2, 1, 3]) == sha256(packed).digest() == COMMITTEE


def test_a_committee_id_takes_the_low_32_bits_of_an_id() -> None:
    assert ids.committee_id([2**32 + 7]) == sha256(b"\x07\0\0\0").digest()


def test_a_committees_message_id_is_domain_role_padding_committee() -> None:
    message_id = ids.committee_message_id(DOMAIN, RunnerRole.AGGREGATOR_COMMITTEE, COMMITTEE)
    assert message_id == DOMAIN + b"\x06\0\0\0" + bytes(16) + COMMITTEE
    assert ids.domain_of(message_id) == DOMAIN
    assert ids.role_of(message_id) == RunnerRole.AGGREGATOR_COMMITTEE
    assert ids.committee_of(message_id) == COMMITTEE
    assert ids.executor_of(message_id) == bytes(16) + COMMITTEE


def test_a_validators_message_id_is_domain_role_key() -> None:
    message_id = ids.validator_message_id(DOMAIN, RunnerRole.PROPOSER, KEY)
    assert message_id == DOMAIN + b"\x02\0\0\0" + KEY
    assert ids.validator_of(message_id) == KEY
    assert len(message_id) == ids.MESSAGE_ID_BYTES


@pytest.mark.parametrize("role", [-1, -(2**31), 2**31 - 1, 7])
def test_a_role_is_a_signed_number(role: int) -> None:
    assert ids.role_of(ids.committee_message_id(DOMAIN, role, COMMITTEE)) == role


def test_an_alan_subnet_is_the_committee_id_modulo_128() -> None:
    assert ids.alan_subnet(bytes(31) + b"\xff") == 127
    assert ids.alan_subnet(b"\xff" * 31 + b"\x05") == 5


def test_a_boole_subnet_is_the_lowest_operator_hash_modulo_128() -> None:
    lowest = min(sha256(each.to_bytes(8, "little")).digest() for each in OPERATORS)
    assert ids.boole_subnet(OPERATORS) == lowest[-1] % 128
    assert ids.boole_subnet(OPERATORS[::-1]) == ids.boole_subnet(OPERATORS)


def test_a_boole_subnet_hashes_ids_of_eight_bytes() -> None:
    large = OperatorId(2**32 + 1)
    hashed = sha256(b"\x01\0\0\0\x01\0\0\0").digest()
    assert ids.boole_subnet([large]) == hashed[-1] % 128


def test_topics_of_both_generations() -> None:
    assert ids.alan_topic(17) == "ssv.v2.17"
    assert ids.boole_topic("MainNet", 17) == "/ssv/mainnet/boole/17"


@pytest.mark.parametrize(
    ("role", "alan", "boole"),
    [
        (BeaconRole.ATTESTER, RunnerRole.COMMITTEE, RunnerRole.COMMITTEE),
        (BeaconRole.AGGREGATOR, RunnerRole.AGGREGATOR, RunnerRole.AGGREGATOR_COMMITTEE),
        (BeaconRole.PROPOSER, RunnerRole.PROPOSER, RunnerRole.PROPOSER),
        (BeaconRole.SYNC_COMMITTEE, RunnerRole.COMMITTEE, RunnerRole.COMMITTEE),
        (
            BeaconRole.SYNC_CONTRIBUTION,
            RunnerRole.SYNC_CONTRIBUTION,
            RunnerRole.AGGREGATOR_COMMITTEE,
        ),
        (
            BeaconRole.VALIDATOR_REGISTRATION,
            RunnerRole.VALIDATOR_REGISTRATION,
            RunnerRole.VALIDATOR_REGISTRATION,
        ),
        (BeaconRole.VOLUNTARY_EXIT, RunnerRole.VOLUNTARY_EXIT, RunnerRole.VOLUNTARY_EXIT),
        (BeaconRole.UNKNOWN, RunnerRole.UNKNOWN, RunnerRole.UNKNOWN),
        (7, RunnerRole.UNKNOWN, RunnerRole.UNKNOWN),
    ],
)
def test_each_beacon_role_has_its_runner(role: int, alan: RunnerRole, boole: RunnerRole) -> None:
    assert runner_of(role, Generation.ALAN) is alan
    assert runner_of(role, Generation.BOOLE) is boole
