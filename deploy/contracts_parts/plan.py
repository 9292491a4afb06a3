"""The steps of a deployment, what each depends on, and where it will end up. Pure.

Addresses follow from the deployer and its transaction count, so they are known before anything
is sent. Order: timelock, verifier, extension, core, proxy; the proxy's transaction also initialises
the registry with the timelock as its owner, so nobody ever finds it without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import encode

from deploy.contracts_parts import human
from deploy.contracts_parts.build import Contract
from deploy.contracts_parts.parameters import NO_ADDRESS, Parameters, addresses
from sdk.errors import InvariantBroken
from sdk.types import checksum_address, keccak256, parse_address

DEPLOYMENT = ("timelock", "verifier", "extension", "core", "proxy")
UPGRADE = ("extension", "core")
CONTRACTS = {
    "timelock": "TimelockController",
    "verifier": "BeaconVerifier",
    "extension": "RegistryExtension",
    "core": "Registry",
    "proxy": "ERC1967Proxy",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One contract to create.

    Attributes:
        creation: code and constructor arguments.
        arguments: encoded constructor arguments alone, as explorers ask for them.
        immutables: the values its code will hold, 32 bytes each, in any order.
        shown: constructor arguments in words.
    """

    name: str
    contract: Contract
    nonce: int
    address: str
    creation: bytes
    arguments: bytes
    immutables: tuple[bytes, ...]
    shown: tuple[str, ...]


def step_names(parameters: Parameters) -> tuple[str, ...]:
    """The steps of a deployment; without a verifier section there is none to create."""
    return tuple(name for name in DEPLOYMENT if name != "verifier" or parameters.verifier)


def make_step(
    name: str,
    *,
    parameters: Parameters,
    contracts: Mapping[str, Contract],
    known: Mapping[str, str],
    deployer: str,
    nonce: int,
) -> Step:
    """A step, given where the earlier ones are or will be (`known`)."""
    contract = contracts[CONTRACTS[name]]
    address = created_address(deployer, nonce)
    types, values, shown = _constructor(name, parameters, contracts, known)
    arguments = encode(types, values)
    return Step(
        name=name,
        contract=contract,
        nonce=nonce,
        address=address,
        creation=contract.creation + arguments,
        arguments=arguments,
        immutables=_immutables(name, parameters, known, address),
        shown=shown,
    )


def created_address(deployer: str, nonce: int) -> str:
    """Where a contract goes that the account creates with this transaction count."""
    packed: bytes = rlp.encode([bytes(parse_address(deployer, strict=False)), nonce])
    return checksum_address(keccak256(packed)[12:])


def registry_values(parameters: Parameters, known: Mapping[str, str]) -> dict[str, Any]:
    """Members of `InitialParameters` in the contract's order."""
    values = parameters.registry
    return {
        "owner": known["timelock"],
        "beaconVerifier": known.get("verifier", NO_ADDRESS),
        "networkFee": values.network_fee_wei,
        "liquidationThresholdPeriod": values.liquidation_threshold_period_blocks,
        "minimumLiquidationCollateral": values.minimum_liquidation_collateral_wei,
        "minimumOperatorFee": values.minimum_operator_fee_wei,
        "maximumOperatorFee": values.maximum_operator_fee_wei,
        "validatorsPerOperatorLimit": values.validators_per_operator_limit,
        "operatorFeeIncreaseLimit": values.operator_fee_increase_limit,
        "declareOperatorFeePeriod": values.declare_operator_fee_period_s,
        "executeOperatorFeePeriod": values.execute_operator_fee_period_s,
    }


