"""The node's state follows from its parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.api import NodeState, Severity, Snapshot, status_of
from operator_node.api.answers import status_text
from sdk.types import OperatorId
from tests.unit.operator_node.api.facts import BEACON, DOWN, FOUR, HEALTHY


def severity(facts: Snapshot, name: str) -> Severity:
    return next(part.severity for part in status_of(facts).parts if part.name == name)


def test_a_healthy_node_is_ready() -> None:
    status = status_of(HEALTHY)
    assert status.state is NodeState.READY
    assert status.failing == ()
    assert {part.severity for part in status.parts} == {Severity.GOOD}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"is_started": False}, NodeState.STARTING),
        ({"registry_complete": False}, NodeState.SYNCING_REGISTRY),
        ({"operator": None}, NodeState.WAITING_OPERATOR),
        ({"held": 1}, NodeState.GUARDING),
        ({"is_listening": True}, NodeState.GUARDING),
        ({"beacons": (DOWN,)}, NodeState.DEGRADED),
        ({"is_stopping": True}, NodeState.STOPPING),
        ({"fenced_by": "a twin", "is_stopping": True}, NodeState.FENCED),
    ],
)
def test_each_state_has_its_cause(changes: dict[str, object], state: NodeState) -> None:
    assert status_of(replace(HEALTHY, **changes)).state is state  # type: ignore[arg-type]


def test_parts_that_wait_are_not_called_good() -> None:
    fresh = replace(
        HEALTHY, is_started=False, is_working=False, operator=None, beacons=(), peers=0,
        registry_complete=False, registry_block=None, registry_age_s=None, validators=0,
        co_operators=frozenset(), connected=frozenset(), clock_error_ms=None,
    )  # fmt: skip
    found = {part.name: part.severity for part in status_of(fresh).parts}
    assert found.pop("beacon_node") is Severity.BAD
    assert set(found.values()) == {Severity.NOT_STARTED}
    text = status_text(status_of(fresh))
    assert "good" not in text
    assert "twin           not started\n  it waits for the first answer of a beacon node" in text


def test_an_operator_that_is_not_known_yet_starts_no_network() -> None:
    facts = replace(HEALTHY, is_working=False, operator=None, registry_complete=False)
    status = status_of(facts)
    waiting = [part.name for part in status.parts if part.severity is Severity.NOT_STARTED]
    assert (status.state, waiting) == (NodeState.SYNCING_REGISTRY, ["operator", "p2p", "twin"])
    assert status_of(replace(HEALTHY, is_working=False)).state is NodeState.STARTING


def test_one_beacon_node_of_two_is_enough() -> None:
    facts = replace(HEALTHY, beacons=(BEACON, DOWN))
    assert severity(facts, "beacon_node") is Severity.IMPAIRED
    assert status_of(facts).failing == ()


def test_no_beacon_node_fails_and_says_what_to_do() -> None:
    status = status_of(replace(HEALTHY, beacons=(DOWN,)))
    assert status.failing == ("beacon_node",)
    part = status.parts[0]
    assert "10.0.0.1:5052 is unreachable" in part.problem
    assert part.effect
    assert part.advice


def test_missing_co_operators_are_named() -> None:
    facts = replace(HEALTHY, connected=frozenset(FOUR[1:3]))
    part = next(part for part in status_of(facts).parts if part.name == "p2p")
    assert part.severity is Severity.IMPAIRED
    assert part.problem == "operators 4 are not connected"


def test_nobody_connected_is_bad_only_if_somebody_is_wanted() -> None:
    alone = replace(HEALTHY, connected=frozenset(), peers=0)
    assert severity(alone, "p2p") is Severity.BAD
    assert severity(replace(alone, co_operators=frozenset()), "p2p") is Severity.GOOD


@pytest.mark.parametrize(("age_s", "severe"), [(None, True), (301.0, True), (299.0, False)])
def test_a_registry_that_stands_still_is_told(age_s: float | None, severe: bool) -> None:
    found = severity(replace(HEALTHY, registry_age_s=age_s), "registry")
    assert found is (Severity.IMPAIRED if severe else Severity.GOOD)


@pytest.mark.parametrize(
    ("error_ms", "found"),
    [(None, "not_started"), (50, "good"), (-51, "impaired"), (200, "impaired"), (201, "bad")],
)
def test_clock_errors_have_bounds(error_ms: int | None, found: str) -> None:
    assert severity(replace(HEALTHY, clock_error_ms=error_ms), "clock").value == found


@pytest.mark.parametrize(
    ("error_ms", "state"),
    [(None, NodeState.READY), (-200, NodeState.READY), (201, NodeState.DEGRADED)],
)
def test_only_a_clock_that_is_far_off_degrades_the_node(
    error_ms: int | None, state: NodeState
) -> None:
    assert status_of(replace(HEALTHY, clock_error_ms=error_ms)).state is state


def test_a_held_validator_does_not_fail_the_node() -> None:
    facts = replace(HEALTHY, held=1, operator=OperatorId(1))
    assert status_of(facts).failing == ()
    assert severity(facts, "doppelganger") is Severity.IMPAIRED


def test_a_twin_fails_the_node_and_says_what_was_seen() -> None:
    seen = "another process signs as operator 1"
    status = status_of(replace(HEALTHY, fenced_by=seen, twin=seen))
    assert status.failing == ("twin",)
    (part,) = (part for part in status.parts if part.name == "twin")
    assert part.problem == "another process signs as operator 1"
    assert "stop the other instance" in part.advice


def test_an_instance_without_the_lease_is_fenced_and_says_why() -> None:
    why = "another instance has the lease (term 3); this one waits for it"
    waiting = replace(HEALTHY, fenced_by=why, lease=why)
    status = status_of(waiting)
    assert (status.state, status.failing) == (NodeState.FENCED, ("lease",))
    (part,) = (part for part in status.parts if part.name == "lease")
    assert part.problem == why
    assert severity(waiting, "twin") is Severity.GOOD


def test_a_lease_that_is_held_is_a_good_part_and_none_is_no_part() -> None:
    held = replace(HEALTHY, lease="")
    assert (status_of(held).state, severity(held, "lease")) == (NodeState.READY, Severity.GOOD)
    assert "lease" not in {part.name for part in status_of(HEALTHY).parts}


def test_slashed_validators_fail_the_node_until_somebody_acknowledges_them() -> None:
    one = replace(HEALTHY, slashed=1)
    assert status_of(one).failing == ("slashing",)
    assert status_of(one).state is NodeState.DEGRADED
    why = "2 own validators were slashed, 2 of them within an epoch"
    two = replace(HEALTHY, slashed=2, slashed_stop=why, fenced_by=why)
    (part,) = (part for part in status_of(two).parts if part.name == "slashing")
    assert status_of(two).state is NodeState.FENCED
    assert (part.problem, part.effect) == (why, "Nothing is signed at all.")
    assert "acknowledge-slashings" in part.advice


def test_a_node_that_listens_is_not_failing() -> None:
    status = status_of(replace(HEALTHY, is_listening=True))
    assert status.failing == ()
    assert severity(replace(HEALTHY, is_listening=True), "twin") is Severity.IMPAIRED
