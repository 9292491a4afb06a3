"""The public networks of operators, as their registries' deployments published them.

A table; a node reads its chain's facts from its beacon nodes. Boole has a domain on mainnet alone
and an epoch nowhere yet; a network without one keeps its domain.

Source: docs/protocol.md, "Identifiers" and "Generations"; the published configuration of the
existing nodes (registry addresses and first blocks).
"""

from __future__ import annotations

from typing import Final

from operator_node.config.settings import NetworkSettings
from operator_node.spec import networks as chains
from operator_node.spec.chain import ChainSpec
from operator_node.wire.ids import DomainType
from sdk.networks import HOLESKY, HOODI, MAINNET, SEPOLIA, Network
from sdk.types import BlockNumber, parse_address


def _public(
    network: Network,
    chain: ChainSpec,
    registry: str,
    block: int,
    domain: str,
    boole_domain: str | None = None,
) -> NetworkSettings:
    return NetworkSettings(
        name=network.name,
        registry=parse_address(registry),
        registry_block=BlockNumber(block),
        domain=DomainType(bytes.fromhex(domain)),
        boole_domain=DomainType(bytes.fromhex(boole_domain or domain)),
        chain_id=network.chain_id,
        genesis_validators_root=chain.genesis_validators_root,
    )


PUBLIC_NETWORKS: Final = {
    each.name: each
    for each in (
        _public(
            MAINNET,
            chains.MAINNET,
            "0xDD9BC35aE942eF0cFa76930954a156B3fF30a4E1",
            17_507_487,
            "00000001",
            "00000002",
        ),
        _public(
            HOODI, chains.HOODI, "0x58410Bef803ECd7E63B23664C586A6DB72DAf59c", 1_065, "00000503"
        ),
        _public(
            SEPOLIA,
            chains.SEPOLIA,
            "0x261419B48F36EdF420743E9f91bABF4856e76f99",
            7_795_814,
            "00000569",
        ),
        _public(
            HOLESKY,
            chains.HOLESKY,
            "0x38A4794cCEd47d3baf7370CcC43B560D3a1beEFA",
            181_612,
            "00000502",
        ),
    )
}
