"""Indexer: registry in Postgres, API, explorer. Not built yet, see docs/architecture.md."""
