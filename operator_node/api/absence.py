"""Why there is no record of a duty that somebody asks about: only what is known, never a guess.

Pure. Source: docs/run-a-node.md, "When a duty was missed".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operator_node.api.answers import OwnValidator


@dataclass(frozen=True, slots=True)
class Absence:
    """Why nothing is recorded; both are sentences for people."""

    cause: str
    advice: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the node knows when it is asked.

    Attributes:
        slot: running now; None as long as no beacon node has told the chain.
        started_slot: in which this process started; likewise None.
        slots_per_epoch: of the chain.
        is_working: whether duties are looked up at all.
        validators: that this operator has a share of, now.
    """

    slot: int | None
    started_slot: int | None
    slots_per_epoch: int
    is_working: bool
    validators: tuple[OwnValidator, ...]


NOT_OPEN = Absence(
    "No beacon node has answered since this node started, so it knows neither its chain nor its "
    "duties, and its duty records are not open yet.",
    "Look at `phalanx node status`, and ask again once it has left `starting`.",
)


def absence_of(known: Known, *, slot: int, validator: int) -> Absence:
    """Everything that is known to stand against the duty, or that nothing is.

    Args:
        known: by the node.
        slot: asked about.
        validator: its index.
    """
    if known.slot is None or known.started_slot is None:
        return NOT_OPEN
    if slot > known.slot:
        return Absence(
            f"Slot {slot} has not begun; slot {known.slot} is running.",
            "Ask again when it is over.",
        )
    found = [*_of_the_node(known, slot), *_of_the_validator(known, slot, validator)]
    if found:
        return Absence(
            " ".join(each.cause for each in found), " ".join(each.advice for each in found)
        )
    return Absence(
        "This node ran then, and the validator is one of its own. Either the chain gave it no duty "
        "in this slot, or this node did not hear of the duty in time; which of them is not known.",
        "A validator attests in one slot of each epoch: look at its other slots with `phalanx node "
        "duties --validator`, and at what the beacon nodes list for this epoch.",
    )


def _of_the_node(known: Known, slot: int) -> Iterator[Absence]:
    if known.started_slot is not None and slot < known.started_slot:
        yield Absence(
            f"This node's process started in slot {known.started_slot}, after slot {slot}, and "
            "earlier ones left no record of it.",
            "Look at whether the node ran then.",
        )
    if not known.is_working:
        yield Absence(
            "This node has looked up no duties since it started: it does not know yet which "
            "operator it is.",
            "Look at `phalanx node status`.",
        )


def _of_the_validator(known: Known, slot: int, validator: int) -> Iterator[Absence]:
    own = next((each for each in known.validators if each.index == validator), None)
    if own is None:
        nameless = sum(each.index is None for each in known.validators)
        but = f", {nameless} of them with an index that is not known yet" if nameless else ""
        yield Absence(
            f"Validator {validator} is not known as one of this node's own: it has shares of "
            f"{len(known.validators)} validators{but}.",
            "Check the index, and the node's validators at `/v1/validators`.",
        )
        return
    if own.liquidated:
        yield Absence(
            "The validator's cluster is liquidated now.", "Its owner can reactivate the cluster."
        )
    epoch = slot // known.slots_per_epoch
    if own.activation_epoch is not None and epoch < own.activation_epoch:
        yield Absence(
            f"The validator is active from epoch {own.activation_epoch} on, the slot is of epoch "
            f"{epoch}.",
            "It has no duties before that.",
        )
    if own.exit_epoch is not None and epoch >= own.exit_epoch:
        yield Absence(
            f"The validator left in epoch {own.exit_epoch}, the slot is of epoch {epoch}.",
            "It has no duties any more.",
        )
