"""Network facts and look-ups."""

from __future__ import annotations

import pytest

from sdk.errors import ConfigError
from sdk.networks import (
    HOODI,
    MAINNET,
    NETWORKS,
    Network,
    find_by_fork_version,
    find_by_name,
    network_by_name,
)

LOCAL = Network("local-1", 31337, bytes.fromhex("10000038"))


@pytest.mark.parametrize(
    ("name", "chain_id", "fork_version"),
    [
        ("mainnet", 1, "00000000"),
        ("hoodi", 560048, "10000910"),
        ("holesky", 17000, "01017000"),
        ("sepolia", 11155111, "90000069"),
    ],
)
def test_each_public_network_has_its_facts(name: str, chain_id: int, fork_version: str) -> None:
    version = bytes.fromhex(fork_version)
    network = network_by_name(name)
    assert network == Network(name, chain_id, version)
    assert find_by_fork_version(version) is network


def test_names_chain_ids_and_fork_versions_are_unique() -> None:
    for field in ("name", "chain_id", "genesis_fork_version"):
        assert len({getattr(network, field) for network in NETWORKS}) == len(NETWORKS)


def test_an_unknown_network_is_none_or_an_error_that_names_the_known_ones() -> None:
    assert find_by_name("goerli") is None
    assert find_by_fork_version(b"\x01\x02\x03\x04") is None
    with pytest.raises(ConfigError, match="mainnet, hoodi, holesky, sepolia") as caught:
        network_by_name("goerli")
    assert caught.value.code == "network_unknown"


def test_a_local_network_is_found_among_those_given() -> None:
    networks = (LOCAL, HOODI)
    assert network_by_name("local-1", networks=networks) is LOCAL
    assert find_by_fork_version(LOCAL.genesis_fork_version, networks=networks) is LOCAL
    assert find_by_name(MAINNET.name, networks=networks) is None


@pytest.mark.parametrize(
    ("name", "chain_id", "version"),
    [
        ("", 1, bytes(4)),
        ("Mainnet", 1, bytes(4)),
        ("main net", 1, bytes(4)),
        ("a" * 33, 1, bytes(4)),
        ("local", 0, bytes(4)),
        ("local", 1, bytes(3)),
        ("local", 1, bytes(5)),
    ],
)
def test_a_malformed_network_is_refused(name: str, chain_id: int, version: bytes) -> None:
    with pytest.raises(ConfigError):
        Network(name, chain_id, version)
