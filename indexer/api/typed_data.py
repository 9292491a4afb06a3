"""What owners sign for their metadata: EIP-712 typed data, its digest, and who signed it.

Pure. The domain names chain and registry, the struct its subject, a nonce and an end, so a
signature is good for one change of one thing, once, and not for long.

Source: EIP-712; docs/api.md, "Signed metadata".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from sdk.types import Address, checksum_address, keccak256, parse_address

NAME: Final = "Phalanx registry metadata"
VERSION: Final = "1"
SIGNATURE_BYTES: Final = 65
"""Of an account."""
_DOMAIN: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct that owners sign.

    Attributes:
        name: of its type.
        subject: name and type of the member that says what it is about.
        texts: members that are texts, in order.
    """

    name: str
    subject: tuple[str, str]
    texts: tuple[str, ...]

    @property
    def members(self) -> Sequence[tuple[str, str]]:
        """Names and types, in order."""
        texts = [(each, "string") for each in self.texts]
        return [self.subject, *texts, ("nonce", "uint64"), ("expires_at", "uint64")]


def typed_data(
    struct: Struct, message: Mapping[str, Any], *, chain_id: int, contract: Address
) -> dict[str, Any]:
    """As `eth_signTypedData_v4` takes it.

    Args:
        struct: what is signed.
        message: its members.
        chain_id: of the registry.
        contract: the registry.
    """
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN],
            struct.name: [{"name": name, "type": kind} for name, kind in struct.members],
        },
        "primaryType": struct.name,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": chain_id,
            "verifyingContract": checksum_address(contract),
        },
        "message": dict(message),
    }


def encoded(data: Mapping[str, Any]) -> SignableMessage:
    """Typed data as it is hashed."""
    return encode_typed_data(full_message=dict(data))


def digest(message: SignableMessage) -> bytes:
    """32 bytes that are signed."""
    return keccak256(b"\x19" + message.version + message.header + message.body)


def signer_of(message: SignableMessage, signature: bytes) -> Address | None:
    """The account that made the signature, None if it is none of an account."""
    if len(signature) != SIGNATURE_BYTES:
        return None
    try:
        return parse_address(Account.recover_message(message, signature=signature))
    except Exception:  # the libraries raise whatever their parts raise; it is nobody's then
        return None
