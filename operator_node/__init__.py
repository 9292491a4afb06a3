"""Operator node: signs duties with co-operators. The protocol stands; what surrounds it comes next.

Rooms and their order: docs/architecture.md.
"""
