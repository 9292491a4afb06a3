"""What owners say of their operators and clusters, signed by them: one table, and its one write.

Blocking. Not from the chain, so `reset` leaves it; the only table that an API process may write. A
row is replaced only by one with a higher nonce, in one statement, so nothing signed is used twice.

Source: docs/api.md, "Signed metadata".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg
from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, func, text
from sqlalchemy.dialects.postgresql import JSONB

from indexer.store.columns import key_bytes, moment, number, word, words
from indexer.store.database import CONNECT_S, translated
from indexer.store.tables import METADATA
from sdk.errors import StorageError
from sdk.types import Address

OPERATOR: Final = "operator"
CLUSTER: Final = "cluster"
WRITE_TIMEOUT_MS: Final = 2_000
"""One row."""
_NOT_ALLOWED: Final = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.UndefinedTable,
)

signed_metadata: Final = Table(
    "signed_metadata",
    METADATA,
    word("chain_id", "chain of the registry"),
    key_bytes("contract", "registry, 20 bytes"),
    words("kind", "operator or cluster"),
    key_bytes("subject", "operator id as 8 bytes, big endian, or cluster id"),
    key_bytes("owner", "owner who signed, 20 bytes; it holds only as long as he is the owner"),
    number("nonce", "grows with each change, so that no signature counts twice"),
    words("name", "what people call it; may be empty"),
    Column("fields", JSONB, nullable=False, comment="everything that was signed, by name"),
    key_bytes("signature", "of the owner over the typed data (EIP-712)"),
    moment("stored_at", "when it came"),
    PrimaryKeyConstraint("chain_id", "contract", "kind", "subject"),
    CheckConstraint("kind IN ('operator', 'cluster')", name="kind"),
    Index(
        "signed_metadata_name_idx",
        func.lower(text("name")).label("name"),
        postgresql_ops={"name": "text_pattern_ops"},
    ),
    comment="what owners say of their operators and clusters, signed by them; not from the chain",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What an owner says of one thing.

    Attributes:
        kind: `OPERATOR` or `CLUSTER`.
        subject: operator id as 8 bytes, or cluster id.
        owner: who signed it.
        nonce: grows with each change.
        fields: texts by name, `name` among them.
    """

    kind: str
    subject: bytes
    owner: Address
    nonce: int
    fields: Mapping[str, str]
    signature: bytes


def store_signed(url: str, said: Signed, *, chain_id: int, contract: Address) -> bool:
    """Keep it; false if the nonce is not above that of what is kept.

    Raises:
        StorageError: `metadata_read_only`, the role or the server does not write;
            `database_unreachable`.
    """
    values: tuple[Any, ...] = (
        *(chain_id, contract, said.kind, said.subject, said.owner, said.nonce),
        *(said.fields["name"], msgspec.json.encode(said.fields).decode(), said.signature),
    )
    options = f"-c statement_timeout={WRITE_TIMEOUT_MS} -c default_transaction_read_only=off"
    try:
        with (
            translated(),
            psycopg.connect(url, connect_timeout=CONNECT_S, options=options) as connection,
        ):
            return connection.execute(_STORE, values).fetchone() is not None
    except StorageError as failure:
        if isinstance(failure.__cause__, _NOT_ALLOWED):
            raise StorageError(
                "this indexer takes no metadata: its database role may not write it",
                code="metadata_read_only",
                hint="Ask another one; whoever runs it: docs/api.md, Signed metadata.",
            ) from failure
        raise


_STORE: Final = (
    "INSERT INTO signed_metadata "
    "(chain_id, contract, kind, subject, owner, nonce, name, fields, signature, stored_at) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now()) "
    "ON CONFLICT (chain_id, contract, kind, subject) DO UPDATE SET owner = excluded.owner, "
    "nonce = excluded.nonce, name = excluded.name, fields = excluded.fields, "
    "signature = excluded.signature, stored_at = excluded.stored_at "
    "WHERE signed_metadata.nonce < excluded.nonce OR signed_metadata.owner <> excluded.owner "
    "RETURNING nonce"
)
"""Another owner begins anew: after a reorganisation an id may be somebody else's."""
