"""From a draft to a sent transaction: checks, fees, signature, sending.

Pure operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.client.calls import (
    Deployment,
    block_header,
    call_with,
    chain_id,
    hex_bytes,
    quantity,
    revert_or_refusal,
)
from sdk.client.draft import Draft
from sdk.client.operation import (
    Operation,
    Patience,
    Refused,
    Result,
    Rpc,
    refusal_error,
    result_of,
)
from sdk.client.reads import confirm_snapshot, owner_nonce
from sdk.client.signers import NodeSigner, Signer
from sdk.client.transaction import (
    MAX_TRANSACTION_GAS,
    SignedTransaction,
    Transaction,
    check_calldata,
    check_gas,
)
from sdk.errors import ChainError, ConfigError, PhalanxError, UsageError

GAS_MARGIN_PER_100: Final = 20
"""Added to an estimate: other calls may settle more before this one is mined."""
DEFAULT_TIP_WEI: Final = 10**9
"""For nodes that do not suggest a tip."""
BASE_FEE_FACTOR: Final = 2
"""Room for the base fee to rise for six full blocks while the transaction waits."""
_KNOWN: Final = re.compile(
    r"\b(?:already known|already imported|known transaction|alreadyknown)\b", re.IGNORECASE
)
"""Whole words: an unknown transaction type is something else."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all parts of one client share.

    Attributes:
        account: who calls; None for reading only.
        signer: who signs; None for export only.
    """

    deployment: Deployment
    account: ChecksumAddress | None
    signer: Signer | None
    patience: Patience


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas."""

    base_fee_wei: int
    priority_fee_wei: int

    @property
    def max_fee_wei(self) -> int:
        return BASE_FEE_FACTOR * self.base_fee_wei + self.priority_fee_wei


def sender_of(context: Context, draft: Draft) -> ChecksumAddress:
    """The account that sends the draft.

    Raises:
        UsageError: `account_missing`, `wrong_sender`.
    """
    sender = draft.sender or context.account
    if sender is None:
        raise UsageError(
            f"{draft.function}: nobody is named as the calling account",
            code="account_missing",
            hint="Give the client a signer, or an account for export.",
        )
    if context.account is not None and context.account != sender:
        raise UsageError(
            f"{draft.function} must come from {sender}, this client sends from {context.account}",
            code="wrong_sender",
            hint="Use the signer of that account.",
            data={"sender": sender, "account": context.account},
        )
    return sender


def require_chain(deployment: Deployment) -> Operation[int]:
    """The chain id, if it is that of the network the client was made for.

    Raises:
        ConfigError: `wrong_chain`.
    """
    found = yield from chain_id()
    network = deployment.network
    if network is not None and network.chain_id != found:
        raise ConfigError(
            f"the node follows chain {found}, {network.name} is chain {network.chain_id}",
            code="wrong_chain",
            hint="Use a node of that network.",
            data={"found": found, "expected": network.chain_id},
        )
    return found


def recheck(deployment: Deployment, draft: Draft) -> Operation[None]:
    """Return if nothing the draft rests on has changed: its snapshot, its nonces, its size.

    Raises:
        ChainError: `stale_snapshot`, `nonce_too_low`, `nonce_too_high`, `calldata_too_large`.
    """
    check_calldata(draft.call_data, items=draft.items)
    if draft.cluster is not None and draft.presents_snapshot:
        yield from confirm_snapshot(deployment, draft.cluster)
    if draft.nonces and draft.sender is not None:
        expected = yield from owner_nonce(deployment, draft.sender, block="pending")
        require_nonce(draft.nonces[0], expected=expected, owner=draft.sender)


def require_nonce(nonce: int, *, expected: int, owner: ChecksumAddress) -> None:
    """Return if the first nonce of a registration is the owner's next one.

    Raises:
        ChainError: `nonce_too_low`, `nonce_too_high`.
    """
    if nonce == expected:
        return
    is_low = nonce < expected
    raise ChainError(
        f"the keyshares are made for nonce {nonce}, the next nonce of {owner} is {expected}",
        code="nonce_too_low" if is_low else "nonce_too_high",
        hint=(
            "Split again from that nonce: nodes refuse every other, and the fees are charged."
            if is_low
            else "Register the validators before these first, or split again from that nonce."
        ),
        data={"nonce": nonce, "expected": expected, "owner": owner},
    )


def simulate(context: Context, draft: Draft) -> Operation[bytes]:
    """What the call would return if it were mined now.

    Raises:
        RegistryError: it would revert.
    """
    request = call_request(context, draft)
    return (yield from call_with(request, block="latest", subject=draft.action))


