"""Whatever the network and up to f liars do, nobody decides differently, and a healed one ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from operator_node.qbft import leader_alan, leader_boole
from operator_node.qbft.tallies import largest_disjoint
from operator_node.wire.committee import Committee
from operator_node.wire.messages import ConsensusKind, Received
from sdk.types import OperatorId
from tests.unit.operator_node.qbft.acting import (
    ROOT,
    VALUE,
    ValueRule,
    change,
    commit,
    prepares,
    proposal,
)
from tests.unit.operator_node.qbft.cluster import Cluster, Flight

sizes = st.sampled_from([4, 7])
seeds = st.integers(0, 2**32)
RUNS = 60
"""A run is a whole committee with hundreds of messages, some 10 ms."""


def members_of(size: int) -> dict[str, int]:
    return {str(operator): operator for operator in range(1, size + 1)}


def values_of(cluster: Cluster) -> dict[str, bytes | None]:
    return {name: f"value of {name}".encode() for name in cluster.members}


def heal(cluster: Cluster) -> None:
    """Nothing is lost any more and timers fire together, those of the hindmost first."""
    for _round in range(20):
        cluster.settle()
        waiting = {
            name: member.round for name, member in cluster.members.items() if not member.decided
        }
        if not waiting:
            return
        hindmost = min(waiting.values())
        cluster.time_out(*(name for name, round_ in waiting.items() if round_ == hindmost))


@given(sizes, seeds, st.integers(0, 2), st.integers(0, 6))
@settings(max_examples=RUNS, deadline=None)
def test_no_order_of_messages_makes_members_decide_differently(
    size: int, seed: int, silent: int, timeouts: int
) -> None:
    random = Random(seed)
    cluster = Cluster(size)
    for name in random.sample(sorted(cluster.members), min(silent, (size - 1) // 3)):
        cluster.silence(name)
    cluster.start(values_of(cluster))
    cluster.scramble(random, steps=40 * size, timeouts=timeouts)
    assert len(cluster.decisions()) <= 1
    assert all(len(member.decided) <= 1 for member in cluster.members.values())


@given(seeds)
@settings(max_examples=3 * RUNS, deadline=None)
def test_a_decision_binds_later_rounds_even_if_nobody_hears_of_it(seed: int) -> None:
    """One member alone sees the commits; the others go on without it, from what they prepared."""
    random = Random(seed)
    cluster = Cluster(does_spread=False)
    cluster.start(values_of(cluster))
    deciding = random.choice("1234")
    cluster.settle(
        losing=lambda flight: (
            (flight.to != deciding and flight.message.body.kind == ConsensusKind.COMMIT)
            or random.random() < 0.1
        )
    )
    heal(cluster)
    assert len(cluster.decisions()) == 1


@given(sizes, seeds, st.integers(0, 2))
@settings(max_examples=RUNS, deadline=None)
def test_every_member_decides_once_the_network_has_healed(
    size: int, seed: int, silent: int
) -> None:
    random = Random(seed)
    cluster = Cluster(size)
    cluster.start(values_of(cluster))
    cluster.scramble(random, steps=20 * size, timeouts=size)
    for name in random.sample(sorted(cluster.members), min(silent, (size - 1) // 3)):
        cluster.silence(name)
    heal(cluster)
    assert len(cluster.decisions()) == 1
    assert all(len(member.decided) == 1 for member in cluster.members.values())


@given(sizes, seeds, st.integers(0, 6))
@settings(max_examples=RUNS, deadline=None)
def test_f_operators_with_two_tongues_never_split_the_honest(
    size: int, seed: int, timeouts: int
) -> None:
    """A liar is two twins with one key, each honest by itself and with a value of its own."""
    random = Random(seed)
    liars = random.sample(sorted(members_of(size)), (size - 1) // 3)
    operators = members_of(size)
    for liar in liars:
        operators[f"{liar} too"] = operators[liar]
    cluster = Cluster(size, operators=operators)
    cluster.start(values_of(cluster))
    cluster.scramble(random, steps=60 * size, timeouts=timeouts)
    honest = [member for name, member in cluster.members.items() if name.split()[0] not in liars]
    assert len({value for member in honest for value in member.decided}) <= 1


@given(sizes, seeds)
@settings(max_examples=RUNS, deadline=None)
def test_poisoned_round_changes_do_not_stop_an_honest_leader(size: int, seed: int) -> None:
    """f liars keep a quorum of prepares for one value to themselves, some honest hold another.

    In round 1 f + 1 honest members prepare the value of a liar. In round 2 honest ones alone
    prepare another, and only some of them see it. From round 3 on nothing is lost, and the liars
    show what they kept.
    """
    random, f = Random(seed), (size - 1) // 3
    liars, honest = range(1, f + 1), [str(operator) for operator in range(f + 1, size + 1)]

    def leads(_height: int, round_: int) -> OperatorId:
        return OperatorId(1 if round_ == 1 else f + round_ - 1)

    cluster = Cluster(
        size,
        operators={name: int(name) for name in honest},
        change_setup=lambda setup: replace(setup, leader=leads),
    )
    cluster.start(values_of(cluster))
    cluster.flying += [Flight(name, proposal(1)) for name in honest[: f + 1]]
    cluster.settle()
    cluster.time_out(*honest)
    lucky = random.sample(honest, random.randint(1, len(honest)))
    cluster.settle(
        losing=lambda flight: (
            flight.message.body.kind == ConsensusKind.COMMIT
            or (flight.message.body.kind == ConsensusKind.PREPARE and flight.to not in lucky)
        )
    )
    cluster.time_out(*honest)
    kept = prepares(range(1, 2 * f + 2), ROOT)
    poison = [change(liar, 3, value=VALUE, prepared_by=kept) for liar in liars]
    cluster.flying += [Flight(name, message) for name in honest for message in poison]
    random.shuffle(cluster.flying)
    cluster.settle()
    assert len(cluster.decisions()) == 1
    decided_in = [line.split()[-1] for line in cluster.log if " decides " in line]
    assert decided_in == ["3"] * len(honest)


@given(seeds, st.sets(st.sampled_from("1234"), max_size=1))
@settings(max_examples=RUNS, deadline=None)
def test_a_member_without_beacon_node_never_prepares_first(seed: int, blind: set[str]) -> None:
    """Only the votes of f + 1 others release its prepare, in whatever order they come."""
    random = Random(seed)
    cluster = Cluster(
        change_setup=lambda setup: (
            replace(
                setup,
                check_value=ValueRule(
                    unvouched={b"value of " + b for b in (b"1", b"2", b"3", b"4")}
                ),
            )
            if str(setup.me) in blind
            else setup
        )
    )
    cluster.start(values_of(cluster))
    cluster.scramble(random, steps=120, timeouts=2)
    for name in blind:
        prepares = [line.split()[0] for line in cluster.log if " prepare 1" in line]
        place = prepares.index(name) if name in prepares else len(prepares)
        assert name not in prepares or place >= 2
        assert not any(line.startswith(f"{name} proposal 1") for line in cluster.log)


@given(st.integers(0, 2**64 - 1), st.sampled_from([4, 7, 10, 13]))
def test_in_n_rounds_every_member_leads_once(height: int, size: int) -> None:
    committee = Committee.of(range(1, size + 1))
    for leader in (leader_alan, leader_boole):
        turns = {leader(committee, height, round_) for round_ in range(1, size + 1)}
        assert turns == set(committee.operators)


@st.composite
def commit_sets(draw: st.DrawFn) -> list[Received]:
    """Single commits and decided messages of a committee of 7, each signer set once."""
    singles = st.sets(st.integers(1, 7), min_size=1, max_size=1)
    quorums = st.sets(st.integers(1, 7), min_size=5)
    chosen = draw(st.lists(st.one_of(singles, quorums), max_size=9, unique_by=frozenset))
    return [commit(*sorted(signers)) for signers in chosen]


@given(commit_sets())
def test_disjoint_commits_are_as_many_signers_as_trying_all_subsets_finds(
    commits: list[Received],
) -> None:
    best = 0
    for count in range(len(commits) + 1):
        for subset in combinations(commits, count):
            signers = [signer for each in subset for signer in each.signed.signers]
            if len(signers) == len(set(signers)):
                best = max(best, len(signers))
    found = largest_disjoint(commits, ROOT)
    assert sum(len(each.signed.signers) for each in found) == best
