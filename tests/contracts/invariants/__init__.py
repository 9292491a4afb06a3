"""Stateful fuzzing of the registry: random calls, a model of each, invariants after each.

docs/invariants.md says what is checked and how to run and replay it.
"""
