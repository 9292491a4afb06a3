"""Reads a beacon node's account of its chain, `/eth/v1/config/spec`, into a `ChainSpec`.

Pure: the answer comes in as a mapping. Forks that this program does not know keep their place in
the schedule, so that domains stay right after them; their objects are refused by number.

Source: Ethereum Beacon APIs, config/spec and beacon/genesis; consensus-specs, configs/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from operator_node.spec.chain import FAR_FUTURE_EPOCH, ChainSpec, Fork
from operator_node.spec.presets import Preset
from sdk.errors import BeaconError, ConfigError, InputError
from sdk.networks import FORK_VERSION_BYTES
from sdk.types import Epoch, parse_hex

_KNOWN_FORKS: Final = ("ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU")
_FORK_EPOCH: Final = re.compile(r"([A-Z0-9_]{1,40})_FORK_EPOCH")
_NUMBER_DIGITS: Final = 20
"""Of the largest unsigned 64-bit integer."""
_MS_PER_SECOND: Final = 1000
_SHOWN: Final = 40
"""Characters of a foreign text that an error repeats."""


def from_config(
    config: Mapping[str, object], *, genesis_time: int, genesis_validators_root: bytes
) -> ChainSpec:
    """The chain that a beacon node is on.

    Args:
        config: the `data` of the answer; values are texts, as the API has them.
        genesis_time: unix seconds, from `/eth/v1/beacon/genesis`.
        genesis_validators_root: 32 bytes, from the same.

    Raises:
        BeaconError: `beacon_spec_malformed`, a value is missing or unusable, or contradicts the
            preset that the answer names.
    """
    preset = _preset(config)
    genesis_fork_version = _version(config, "GENESIS_FORK_VERSION")
    try:
        return ChainSpec(
            preset=preset,
            genesis_time=genesis_time,
            seconds_per_slot=_seconds_per_slot(config),
            slots_per_epoch=preset.sizes.slots_per_epoch,
            genesis_validators_root=genesis_validators_root,
            genesis_fork_version=genesis_fork_version,
            forks=(Fork(1, Epoch(0), genesis_fork_version), *_later_forks(config)),
        )
    except ConfigError as wrong:
        raise _malformed(wrong.message) from wrong


def _preset(config: Mapping[str, object]) -> Preset:
    name = _text(config, "PRESET_BASE")
    known = {preset.value: preset for preset in Preset}
    if name not in known:
        raise _malformed(f"PRESET_BASE is {name!r}, known are {', '.join(known)}")
    preset = known[name]
    sizes = preset.sizes
    for key, expected in (
        ("SLOTS_PER_EPOCH", sizes.slots_per_epoch),
        ("MAX_COMMITTEES_PER_SLOT", sizes.max_committees_per_slot),
        ("SYNC_COMMITTEE_SIZE", sizes.sync_committee_size),
        ("MAX_WITHDRAWALS_PER_PAYLOAD", sizes.max_withdrawals_per_payload),
    ):
        # A chain with sizes of its own would have other blocks than we read.
        if key in config and _number(config, key) != expected:
            raise _malformed(f"{key} is {_number(config, key)}, in preset {name} {expected}")
    return preset


def _seconds_per_slot(config: Mapping[str, object]) -> int:
    if "SECONDS_PER_SLOT" in config:
        return _number(config, "SECONDS_PER_SLOT")
    seconds, rest = divmod(_number(config, "SLOT_DURATION_MS"), _MS_PER_SECOND)
    if rest:
        raise _malformed(f"SLOT_DURATION_MS leaves {rest} ms beside whole seconds")
    return seconds


def _later_forks(config: Mapping[str, object]) -> list[Fork]:
    """Scheduled forks after phase0: the known ones by name, then the others by epoch."""
    names = [match[1] for key in config if (match := _FORK_EPOCH.fullmatch(str(key)))]
    known = [name for name in _KNOWN_FORKS if name in names]
    newer = [name for name in names if name not in _KNOWN_FORKS]
    scheduled = [
        (name, _number(config, f"{name}_FORK_EPOCH"))
        for name in (*known, *newer)
        if _number(config, f"{name}_FORK_EPOCH") != FAR_FUTURE_EPOCH
    ]
    reached = len([name for name, _ in scheduled if name in _KNOWN_FORKS])
    if [name for name, _ in scheduled[:reached]] != list(_KNOWN_FORKS[:reached]):
        raise _malformed(f"forks are scheduled with gaps: {', '.join(dict(scheduled))}")
    if len(scheduled) > reached and reached < len(_KNOWN_FORKS):
        raise _malformed(f"{scheduled[-1][0]} is scheduled but {_KNOWN_FORKS[reached]} is not")
    ordered = scheduled[:reached] + sorted(scheduled[reached:], key=lambda fork: fork[1])
    return [
        Fork(number, Epoch(epoch), _version(config, f"{name}_FORK_VERSION"))
        for number, (name, epoch) in enumerate(ordered, start=2)
    ]


def _text(config: Mapping[str, object], key: str) -> str:
    value = config.get(key)
    if not isinstance(value, str):
        raise _malformed(f"{key} is missing" if value is None else f"{key} is no text")
    return value[:_SHOWN]


def _number(config: Mapping[str, object], key: str) -> int:
    text = _text(config, key)
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        raise _malformed(f"{key} is {text!r}, not a number")
    return int(text)


def _version(config: Mapping[str, object], key: str) -> bytes:
    try:
        return parse_hex(_text(config, key), what=key, length=FORK_VERSION_BYTES)
    except InputError as wrong:
        raise _malformed(wrong.message) from wrong


def _malformed(problem: str) -> BeaconError:
    return BeaconError(
        f"the beacon node's chain specification cannot be used: {problem}",
        code="beacon_spec_malformed",
        hint="Check that the beacon node is on the intended network and up to date.",
    )
