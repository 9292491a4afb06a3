"""Proposes and executes timelock operations on a registry, and lists those that wait.

Every call is tried first as the timelock would make it, so a proposal that cannot succeed is
refused today rather than after the delay. Without an account, or without a role, the calldata is
printed for a Safe or any other wallet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.contracts_parts import calls, checks, governance, timelock
from deploy.contracts_parts.chain import Chain, Reverted
from deploy.contracts_parts.timelock import NOTHING, Call, Operation, Status
from sdk.errors import ChainError, ConfigError, InputError
from sdk.toolchain.compile import compile_contracts
from sdk.types import parse_hex

MAX_EQUAL_OPERATIONS = 1_000
"""How often the same call may have been proposed before a salt must be chosen by hand."""


def require_same_chain(chain: Chain, document: Mapping[str, Any]) -> None:
    """Refuses an addresses file of another chain.

    Raises:
        ConfigError: `wrong_chain`.
    """
    if (chain.chain_id, chain.genesis) != (document["chain_id"], document["genesis"]):
        raise ConfigError(
            f"the addresses are of chain {document['chain_id']} ({document['genesis']}), "
            f"the node's is {chain.chain_id} ({chain.genesis})",
            code="wrong_chain",
            hint="Check --rpc-url and --addresses.",
        )


def operation_for(
    chain: Chain,
    document: Mapping[str, Any],
    data: bytes,
    *,
    value_wei: int = 0,
    predecessor: bytes = NOTHING,
    salt: bytes | None = None,
) -> Operation:
    """The call to the registry as an operation that was never proposed before.

    Without a salt the first of 0, 1, 2, … is taken whose operation the timelock does not know.
    """
    wanted = (Call(str(document["registry"]), value_wei, data),)
    if salt is not None:
        return Operation(wanted, predecessor, salt)
    for number in range(MAX_EQUAL_OPERATIONS):
        operation = Operation(wanted, predecessor, number.to_bytes(32, "big"))
        if status_of(chain, document, operation.id).state == "unknown":
            return operation
    raise InputError("this call was proposed too often", hint="Choose a --salt of your own.")


def status_of(chain: Chain, document: Mapping[str, Any], operation_id: bytes) -> Status:
    """Where an operation stands."""
    timestamp = chain.read(
        document["timelock"], "getTimestamp(bytes32)", operation_id, returns="uint256"
    )
    return timelock.status(timestamp, now_s=chain.now_s())


def operations(chain: Chain, document: Mapping[str, Any]) -> dict[bytes, Operation]:
    """Every operation ever proposed, by id."""
    topics = [["0x" + each.hex() for each in (timelock.SCHEDULED_TOPIC, timelock.SALTED_TOPIC)]]
    first = min(int(entry["block"]) for entry in document["contracts"].values())
    return timelock.operations_in(chain.logs(document["timelock"], topics, from_block=first))


def find_operation(chain: Chain, document: Mapping[str, Any], operation_id: str) -> Operation:
    """The proposed operation of that id.

    Raises:
        InputError: never proposed.
    """
    key = parse_hex(operation_id, what="operation id", length=32)
    found = operations(chain, document).get(key)
    if found is None:
        raise InputError(
            f"operation 0x{key.hex()} was never proposed to {document['timelock']}",
            code="operation_unknown",
            hint="`phalanx deploy queue` lists operations.",
        )
    return found


def try_as_timelock(chain: Chain, document: Mapping[str, Any], operation: Operation) -> None:
    """Makes the proposed call as the timelock would, now, without sending it.

    Raises:
        ChainError: `would_revert`, with the registry's reason.
    """
    lock, (wanted,) = str(document["timelock"]), operation.calls
    # An operation that carries ether gets it from whoever executes it.
    richer = {lock: {"balance": hex(operation.value)}} if operation.value else None
    try:
        chain.call(
            wanted.target,
            wanted.data,
            sender=lock,
            value=wanted.value,
            overrides=richer,
        )
    except Reverted as refused:
        raise ChainError(
            f"the registry would refuse this: {reason(refused.reason_data)}",
            code="would_revert",
            hint="If an earlier operation makes it possible, name that with --predecessor and "
            "give --skip-trial.",
        ) from None


def try_to_execute(
    chain: Chain, document: Mapping[str, Any], operation: Operation, sender: str
) -> None:
    """Executes an operation that is ready, every call of it, without sending it.

    Raises:
        ChainError: `would_revert`, with the reason of the call that fails.
    """
    richer = {sender: {"balance": hex(operation.value)}} if operation.value else None
    try:
        chain.call(
            document["timelock"],
            operation.execute_call(),
            sender=sender,
            value=operation.value,
            overrides=richer,
        )
    except Reverted as refused:
        raise ChainError(
            f"operation 0x{operation.id.hex()} would fail: {reason(refused.reason_data)}",
            code="would_revert",
            hint="Nothing was sent. A proposer can cancel the operation.",
        ) from None


def is_proposer(chain: Chain, document: Mapping[str, Any], account: str) -> bool:
    """Whether the account may propose."""
    return checks.has_role(chain, document["timelock"], timelock.ROLES["proposer"], account)


def require_proposer(chain: Chain, document: Mapping[str, Any], account: str) -> None:
    """Refuses to propose by an account that may not.

    Raises:
        ChainError: `not_proposer`.
    """
    if not is_proposer(chain, document, account):
        raise ChainError(
            f"{account} is no proposer of timelock {document['timelock']}",
            code="not_proposer",
            hint="Without --broadcast this prints the calldata for those who are.",
        )


def require_ready(
    chain: Chain, document: Mapping[str, Any], operation: Operation, sender: str
) -> None:
    """Refuses to execute what cannot be executed yet, or any more, or not by this account.

    Raises:
        ChainError: `operation_waiting`, `operation_done`, `operation_unknown`,
            `predecessor_open` or `not_executor`.
    """
    found = status_of(chain, document, operation.id)
    name = f"operation 0x{operation.id.hex()}"
    if found.state != "ready":
        words = timelock.status_words(found, now_s=chain.now_s())
        raise ChainError(f"{name} cannot be executed: {words}", code=f"operation_{found.state}")
    if operation.predecessor != NOTHING:
        earlier = status_of(chain, document, operation.predecessor)
        if earlier.state != "done":
            raise ChainError(
                f"{name} comes after 0x{operation.predecessor.hex()}, which is {earlier.state}",
                code="predecessor_open",
            )
    role, lock = timelock.ROLES["executor"], document["timelock"]
    anybody = "0x" + "00" * 20
    if not any(checks.has_role(chain, lock, role, account) for account in (anybody, sender)):
        raise ChainError(f"{sender} is no executor of {lock}", code="not_executor")


def compare_reads(chain: Chain, document: Mapping[str, Any], new_core: str) -> list[str]:
    """Getters that would answer differently under the new code; none means the state survives.

    The new code is put in the place of the old for one call at a time, on the real storage.
    """
    registry = str(document["registry"])
    current = chain.implementation(registry)
    swapped = {current: {"code": "0x" + chain.code(new_core).hex()}}
    found = []
    for signature in _plain_getters():
        data = calls.call(signature)
        try:
            before = chain.call(registry, data)
        except Reverted:
            continue  # new in this version: nothing to compare with
        try:
            after = chain.call(registry, data, overrides=swapped)
        except Reverted as refused:
            found.append(f"{signature} would revert: {reason(refused.reason_data)}")
            continue
        if before != after:
            found.append(f"{signature} was 0x{before.hex()} and would be 0x{after.hex()}")
    return found


def reason(data: bytes) -> str:
    """A revert's reason by the names in our contracts."""
    contracts = compile_contracts()
    names = ("Registry", "RegistryExtension", "TimelockController", "ERC1967Utils")
    return calls.revert_reason(data, [contracts[name].abi for name in names if name in contracts])


