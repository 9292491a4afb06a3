"""Beacon states that the consensus library made, read once per content of the script."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from sdk.beacon_proofs import (
    PRESETS,
    BeaconHeader,
    BeaconProofs,
    BeaconState,
    Fork,
    ValidatorIndex,
    build_proofs,
)

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "tests/consensus"
SCRIPT = FIXTURE / "beacon_states.mjs"


class Validator(msgspec.Struct, frozen=True):
    """A validator's fields as the library tells them; byte strings in hex, numbers in decimals."""

    public_key: str = msgspec.field(name="publicKey")
    withdrawal_credentials: str = msgspec.field(name="withdrawalCredentials")
    effective_balance_gwei: str = msgspec.field(name="effectiveBalanceGwei")
    slashed: bool
    activation_eligibility_epoch: str = msgspec.field(name="activationEligibilityEpoch")
    activation_epoch: str = msgspec.field(name="activationEpoch")
    exit_epoch: str = msgspec.field(name="exitEpoch")
    withdrawable_epoch: str = msgspec.field(name="withdrawableEpoch")


class Described(msgspec.Struct, frozen=True):
    """One state as the manifest describes it."""

    name: str
    fork: str
    step: str
    slot: int
    state_root: str = msgspec.field(name="stateRoot")
    beacon_root: str = msgspec.field(name="beaconRoot")
    field_roots: list[str] = msgspec.field(name="fieldRoots")
    validators: list[Validator]


class Manifest(msgspec.Struct, frozen=True):
    """What tests/consensus/beacon_states.mjs tells about a folder."""

    preset: str
    deposited_key: str = msgspec.field(name="depositedKey")
    roles: dict[str, int]
    oscillation: list[str]
    snapshots: list[Described]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state with its header, and what the library says is in it."""

    described: Described
    state: BeaconState
    header: BeaconHeader

    def prove(self, *indices: int) -> BeaconProofs:
        """Proofs of these validators against this snapshot's header."""
        return build_proofs(self.state, self.header, [ValidatorIndex(each) for each in indices])


@cache
def manifest(preset: str) -> Manifest:
    """The description of the preset's states, which are made if this script's were not yet."""
    return msgspec.json.decode((_folder(preset) / "manifest.json").read_bytes(), type=Manifest)


@cache
def snapshot(preset: str, fork: str, step: str) -> Snapshot:
    """One state of the preset."""
    name = f"{fork}-{step}"
    [described] = [each for each in manifest(preset).snapshots if each.name == name]
    folder = _folder(preset)
    return Snapshot(
        described=described,
        state=BeaconState(Fork(fork), PRESETS[preset], (folder / f"{name}.state.ssz").read_bytes()),
        header=BeaconHeader.from_ssz((folder / f"{name}.header.ssz").read_bytes()),
    )


@cache
def _folder(preset: str) -> Path:
    sources = SCRIPT.read_bytes() + (FIXTURE / "pnpm-lock.yaml").read_bytes()
    kept = ROOT / ".build/beacon_states" / hashlib.sha256(sources).hexdigest()[:32] / preset
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as fresh:
        made = Path(fresh) / preset
        made.mkdir()
        ran = subprocess.run(
            ["node", SCRIPT.name, made],
            cwd=FIXTURE,
            env={**os.environ, "LODESTAR_PRESET": preset},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        try:
            made.rename(kept)
        except OSError:  # another process was faster and made the same
            assert kept.exists()
    return kept
