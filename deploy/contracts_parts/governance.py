"""The functions governance may call, with arguments as people write them. Pure.

Reads calls back, too, whoever made them: what it cannot read it shows as it is, and never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode

from deploy.contracts_parts import calls, human
from deploy.contracts_parts.timelock import ADMIN_ROLE, ROLES, Call
from sdk.errors import InputError, UsageError
from sdk.types import checksum_address, parse_address


@dataclass(frozen=True, slots=True)
class Kind:
    """How an argument is read and shown."""

    parse: Callable[[str], int | str]
    show: Callable[[int], str]
    example: str


@dataclass(frozen=True, slots=True)
class Function:
    """One function of contracts/interfaces/IGovernance.sol.

    Attributes:
        kind: of its argument, None if it takes none.
        warning: what cannot be taken back.
        pays: its argument is the ether sent along.
    """

    signature: str
    kind: Kind | None
    warning: str = ""
    pays: bool = False


@dataclass(frozen=True, slots=True)
class GovernanceCall:
    """Calldata, and the same in words."""

    data: bytes
    value_wei: int
    words: str
    warning: str


def _address(text: str) -> str:
    return checksum_address(parse_address(text))


_AMOUNT = Kind(human.parse_amount_wei, human.amount, "0.001eth")
_FEE = Kind(human.parse_amount_wei, human.fee, "3.5gwei")
_TIME = Kind(human.parse_seconds, human.duration, "7days")
_BLOCKS = Kind(human.parse_blocks, human.blocks, "50190blocks")
_PERCENT = Kind(human.parse_percent, human.percent, "10%")
_COUNT = Kind(human.parse_count, lambda count: f"{count:,}", "3000")
_ADDRESS = Kind(_address, str, "0x…")
_LIQUIDATES = "Raising it can make clusters liquidatable: announce it."

FUNCTIONS = {
    "updateNetworkFee": Function("updateNetworkFee(uint256)", _FEE),
    "withdrawNetworkEarnings": Function("withdrawNetworkEarnings(uint256)", _AMOUNT),
    "updateOperatorFeeIncreaseLimit": Function("updateOperatorFeeIncreaseLimit(uint64)", _PERCENT),
    "updateDeclareOperatorFeePeriod": Function("updateDeclareOperatorFeePeriod(uint64)", _TIME),
    "updateExecuteOperatorFeePeriod": Function("updateExecuteOperatorFeePeriod(uint64)", _TIME),
    "updateLiquidationThresholdPeriod": Function(
        "updateLiquidationThresholdPeriod(uint64)", _BLOCKS, _LIQUIDATES
    ),
    "updateMinimumLiquidationCollateral": Function(
        "updateMinimumLiquidationCollateral(uint256)", _AMOUNT, _LIQUIDATES
    ),
    "updateMaximumOperatorFee": Function("updateMaximumOperatorFee(uint256)", _FEE),
    "updateMinimumOperatorEthFee": Function("updateMinimumOperatorEthFee(uint256)", _FEE),
    "updateValidatorsPerOperatorLimit": Function(
        "updateValidatorsPerOperatorLimit(uint32)", _COUNT
    ),
    "updateBeaconVerifier": Function(
        "updateBeaconVerifier(address)",
        _ADDRESS,
        "A hostile verifier sets any effective balance: check its code and window.",
    ),
    "freezeVerifier": Function(
        "freezeVerifier()", None, "The verifier can never be replaced again, at no fork."
    ),
    "renounceUpgrades": Function(
        "renounceUpgrades()", None, "The registry's code can never be replaced again."
    ),
    "coverDebt": Function("coverDebt()", _AMOUNT, pays=True),
    "transferOwnership": Function(
        "transferOwnership(address)",
        _ADDRESS,
        "Once accepted, the timelock no longer governs the registry.",
    ),
    "acceptOwnership": Function("acceptOwnership()", None),
}
UPGRADE_SIGNATURE = "upgradeToAndCall(address,bytes)"
DELAY_SIGNATURE = "updateDelay(uint256)"


def governance_call(name: str, arguments: list[str]) -> GovernanceCall:
    """The call that `name argument…` means.

    Raises:
        UsageError: no such function, or another number of arguments.
        InputError: an argument without its unit, or malformed.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise UsageError(
            f"governance has no function {name[:60]!r}",
            hint=f"It has {', '.join(FUNCTIONS)}.",
        )
    if len(arguments) != (function.kind is not None):
        example = f"{name} {function.kind.example}" if function.kind else name
        raise UsageError(f"{name} got {len(arguments)} arguments", hint=f"Write `{example}`.")
    value = function.kind.parse(arguments[0]) if function.kind else 0
    words = _words(name, function, value)
    if function.pays:
        return GovernanceCall(calls.call(function.signature), int(value), words, function.warning)
    given = [value] if function.kind else []
    try:
        data = calls.call(function.signature, *given)
    except Exception as problem:
        raise InputError(
            f"{arguments[0][:60]} does not fit {function.signature}", code="value_malformed"
        ) from problem
    return GovernanceCall(data, 0, words, function.warning)


