"""The parameters file of a network: read, checked against every hard cap, said in words.

Checks repeat those of contracts/parts/Governance.sol, so that a wrong file is refused before
anything is sent; a test compares the numbers with the source. Never reads the chain or a clock.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from deploy.contracts_parts import human
from sdk.errors import ConfigError, InputError
from sdk.files import read_bounded
from sdk.types import checksum_address, parse_address
from sdk.units import FEE_UNIT_WEI

FILE_MAX_BYTES = 64 * 1024
NO_ADDRESS = "0x" + "00" * 20
DAY_S = 86_400
YEAR_S = 365 * DAY_S

# contracts/parts/Governance.sol and contracts/ledger/Units.sol
HIGHEST_NETWORK_FEE_WEI = 38_000_000_000
HIGHEST_COLLATERAL_WEI = 5 * 10**16
SHORTEST_LIQUIDATION_PERIOD_BLOCKS = 21_480
LONGEST_LIQUIDATION_PERIOD_BLOCKS = 432_000
HIGHEST_INCREASE_LIMIT = 10_000
HIGHEST_VALIDATOR_LIMIT = 65_535
HIGHEST_FEE_WEI = (2**30 - 1) * FEE_UNIT_WEI

SHORTEST_PUBLIC_DELAY_S = 7 * DAY_S
LONGEST_DELAY_S = 30 * DAY_S
"""A longer delay is a typing error, and nobody could correct it sooner than it says."""
LONGEST_WINDOW_S = 180 * DAY_S
"""Forks are announced weeks ahead, not half years: a longer promise of the state's shape is a
guess, and a verifier that outlives its shape accepts forged balances."""


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`local` is a development chain with public test keys; everything else is `public`."""

    name: str
    kind: Literal["local", "public"]
    chain_id: int
    confirmations: int


class Timelock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may propose and execute, and how long everybody can see it coming."""

    min_delay_s: int
    proposers: tuple[str, ...]
    executors: tuple[str, ...]


class Verifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chain's beacon clock, and the window in which the verifier's tree shape holds."""

    genesis_time_s: int
    seconds_per_slot: int
    valid_from_s: int
    valid_until_s: int


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`InitialParameters` of contracts/interfaces/Types.sol, without the two addresses."""

    network_fee_wei: int
    liquidation_threshold_period_blocks: int
    minimum_liquidation_collateral_wei: int
    minimum_operator_fee_wei: int
    maximum_operator_fee_wei: int
    validators_per_operator_limit: int
    operator_fee_increase_limit: int
    declare_operator_fee_period_s: int
    execute_operator_fee_period_s: int


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network's file; without `verifier` no effective balance can be proven."""

    network: Network
    timelock: Timelock
    registry: Registry
    verifier: Verifier | None = None

    @property
    def is_local(self) -> bool:
        return self.network.kind == "local"

    @property
    def digest(self) -> str:
        """Fingerprint of the values: a journal belongs to exactly one."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def load(path: Path) -> Parameters:
    """The file's values, inside every cap.

    Raises:
        InputError: unreadable.
        ConfigError: not the right fields, or `parameters_refused` with every fault found.
    """
    data = read_bounded(path, limit_bytes=FILE_MAX_BYTES)
    try:
        parameters = msgspec.convert(tomllib.loads(data.decode()), Parameters)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as problem:
        raise ConfigError(
            f"{path} is no parameters file: {problem}",
            code="parameters_malformed",
            hint="Compare it with deploy/parameters/testnet.toml.",
        ) from None
    found = faults(parameters)
    if found:
        raise ConfigError(
            f"{path} is refused: " + "; ".join(found),
            code="parameters_refused",
            hint="Nothing was sent. Correct the file.",
            data={"faults": found},
        )
    return parameters


def faults(parameters: Parameters) -> list[str]:
    """Everything that is wrong with the values, none if they may be deployed."""
    found = _registry_faults(parameters.registry)
    found += _timelock_faults(parameters)
    if parameters.verifier is not None:
        found += _verifier_faults(parameters.verifier)
    if parameters.network.chain_id < 1 or parameters.network.confirmations < 1:
        found.append("network: chain_id and confirmations are at least 1")
    return found


def window_fault(parameters: Parameters, *, now_s: int) -> str:
    """Why the verifier's window does not suit a deployment at that time, empty if it does."""
    verifier = parameters.verifier
    if verifier is None or parameters.is_local:
        return ""
    until = human.moment(verifier.valid_until_s)
    if verifier.valid_until_s <= now_s:
        return f"verifier.valid_until_s is over since {until}: no balance could be proven"
    if verifier.valid_until_s - now_s > LONGEST_WINDOW_S:
        return f"verifier.valid_until_s ({until}) is over {human.duration(LONGEST_WINDOW_S)} ahead"
    return ""


