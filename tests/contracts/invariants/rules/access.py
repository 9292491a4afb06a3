"""Calls on whitelists and privacy: checks in order, then effect (contracts.md 6.1)."""

from __future__ import annotations

from collections.abc import Sequence

from sdk.events import types
from sdk.types import ADDRESS_BYTES, Address
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel, operator_ids
from tests.contracts.invariants.rules.operators import own
from tests.contracts.registry_in_evm import Failure

NO_ADDRESS = Address(bytes(ADDRESS_BYTES))
NO_IDS = Failure("InvalidOperatorIdsLength")


def set_private(model: FuzzModel, call: Call) -> Failure | None:
    """`setOperatorsPrivateUnchecked(operatorIds)`."""
    return _set_privacy(model, call, is_private=True)


def set_public(model: FuzzModel, call: Call) -> Failure | None:
    """`setOperatorsPublicUnchecked(operatorIds)`."""
    return _set_privacy(model, call, is_private=False)


def set_contract(model: FuzzModel, call: Call) -> Failure | None:
    """`setOperatorsWhitelistingContract(operatorIds, whitelistingContract)`."""
    contract = call.arguments[1]
    if contract not in model.surroundings.allow_lists:
        return Failure("InvalidWhitelistingContract", (contract,))
    return _set_contract(model, call, contract)


def remove_contract(model: FuzzModel, call: Call) -> Failure | None:
    """`removeOperatorsWhitelistingContract(operatorIds)`."""
    return _set_contract(model, call, NO_ADDRESS)


def set_lists(model: FuzzModel, call: Call) -> Failure | None:
    """`setOperatorsWhitelists(operatorIds, whitelistAddresses)`."""
    return _list(model, call, present=True)


def remove_lists(model: FuzzModel, call: Call) -> Failure | None:
    """`removeOperatorsWhitelists(operatorIds, whitelistAddresses)`."""
    return _list(model, call, present=False)


def _set_privacy(model: FuzzModel, call: Call, *, is_private: bool) -> Failure | None:
    ids = operator_ids(call, 0)
    failure = _not_owned(model, call, ids)
    if failure is not None:
        return failure
    for operator_id in ids:
        model.change_operator(operator_id, is_private=is_private)
    model.emit(types.OperatorPrivacyStatusUpdated(ids, is_private))
    return None


def _set_contract(model: FuzzModel, call: Call, contract: Address) -> Failure | None:
    ids = operator_ids(call, 0)
    failure = _not_owned(model, call, ids)
    if failure is not None:
        return failure
    for operator_id in ids:
        kept = None if contract == NO_ADDRESS else contract
        model.change_operator(operator_id, whitelisting_contract=kept)
    model.emit(types.OperatorWhitelistingContractUpdated(ids, contract))
    return None


def _not_owned(model: FuzzModel, call: Call, ids: Sequence[int]) -> Failure | None:
    if not ids:
        return NO_IDS
    for operator_id in ids:
        found = own(model, call, operator_id)
        if isinstance(found, Failure):
            return found
    return None


def _list(model: FuzzModel, call: Call, *, present: bool) -> Failure | None:
    ids, addresses = operator_ids(call, 0), call.arguments[1]
    failure = _list_failure(model, call, ids, addresses, present=present)
    if failure is not None:
        return failure
    for operator_id in ids:
        for address in addresses:
            model.list_address(operator_id, address, present=present)
    if present:
        model.emit(types.OperatorMultipleWhitelistUpdated(ids, tuple(addresses)))
    else:
        model.emit(types.OperatorMultipleWhitelistRemoved(ids, tuple(addresses)))
    return None


def _list_failure(
    model: FuzzModel,
    call: Call,
    ids: Sequence[int],
    addresses: Sequence[Address],
    *,
    present: bool,
) -> Failure | None:
    if not addresses:
        return Failure("InvalidWhitelistAddressesLength")
    if not ids:
        return NO_IDS
    previous = 0
    for operator_id in ids:
        found = own(model, call, operator_id)
        if isinstance(found, Failure):
            return found
        if operator_id == previous:
            return Failure("OperatorsListNotUnique")
        if operator_id < previous:
            return Failure("UnsortedOperatorsList")
        previous = operator_id
    for address in addresses:
        if address == NO_ADDRESS:
            return Failure("ZeroAddressNotAllowed")
        if present and address in model.surroundings.allow_lists:
            return Failure("AddressIsWhitelistingContract", (address,))
    return None
