"""One EIP-1559 transaction as a value, and the checks that bind a signature to it.

Pure. Fees are wei per gas. Source: EIP-1559, EIP-2718; execution clients' pool limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from sdk.errors import ChainError, NetworkError
from sdk.types import keccak256

MAX_TRANSACTION_BYTES: Final = 128 * 1024
"""Execution clients keep no larger transaction in their pools."""
ENVELOPE_BYTES: Final = 256
"""Room for everything of a transaction that is not calldata."""
MAX_TRANSACTION_GAS: Final = 2**24
"""EIP-7825: no transaction may have a higher gas limit."""
TRANSACTION_TYPE: Final = 2
"""EIP-1559."""
_SIGNED_FIELDS: Final = frozenset({"accessList", "v", "r", "s"})
"""What a signed transaction has besides the fields of `Transaction.to_dict`."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A complete transaction, not yet signed."""

    chain_id: int
    sender: ChecksumAddress
    nonce: int
    to: ChecksumAddress
    value_wei: int
    data: bytes
    gas: int
    max_fee_wei: int
    priority_fee_wei: int

    def to_dict(self) -> dict[str, Any]:
        """As web3 and eth-account take it."""
        return {
            "type": TRANSACTION_TYPE,
            "chainId": self.chain_id,
            "from": self.sender,
            "nonce": self.nonce,
            "to": self.to,
            "value": self.value_wei,
            "data": HexBytes(self.data),
            "gas": self.gas,
            "maxFeePerGas": self.max_fee_wei,
            "maxPriorityFeePerGas": self.priority_fee_wei,
        }

    def to_rpc(self) -> dict[str, str]:
        """As JSON-RPC takes it."""
        return {
            "type": hex(TRANSACTION_TYPE),
            "chainId": hex(self.chain_id),
            "from": self.sender,
            "nonce": hex(self.nonce),
            "to": self.to,
            "value": hex(self.value_wei),
            "data": "0x" + self.data.hex(),
            "gas": hex(self.gas),
            "maxFeePerGas": hex(self.max_fee_wei),
            "maxPriorityFeePerGas": hex(self.priority_fee_wei),
        }


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to send; its hash is known before it is sent."""

    raw: bytes
    hash: HexBytes


def check_calldata(data: bytes, *, items: int = 1) -> None:
    """Return if pools accept a transaction with this calldata.

    Args:
        data: calldata.
        items: validators in it, for the hint.

    Raises:
        ChainError: `calldata_too_large`.
    """
    limit = MAX_TRANSACTION_BYTES - ENVELOPE_BYTES
    if len(data) <= limit:
        return
    fitting = items * limit // len(data)
    raise ChainError(
        f"the call has {len(data)} bytes of calldata, a transaction holds {limit}",
        code="calldata_too_large",
        hint=f"Send at most {fitting} validators in one transaction." if items > 1 else "",
        data={"calldata_bytes": len(data), "limit_bytes": limit, "fitting": fitting},
    )


def check_gas(gas: int) -> None:
    """Return if a block may contain a transaction with this gas limit.

    Raises:
        ChainError: `gas_too_high`.
    """
    if gas > MAX_TRANSACTION_GAS:
        raise ChainError(
            f"the call needs {gas} gas, a transaction may have {MAX_TRANSACTION_GAS}",
            code="gas_too_high",
            hint="Do less in one transaction.",
            data={"gas": gas, "limit": MAX_TRANSACTION_GAS},
        )


def check_signature(raw: bytes, wanted: Transaction) -> SignedTransaction:
    """The signed transaction, if it is the wanted one and signed by its sender.

    A signer in another process may change what it is asked to sign. Other types can carry more
    than the wanted fields: an authorisation of EIP-7702 hands the whole account over.

    Raises:
        NetworkError: `signer_answer`.
    """
    if raw[:1] != bytes([TRANSACTION_TYPE]):
        found = f"0x{raw[:1].hex()}" if raw else "nothing"
        raise _wrong(f"it is not of type {TRANSACTION_TYPE} (it begins with {found})")
    try:
        signed: Mapping[str, Any] = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        sender = Account.recover_transaction(raw)
    except Exception as problem:  # the decoders raise whatever their parts raise
        raise _wrong(f"it cannot be decoded ({type(problem).__name__})") from None
    asked = wanted.to_dict()
    if more := sorted(set(signed) - set(asked) - _SIGNED_FIELDS):
        raise _wrong(f"it has fields that were not asked for ({', '.join(more)})")
    for name, value in asked.items():
        if name != "from" and _plain(signed.get(name)) != _plain(value):
            raise _wrong(f"its {name} differs from what was asked")
    if signed.get("accessList"):
        raise _wrong("it has an access list that was not asked for")
    if sender != wanted.sender:
        raise _wrong(f"it is signed by {sender} instead of {wanted.sender}")
    return SignedTransaction(raw=bytes(raw), hash=HexBytes(keccak256(raw)))


def _plain(value: object) -> object:
    """Addresses and data compared as bytes, whatever form a library gives them."""
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return bytes(value) if isinstance(value, bytes) else value


def _wrong(reason: str) -> NetworkError:
    return NetworkError(
        f"the signer returned a transaction that is not usable: {reason}",
        code="signer_answer",
        hint="It was not sent. Check the signer's software and address.",
    )
