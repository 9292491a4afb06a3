"""The lease wired to the rest of the node: what is silent without it, and what begins anew with it.

Source: docs/slashing.md, "Two instances and a lease".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from operator_node.config import Settings
from operator_node.doppelganger import Twins
from operator_node.lease import CLOCKS_APART_MS, Lease, LeaseRecord, SharedFile
from operator_node.node.fences import Cause, Fences
from sdk.errors import InvariantBroken


def make_lease(
    settings: Settings,
    record: LeaseRecord | None,
    *,
    genesis_validators_root: bytes,
    operator_key: str,
    is_resumed: bool,
    fences: Fences,
    twins: Twins,
    clock_error_ms: Callable[[], int | None],
) -> Lease | None:
    """The lease of this instance, None if none is configured.

    Args:
        settings: of the node.
        record: the slashing record, bound to a lease.
        genesis_validators_root: of the chain.
        operator_key: fingerprint of the operator's public key.
        is_resumed: see `Tenancy`.
        fences: the one of the lease is up until it is held.
        twins: does not mind another instance that has the lease.
        clock_error_ms: how far this machine's clock is off, None while unknown.
    """
    file = settings.safety.lease_file
    if file is None:
        return None
    if record is None:
        raise InvariantBroken("a lease without a slashing record bound to it")
    network = settings.network.name.encode()
    facts = (network, genesis_validators_root, operator_key.encode())
    return Lease(
        SharedFile(file),
        owner=hashlib.sha256(b"\0".join(facts)).hexdigest(),
        record=record,
        is_resumed=is_resumed,
        on_change=_follow(fences, twins),
        is_clock_off=lambda: abs(clock_error_ms() or 0) > CLOCKS_APART_MS,
    )


def _follow(fences: Fences, twins: Twins) -> Callable[[str], None]:
    def follow(why: str) -> None:
        if why:
            twins.rest()
        else:
            twins.begin_anew()
        fences.set(Cause.LEASE, why)

    return follow
