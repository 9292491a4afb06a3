"""Ethereum's consensus layer as far as a validator's duties need it: chain, objects, blocks, roots.

`ssz` reads and hashes bytes by descriptors; `operations` and `block_shapes` are the descriptors,
`containers` the values we build, `signing` what is signed and under which domain, `chain` the facts
of one chain, `networks` those of the public ones.
"""

from __future__ import annotations

from operator_node.spec.blocks import BlockKind, ProposedBlock, find_block, signed_block
from operator_node.spec.chain import ChainSpec, Fork
from operator_node.spec.config import from_config
from operator_node.spec.networks import HOLESKY, HOODI, MAINNET, SEPOLIA
from operator_node.spec.presets import Preset, Sizes
from operator_node.spec.selection import is_aggregator, is_sync_aggregator, subnet_of
from operator_node.spec.signing import SigningDomain, compute_domain, signing_root
from operator_node.spec.ssz import MalformedSsz
from operator_node.spec.versions import UnknownBlockVersion, UnknownVersion

__all__ = [
    "HOLESKY",
    "HOODI",
    "MAINNET",
    "SEPOLIA",
    "BlockKind",
    "ChainSpec",
    "Fork",
    "MalformedSsz",
    "Preset",
    "ProposedBlock",
    "SigningDomain",
    "Sizes",
    "UnknownBlockVersion",
    "UnknownVersion",
    "compute_domain",
    "find_block",
    "from_config",
    "is_aggregator",
    "is_sync_aggregator",
    "signed_block",
    "signing_root",
    "subnet_of",
]
