"""What stands between the signer and the rest: fences by cause, and the gate under a lease."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from operator_node.duties import Reason
from operator_node.duties.types import Signed, SignItem, Withheld
from operator_node.node.fences import Cause, Fences
from operator_node.node.gate import Gate
from operator_node.node.leasing import _follow
from sdk.types import PublicKey, Slot

KEYS = tuple(PublicKey(bytes([number]) * 48) for number in (1, 2))
ITEMS = tuple(
    cast(SignItem, SimpleNamespace(share=SimpleNamespace(validator_key=key))) for key in KEYS
)
SIGNED = tuple(cast(Signed, object()) for _ in ITEMS)


class Signer:
    """Signs all, and may take long."""

    def __init__(self, while_signing: Callable[[], None] = lambda: None) -> None:
        self.fenced_by = ""
        self.asked = 0
        self._while_signing = while_signing

    def sign(self, items: tuple[SignItem, ...], *, slot: Slot) -> tuple[Signed, ...]:
        assert slot == 7
        self.asked += 1
        self._while_signing()
        return tuple(SIGNED[ITEMS.index(item)] for item in items)

    def is_slashable(self, share: object, guard: object, /) -> bool:
        return (share, guard) == ("share", "guard")

    def fence(self, why: str) -> None:
        self.fenced_by = why

    def unfence(self) -> None:
        self.fenced_by = ""


class Twins:
    def __init__(self) -> None:
        self.did: list[str] = []

    def rest(self) -> None:
        self.did.append("rest")

    def begin_anew(self) -> None:
        self.did.append("begin anew")


def sign(gate: Gate) -> tuple[object, ...]:
    return gate.sign(ITEMS, slot=Slot(7))


def test_with_the_lease_everything_passes() -> None:
    gate = Gate(Signer(), lambda: "")
    assert sign(gate) == SIGNED
    assert gate.is_slashable(cast(Any, "share"), cast(Any, "guard"))


def test_without_the_lease_nobody_is_asked() -> None:
    signer = Signer()
    assert sign(Gate(signer, lambda: "no lease")) == tuple(
        Withheld(item, Reason.FENCED, "no lease") for item in ITEMS
    )
    assert signer.asked == 0


def test_signatures_that_come_back_after_the_lease_ended_do_not_leave() -> None:
    why = [""]
    signer = Signer(while_signing=lambda: why.append("too late"))
    results = sign(Gate(signer, lambda: why[-1]))
    assert results == tuple(Withheld(item, Reason.FENCED, "too late") for item in ITEMS)
    assert signer.asked == 1


def test_a_validator_that_was_slashed_is_left_out_of_what_is_asked() -> None:
    signer = Signer()
    gate = Gate(signer, lambda: "", KEYS[:1].__contains__)
    assert sign(gate) == (Withheld(ITEMS[0], Reason.VALIDATOR_NOT_ACTIVE, "slashed"), SIGNED[1])
    assert sign(Gate(signer, lambda: "", lambda key: True)) == tuple(
        Withheld(item, Reason.VALIDATOR_NOT_ACTIVE, "slashed") for item in ITEMS
    )
    assert signer.asked == 1


def test_a_fence_that_is_lifted_leaves_those_of_other_causes() -> None:
    signer = Signer()
    fences = Fences(signer)
    fences.of(Cause.LEASE)("no lease")
    fences.of(Cause.TWIN)("a twin")
    assert signer.fenced_by == "a twin; no lease"
    fences.set(Cause.LEASE, "")
    assert signer.fenced_by == "a twin"
    assert (fences.why(Cause.TWIN), fences.why(Cause.LEASE)) == ("a twin", "")
    fences.set(Cause.TWIN, "")
    assert signer.fenced_by == ""


def test_the_twin_watch_rests_while_another_instance_has_the_lease() -> None:
    signer, twins = Signer(), Twins()
    follow = _follow(Fences(signer), cast(Any, twins))
    follow("another instance has it")
    assert signer.fenced_by == "another instance has it"
    follow("")
    assert signer.fenced_by == ""
    assert twins.did == ["rest", "begin anew"]
