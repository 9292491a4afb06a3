"""Operators: reading them, registering them, their fees, earnings and who may use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sdk.client import reads
from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.calls import BlockTag, block_header, call_one
from sdk.client.draft import Draft
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.search import operator_keys
from sdk.client.values import DeclaredOperatorFee, OperatorState
from sdk.client.verbs import verb
from sdk.crypto.operator_key_text import read_public_key, write_public_key
from sdk.errors import ChainError, InputError
from sdk.events import operator_public_key_bytes
from sdk.types import OperatorId, Wei
from sdk.units import format_ether, units_exact


class OperatorVerbs(Part):
    """Amounts are wei; fees are wei per block and 32 ETH, multiples of 100,000 wei."""

    @verb
    def get(
        self, operator_id: int, *, block: BlockTag = "latest", with_key: bool = False
    ) -> Operation[OperatorState]:
        """An operator that was registered, removed or not.

        Args:
            operator_id: its id.
            block: where to read.
            with_key: also search the logs for its public key.

        Raises:
            ChainError: `operator_not_found`.
        """
        head = yield from block_header(block)
        state = yield from reads.known_operator(self._deployment, operator_id, block=head.number)
        if not with_key:
            return state
        keys = yield from operator_keys(self._deployment, [operator_id], last_block=head.number)
        return replace(state, public_key=keys.get(OperatorId(operator_id)))

    @verb
    def list(self, ids: Sequence[int] | None = None) -> Operation[list[OperatorState]]:
        """Operators with their public keys, by id; all, removed ones included, if `ids` is None.

        Raises:
            ChainError: `operator_not_found`.
        """
        return (yield from reads.list_operators(self._deployment, ids))

    @verb
    def earnings_wei(self, operator_id: int, *, block: BlockTag = "latest") -> Operation[Wei]:
        """What the operator can withdraw."""
        found = yield from call_one(
            self._deployment, "getOperatorEarnings", operator_id, block=block
        )
        return Wei(found)

    @verb
    def declared_fee(
        self, operator_id: int, *, block: BlockTag = "latest"
    ) -> Operation[DeclaredOperatorFee | None]:
        """The fee the operator has announced and not executed, if any."""
        is_declared, fee_wei, begin, end = yield from call_one(
            self._deployment, "getOperatorDeclaredFee", operator_id, block=block
        )
        return DeclaredOperatorFee(Wei(fee_wei), begin, end) if is_declared else None

    @verb
    def admits(
        self, operator_ids: Sequence[int], account: AddressLike, *, block: BlockTag = "latest"
    ) -> Operation[tuple[OperatorId, ...]]:
        """Those of the operators whose whitelist or contract names the account."""
        found = yield from call_one(
            self._deployment,
            "getWhitelistedOperators",
            sorted(set(operator_ids)),
            to_checksum(account),
            block=block,
        )
        return tuple(found)

    @preparing
    def register(self, public_key: str, *, fee_wei: int, private: bool = False) -> Operation[Draft]:
        """Registers an operator; the event `OperatorAdded` in the receipt tells its id.

        Args:
            public_key: RSA-2048 key in any spelling; it is registered in the canonical one.
            fee_wei: 0, or within the network's bounds.
            private: only accounts on its whitelist may use it.

        Raises:
            InputError: `operator_key_malformed`, `not_whole_units`.
            ChainError: `fee_out_of_bounds`.
        """
        text = write_public_key(read_public_key(public_key))
        yield from self._require_fee(fee_wei)
        kind = "private" if private else "public"
        return Draft(
            function="registerOperator",
            arguments=(operator_public_key_bytes(text), fee_wei, private),
            action=f"register a {kind} operator at a fee of {fee_wei} wei per block and 32 ETH",
        )

    @preparing
    def remove(self, operator_id: int) -> Operation[Draft]:
        """Removes an operator for good and pays out its earnings. Its clusters go on without it."""
        return (yield from self._own("removeOperator", operator_id, action="remove operator {}"))

    @preparing
    def declare_fee(self, operator_id: int, *, fee_wei: int) -> Operation[Draft]:
        """Announces a fee; it can be executed after the declare period.

        Raises:
            InputError: `not_whole_units`.
            ChainError: `fee_out_of_bounds`.
        """
        yield from self._require_fee(fee_wei)
        action = f"declare a fee of {fee_wei} wei per block and 32 ETH for operator {{}}"
        return (yield from self._own("declareOperatorFee", operator_id, fee_wei, action=action))

    @preparing
    def execute_fee(self, operator_id: int) -> Operation[Draft]:
        """Puts a declared fee into force, within its window."""
        action = "execute the declared fee of operator {}"
        return (yield from self._own("executeOperatorFee", operator_id, action=action))

    @preparing
    def cancel_fee(self, operator_id: int) -> Operation[Draft]:
        """Takes back a declared fee."""
        action = "cancel the declared fee of operator {}"
        return (yield from self._own("cancelDeclaredOperatorFee", operator_id, action=action))

    @preparing
    def reduce_fee(self, operator_id: int, *, fee_wei: int) -> Operation[Draft]:
        """Lowers the fee at once.

        Raises:
            InputError: `not_whole_units`.
            ChainError: `fee_out_of_bounds`.
        """
        yield from self._require_fee(fee_wei)
        action = f"reduce the fee of operator {{}} to {fee_wei} wei per block and 32 ETH"
        return (yield from self._own("reduceOperatorFee", operator_id, fee_wei, action=action))

    @preparing
    def withdraw(self, operator_id: int, *, amount_wei: int) -> Operation[Draft]:
        """Pays earnings to the operator's owner.

        Raises:
            InputError: `not_whole_units`; `amount_zero`, which the contract reads as everything.
        """
        if amount_wei <= 0:
            raise InputError(
                f"{amount_wei} wei is no amount", code="amount_zero", hint="Or use withdraw_all."
            )
        units_exact(amount_wei, what="withdrawal")
        action = f"withdraw {format_ether(amount_wei)} ETH of operator {{}}"
        function = "withdrawOperatorEarnings"
        return (yield from self._own(function, operator_id, amount_wei, action=action))

    @preparing
    def withdraw_all(self, operator_id: int) -> Operation[Draft]:
        """Pays all earnings to the operator's owner."""
        action = "withdraw all earnings of operator {}"
        return (yield from self._own("withdrawAllOperatorEarnings", operator_id, action=action))

    @preparing
    def set_private(self, operator_ids: Sequence[int]) -> Operation[Draft]:
        """From now on only whitelisted accounts may register validators with these operators."""
        return (yield from self._list("setOperatorsPrivateUnchecked", operator_ids, "make private"))

    @preparing
    def set_public(self, operator_ids: Sequence[int]) -> Operation[Draft]:
        """From now on anyone may register validators with these operators."""
        return (yield from self._list("setOperatorsPublicUnchecked", operator_ids, "make public"))

    @preparing
    def set_whitelist(
        self, operator_ids: Sequence[int], accounts: Sequence[AddressLike]
    ) -> Operation[Draft]:
        """Admits the accounts to all of these operators."""
        named = [to_checksum(each) for each in accounts]
        what = f"admit {len(named)} accounts to"
        return (yield from self._list("setOperatorsWhitelists", operator_ids, what, named))

    @preparing
    def remove_whitelist(
        self, operator_ids: Sequence[int], accounts: Sequence[AddressLike]
    ) -> Operation[Draft]:
        """Admits the accounts no longer; validators already registered stay."""
        named = [to_checksum(each) for each in accounts]
        what = f"no longer admit {len(named)} accounts to"
        return (yield from self._list("removeOperatorsWhitelists", operator_ids, what, named))

    @preparing
    def set_whitelisting_contract(
        self, operator_ids: Sequence[int], contract: AddressLike
    ) -> Operation[Draft]:
        """Lets a contract decide who may use these operators, beside their whitelists."""
        address = to_checksum(contract, what="whitelisting contract")
        function, what = "setOperatorsWhitelistingContract", f"let {address} admit accounts to"
        return (yield from self._list(function, operator_ids, what, address))

    @preparing
    def remove_whitelisting_contract(self, operator_ids: Sequence[int]) -> Operation[Draft]:
        """No contract decides any more; the whitelists stay."""
        function = "removeOperatorsWhitelistingContract"
        what = "remove the whitelisting contract of"
        return (yield from self._list(function, operator_ids, what))

    def _own(
        self, function: str, operator_id: int, *arguments: Any, action: str
    ) -> Operation[Draft]:
        """A call that only the owner of this operator may make."""
        state = yield from reads.known_operator(self._deployment, operator_id)
        _require_active(state)
        return Draft(
            function=function,
            arguments=(operator_id, *arguments),
            action=action.format(operator_id),
            sender=state.owner,
        )

    def _list(
        self, function: str, operator_ids: Sequence[int], what: str, *arguments: Any
    ) -> Operation[Draft]:
        """A call that only the owner of all of these operators may make."""
        ids = sorted(set(operator_ids))
        if not ids:
            raise InputError("no operator is named", code="operator_count")
        owners = set()
        for operator_id in ids:
            state = yield from reads.known_operator(self._deployment, operator_id)
            _require_active(state)
            owners.add(state.owner)
        if len(owners) > 1:
            raise ChainError(
                f"operators {', '.join(map(str, ids))} belong to {len(owners)} owners",
                code="owners_differ",
                hint="Make one call per owner.",
            )
        noun = "operator" if len(ids) == 1 else "operators"
        return Draft(
            function=function,
            arguments=(ids, *arguments),
            action=f"{what} {noun} {', '.join(map(str, ids))}",
            sender=owners.pop(),
        )

    def _require_fee(self, fee_wei: int) -> Operation[None]:
        units_exact(fee_wei, what="operator fee")
        lowest = yield from call_one(self._deployment, "getMinimumOperatorEthFee")
        highest = yield from call_one(self._deployment, "getMaximumOperatorFee")
        if fee_wei != 0 and not lowest <= fee_wei <= highest:
            raise ChainError(
                f"a fee of {fee_wei} wei is neither 0 nor between {lowest} and {highest} wei",
                code="fee_out_of_bounds",
                hint="The bounds are set by governance; see network.parameters().",
                data={"fee_wei": fee_wei, "minimum_wei": lowest, "maximum_wei": highest},
            )


def _require_active(state: OperatorState) -> None:
    if not state.is_active:
        raise ChainError(
            f"operator {state.operator_id} is removed",
            code="operator_removed",
            hint="A removed operator has no fee, no earnings and no settings.",
            data={"operator_id": state.operator_id},
        )


class Operators(OperatorVerbs, BlockingPart):
    """`client.operators`."""

    __slots__ = ()


class AsyncOperators(OperatorVerbs, AwaitingPart):
    """`client.operators` of the async client."""

    __slots__ = ()
