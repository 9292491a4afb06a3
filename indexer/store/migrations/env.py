"""What Alembic runs: migrations on the connection it is given, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from indexer.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
