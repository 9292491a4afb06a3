"""The foundation: keys, shares, events and the registry's ledger; used by indexer and node."""
