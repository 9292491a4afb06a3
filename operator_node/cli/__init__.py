"""`phalanx node`: the commands of an operator, added to the one console command by entry point."""

from __future__ import annotations

from operator_node.cli.group import node

__all__ = ["node"]
