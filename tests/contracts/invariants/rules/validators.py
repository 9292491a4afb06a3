"""Calls on validators: their checks in the contract's order, then their effect (contracts.md 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sdk.committee import shares_data_length
from sdk.events import EMPTY_SNAPSHOT, types
from sdk.registry import SignatureVerdict, ValidatorChanged, cluster_id, effects, ledger
from sdk.testing.model_registry import OperatorIds
from sdk.types import PUBLIC_KEY_BYTES, PublicKey, Wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel, operator_ids
from tests.contracts.invariants.rules.clusters import INSUFFICIENT, done, known
from tests.contracts.registry_in_evm import Failure

SIZES = (4, 7, 10, 13)


def register(model: FuzzModel, call: Call) -> Failure | None:
    """`registerValidator(publicKey, operatorIds, sharesData, cluster)`."""
    key, _, shares, _ = call.arguments
    return _register(model, call, [key], [shares])


def bulk_register(model: FuzzModel, call: Call) -> Failure | None:
    """`bulkRegisterValidator(publicKeys, operatorIds, sharesData, cluster)`."""
    keys, _, shares, _ = call.arguments
    if not keys:
        return Failure("EmptyPublicKeysList")
    if len(keys) != len(shares):
        return Failure("PublicKeysSharesLengthMismatch")
    return _register(model, call, keys, shares)


def remove(model: FuzzModel, call: Call) -> Failure | None:
    """`removeValidator(publicKey, operatorIds, cluster)`."""
    return _remove(model, call, [call.arguments[0]])


def bulk_remove(model: FuzzModel, call: Call) -> Failure | None:
    """`bulkRemoveValidator(publicKeys, operatorIds, cluster)`."""
    if not call.arguments[0]:
        return Failure("ValidatorDoesNotExist")
    return _remove(model, call, call.arguments[0])


def exit_(model: FuzzModel, call: Call) -> Failure | None:
    """`exitValidator(publicKey, operatorIds)`."""
    return _exit(model, call, [call.arguments[0]])


def bulk_exit(model: FuzzModel, call: Call) -> Failure | None:
    """`bulkExitValidator(publicKeys, operatorIds)`."""
    if not call.arguments[0]:
        return Failure("ValidatorDoesNotExist")
    return _exit(model, call, call.arguments[0])


def set_fee_recipient(model: FuzzModel, call: Call) -> Failure | None:
    """`setFeeRecipientAddress(recipientAddress)`."""
    model.set_fee_recipient(call.sender, call.arguments[0])
    model.emit(types.FeeRecipientAddressUpdated(call.sender, call.arguments[0]))
    return None


def _register(
    model: FuzzModel, call: Call, keys: Sequence[bytes], shares: Sequence[bytes]
) -> Failure | None:
    ids = operator_ids(call, 1)
    if len(ids) not in SIZES:
        return Failure("InvalidOperatorIdsLength")
    failure = _keys_failure(model, call, keys, shares, len(ids)) or _struct_failure(model, call)
    failure = failure or _operators_failure(model, call, ids, len(keys))
    if failure is not None:
        return failure
    parties = model.parties(call.sender, ids)
    value_wei = Wei(call.value_wei)
    after = effects.register(parties, validators=len(keys), deposit_wei=value_wei, at=model.block)
    if ledger.is_liquidatable(after, at=model.block):
        return INSUFFICIENT
    return done(
        model.register(
            call.sender,
            ids,
            [PublicKey(key) for key in keys],
            shares,
            value_wei=value_wei,
            verdict=SignatureVerdict.UNCHECKED,
        )
    )


def _keys_failure(
    model: FuzzModel, call: Call, keys: Sequence[bytes], shares: Sequence[bytes], operators: int
) -> Failure | None:
    seen: set[bytes] = set()
    for key, share in zip(keys, shares, strict=True):
        if len(key) != PUBLIC_KEY_BYTES:
            return Failure("InvalidPublicKeyLength")
        if key in seen or (call.sender, key) in model.state.validators:
            return Failure("ValidatorAlreadyExistsWithData", (key,))
        if len(share) != shares_data_length(operators):
            return Failure("InvalidSharesLength")
        seen.add(key)
    return None


def _struct_failure(model: FuzzModel, call: Call) -> Failure | None:
    cluster = model.cluster(call.sender, call.arguments[1])
    expected = EMPTY_SNAPSHOT if cluster is None else cluster.snapshot
    if call.arguments[3] != expected:
        return Failure("IncorrectClusterState")
    return None if expected.active else Failure("ClusterIsLiquidated")


def _operators_failure(
    model: FuzzModel, call: Call, ids: OperatorIds, added: int
) -> Failure | None:
    limit = model.state.network.parameters.validators_per_operator_limit
    for place, operator_id in enumerate(ids):
        if place and operator_id == ids[place - 1]:
            return Failure("OperatorsListNotUnique")
        if place and operator_id < ids[place - 1]:
            return Failure("UnsortedOperatorsList")
        operator = model.state.operators.get(operator_id)
        if operator is None or operator.removed_at is not None:
            return Failure("OperatorDoesNotExist")
        if not model.admits(operator, call.sender):
            return Failure("CallerNotWhitelistedWithData", (operator_id,))
        if operator.validator_count + added > limit:
            return Failure("ExceedValidatorLimitWithData", (operator_id,))
    return None


def _remove(model: FuzzModel, call: Call, keys: Sequence[bytes]) -> Failure | None:
    ids = operator_ids(call, 1)
    found = known(model, call.sender, ids, call.arguments[2])
    if isinstance(found, Failure):
        return found
    seen: set[bytes] = set()
    for key in keys:
        record = model.state.validators.get((call.sender, key))
        if key in seen or record is None or record.cluster_id != found.cluster_id:
            return Failure("IncorrectValidatorStateWithData", (key,))
        seen.add(key)
    return done(model.remove(call.sender, ids, [PublicKey(key) for key in keys]))


def _exit(model: FuzzModel, call: Call, keys: Sequence[bytes]) -> Failure | None:
    ids = operator_ids(call, 1)
    for key in keys:
        record = model.state.validators.get((call.sender, key))
        if record is None or record.cluster_id != cluster_id(call.sender, ids):
            return Failure("IncorrectValidatorStateWithData", (key,))
    for key in keys:
        before = model.state.validators[call.sender, key]
        if before.exit_requested_at is None:
            after = replace(before, exit_requested_at=model.block)
            model.state.commit([ValidatorChanged(before, after)])
        model.emit(types.ValidatorExited(call.sender, ids, key))
    return None
