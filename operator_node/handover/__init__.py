"""Moving an operator to another instance, with its slashing record and what else it needs.

`stop_for_good` comes first, `pack` and `write_package` then; `read_package` and `take` are the
other side. Two instances are never meant to run at once: for that there is the lease.
"""

from operator_node.handover.moving import Beside, pack, stop_for_good, take
from operator_node.handover.package import Package, Registry, read_package, write_package

__all__ = [
    "Beside",
    "Package",
    "Registry",
    "pack",
    "read_package",
    "stop_for_good",
    "take",
    "write_package",
]
