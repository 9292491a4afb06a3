"""From a sent transaction to its receipt, or to the reason why it failed.

Pure operations.
"""

from __future__ import annotations

from typing import Any, Final

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.client.addresses import to_raw
from sdk.client.calls import Deployment, call_with
from sdk.client.contract_errors import RegistryError
from sdk.client.draft import Draft, Receipt
from sdk.client.logs import read_log
from sdk.client.operation import Operation, Pause, Rpc, result_of
from sdk.client.reads import owner_nonce
from sdk.client.sending import Context, call_request
from sdk.errors import ChainError, NetworkError, PhalanxError
from sdk.events import EVENT_ABIS, Undecodable, decode
from sdk.events.types import ValidatorAdded
from sdk.types import BlockNumber, parse_address

_ADDED_TOPIC: Final = next(
    "0x" + abi.topic.hex() for abi in EVENT_ABIS if abi.event_class is ValidatorAdded
)


def wait(context: Context, draft: Draft, transaction_hash: HexBytes) -> Operation[Receipt]:
    """The receipt, once the transaction is mined.

    Raises:
        RegistryError: it was mined and reverted; `data` names transaction and block.
        NetworkError: `receipt_timeout`; it may still be mined.
        ChainError: `nonce_shifted`, registered, but with other nonces than the keyshares have.
    """
    text = transaction_hash.to_0x_hex()
    patience = context.patience
    request = Rpc("eth_getTransactionReceipt", (text,), f"receipt of {text}")
    waited_s = 0.0
    while (found := (yield from result_of(request))) is None:
        if waited_s >= patience.receipt_timeout_s:
            raise NetworkError(
                f"transaction {text} was not mined within {patience.receipt_timeout_s:g} seconds",
                code="receipt_timeout",
                hint="It may still be mined: look for it before sending anything again.",
                data={"transaction_hash": text},
            )
        yield Pause(patience.poll_s)
        waited_s += max(patience.poll_s, 0.001)
    if int(found["status"], 16) != 1:
        raise (yield from _revert_reason(context, draft, found))
    receipt = _receipt(found, context.deployment)
    if draft.nonces and draft.sender is not None:
        yield from _check_nonces_used(context.deployment, draft, found)
    return receipt


def _check_nonces_used(deployment: Deployment, draft: Draft, found: Any) -> Operation[None]:
    """Return if the registration got the nonces that its keyshares are made for."""
    owner, wanted = draft.sender, draft.nonces
    if owner is None:
        return
    yield from require_first_nonce(deployment, owner, found, wanted[0])


def require_first_nonce(
    deployment: Deployment, owner: ChecksumAddress, found: Any, first: int
) -> Operation[None]:
    """Return if the mined registration `found`, a receipt, used the owner's nonces from `first` on.

    Raises:
        ChainError: `nonce_shifted`.
        NetworkError: the node cannot tell, for example as it has dropped that block's state.
    """
    after = yield from owner_nonce(deployment, owner, block=int(found["blockNumber"], 16))
    # The state is that after the whole block, in which other registrations may have followed.
    used = after - (yield from _registered_since(deployment, owner, found))
    if used != first:
        raise ChainError(
            f"transaction {found['transactionHash']} is mined, but registered from nonce {used} "
            f"of {owner} on, not from {first}",
            code="nonce_shifted",
            hint="Another registration came in between. Check which validators nodes refuse, "
            "remove them and register them again with fresh keyshares.",
            data={"first": used, "after": after, "expected": first},
        )


def _registered_since(deployment: Deployment, owner: ChecksumAddress, found: Any) -> Operation[int]:
    """Validators of the owner registered in the transaction and after it in its block.

    Each uses one nonce and leaves one log.
    """
    wanted = {
        "address": deployment.registry,
        "blockHash": found["blockHash"],
        "topics": [_ADDED_TOPIC, "0x" + to_raw(owner).hex().rjust(64, "0")],
    }
    subject = f"registrations of {owner} in block {int(found['blockNumber'], 16)}"
    logs = yield from result_of(Rpc("eth_getLogs", (wanted,), subject))
    own = int(found["transactionIndex"], 16)
    return sum(read_log(each).transaction_index >= own for each in logs)


def _revert_reason(context: Context, draft: Draft, found: Any) -> Operation[PhalanxError]:
    """Why a mined call failed: replayed on the state before its block, then after."""
    number = int(found["blockNumber"], 16)
    facts = {"transaction_hash": found["transactionHash"], "block_number": number}
    for block in (number - 1, number):
        try:
            yield from call_with(call_request(context, draft), block=block, subject=draft.action)
        except RegistryError as reason:
            reason.data.update(facts)
            return reason
        except NetworkError:
            break  # a node that has dropped the state already
    return ChainError(
        f"{draft.action}: transaction {found['transactionHash']} was mined in block {number} and "
        "reverted, for a reason that a replay does not show",
        code="reverted",
        hint="It may have run out of gas, or met another state within its block.",
        data=facts,
    )


def _receipt(found: Any, deployment: Deployment) -> Receipt:
    registry = parse_address(deployment.registry)
    logs = [read_log(each) for each in found["logs"]]
    decoded = [decode(log.topics, log.data) for log in logs if log.address == registry]
    return Receipt(
        transaction_hash=HexBytes(found["transactionHash"]),
        block_number=BlockNumber(int(found["blockNumber"], 16)),
        gas_used=int(found["gasUsed"], 16),
        gas_price_wei=int(found.get("effectiveGasPrice") or "0x0", 16),
        events=tuple(event for event in decoded if not isinstance(event, Undecodable)),
    )
