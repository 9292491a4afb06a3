"""The error numbers of the two generations' cases, and the number that a check ends with."""

from __future__ import annotations

from collections.abc import Callable

from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation

_ALAN_UNSHIFTED = 9
_ALAN_INSERTED = {
    10: Fault.REGISTRATION_HAS_NO_CONSENSUS,
    11: Fault.EXIT_HAS_NO_CONSENSUS,
}
_ALAN_LAST = 72


def expected_fault(code: int, generation: Generation) -> int:
    """Our number for the one in a case; 0 is no error.

    Alan has two numbers more after its ninth, and ends with 72.
    """
    if generation is Generation.BOOLE or code <= _ALAN_UNSHIFTED:
        return code
    if code > _ALAN_LAST:
        raise AssertionError(f"Alan has no error {code}")
    return _ALAN_INSERTED.get(code, code - len(_ALAN_INSERTED))


def fault_of(*checks: Callable[[], object]) -> int:
    """The fault that the last failing check raised, 0 if all passed; each is run."""
    last = 0
    for check in checks:
        try:
            check()
        except ProtocolFault as problem:
            last = int(problem.fault)
    return last