def initialize_call(contract: Contract, parameters: Parameters, known: Mapping[str, str]) -> bytes:
    """Calldata of `initialize`; the member order is the ABI's, and must be ours."""
    entry = next(entry for entry in contract.abi if entry.get("name") == "initialize")
    members = entry["inputs"][0]["components"]
    values = registry_values(parameters, known)
    if [member["name"] for member in members] != list(values):
        raise InvariantBroken("InitialParameters has other members than the parameters file")
    tuple_type = "(" + ",".join(member["type"] for member in members) + ")"
    selector = keccak256(f"initialize({tuple_type})".encode())[:4]
    return selector + encode([tuple_type], [tuple(values.values())])


def _constructor(
    name: str,
    parameters: Parameters,
    contracts: Mapping[str, Contract],
    known: Mapping[str, str],
) -> tuple[list[str], list[Any], tuple[str, ...]]:
    """Types, values and words of a step's constructor arguments."""
    match name:
        case "timelock":
            lock = parameters.timelock
            proposers, executors = addresses(lock.proposers), addresses(lock.executors)
            shown = (
                f"minimum delay {human.duration(lock.min_delay_s)}",
                f"proposers and cancellers {', '.join(proposers)}",
                f"executors {', '.join(_account(each) for each in executors)}",
                "admin: none; later changes of roles wait in the timelock as everything does",
            )
            types = ["uint256", "address[]", "address[]", "address"]
            return types, [lock.min_delay_s, proposers, executors, NO_ADDRESS], shown
        case "verifier":
            window = _window(parameters)
            clock = (
                f"slot 0 at {human.moment(window[0])}, a slot every {window[1]} s",
                f"accepts roots from {human.moment(window[2])} until {human.moment(window[3])}",
            )
            return ["uint64"] * 4, list(window), clock
        case "extension":
            return [], [], ()
        case "core":
            return ["address"], [known["extension"]], (f"extension {known['extension']}",)
        case "proxy":
            call = initialize_call(contracts["RegistryExtension"], parameters, known)
            return ["address", "bytes"], [known["core"], call], _registry_words(parameters, known)
    raise InvariantBroken(f"no step {name}")


def _immutables(
    name: str, parameters: Parameters, known: Mapping[str, str], address: str
) -> tuple[bytes, ...]:
    match name:
        case "verifier":
            return tuple(value.to_bytes(32, "big") for value in _window(parameters))
        case "core":  # its extension, and its own address (UUPSUpgradeable)
            return tuple(
                bytes(12) + bytes(parse_address(each, strict=False))
                for each in (known["extension"], address)
            )
    return ()


def _window(parameters: Parameters) -> tuple[int, int, int, int]:
    verifier = parameters.verifier
    if verifier is None:
        raise InvariantBroken("a verifier step without its parameters")
    return (
        verifier.genesis_time_s,
        verifier.seconds_per_slot,
        verifier.valid_from_s,
        verifier.valid_until_s,
    )


def _registry_words(parameters: Parameters, known: Mapping[str, str]) -> tuple[str, ...]:
    values = parameters.registry
    return (
        f"implementation {known['core']}",
        f"owner {known['timelock']} (the timelock)",
        f"verifier {_verifier(known)}",
        f"network fee {human.fee(values.network_fee_wei)}",
        f"operator fee at least {human.fee(values.minimum_operator_fee_wei)}",
        f"operator fee at most {human.fee(values.maximum_operator_fee_wei)}",
        f"fee raise at most {human.percent(values.operator_fee_increase_limit)} at once",
        f"fee raise announced {human.duration(values.declare_operator_fee_period_s)} before, "
        f"then {human.duration(values.execute_operator_fee_period_s)} to execute it",
        f"liquidation {human.blocks(values.liquidation_threshold_period_blocks)} before a "
        "cluster runs dry",
        f"minimum collateral {human.amount(values.minimum_liquidation_collateral_wei)}",
        f"at most {values.validators_per_operator_limit:,} validators per operator",
    )


def _verifier(known: Mapping[str, str]) -> str:
    return known.get("verifier") or "none: effective balances stay at 32 ETH until one is chosen"


def _account(address: str) -> str:
    return "anybody" if address == NO_ADDRESS else address
