"""Operator node: signs duties with co-operators. Not built yet, see docs/architecture.md."""
