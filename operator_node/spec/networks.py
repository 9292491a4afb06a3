"""The public networks' chain facts, as published with their configurations.

Pure tables. A node takes its facts from its beacon node and may compare them with these.

Source: consensus-specs, configs/mainnet.yaml; the configuration and genesis files of
eth-clients/mainnet, hoodi, sepolia and holesky; EIP-7607 for the epochs of Fulu.
"""

from __future__ import annotations

from typing import Final

from operator_node.spec.chain import ChainSpec, Fork
from operator_node.spec.presets import Preset
from sdk.types import Epoch

_SECONDS_PER_SLOT: Final = 12


def _public(
    genesis_time: int, genesis_validators_root: str, schedule: tuple[tuple[int, str], ...]
) -> ChainSpec:
    """A network of the mainnet preset from (epoch, fork version) of phase0, altair and so on."""
    forks = tuple(
        Fork(number, Epoch(epoch), bytes.fromhex(version))
        for number, (epoch, version) in enumerate(schedule, start=1)
    )
    return ChainSpec(
        preset=Preset.MAINNET,
        genesis_time=genesis_time,
        seconds_per_slot=_SECONDS_PER_SLOT,
        slots_per_epoch=Preset.MAINNET.sizes.slots_per_epoch,
        genesis_validators_root=bytes.fromhex(genesis_validators_root),
        genesis_fork_version=forks[0].fork_version,
        forks=forks,
    )


MAINNET: Final = _public(
    1_606_824_023,
    "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
    (
        (0, "00000000"),
        (74_240, "01000000"),
        (144_896, "02000000"),
        (194_048, "03000000"),
        (269_568, "04000000"),
        (364_032, "05000000"),
        (411_392, "06000000"),
    ),
)
HOODI: Final = _public(
    1_742_213_400,
    "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
    (
        (0, "10000910"),
        (0, "20000910"),
        (0, "30000910"),
        (0, "40000910"),
        (0, "50000910"),
        (2_048, "60000910"),
        (50_688, "70000910"),
    ),
)
SEPOLIA: Final = _public(
    1_655_733_600,
    "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
    (
        (0, "90000069"),
        (50, "90000070"),
        (100, "90000071"),
        (56_832, "90000072"),
        (132_608, "90000073"),
        (222_464, "90000074"),
        (272_640, "90000075"),
    ),
)
HOLESKY: Final = _public(
    1_695_902_400,
    "9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1",
    (
        (0, "01017000"),
        (0, "02017000"),
        (0, "03017000"),
        (256, "04017000"),
        (29_696, "05017000"),
        (115_968, "06017000"),
        (165_120, "07017000"),
    ),
)
