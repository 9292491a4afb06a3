"""Questions to the API about everything in a database, and in which proportion they are asked.

Each is about another thing than the one before, so no answer is remembered from it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import psycopg

from tests.bench.indexer_api_load import Question
from tests.bench.indexer_history import FIRST

SUBJECTS: Final = 5_000
"""Of each kind that are asked about, drawn from the tables."""
MIX: Final = {"detail": 45, "list": 20, "snapshot": 20, "search": 15}
"""Of a hundred questions. Lists have pages of 100, the default."""


def drawn(url: str) -> list[Question]:
    """All questions, in no order."""
    chance = random.Random("questions")
    found = [
        Question(kind, route, path)
        for (kind, route), paths in _paths(url).items()
        # As many of each route, though there are more keys than operators.
        for path in (paths * SUBJECTS)[:SUBJECTS]
    ]
    chance.shuffle(found)
    return found


def endless(questions: Sequence[Question]) -> Iterator[Question]:
    """One after the other, and again."""
    while True:
        yield from questions


def mixed(questions: Sequence[Question]) -> Iterator[Question]:
    """All kinds in the proportion of `MIX`, of each kind all routes alike."""
    chance = random.Random("mixed")
    kinds, weights = list(MIX), list(MIX.values())
    by_kind = {kind: endless([each for each in questions if each.kind == kind]) for kind in kinds}
    while True:
        (kind,) = chance.choices(kinds, weights)
        yield next(by_kind[kind])


def _paths(url: str) -> dict[tuple[str, str], list[str]]:
    """Paths by kind and route."""
    with psycopg.connect(url) as connection:

        def some(what: str, table: str, where: str = "valid_to IS NULL") -> list[Any]:
            statement = f"SELECT {what} FROM {table} WHERE {where} LIMIT {SUBJECTS}"  # noqa: S608
            rows = connection.execute(statement.encode()).fetchall()
            return [f"0x{row[0].hex()}" if isinstance(row[0], bytes) else row[0] for row in rows]

        operators = some("operator_id", "operator_version")
        clusters = some("cluster_id", "cluster_version")
        owners = some("owner", "account_version")
        keys = some("public_key", "validator_version")
        transactions = some("DISTINCT transaction_hash", "log", "block_number % 7 = 0")
        last = connection.execute("SELECT number FROM cursor").fetchone()
    assert last is not None
    blocks = range(FIRST, last[0], max(1, (last[0] - FIRST) // SUBJECTS))
    return {
        ("detail", "operators/{id}"): [f"/v1/operators/{each}" for each in operators],
        ("detail", "clusters/{id}"): [f"/v1/clusters/{each}" for each in clusters],
        ("detail", "validators/{key}"): [f"/v1/validators/{each}" for each in keys],
        ("detail", "accounts/{address}"): [f"/v1/accounts/{each}" for each in owners],
        ("list", "operators, by fee"): [
            f"/v1/operators?sort=fee&max_fee_wei={10**10 + each}" for each in range(SUBJECTS)
        ],
        ("list", "clusters, sorted"): [
            f"/v1/clusters?sort={sort}&desc={desc}&limit={limit}"
            for sort in ("created", "validators", "effective_balance")
            for desc in ("true", "false")
            for limit in range(51, 101)
        ],
        ("list", "clusters of an operator"): [
            f"/v1/clusters?operator={each}" for each in operators
        ],
        ("list", "validators of a cluster"): [
            f"/v1/validators?cluster={each}" for each in clusters
        ],
        ("list", "events up to a block"): [f"/v1/events?to_block={each}" for each in blocks],
        ("list", "operators/{id}/validators"): [
            f"/v1/operators/{each}/validators" for each in operators
        ],
        ("list", "clusters/{id}/history"): [f"/v1/clusters/{each}/history" for each in clusters],
        ("snapshot", "clusters/{id}/snapshot"): [
            f"/v1/clusters/{each}/snapshot" for each in clusters
        ],
        ("search", "search, operator"): [f"/v1/search?q={each}" for each in operators],
        ("search", "search, begin of a key"): [f"/v1/search?q={each[:10]}" for each in keys],
        ("search", "search, address"): [f"/v1/search?q={each}" for each in owners],
        ("search", "search, transaction"): [f"/v1/search?q={each}" for each in transactions],
    }
