"""The tables: what the registry's logs add up to, now and at every earlier block.

SQLAlchemy Core, nothing that runs. The migrations make the same tables; a test compares them.

Rows of `*_version` tables hold one record from block `valid_from` on, up to but not including block
`valid_to`; NULL there means that the row is current. A key has at most one version per block: the
last one. So the state at any block is `valid_from <= b AND (valid_to IS NULL OR valid_to > b)`, and
undoing blocks is deleting what began after them and reopening what ended after them
(`indexer.store.rollback`). Everything in the tables of the first three parts can be rebuilt from
the chain. Source: docs/run-an-indexer.md.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.event import listen

from indexer.store.columns import (
    flag,
    key_bytes,
    moment,
    number,
    operator_ids,
    place,
    single,
    units,
    wei,
    word,
    words,
)

METADATA: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)
_CURRENT: Final = text("valid_to IS NULL")
_REFUSED: Final = text("refusal IS NOT NULL")


def _current(table: str, name: str, *columns: str, method: str = "btree") -> Index:
    """An index over current rows only."""
    return Index(
        f"{table}_{name}_current_idx", *columns, postgresql_where=_CURRENT, postgresql_using=method
    )


def _version(name: str, keys: tuple[str, ...], comment: str, *parts: Column | Index) -> Table:  # type: ignore[type-arg]
    """A table of versions: its own columns and indexes, and what all of them have."""
    return Table(
        name,
        METADATA,
        *parts,
        Column(
            "valid_from",
            BigInteger,
            nullable=False,
            autoincrement=False,
            comment="first block at whose end the record is like this",
        ),
        number(
            "valid_to", "first block at whose end it no longer is; NULL: current", optional=True
        ),
        place("log_index", "log of block valid_from that made the record what it is"),
        PrimaryKeyConstraint(*keys, "valid_from"),
        Index(
            f"{name}_current_key",
            *(keys or (text("(valid_to IS NULL)"),)),
            unique=True,
            postgresql_where=_CURRENT,
        ),
        # What a rollback looks for. Rows come in the order of blocks, so a summary will do for one.
        Index(f"{name}_valid_from_idx", "valid_from", postgresql_using="brin"),
        Index(f"{name}_valid_to_idx", "valid_to", postgresql_where=text("valid_to IS NOT NULL")),
        CheckConstraint("valid_to > valid_from", name="range"),
        comment=comment,
    )


def _feed(name: str, column: str) -> Index:
    """An index of `log` for what concerns one subject, in the order of the chain."""
    return Index(
        f"log_{name}_idx",
        *(column, "block_number", "log_index"),
        postgresql_where=text(f"{column} IS NOT NULL"),
    )


# Part one: the chain.

block: Final = Table(
    "block",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="block number"),
    key_bytes("hash", "block hash, 32 bytes"),
    number("timestamp_s", "seconds of the unix epoch"),
    place("log_count", "logs of the registry in it"),
    Index("block_empty_idx", "number", postgresql_where=text("log_count = 0")),
    Index("block_hash_idx", "hash"),
    comment="blocks with logs of the registry, and the newest 129 whatever they hold",
)

log: Final = Table(
    "log",
    METADATA,
    number("block_number", "block of the log"),
    place("log_index", "place within the block"),
    place("transaction_index", "place of its transaction within the block"),
    key_bytes("transaction_hash", "transaction hash, 32 bytes"),
    key_bytes("block_hash", "block hash, 32 bytes"),
    key_bytes("topics", "topics, 32 bytes each, one after the other"),
    key_bytes("data", "ABI encoding of the arguments that are not indexed; shares are here only"),
    words("name", "event name; NULL: undecodable", optional=True),
    words("undecodable", "why it is no event of the registry, of a closed list", optional=True),
    Column(
        "args",
        JSONB,
        nullable=True,
        comment="arguments by ABI name without shares; whole numbers as decimal text, bytes and "
        "addresses as 0x and lower case hex, the cluster struct as an object",
    ),
    key_bytes("owner", "owner named by the event, also as the operator's", optional=True),
    operator_ids("operators named by the event, as in the event", optional=True),
    key_bytes("cluster_id", "cluster concerned, 32 bytes", optional=True),
    key_bytes("validator_key", "public key of the validator named, any length", optional=True),
    words("refusal", "why nodes do not act on this registration, of a closed list", optional=True),
    number("nonce", "owner nonce that this registration used up", optional=True),
    wei(
        "deposit_wei",
        "what a registration or reactivation paid in, inferred from the balance; 0 for all but "
        "the first log of a bulk call",
        optional=True,
    ),
    PrimaryKeyConstraint("block_number", "log_index"),
    Index("log_name_idx", "name", "block_number", "log_index"),
    _feed("owner", "owner"),
    _feed("cluster", "cluster_id"),
    _feed("validator", "validator_key"),
    Index(
        "log_registration_key",
        "owner",
        "nonce",
        unique=True,
        postgresql_where=text("nonce IS NOT NULL"),
    ),
    Index("log_operators_idx", "operator_ids", postgresql_using="gin"),
    Index("log_transaction_idx", "transaction_hash"),
    Index("log_refused_idx", "block_number", "log_index", postgresql_where=_REFUSED),
    comment="every log of the registry as read, with what it says and what it did",
)

# Shares are random, so trying to compress them costs time for nothing.
_UNCOMPRESSED: Final = DDL("ALTER TABLE log ALTER COLUMN data SET STORAGE EXTERNAL")  # type: ignore[no-untyped-call]
listen(log, "after_create", _UNCOMPRESSED)

# Part two: the records.

operator_version: Final = _version(
    "operator_version",
    ("operator_id",),
    "operators and their accounts",
    number("operator_id", "on-chain id, from 1"),
    key_bytes("owner", "owner, 20 bytes"),
    key_bytes("public_key", "as registered, normally an ABI-encoded text"),
    units("fee_units", "fee per block and 32 ETH"),
    units("index_units", "sum of the fee over all blocks up to account_block"),
    units("credit_units", "earnings not yet withdrawn, settled at account_block"),
    number("account_block", "block of the last settlement"),
    number("effective_balance_eth", "sum over its active clusters"),
    number("validator_count", "sum over its active clusters"),
    flag("is_private", "only admitted owners may register with it"),
    key_bytes("whitelisting_contract", "contract that admits owners, 20 bytes", optional=True),
    word("declared_fee_units", "announced fee per block and 32 ETH, if any", optional=True),
    number("declared_at", "block of the announcement", optional=True),
    word("declared_begin_s", "first second in which it can be executed", optional=True),
    word("declared_end_s", "last second in which it can be executed", optional=True),
    number("removed_at", "block of the removal; NULL: it exists", optional=True),
    _current("operator_version", "owner", "owner", "operator_id"),
    _current("operator_version", "fee", "fee_units", "operator_id"),
    _current("operator_version", "validators", "validator_count", "operator_id"),
    _current("operator_version", "public_key", "public_key", method="hash"),
)

whitelist_version: Final = _version(
    "whitelist_version",
    ("operator_id", "address"),
    "addresses on an operator's own list; a row's existence admits",
    number("operator_id", "on-chain id"),
    key_bytes("address", "admitted address, 20 bytes"),
    _current("whitelist_version", "address", "address", "operator_id"),
)

cluster_version: Final = _version(
    "cluster_version",
    ("cluster_id",),
    "clusters with their struct as last emitted",
    key_bytes("cluster_id", "keccak-256 of owner and operator ids, 32 bytes"),
    key_bytes("owner", "owner, 20 bytes"),
    operator_ids("operators, ascending"),
    number("sequence", "1 for the first cluster ever created; never reused"),
    number("snapshot_validator_count", "struct: validators"),
    word("snapshot_network_fee_index", "struct: network index at the last settlement"),
    word("snapshot_index", "struct: sum of operator indexes at the last settlement"),
    flag("snapshot_active", "struct: false after a liquidation"),
    wei("snapshot_balance_wei", "struct: balance after the last settlement"),
    number("validator_count", "validators recorded"),
    number("effective_balance_eth", "sum over its validators"),
    _current("cluster_version", "owner", "owner", "sequence"),
    Index(
        "cluster_version_sequence_current_key",
        "sequence",
        unique=True,
        postgresql_where=_CURRENT,
    ),
    _current("cluster_version", "validators", "validator_count", "sequence"),
    _current("cluster_version", "operators", "operator_ids", method="gin"),
)

validator_version: Final = _version(
    "validator_version",
    ("owner", "public_key"),
    "registrations; two owners may register one key, nodes act on at most one of them. The shares "
    "are in the log with the same owner and nonce",
    key_bytes("owner", "owner, 20 bytes"),
    key_bytes("public_key", "validator's public key, 48 bytes"),
    key_bytes("cluster_id", "its cluster, 32 bytes"),
    number("nonce", "owner nonce that the registration used up, which its signature must be over"),
    key_bytes("shares_digest", "SHA-256 of the shares"),
    number("effective_balance_eth", "as last proven, else 32"),
    word("last_proof_slot", "slot of the last proof, 0 before the first"),
    words("refusal", "why nodes do not act on it, of a closed list; NULL: accepted", optional=True),
    number("registered_at", "block of the registration"),
    number("exit_requested_at", "block of the first exit request", optional=True),
    _current("validator_version", "public_key", "public_key", "owner"),
    _current("validator_version", "cluster", "cluster_id", "registered_at", "public_key"),
    _current("validator_version", "newest", "registered_at", "public_key", "owner"),
    Index(
        "validator_version_refused_current_idx",
        "refusal",
        "registered_at",
        "public_key",
        "owner",
        postgresql_where=text("valid_to IS NULL AND refusal IS NOT NULL"),
    ),
)

account_version: Final = _version(
    "account_version",
    ("owner",),
    "owners of validators",
    key_bytes("owner", "owner, 20 bytes"),
    number("next_nonce", "registrations so far, refused ones included"),
    key_bytes(
        "fee_recipient", "receiver of block rewards, 20 bytes; NULL: never set", optional=True
    ),
)

network_version: Final = _version(
    "network_version",
    (),
    "the network's own account and what governance sets; one row per block that changed it",
    units("fee_units", "fee per block and 32 ETH"),
    units("index_units", "sum of the fee over all blocks up to account_block"),
    units("credit_units", "earnings not yet withdrawn, settled at account_block"),
    number("account_block", "block of the last settlement"),
    number("effective_balance_eth", "sum over all active clusters"),
    number("validator_count", "sum over all active clusters"),
    units("uncovered_debt_units", "usage that nobody has paid for"),
    word("liquidation_period_blocks", "blocks that a balance must last"),
    wei("minimum_collateral_wei", "balance below which a cluster can be liquidated"),
    word("fee_increase_limit_per_10000", "most by which an operator fee may grow"),
    word("declare_period_s", "seconds between an announced fee and its window"),
    word("execute_period_s", "seconds of the window"),
    wei("maximum_operator_fee_wei", "per block and 32 ETH"),
    wei("minimum_operator_fee_wei", "per block and 32 ETH"),
    word("validators_per_operator_limit", "most validators of one operator"),
    key_bytes("beacon_verifier", "contract that checks proofs, 20 bytes", optional=True),
    flag("verifier_is_frozen", "the verifier never changes again"),
    key_bytes("implementation", "code that the proxy runs, 20 bytes", optional=True),
    flag("upgrades_renounced", "the code never changes again"),
    key_bytes("contract_owner", "who governs, 20 bytes", optional=True),
    key_bytes("pending_contract_owner", "who may take over, 20 bytes", optional=True),
)

divergence: Final = Table(
    "divergence",
    METADATA,
    number("block_number", "block of the log"),
    place("log_index", "place of the log within the block"),
    place("ordinal", "from 0, of the divergences that one log shows"),
    words("aspect", "what it is about, of a closed list"),
    words("subject", "operator id, or hex of a cluster id, key or address", optional=True),
    words("expected", "what the logs before it imply", optional=True),
    words("found", "what the log says", optional=True),
    PrimaryKeyConstraint("block_number", "log_index", "ordinal"),
    comment="logs that contradict those before them: a log is missing, or the model is wrong",
)

# Part three: how far.

cursor: Final = Table(
    "cursor",
    METADATA,
    single("always 1"),
    word("chain_id", "chain that is followed"),
    key_bytes("contract", "registry that is followed, 20 bytes"),
    number("first_block", "no log is older"),
    number("number", "newest block whose logs are in the tables; NULL: none yet", optional=True),
    key_bytes("hash", "its hash", optional=True),
    number("timestamp_s", "its time", optional=True),
    number("oldest", "oldest block that can be gone back to", optional=True),
    key_bytes("state_digest", "SHA-256 over all current records; NULL: not taken", optional=True),
    flag("shares_verified", "nonce signatures were checked"),
    CheckConstraint("id = 1", name="single"),
    comment="up to which block the tables tell; written with the rows, in one transaction",
)

# Part four: what only this indexer knows. A new one begins without it.

head: Final = Table(
    "head",
    METADATA,
    single("always 1"),
    number("number", "newest block of the chain"),
    number("safe_number", "newest block that the node calls safe", optional=True),
    key_bytes("safe_hash", "its hash", optional=True),
    number("finalized_number", "newest block that the node calls finalized", optional=True),
    key_bytes("finalized_hash", "its hash", optional=True),
    flag("is_caught_up", "there was nothing left to read"),
    moment("seen_at", "when the node was asked"),
    CheckConstraint("id = 1", name="single"),
    comment="the chain as the execution node describes it",
)

reorg: Final = Table(
    "reorg",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True, comment="in order of time"),
    number("old_number", "newest block before"),
    key_bytes("old_hash", "its hash"),
    number("number", "block that was gone back to"),
    key_bytes("hash", "its hash"),
    moment("seen_at", "when it was undone"),
    comment="reorganisations that were followed",
)

integrity: Final = Table(
    "integrity",
    METADATA,
    number("block_number", "block whose state was compared"),
    words("kind", "what was compared with which view, of a closed list"),
    key_bytes("block_hash", "its hash"),
    place("compared", "subjects compared"),
    place("mismatches", "subjects that differed"),
    moment("checked_at", "when"),
    PrimaryKeyConstraint("block_number", "kind"),
    comment="comparisons with the contract's views; the newest some thousand are kept",
)

suspect: Final = Table(
    "suspect",
    METADATA,
    words("kind", "as in integrity"),
    words("subject", "operator id, or hex of a cluster id or address; empty for the network"),
    number("block_number", "block at which it differed last"),
    words("expected", "by the tables"),
    words("found", "by the contract's view"),
    moment("seen_at", "when"),
    PrimaryKeyConstraint("kind", "subject"),
    comment="what differs from the contract's views now; a later comparison that agrees removes it",
)

VERSIONS: Final = (
    operator_version,
    whitelist_version,
    cluster_version,
    validator_version,
    account_version,
    network_version,
)
"""All tables with validity ranges."""
REBUILDABLE: Final = (block, log, *VERSIONS, divergence, cursor)
"""Whatever the chain alone determines; two indexers at one block hold the same rows."""
