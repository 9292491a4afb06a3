"""Proofs of validators' effective balances against the beacon roots that the chain keeps."""

from sdk.beacon_proofs.build import BeaconState, build_proofs, find_validators, root_of_state
from sdk.beacon_proofs.state_shape import MAINNET, MINIMAL, PRESETS, Fork, Preset, fork_named
from sdk.beacon_proofs.values import BeaconHeader, BeaconProofs, ValidatorIndex, ValidatorProof
from sdk.beacon_proofs.verify import Refused, Verifier, is_validator, proofs_hold

__all__ = [
    "MAINNET",
    "MINIMAL",
    "PRESETS",
    "BeaconHeader",
    "BeaconProofs",
    "BeaconState",
    "Fork",
    "Preset",
    "Refused",
    "ValidatorIndex",
    "ValidatorProof",
    "Verifier",
    "build_proofs",
    "find_validators",
    "fork_named",
    "is_validator",
    "proofs_hold",
    "root_of_state",
]
