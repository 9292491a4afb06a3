"""What owners may say of their operators and clusters: the fields, their bounds, their looks.

Nothing of it is believed to be true; it is what the owner says, and shown as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from indexer.api.scalars import HexText
from indexer.api.typed_data import Struct
from indexer.queries.metadata import Metadata
from sdk.errors import InputError

MOST_NONCE: Final = 2**53 - 1
"""Up to here numbers in JSON are exact everywhere."""
MOST_SIGNATURE_BYTES: Final = 2_048
"""An account's has 65; those of contracts with many owners have more."""
_LINK: Final = r"(https://[^\s\"'<>\\]{3,190})?"
_LINK_FORM: Final = re.compile(_LINK)
_ENDPOINT: Final = r"(https?://[A-Za-z0-9.:\[\]_-]{3,190})?"
_ENDPOINT_FORM: Final = re.compile(_ENDPOINT)
_PRINTED: Final = r"^[^\x00-\x1f\x7f]*$"

Line = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": _PRINTED})]
Paragraph = Annotated[str, Field(max_length=1_000, json_schema_extra={"pattern": _PRINTED})]
Link = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": f"^{_LINK}$"})]
Endpoint = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": f"^{_ENDPOINT}$"})]


class OperatorTexts(BaseModel):
    """What an owner may say of an operator; empty: nothing."""

    name: Line = Field(default="", examples=["Lighthouse keepers"])
    description: Paragraph = Field(default="", examples=["Two sites, four people."])
    location: Line = Field(default="", examples=["Lisbon, Portugal"])
    setup_provider: Line = Field(default="", examples=["own machines"])
    execution_client: Line = Field(default="", examples=["Reth"])
    consensus_client: Line = Field(default="", examples=["Lodestar"])
    mev_relays: Paragraph = Field(default="", examples=["none"])
    website_url: Link = Field(default="", examples=["https://example.org"])
    twitter_url: Link = Field(default="", examples=[""])
    linkedin_url: Link = Field(default="", examples=[""])
    logo_url: Link = Field(default="", examples=[""])
    dkg_address: Endpoint = Field(default="", examples=["https://dkg.example.org:3030"])


class ClusterTexts(BaseModel):
    """What an owner may say of a cluster; empty: nothing."""

    name: Line = Field(default="", examples=["My savings"])
    description: Paragraph = Field(default="", examples=[""])


class Said(BaseModel):
    """That the owner says it, and for how long his signature is good."""

    nonce: int = Field(
        ge=1, le=MOST_NONCE, description="Above the one of what is there now.", examples=[1]
    )
    expires_at: int = Field(
        ge=0,
        le=MOST_NONCE,
        description="Second of the unix epoch after which the signature is refused, at most an "
        "hour away.",
        examples=[1_769_860_811],
    )
    signature: str = Field(
        max_length=2 + 2 * MOST_SIGNATURE_BYTES,
        description="Of the owner over the typed data: an account's, or that of a contract "
        "(EIP-1271).",
        examples=["0x" + "5a" * 65],
        json_schema_extra={"pattern": "^0x([0-9a-fA-F]{2})+$"},
    )


class OperatorMetadataIn(Said, OperatorTexts):
    """What the owner says of an operator; it replaces what he said before."""


class ClusterMetadataIn(Said, ClusterTexts):
    """What the owner says of a cluster; it replaces what he said before."""


class OperatorMetadataOut(OperatorTexts):
    """What the owner says of an operator. Nobody has checked whether it is true."""

    nonce: int = Field(examples=[1])
    signature: HexText


class ClusterMetadataOut(ClusterTexts):
    """What the owner says of a cluster. Nobody has checked whether it is true."""

    nonce: int = Field(examples=[1])
    signature: HexText


OPERATOR_STRUCT: Final = Struct(
    "OperatorMetadata", ("operator_id", "uint64"), tuple(OperatorTexts.model_fields)
)
CLUSTER_STRUCT: Final = Struct(
    "ClusterMetadata", ("cluster_id", "bytes32"), tuple(ClusterTexts.model_fields)
)


def checked_texts(body: BaseModel, struct: Struct) -> dict[str, str]:
    """The texts of a body, if they can be shown to people.

    Raises:
        InputError: `text_malformed`: something that does not print, as what turns the direction
            of writing round; or no address of the web.
    """
    found: dict[str, str] = {each: getattr(body, each) for each in struct.texts}
    for name, text in found.items():
        form = _LINK_FORM if name.endswith("_url") else None
        form = _ENDPOINT_FORM if name == "dkg_address" else form
        if not text.isprintable() or text != text.strip():
            raise _malformed(name, "has characters that do not print, or space around it")
        if form is not None and form.fullmatch(text) is None:
            raise _malformed(name, "is no address that begins with https://")
    return found


def operator_metadata(said: Metadata | None) -> OperatorMetadataOut | None:
    """As JSON; None for none."""
    return None if said is None else OperatorMetadataOut.model_construct(**_shown(said))


def cluster_metadata(said: Metadata | None) -> ClusterMetadataOut | None:
    """As JSON; None for none."""
    return None if said is None else ClusterMetadataOut.model_construct(**_shown(said))


def _shown(said: Metadata) -> Mapping[str, Any]:
    return {**said.fields, "nonce": said.nonce, "signature": "0x" + said.signature.hex()}


def _malformed(name: str, problem: str) -> InputError:
    return InputError(f"{name} {problem}", code="text_malformed", hint="See /docs for its form.")
