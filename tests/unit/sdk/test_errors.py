"""The exception tree: classes, exit codes and texts that programs and people rely on."""

from __future__ import annotations

import pytest

from sdk import errors
from sdk.errors import PhalanxError

TREE = {
    "UsageError": (PhalanxError, 2, "usage"),
    "ConfigError": (errors.UsageError, 2, "config"),
    "InputError": (PhalanxError, 3, "input"),
    "KeystoreError": (errors.InputError, 3, "keystore"),
    "KeysharesError": (errors.InputError, 3, "keyshares"),
    "InvalidPoint": (errors.InputError, 3, "invalid_point"),
    "ChainError": (PhalanxError, 4, "chain"),
    "NetworkError": (PhalanxError, 5, "network"),
    "PeerError": (errors.NetworkError, 5, "peer"),
    "BeaconError": (errors.NetworkError, 5, "beacon"),
    "StorageError": (PhalanxError, 5, "storage"),
    "PartialError": (PhalanxError, 6, "partial"),
    "InvariantBroken": (PhalanxError, 70, "bug"),
}


@pytest.mark.parametrize("name", TREE)
def test_class_has_its_parent_exit_code_and_word(name: str) -> None:
    parent, exit_code, code = TREE[name]
    kind = getattr(errors, name)
    assert kind.__bases__ == (parent,)
    assert kind.exit_code == exit_code
    assert kind("what is wrong").code == code
    assert kind("what is wrong", code="exact_word").code == "exact_word"


def test_every_exception_of_the_module_is_in_the_tree() -> None:
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, PhalanxError)
    }
    assert found == {*TREE, "PhalanxError"}


def test_text_is_the_message_and_then_the_hint() -> None:
    assert str(PhalanxError("operator 42 not found")) == "operator 42 not found"
    hinted = PhalanxError("operator 42 not found", hint="Check the id.")
    assert str(hinted) == "operator 42 not found. Check the id."
    assert hinted.message == "operator 42 not found"


def test_facts_are_a_copy_of_what_was_given() -> None:
    facts: dict[str, object] = {"operator": 42}
    problem = PhalanxError("text", data=facts)
    facts.clear()
    assert problem.data == {"operator": 42}
    assert PhalanxError("text").data == {}
