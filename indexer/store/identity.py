"""Whose registry the tables are about, and how far they tell: the one row of `cursor`."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from sdk.errors import ConfigError
from sdk.types import Address, BlockNumber, checksum_address


@dataclass(frozen=True, slots=True)
class Identity:
    """What may not change under a database.

    Attributes:
        chain_id: of the chain.
        contract: of the registry.
        first_block: no log is older.
        verifies_shares: nonce signatures are checked.
    """

    chain_id: int
    contract: Address
    first_block: BlockNumber
    verifies_shares: bool = True

    def claim(self, connection: psycopg.Connection) -> None:
        """Write it into a new database, or compare.

        Raises:
            ConfigError: `database_foreign`.
        """
        given = (self.chain_id, self.contract, self.first_block, self.verifies_shares)
        connection.execute(
            "INSERT INTO cursor (id, chain_id, contract, first_block, shares_verified) "
            "VALUES (1, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            given,
        )
        row = connection.execute(
            "SELECT chain_id::text, contract, first_block, shares_verified FROM cursor"
        ).fetchone()
        if row is None:
            raise ConfigError("the database lost its cursor", code="database_foreign")
        found = (int(row[0]), bytes(row[1]), *row[2:])
        if found != given:
            checked = "checked" if found[3] else "not checked"
            raise ConfigError(
                f"the database is about {checksum_address(found[1])} on chain {found[0]} from "
                f"block {found[2]}, shares {checked}",
                code="database_foreign",
                hint="Correct the settings, or phalanx indexer reset.",
            )
