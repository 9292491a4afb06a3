"""Whole committees of four: what they say to each other, line by line."""

from __future__ import annotations

from collections.abc import Callable

from operator_node.wire.faults import Fault
from operator_node.wire.messages import ConsensusKind
from tests.unit.operator_node.qbft.acting import HEIGHT
from tests.unit.operator_node.qbft.cluster import Cluster, Flight

ALL = ("1", "2", "3", "4")
FIRST = "4"
"""Leader of round 1 at height 7 in a committee of 1 to 4; then 1, 2, 3."""
VALUES: dict[str, bytes | None] = {name: f"v{name}".encode() for name in ALL}


def votes_unless_seen_by(name: str) -> Callable[[Flight], bool]:
    """One member sees the prepares, nobody a commit."""

    def is_lost(flight: Flight) -> bool:
        kind = flight.message.body.kind
        return kind == ConsensusKind.COMMIT or (kind == ConsensusKind.PREPARE and flight.to != name)

    return is_lost


def is_from(flight: Flight, operator: int) -> bool:
    return flight.message.signed.signers == (operator,)


def test_a_healthy_committee_decides_in_round_1_on_the_leaders_value() -> None:
    cluster = Cluster()
    cluster.start(VALUES)
    cluster.settle()
    assert cluster.log == [
        "4 proposal 1 v4",
        "1 prepare 1",
        "2 prepare 1",
        "3 prepare 1",
        "4 prepare 1",
        "1 commit 1",
        "2 commit 1",
        "3 commit 1",
        "4 commit 1",
        "1 decides v4 in round 1",
        "1 spreads [1, 2, 3] to all",
        "2 decides v4 in round 1",
        "2 spreads [1, 2, 3] to all",
        "3 decides v4 in round 1",
        "3 spreads [1, 2, 3] to all",
        "4 decides v4 in round 1",
        "4 spreads [1, 2, 3] to all",
    ]


def test_a_silent_leader_is_followed_by_the_next_with_its_own_value() -> None:
    cluster = Cluster()
    cluster.silence(FIRST)
    cluster.start({name: VALUES[name] for name in "123"})
    cluster.settle()
    cluster.time_out("1", "2", "3")
    cluster.settle()
    assert cluster.log == [
        "1 round change 2",
        "2 round change 2",
        "3 round change 2",
        "1 proposal 2 v1 because 3+0",
        "1 prepare 2",
        "2 prepare 2",
        "3 prepare 2",
        "1 commit 2",
        "2 commit 2",
        "3 commit 2",
        "1 decides v1 in round 2",
        "1 spreads [1, 2, 3] to all",
        "2 decides v1 in round 2",
        "2 spreads [1, 2, 3] to all",
        "3 decides v1 in round 2",
        "3 spreads [1, 2, 3] to all",
    ]


def test_a_prepared_value_survives_the_change_of_rounds() -> None:
    cluster = Cluster()
    cluster.start(VALUES)
    while not any(line.endswith("commit 1") for line in cluster.log):
        cluster.deliver()
    cluster.drop(lambda flight: True)
    cluster.time_out(*ALL)
    cluster.settle()
    assert cluster.log[5:11] == [
        "1 commit 1",
        "1 round change 2 prepared 1 v4 because 3+0",
        "2 round change 2",
        "3 round change 2",
        "4 round change 2",
        "1 proposal 2 v4 because 3+3",
    ]
    assert cluster.decisions() == {b"v4"}
    assert all(member.decided for member in cluster.members.values())


def test_f_plus_1_round_changes_pull_the_others_along_before_their_timers() -> None:
    cluster = Cluster()
    cluster.silence(FIRST)
    cluster.start({name: VALUES[name] for name in "123"})
    cluster.time_out("2", "3")
    cluster.settle()
    assert cluster.log[:4] == [
        "2 round change 2",
        "3 round change 2",
        "1 round change 2",
        "1 proposal 2 v1 because 3+0",
    ]
    assert cluster.decisions() == {b"v1"}


def test_an_equivocating_leader_splits_the_votes_and_the_next_round_decides() -> None:
    cluster = Cluster(operators={"1": 1, "2": 2, "3": 3, "4a": 4, "4b": 4})
    cluster.start({"4a": b"left", "4b": b"right", "1": b"v1", "2": b"v2", "3": b"v3"})
    left, right = {"1", "2", "4a"}, {"3", "4b"}
    cluster.drop(
        lambda flight: (
            (flight.message.signed.full_data == b"left" and flight.to in right)
            or (flight.message.signed.full_data == b"right" and flight.to in left)
        )
    )
    cluster.settle()
    cluster.time_out("1", "2", "3")
    cluster.settle()
    decided = {name: cluster.members[name].decided for name in "123"}
    assert decided["1"] in ([b"left"], [b"v1"])
    assert decided["1"] == decided["2"] == decided["3"]


