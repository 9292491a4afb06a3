"""The public networks, against the fork digests that their peers announce."""

from __future__ import annotations

import pytest

from operator_node.spec import HOLESKY, HOODI, MAINNET, SEPOLIA, ChainSpec, SigningDomain
from operator_node.spec.signing import ZERO_ROOT, fork_data_root
from sdk import networks

MAINNET_DIGESTS = ("b5303f2a", "afcaaba0", "4a26c58b", "bba4da96", "6a95a1a9", "ad532ceb")
"""Phase0 to Electra, as seen in the names of gossip topics; later ones depend on blobs too."""


def test_fork_digests_of_mainnet_are_the_published_ones() -> None:
    digests = [
        fork_data_root(fork.fork_version, MAINNET.genesis_validators_root)[:4].hex()
        for fork in MAINNET.forks
    ]
    assert tuple(digests[:6]) == MAINNET_DIGESTS


def test_fork_digests_of_sepolia_are_the_published_ones() -> None:
    version = SEPOLIA.genesis_fork_version
    assert fork_data_root(version, SEPOLIA.genesis_validators_root)[:4].hex() == "a8fee8ee"
    assert fork_data_root(version, ZERO_ROOT)[:4].hex() == "d3010778"


@pytest.mark.parametrize(
    ("chain", "name"),
    [(MAINNET, "mainnet"), (HOODI, "hoodi"), (SEPOLIA, "sepolia"), (HOLESKY, "holesky")],
)
def test_deposits_and_duties_agree_on_the_genesis_fork(chain: ChainSpec, name: str) -> None:
    network = networks.network_by_name(name)
    assert chain.genesis_fork_version == network.genesis_fork_version


@pytest.mark.parametrize("chain", [MAINNET, HOODI, SEPOLIA, HOLESKY])
def test_every_fork_up_to_fulu_is_scheduled_under_its_own_version(chain: ChainSpec) -> None:
    assert [fork.version for fork in chain.forks] == list(range(1, 8))
    assert len({fork.fork_version for fork in chain.forks}) == 7


def test_mainnet_slots_fall_on_the_announced_times() -> None:
    electra = MAINNET.first_slot(364_032)
    assert MAINNET.slot_start(electra) == 1_746_612_311  # 7 May 2025, 10:05:11 UTC
    assert MAINNET.version_at(electra) == 6
    assert MAINNET.version_at(electra - 1) == 5


def test_the_builder_domain_of_mainnet_is_the_known_one() -> None:
    assert MAINNET.domain(SigningDomain.APPLICATION_BUILDER, 10**6).hex() == (
        "00000001f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9"
    )


def test_exits_on_mainnet_carry_the_digest_of_capella() -> None:
    domain = MAINNET.domain(SigningDomain.VOLUNTARY_EXIT, 500_000)
    assert domain[:8].hex() == "04000000bba4da96"
