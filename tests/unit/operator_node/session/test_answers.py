"""Answers of beacon node and signer that no duty could go on with count as none."""

from __future__ import annotations

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Answer, BeaconObject, Signed, SignItem, Unavailable, Withheld
from operator_node.session.answers import usable_answer, usable_result
from operator_node.spec.versions import FULU
from operator_node.wire.value_codec import MAX_OBJECT_BYTES
from sdk.types import Signature
from tests.unit.operator_node.duties.single_validator import SHARE
from tests.unit.operator_node.session.operators import VOTE

ITEM = SignItem(SHARE, b"\x01" * 32)


@pytest.mark.parametrize(
    "answer",
    [VOTE, BeaconObject(FULU, b"whatever"), BeaconObject(99, b""), Unavailable(Reason.BN_LATE)],
)
def test_what_can_be_encoded_is_left_to_the_value_checks(answer: Answer) -> None:
    assert usable_answer(answer) is answer


@pytest.mark.parametrize(
    "answer",
    [
        BeaconObject(-1, b""),
        BeaconObject(2**64, b""),
        BeaconObject(FULU, bytes(MAX_OBJECT_BYTES + 1)),
    ],
)
def test_object_that_fits_no_value_is_unavailable(answer: BeaconObject) -> None:
    usable = usable_answer(answer)
    assert isinstance(usable, Unavailable)
    assert usable.reason is Reason.BN_DOWN


@pytest.mark.parametrize("length", [0, 95, 97])
def test_signature_of_another_length_is_withheld(length: int) -> None:
    usable = usable_result(Signed(ITEM, Signature(bytes(length))))
    assert isinstance(usable, Withheld)
    assert (usable.item, usable.reason) == (ITEM, Reason.SIGNER_DOWN)


@pytest.mark.parametrize(
    "result", [Signed(ITEM, Signature(bytes(96))), Withheld(ITEM, Reason.SLASHING_REFUSED)]
)
def test_other_results_pass(result: Signed | Withheld) -> None:
    assert usable_result(result) is result
