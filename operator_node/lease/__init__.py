"""One lease for all instances of an operator: only the one that has it signs.

`Tenancy` holds the rules, `SharedFile` is where the instances meet, `Lease` keeps one instance's
part in a task, and `LeasedRecord` binds its slashing record to it. Works on any disk that all
instances share; no instance trusts another's time.
"""

from operator_node.lease.lease import Lease, LeaseRecord
from operator_node.lease.permit import Moment, Permit
from operator_node.lease.record import CLOCKS_APART_MS, LeasedRecord
from operator_node.lease.shared_file import SharedFile
from operator_node.lease.terms import Entry, Taken, Tenancy

__all__ = [
    "CLOCKS_APART_MS",
    "Entry",
    "Lease",
    "LeaseRecord",
    "LeasedRecord",
    "Moment",
    "Permit",
    "SharedFile",
    "Taken",
    "Tenancy",
]
