"""Whether validators sign: what one beacon node has seen of them in the head's epoch and the last.

Shell, by the node that it is given. It judges nothing: a validator that signs once in an epoch may
have done so late in it or not yet, and a node that hears nobody is silent about everybody.

Source: ethereum/beacon-APIs, `POST /eth/v1/validator/liveness/{epoch}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdk.client.beacon import BeaconChain, BeaconNode, BeaconValidator
from sdk.errors import BeaconError
from sdk.types import Epoch, PublicKey

_UNTOLD: Final = frozenset({"beacon_liveness_unsupported", "beacon_unreachable"})


@dataclass(frozen=True, slots=True)
class Attendance:
    """What a beacon node has seen of a validator.

    Attributes:
        index: of the validator on the beacon chain.
        status: in the words of the beacon API, such as `active_ongoing`.
        signed: by epoch, the one before the head's first: whether the node has seen it sign
            anything; without those of which the node does not tell.
    """

    index: int
    status: str
    signed: tuple[tuple[Epoch, bool], ...]


def attendance(
    node: BeaconNode, keys: Sequence[PublicKey], *, chain: BeaconChain | None = None
) -> dict[PublicKey, Attendance]:
    """Those of the validators that the beacon chain has.

    Args:
        node: who is asked.
        keys: one request each.
        chain: what `node.chain()` said before, for callers that ask again and again.

    Raises:
        BeaconError: no answer, or the node is not synchronised.
    """
    head = node.synced_head()
    head_epoch = (chain or node.chain()).epoch_of_slot(head)
    found = node.validators(keys)
    epochs = [Epoch(epoch) for epoch in (head_epoch - 1, head_epoch) if epoch >= 0]
    seen = {epoch: _seen(node, epoch, list(found.values())) for epoch in epochs}
    return {
        key: Attendance(
            each.index,
            each.status,
            tuple((epoch, live[each.index]) for epoch, live in seen.items() if live is not None),
        )
        for key, each in found.items()
    }


def _seen(
    node: BeaconNode, epoch: Epoch, validators: Sequence[BeaconValidator]
) -> dict[int, bool] | None:
    """By index; None if the node does not tell of this epoch.

    It has no such route, does not follow who signs, or its clock is an epoch ahead of its head:
    then the older of the two is too old for it, which Lodestar 1.5.1 answers with status 500.
    """
    if not validators:
        return {}
    try:
        return node.liveness(epoch, [each.index for each in validators])
    except BeaconError as problem:
        if problem.code not in _UNTOLD:
            raise
        return None
