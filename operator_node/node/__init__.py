"""The node as one process: `run` opens the parts, wires them, and ends them cleanly.

`Reload` lets it read its settings again while it runs.
"""

from operator_node.node.life import run
from operator_node.node.reload import Reload

__all__ = ["Reload", "run"]
