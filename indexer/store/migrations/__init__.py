"""Migrations of the tables, run by `indexer.store.schema`, never by hand."""