_BOUNDS = {
    "network_fee_wei": (0, HIGHEST_NETWORK_FEE_WEI),
    "liquidation_threshold_period_blocks": (
        SHORTEST_LIQUIDATION_PERIOD_BLOCKS,
        LONGEST_LIQUIDATION_PERIOD_BLOCKS,
    ),
    "minimum_liquidation_collateral_wei": (1, HIGHEST_COLLATERAL_WEI),
    "minimum_operator_fee_wei": (0, HIGHEST_FEE_WEI),
    "maximum_operator_fee_wei": (0, HIGHEST_FEE_WEI),
    "validators_per_operator_limit": (1, HIGHEST_VALIDATOR_LIMIT),
    "operator_fee_increase_limit": (0, HIGHEST_INCREASE_LIMIT),
    "declare_operator_fee_period_s": (DAY_S, 30 * DAY_S),
    "execute_operator_fee_period_s": (3_600, 30 * DAY_S),
}


def _registry_faults(values: Registry) -> list[str]:
    bounds = [(name, getattr(values, name), *pair) for name, pair in _BOUNDS.items()]
    found = [
        f"registry.{name} = {value} is outside {low} to {high}"
        for name, value, low, high in bounds
        if not low <= value <= high
    ]
    found += [
        f"registry.{name} = {value} is no multiple of {FEE_UNIT_WEI} wei"
        for name, value, _, _ in bounds
        if name.endswith("_wei") and value % FEE_UNIT_WEI
    ]
    if values.minimum_operator_fee_wei > values.maximum_operator_fee_wei:
        found.append("registry.minimum_operator_fee_wei is above maximum_operator_fee_wei")
    return found


def _timelock_faults(parameters: Parameters) -> list[str]:
    timelock, found = parameters.timelock, []
    shortest = 1 if parameters.is_local else SHORTEST_PUBLIC_DELAY_S
    if not shortest <= timelock.min_delay_s <= LONGEST_DELAY_S:
        found.append(
            f"timelock.min_delay_s = {timelock.min_delay_s} is outside {shortest} "
            f"to {LONGEST_DELAY_S}"
        )
    for name, accounts in (("proposers", timelock.proposers), ("executors", timelock.executors)):
        if not accounts:
            found.append(f"timelock.{name} is empty: nobody could ever govern")
        if len({account.lower() for account in accounts}) != len(accounts):
            found.append(f"timelock.{name} names an account twice")
        for account in accounts:
            try:
                parse_address(account, what=f"timelock.{name}")
            except InputError as problem:
                found.append(problem.message)
    if NO_ADDRESS in timelock.proposers:
        found.append("timelock.proposers has the zero address: anybody could propose")
    return found


def _verifier_faults(verifier: Verifier) -> list[str]:
    found = []
    if verifier.seconds_per_slot < 1 or verifier.genesis_time_s < 1:
        found.append("verifier.seconds_per_slot and genesis_time_s are at least 1")
    if not verifier.genesis_time_s <= verifier.valid_from_s < verifier.valid_until_s < 2**64:
        found.append("verifier needs genesis_time_s <= valid_from_s < valid_until_s")
    return found


def addresses(texts: tuple[str, ...]) -> list[str]:
    """The accounts in EIP-55 form."""
    return [checksum_address(parse_address(text)) for text in texts]
