"""The lease and a slashing record in the signing process: what each side does of `LeaseRecord`.

The lease is kept by the node; the process records nothing without its permit. A permit ends by the
machine's clocks, which both processes read; a process that was started again has none until the
next renewal.

Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

from typing import assert_never

from operator_node.lease import LeasedRecord, Moment, Permit, Taken
from operator_node.signer.standing import Standing
from operator_node.signing.process import SigningProcess
from operator_node.signing.words import (
    Done,
    EndPermit,
    GetStanding,
    GivePermit,
    StandingIs,
    TakeTerm,
)


class RemoteLeaseRecord:
    """`LeaseRecord` of the signing process. Waits for it: use a thread.

    Raises:
        StorageError: the record could not be read or written, or `signer_down`.
    """

    def __init__(self, process: SigningProcess) -> None:
        self._process = process

    def standing(self) -> Standing:
        """What the record is complete up to."""
        told = self._process.ask(GetStanding(), StandingIs)
        return Standing(told.term, told.record_id, told.sequence)

    def take_term(self, taken: Taken) -> None:
        """Stores the fencing number, and arms every share if others may have signed."""
        self._process.ask(TakeTerm(taken.term, taken.unknown_until_ms), Done)

    def permit(self, permit: Permit | None) -> None:
        """Signatures may be recorded until the permit ends; without one none may."""
        if permit is None:
            self._process.ask(EndPermit(), Done)
        else:
            until = permit.until
            self._process.ask(GivePermit(permit.term, until.boot, until.wall), Done)


def answer_lease(
    request: GetStanding | TakeTerm | GivePermit | EndPermit, record: LeasedRecord
) -> StandingIs | Done:
    """The other side."""
    match request:
        case GetStanding():
            standing = record.standing()
            return StandingIs(standing.term, standing.record_id, standing.sequence)
        case TakeTerm():
            record.take_term(Taken(request.term, request.unknown_until_ms))
        case GivePermit():
            record.permit(Permit(request.term, Moment(request.boot_ms, request.wall_ms)))
        case EndPermit():
            record.permit(None)
        case _:
            assert_never(request)
    return Done()
