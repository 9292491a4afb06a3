"""Slots, epochs, the fork in force, and which domain follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.spec import ChainSpec, Fork, Preset, SigningDomain, compute_domain
from operator_node.spec.signing import ZERO_ROOT
from sdk.errors import ConfigError
from sdk.types import Epoch

VALIDATORS_ROOT = bytes([9]) * 32
EPOCH_FREE = (SigningDomain.DEPOSIT, SigningDomain.APPLICATION_BUILDER)
EPOCHS = (0, 2, 4, 6, 8, 10, 12)


def version_of(number: int) -> bytes:
    return bytes([number, 0, 0, 1])


CHAIN = ChainSpec(
    preset=Preset.MINIMAL,
    genesis_time=1_000,
    seconds_per_slot=6,
    slots_per_epoch=8,
    genesis_validators_root=VALIDATORS_ROOT,
    genesis_fork_version=version_of(1),
    forks=tuple(
        Fork(number, Epoch(epoch), version_of(number)) for number, epoch in enumerate(EPOCHS, 1)
    ),
)


def test_slots_make_epochs() -> None:
    assert [CHAIN.epoch_of(slot) for slot in (0, 7, 8, 16)] == [0, 0, 1, 2]
    assert CHAIN.first_slot(2) == 16


def test_a_slot_begins_its_length_after_the_one_before() -> None:
    assert [CHAIN.slot_start(slot) for slot in (0, 1, 10)] == [1_000, 1_006, 1_060]


@pytest.mark.parametrize(
    ("slot", "version"), [(0, 1), (15, 1), (16, 2), (95, 6), (96, 7), (10**6, 7)]
)
def test_a_fork_is_in_force_from_the_first_slot_of_its_epoch(slot: int, version: int) -> None:
    assert CHAIN.version_at(slot) == version


def test_the_fork_version_is_that_of_the_epoch() -> None:
    assert [CHAIN.fork_version_at(epoch)[0] for epoch in (0, 1, 2, 11, 12)] == [1, 1, 2, 6, 7]


def test_of_forks_in_one_epoch_the_last_is_in_force() -> None:
    chain = replace(CHAIN, forks=tuple(replace(fork, epoch=Epoch(0)) for fork in CHAIN.forks))
    assert chain.version_at(0) == 7
    assert chain.fork_version_at(0) == version_of(7)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in SigningDomain if kind not in (*EPOCH_FREE, SigningDomain.VOLUNTARY_EXIT)],
)
def test_a_domain_follows_the_fork_of_its_epoch(kind: SigningDomain) -> None:
    for epoch, number in ((1, 1), (8, 5), (99, 7)):
        assert CHAIN.domain(kind, epoch) == compute_domain(
            kind, fork_version=version_of(number), genesis_validators_root=VALIDATORS_ROOT
        )


@pytest.mark.parametrize("kind", EPOCH_FREE)
def test_deposits_and_builders_know_only_the_genesis_fork(kind: SigningDomain) -> None:
    expected = compute_domain(kind, fork_version=version_of(1), genesis_validators_root=ZERO_ROOT)
    assert {CHAIN.domain(kind, epoch) for epoch in (0, 7, 99)} == {expected}


@pytest.mark.parametrize(("epoch", "number"), [(0, 1), (5, 3), (6, 4), (8, 4), (99, 4)])
def test_exits_stay_under_capella_from_deneb_on(epoch: int, number: int) -> None:
    assert CHAIN.domain(SigningDomain.VOLUNTARY_EXIT, epoch) == compute_domain(
        SigningDomain.VOLUNTARY_EXIT,
        fork_version=version_of(number),
        genesis_validators_root=VALIDATORS_ROOT,
    )


def test_a_later_fork_that_we_do_not_know_has_its_domain() -> None:
    chain = replace(CHAIN, forks=(*CHAIN.forks, Fork(8, Epoch(20), version_of(8))))
    assert chain.version_at(20 * 8) == 8
    assert chain.domain(SigningDomain.ATTESTER, 20) == compute_domain(
        SigningDomain.ATTESTER,
        fork_version=version_of(8),
        genesis_validators_root=VALIDATORS_ROOT,
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"seconds_per_slot": 0}, "slots of 0 s"),
        ({"slots_per_epoch": 0}, "epochs of 0 slots"),
        ({"genesis_validators_root": b""}, "root of 0 bytes"),
        ({"genesis_fork_version": version_of(2)}, "genesis fork version"),
        ({"forks": ()}, "forks at epochs"),
        ({"forks": CHAIN.forks[1:]}, "forks numbered"),
        ({"forks": (CHAIN.forks[0], CHAIN.forks[2])}, "forks numbered"),
        ({"forks": (replace(CHAIN.forks[0], epoch=Epoch(1)),)}, "forks at epochs"),
        ({"forks": (CHAIN.forks[0], replace(CHAIN.forks[1], fork_version=b""))}, "fork versions"),
    ],
)
def test_a_chain_that_cannot_be_is_refused(wrong: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        replace(CHAIN, **wrong)  # type: ignore[arg-type] # one field of several types


def test_forks_out_of_order_are_refused() -> None:
    early = replace(CHAIN.forks[2], epoch=Epoch(1))
    with pytest.raises(ConfigError, match="forks at epochs"):
        replace(CHAIN, forks=(CHAIN.forks[0], CHAIN.forks[1], early))