def estimate_gas(context: Context, draft: Draft) -> Operation[int]:
    """Gas the call needs now, without margin.

    Raises:
        RegistryError: it would revert.
        ChainError: `gas_too_high`, no block may contain it; `calldata_too_large`.
    """
    check_calldata(draft.call_data, items=draft.items)
    request = Rpc("eth_estimateGas", (call_request(context, draft),), draft.action)
    reply = yield request
    if isinstance(reply, Result):
        gas = int(reply.value, 16)
        check_gas(gas)
        return gas
    raise revert_or_refusal(request, reply)


def with_margin(gas: int) -> int:
    """A gas limit for an estimate."""
    return min(gas + gas * GAS_MARGIN_PER_100 // 100, MAX_TRANSACTION_GAS)


def current_fees() -> Operation[Fees]:
    """Base fee of the newest block and the tip the node suggests."""
    head = yield from block_header()
    reply = yield Rpc("eth_maxPriorityFeePerGas", (), "tip")
    suggested = reply.value if isinstance(reply, Result) else None
    if not isinstance(suggested, str) or not suggested.startswith("0x"):
        return Fees(head.base_fee_wei, DEFAULT_TIP_WEI)
    return Fees(head.base_fee_wei, int(suggested, 16))


def build(
    context: Context, draft: Draft, *, gas: int | None = None, nonce: int | None = None
) -> Operation[Transaction]:
    """The complete transaction; what is not given comes from the node."""
    sender = sender_of(context, draft)
    chain = yield from require_chain(context.deployment)
    if gas is None:
        gas = with_margin((yield from estimate_gas(context, draft)))
    check_gas(gas)
    if nonce is None:
        request = Rpc("eth_getTransactionCount", (sender, "pending"), f"account nonce of {sender}")
        nonce = yield from quantity(request)
    fees = yield from current_fees()
    return Transaction(
        chain_id=chain,
        sender=sender,
        nonce=nonce,
        to=context.deployment.registry,
        value_wei=draft.value_wei,
        data=bytes(draft.call_data),
        gas=gas,
        max_fee_wei=fees.max_fee_wei,
        priority_fee_wei=fees.priority_fee_wei,
    )


def sign(context: Context, transaction: Transaction) -> Operation[SignedTransaction]:
    """The transaction with a signature.

    Raises:
        UsageError: `signer_missing`, or `signer_sends_only` for an account of the node's.
    """
    signer = context.signer
    if signer is None:
        raise UsageError(
            "this client has no signer",
            code="signer_missing",
            hint="Give it one, or export the call with to_json or to_safe_batch.",
        )
    if isinstance(signer, NodeSigner):
        raise UsageError(
            f"the node holds the key of {signer.address}; it signs only what it sends",
            code="signer_sends_only",
            hint="Call send() or transact() at once.",
        )
    return (yield from signer.sign(transaction))


def send_signed(signed: SignedTransaction) -> Operation[HexBytes]:
    """The hash, once the node has the transaction; sending the same one twice does no harm.

    Raises:
        ChainError: `transaction_refused`.
    """
    subject = f"sending transaction {signed.hash.to_0x_hex()}"
    request = Rpc("eth_sendRawTransaction", ("0x" + signed.raw.hex(),), subject)
    reply = yield request
    if isinstance(reply, Refused) and _KNOWN.search(reply.message) is None:
        look = Rpc("eth_getTransactionByHash", (signed.hash.to_0x_hex(),), subject)
        # The answer to a first attempt may have been lost on its way back.
        if (yield from result_of(look)) is None:
            raise _refused(request, reply)
    return signed.hash


def send_unsigned(transaction: Transaction) -> Operation[HexBytes]:
    """The hash of a transaction that the node signs itself."""
    request = Rpc(
        "eth_sendTransaction",
        (transaction.to_rpc(),),
        f"sending a transaction of {transaction.sender}",
        repeatable=False,
    )
    reply = yield request
    if isinstance(reply, Refused):
        raise _refused(request, reply)
    return HexBytes(hex_bytes(getattr(reply, "value", None), request))


def call_request(context: Context, draft: Draft) -> dict[str, str]:
    """The call as `eth_call` takes it."""
    return {
        "from": sender_of(context, draft),
        "to": context.deployment.registry,
        "value": hex(draft.value_wei),
        "data": draft.call_data.to_0x_hex(),
    }


def _refused(request: Rpc, reply: Refused) -> PhalanxError:
    problem = refusal_error(request, reply)
    return ChainError(
        problem.message,
        code="transaction_refused",
        hint="Check the account's balance and nonce, and whether it has transactions pending.",
        data=problem.data,
    )
