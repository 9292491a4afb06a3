"""The words that the contract's audit views must answer, built from rows of the tables.

Pure: values in, 32 bytes out. The layouts are in `sdk.registry.words`; here is which column goes
where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sdk.registry.records import Network, Operator
from sdk.registry.words import cluster_word_of, owner_word_of, removed_operator_word
from sdk.registry.words import network_word as word_of_network
from sdk.registry.words import operator_word as word_of_operator

OPERATOR_COLUMNS: Final = (
    *("operator_id", "account_block", "fee_units", "index_units", "credit_units"),
    *("effective_balance_eth", "validator_count", "is_private", "removed_at"),
)
CLUSTER_COLUMNS: Final = (
    *("cluster_id", "sequence", "effective_balance_eth", "snapshot_validator_count"),
    *("snapshot_network_fee_index", "snapshot_index", "snapshot_active", "snapshot_balance_wei"),
)
OWNER_COLUMNS: Final = ("owner", "next_nonce", "fee_recipient")
NETWORK_COLUMNS: Final = (
    *("account_block", "fee_units", "index_units", "credit_units", "uncovered_debt_units"),
    *("effective_balance_eth", "validator_count"),
)