def facts(operation: Operation, *, delay_s: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """What a proposer needs to know, as plain values."""
    return {
        "operation": "0x" + operation.id.hex(),
        "value_wei": operation.value,
        "predecessor": "0x" + operation.predecessor.hex(),
        "salt": "0x" + operation.salt.hex(),
        "delay_s": delay_s,
        "timelock": document["timelock"],
        **words_of(operation, document),
        "schedule_calldata": "0x" + operation.schedule_call(delay_s).hex(),
        "execute_calldata": "0x" + operation.execute_call().hex(),
    }


def words_of(operation: Operation, document: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation does: in `words` as a whole, and in `calls` one by one."""
    listed = [
        {
            "target": each.target,
            "value_wei": each.value,
            "calldata": "0x" + each.data.hex(),
            "words": governance.in_words(
                each, registry=document["registry"], timelock=document["timelock"]
            ),
        }
        for each in operation.calls
    ]
    return {"words": "; ".join(str(each["words"]) for each in listed), "calls": listed}


def _plain_getters() -> list[str]:
    """Views without arguments that describe state; the version is pure, so not among them."""
    return sorted(
        calls.signature_of(entry)
        for entry in compile_contracts()["RegistryExtension"].abi
        if entry["type"] == "function"
        and entry["stateMutability"] == "view"
        and not entry["inputs"]
    )
