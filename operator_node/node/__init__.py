"""The node as one process: `run` opens the parts, wires them, and ends them cleanly."""

from operator_node.node.life import run

__all__ = ["run"]
