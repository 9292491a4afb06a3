"""Mutated messages against every decoder and gossip validation: `python -m tests.fuzz`."""