def in_words(call: Call, *, registry: str, timelock: str) -> str:
    """What a call by the timelock would do; raw, if it is none that we can read.

    Only calls to the registry and to the timelock itself are read: elsewhere the same selector
    may mean anything.
    """
    readers = {registry: _registry_words, timelock: _timelock_words}
    read = readers.get(call.target)
    try:
        words = read(call) if read else ""
    except Exception:  # a proposer chooses these bytes, and eth_abi refuses them in many ways
        words = ""
    sends = f" and {human.amount(call.value)}" if call.value else ""
    if not words:
        return f"call {call.target} with 0x{call.data.hex()}{sends}"
    paid = any(
        function.pays and call.data == calls.selector(function.signature)
        for function in FUNCTIONS.values()
    )
    return words if paid else words + sends


def _registry_words(call: Call) -> str:
    """Empty if the registry has no such function."""
    if call.data[:4] == calls.selector(UPGRADE_SIGNATURE):
        target, then = _arguments(UPGRADE_SIGNATURE, call.data)
        tail = f" and call 0x{then.hex()}" if then else ""
        return f"upgrade to {_address(target)}{tail}"
    for name, function in FUNCTIONS.items():
        if call.data[:4] == calls.selector(function.signature):
            value, *_ = [*_arguments(function.signature, call.data), call.value]
            return _words(name, function, _address(value) if isinstance(value, str) else value)
    return ""


def _timelock_words(call: Call) -> str:
    """Empty if it is none of the functions that change the timelock's delay and roles."""
    if call.data[:4] == calls.selector(DELAY_SIGNATURE):
        (delay_s,) = _arguments(DELAY_SIGNATURE, call.data)
        return f"updateDelay {human.duration(delay_s)}"
    for name, preposition in (("grantRole", "to"), ("revokeRole", "from")):
        signature = f"{name}(bytes32,address)"
        if call.data[:4] == calls.selector(signature):
            role, account = _arguments(signature, call.data)
            names = {word: known for known, word in ROLES.items()} | {ADMIN_ROLE: "admin"}
            shown = names.get(role, f"0x{role.hex()}")
            return f"{name} {shown} {preposition} {_address(account)}"
    return ""


def _arguments(signature: str, data: bytes) -> tuple[Any, ...]:
    """The decoded arguments.

    Raises:
        ValueError: encoded in another way than ours, so the words might leave something out.
        Exception: whatever eth_abi raises on bytes that are no arguments.
    """
    found = decode(calls.types_of(signature), data[4:])
    if calls.call(signature, *found) != data:
        raise ValueError("an unusual encoding")
    return found


def _words(name: str, function: Function, value: int | str) -> str:
    if function.kind is None:
        return name
    shown = value if isinstance(value, str) else function.kind.show(value)
    return f"{name} {shown}"
