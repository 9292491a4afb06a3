"""Blocks by hash, and what owners sign: `0002_metadata.sql` beside this file.

The second table may be there already, because `reset` leaves it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make them."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
