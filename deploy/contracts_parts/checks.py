"""What must be true of a finished deployment, read from the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.contracts_parts import calls, plan
from deploy.contracts_parts.build import Contract
from deploy.contracts_parts.chain import Chain, Reverted
from deploy.contracts_parts.parameters import NO_ADDRESS, Parameters, addresses
from deploy.contracts_parts.timelock import ADMIN_ROLE, ROLES
from sdk.errors import ChainError

_GETTERS = {
    "owner": "owner() address",
    "networkFee": "getNetworkFee() uint256",
    "liquidationThresholdPeriod": "getLiquidationThresholdPeriod() uint64",
    "minimumLiquidationCollateral": "getMinimumLiquidationCollateral() uint256",
    "minimumOperatorFee": "getMinimumOperatorEthFee() uint256",
    "maximumOperatorFee": "getMaximumOperatorFee() uint256",
    "validatorsPerOperatorLimit": "getValidatorsPerOperatorLimit() uint32",
    "operatorFeeIncreaseLimit": "getOperatorFeeIncreaseLimit() uint64",
}


def require_sound(
    chain: Chain,
    *,
    parameters: Parameters,
    contracts: Mapping[str, Contract],
    known: Mapping[str, str],
    deployer: str,
) -> list[str]:
    """Everything that was checked, in words.

    Raises:
        ChainError: `deployment_unsound`, with every fault; do not use these addresses.
    """
    found = _registry(chain, parameters, known)
    found += _timelock(chain, parameters, known["timelock"], deployer)
    call = plan.initialize_call(contracts["RegistryExtension"], parameters, known)
    for name in ("extension", "core", "proxy"):
        if not _refused(chain, known[name], call):
            found.append(f"anybody can initialise the {name} at {known[name]}")
    if found:
        raise ChainError(
            "the deployment is not what was planned: " + "; ".join(found),
            code="deployment_unsound",
            hint="Do not use or announce these addresses.",
            data={"faults": found},
        )
    return [
        "every getter answers the planned value",
        "the registry's owner is the timelock; nobody else is offered ownership",
        "the timelock administers itself; the deployer has no role beyond those in the file",
        "neither implementation nor extension nor registry can be initialised again",
    ]


def has_role(chain: Chain, timelock: str, role: bytes, account: str) -> bool:
    """Whether the timelock grants the role."""
    answer = chain.read(timelock, "hasRole(bytes32,address)", role, account, returns="bool")
    return bool(answer)


def _registry(chain: Chain, parameters: Parameters, known: Mapping[str, str]) -> list[str]:
    registry, found = known["proxy"], []
    wanted = plan.registry_values(parameters, known)
    for name, getter in _GETTERS.items():
        signature, returns = getter.split(" ")
        if not _same(chain.read(registry, signature, returns=returns), wanted[name]):
            found.append(f"{signature} is not {wanted[name]}")
    periods = chain.read(registry, "getOperatorFeePeriods()", returns="uint64,uint64")
    if periods != (wanted["declareOperatorFeePeriod"], wanted["executeOperatorFeePeriod"]):
        found.append(f"getOperatorFeePeriods() is {periods}")
    verifier, frozen = chain.read(registry, "getBeaconVerifier()", returns="address,bool")
    if not _same(verifier, wanted["beaconVerifier"]) or frozen:
        found.append(f"getBeaconVerifier() is {verifier}, frozen: {frozen}")
    if chain.implementation(registry) != known["core"]:
        found.append("the proxy has another implementation")
    if not _same(chain.read(registry, "pendingOwner()", returns="address"), NO_ADDRESS):
        found.append("ownership is offered to somebody")
    return found


def _timelock(chain: Chain, parameters: Parameters, timelock: str, deployer: str) -> list[str]:
    found = []
    delay = chain.read(timelock, "getMinDelay()", returns="uint256")
    if delay != parameters.timelock.min_delay_s:
        found.append(f"the timelock's delay is {delay} s")
    if not has_role(chain, timelock, ADMIN_ROLE, timelock):
        found.append("the timelock does not administer itself")
    proposers = addresses(parameters.timelock.proposers)
    granted = {
        "proposer": proposers,
        "canceller": proposers,
        "executor": addresses(parameters.timelock.executors),
    }
    for role, accounts in granted.items():
        found += [
            f"{account} is no {role}"
            for account in accounts
            if not has_role(chain, timelock, ROLES[role], account)
        ]
        if deployer not in accounts and has_role(chain, timelock, ROLES[role], deployer):
            found.append(f"the deployer is {role}")
    if has_role(chain, timelock, ADMIN_ROLE, deployer):
        found.append("the deployer administers the timelock")
    return found


def _refused(chain: Chain, address: str, call: bytes) -> bool:
    try:
        chain.call(address, call)
    except Reverted as refused:
        return refused.reason_data[:4] == calls.selector("InvalidInitialization()")
    return False


def _same(answer: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return str(answer).lower() == wanted.lower()
    return bool(answer == wanted)
