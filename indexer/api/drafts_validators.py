"""Calls on validators as calldata, from the tables alone: unsigned, and never sent from here.

Pure. Keyshares are judged elsewhere (`keyshares`); here the operators, the cluster and its funds.

Source: docs/contracts.md; contracts/parts/Validators.sol.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from indexer.api.drafts import STALE, DraftCall, snapshot_tuple
from sdk.client.abi import encode_call
from sdk.client.transaction import check_calldata
from sdk.errors import ChainError
from sdk.registry import Operator, Parties, Validator, effects, runway
from sdk.shares.keyshares_file import KeyShare
from sdk.types import BlockNumber, OperatorId, Wei


def register(
    parties: Parties, shares: Sequence[KeyShare], *, nonce: int, amount_wei: Wei, at: BlockNumber
) -> DraftCall:
    """Registers validators in the order of their entries, and pays into the cluster.

    Args:
        parties: the cluster, which may be a new one, its operators and the network.
        shares: entries, all for this cluster's operators.
        nonce: the owner's next one.
        amount_wei: to pay in.
        at: block of all this; the call is taken to be in the next one.

    Raises:
        ChainError: `cluster_liquidated`, `underfunded`, `calldata_too_large`.
    """
    cluster, following = parties.cluster, BlockNumber(at + 1)
    if not cluster.snapshot.active:
        raise ChainError(
            "the cluster is liquidated", code="cluster_liquidated", hint="Reactivate it first."
        )
    count = len(shares)
    least_wei = runway.deposit_needed_wei(parties, for_blocks=0, at=following, new_validators=count)
    if amount_wei < least_wei:
        raise ChainError(
            f"a deposit of {amount_wei} wei leaves the cluster liquidatable at once: "
            f"{least_wei} wei are the least",
            code="underfunded",
            hint="More of it lasts longer; runway_days says for how long.",
        )
    struct = snapshot_tuple(cluster.snapshot)
    keys = [bytes(each.public_key) for each in shares]
    data = [each.shares_data for each in shares]
    arguments: tuple[Any, ...] = (keys, cluster.operator_ids, data, struct)
    function = "bulkRegisterValidator"
    if count == 1:
        function, arguments = "registerValidator", (keys[0], cluster.operator_ids, data[0], struct)
    encoded = encode_call(function, arguments)
    check_calldata(encoded, items=count)
    after = effects.register(parties, validators=count, deposit_wei=amount_wei, at=following)
    return DraftCall(
        function=function,
        data=encoded,
        value_wei=amount_wei,
        sender=cluster.owner,
        balance_after_wei=after.cluster.snapshot.balance_wei,
        warnings=(STALE, "Void if the owner registers anything else before it."),
        snapshot=cluster.snapshot,
        nonces=tuple(range(nonce, nonce + count)),
    )


def remove(parties: Parties, records: Sequence[Validator], *, at: BlockNumber) -> DraftCall:
    """Takes validators out of their cluster; their operators stop at once.

    Args:
        parties: their cluster.
        records: of it, at least one.
        at: block of all this.
    """
    cluster = parties.cluster
    keys = [bytes(each.public_key) for each in records]
    struct = snapshot_tuple(cluster.snapshot)
    function, first = _one_or_many("removeValidator", "bulkRemoveValidator", keys)
    after = effects.remove(
        parties,
        validators=len(records),
        effective_balance_eth=sum(each.effective_balance_eth for each in records),
        at=BlockNumber(at + 1),
    )
    warnings = [STALE]
    if any(each.exit_requested_at is None and each.refusal is None for each in records):
        warnings.append("A validator that has not exited is penalised until it has.")
    return DraftCall(
        function=function,
        data=encode_call(function, (first, cluster.operator_ids, struct)),
        value_wei=Wei(0),
        sender=cluster.owner,
        balance_after_wei=after.cluster.snapshot.balance_wei,
        warnings=tuple(warnings),
        snapshot=cluster.snapshot,
    )


def exit_validators(parties: Parties, records: Sequence[Validator]) -> DraftCall:
    """Asks the operators to sign voluntary exits."""
    cluster = parties.cluster
    keys = [bytes(each.public_key) for each in records]
    function, first = _one_or_many("exitValidator", "bulkExitValidator", keys)
    warnings = ["An exit cannot be taken back."]
    refused = sum(each.refusal is not None for each in records)
    if refused:
        warnings.append(f"Nodes do not act on {refused} of these registrations.")
    asked = sum(each.exit_requested_at is not None for each in records)
    if asked:
        warnings.append(f"The exit of {asked} of them was asked for before.")
    if not cluster.snapshot.active:
        warnings.append("Nodes do nothing for a liquidated cluster.")
    return DraftCall(
        function=function,
        data=encode_call(function, (first, cluster.operator_ids)),
        value_wei=Wei(0),
        sender=cluster.owner,
        balance_after_wei=None,
        warnings=tuple(warnings),
    )


def require_fit(
    operators: Mapping[OperatorId, Operator],
    ids: Sequence[OperatorId],
    *,
    added: int,
    limit: int,
    admitting: Collection[OperatorId],
) -> list[str]:
    """Warnings about operators that take so many more validators of an owner.

    Args:
        operators: those that exist.
        ids: of the cluster.
        added: validators.
        limit: most validators of one operator.
        admitting: operators that have the owner on their own lists.

    Raises:
        ChainError: `operator_unknown`, `operator_removed`, `operator_full`, `operator_private`.
    """
    warnings = []
    for operator_id in ids:
        each = operators.get(operator_id)
        if each is None:
            raise _unfit(operator_id, "operator_unknown", "does not exist")
        if each.removed_at is not None:
            raise _unfit(operator_id, "operator_removed", "is removed")
        if each.validator_count + added > limit:
            raise _unfit(
                operator_id,
                "operator_full",
                f"has {each.validator_count} validators; {added} more exceed its limit of {limit}",
            )
        if each.is_private and operator_id not in admitting:
            if each.whitelisting_contract is None:
                raise _unfit(operator_id, "operator_private", "does not admit this owner")
            warnings.append(f"A contract decides whether operator {operator_id} admits this owner.")
    return warnings


def _one_or_many(one: str, many: str, keys: list[bytes]) -> tuple[str, Any]:
    return (one, keys[0]) if len(keys) == 1 else (many, keys)


def _unfit(operator_id: int, code: str, problem: str) -> ChainError:
    return ChainError(
        f"operator {operator_id} {problem}", code=code, hint="Choose another one, or ask its owner."
    )