def test_messages_that_overtake_the_proposal_count_once_it_is_there() -> None:
    cluster = Cluster()
    cluster.start(VALUES)
    proposal = [flight for flight in cluster.flying if flight.to == "1"]
    cluster.drop(lambda flight: flight.to == "1")
    cluster.settle()
    late = cluster.members["1"]
    assert [each.fault for each in late.complaints] == []
    assert len(late.early) >= 6
    cluster.flying += proposal
    cluster.settle()
    assert late.decided == [b"v4"]


def test_a_late_joiner_learns_of_the_decision_from_the_spread_message() -> None:
    cluster = Cluster()
    cluster.start({name: VALUES[name] for name in "234"})
    cluster.drop(lambda flight: flight.to == "1")
    cluster.settle()
    assert cluster.members["1"].decided == [b"v4"]
    assert cluster.log[-1] == "1 decides v4 in round 1"


def test_a_member_that_missed_everything_gets_the_decision_from_f_plus_1_that_follow_it() -> None:
    cluster = Cluster()
    cluster.start(VALUES)
    cluster.settle(losing=lambda flight: flight.to == "1")
    assert cluster.members["1"].decided == []
    said = len(cluster.log)
    cluster.time_out("1")
    cluster.settle()
    assert cluster.log[said:] == [
        "1 round change 2",
        "2 spreads [2, 3, 4] to 1",
        "3 spreads [2, 3, 4] to 1",
        "1 decides v4 in round 1",
    ]


def test_members_that_are_late_together_are_helped_one_by_one() -> None:
    """The only one that decided follows the last of them by id, and nobody else."""
    cluster = Cluster(7)
    cluster.start({name: f"v{name}".encode() for name in cluster.members})
    late = {"1", "2", "3", "4", "5", "6"}

    def misses_the_end(flight: Flight) -> bool:
        return flight.to in late and flight.message.body.kind == ConsensusKind.COMMIT

    cluster.settle(losing=misses_the_end)
    assert [name for name in cluster.members if cluster.members[name].decided] == ["7"]
    cluster.silence("5")
    cluster.silence("6")
    late -= {"5", "6"}
    for _round in range(4):
        if waiting := [name for name in sorted(late) if not cluster.members[name].decided]:
            cluster.time_out(*waiting)
        cluster.settle()
    assert all(cluster.members[name].decided for name in late)


def test_a_later_height_stops_the_earlier_one() -> None:
    cluster = Cluster()
    cluster.start(VALUES)
    cluster.start(VALUES, height=HEIGHT + 1)
    cluster.settle()
    decided = [len(member.decided) for member in cluster.members.values()]
    assert decided == [1, 1, 1, 1]
    for member in cluster.members.values():
        assert Fault.INSTANCE_STOPPED in {each.fault for each in member.complaints}
        earlier = member.heights.instance(HEIGHT)
        assert earlier is not None
        assert not earlier.state.decided


def test_members_with_different_prepared_values_unite_on_the_later_one() -> None:
    """Operator 4 is silent in the end, so no quorum is without both values."""
    cluster = Cluster()
    cluster.start(VALUES)
    cluster.settle(losing=votes_unless_seen_by("1"))
    cluster.time_out(*ALL)
    cluster.settle(losing=lambda flight: is_from(flight, 1))
    cluster.time_out(*ALL)
    only_2_prepares = votes_unless_seen_by("2")
    cluster.settle(losing=lambda flight: is_from(flight, 1) or only_2_prepares(flight))
    prepared = [
        (instance.state.prepared_round, instance.state.prepared_value)
        for member in cluster.members.values()
        for instance in member.heights.instances
    ]
    assert prepared == [(1, b"v4"), (3, b"v2"), (0, b""), (0, b"")]
    cluster.silence("4")
    for _round in (3, 4, 5):
        cluster.time_out("1", "2", "3")
        cluster.settle()
    assert "1 proposal 6 v2 because 3+3" in cluster.log
    assert [cluster.members[name].decided for name in "123"] == [[b"v2"]] * 3
