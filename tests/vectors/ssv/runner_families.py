"""Runs the specification's cases of runners, committees and partial signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from operator_node.duties.partials import Partials
from operator_node.duties.recover import recover_all
from operator_node.session import Session
from operator_node.session.starting import check_shares
from operator_node.wire.codec import decode_consensus
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Fault
from operator_node.wire.ids import RunnerRole
from operator_node.wire.messages import ConsensusKind, EnvelopeKind, SignedMessage
from sdk.errors import UsageError
from tests.vectors.case import expect
from tests.vectors.ssv import reading
from tests.vectors.ssv.archive import States, Vectors
from tests.vectors.ssv.errors import expected_fault
from tests.vectors.ssv.exclusions import STATE_NOT_COMPARED
from tests.vectors.ssv.pretend_beacon import PretendSelection
from tests.vectors.ssv.runner_harness import World, share_of_set
from tests.vectors.ssv.runner_loading import COMMITTEE_KEYS, duty_in
from tests.vectors.ssv.runner_node import CommitteeNode, ValidatorNode, feed, node_of
from tests.vectors.ssv.runner_projection import (
    project_output,
    project_runner,
    project_sent,
    project_session,
    project_state,
)

Data: TypeAlias = dict[str, Any]
Check: TypeAlias = tuple[str, Callable[[], None]]


def _sub_tests(
    vectors: Vectors,
    states: States,
    file: str,
    data: Data,
    run: Callable[[Vectors, Data, Data], None],
) -> Iterator[Check]:
    """Each sub-test with its end state; names may repeat within a file."""
    met: Counter[str | None] = Counter()
    for test in data.get("Tests") or [data]:
        name = test["Name"] if "Tests" in data else None
        place = met[name]
        met[name] += 1

        def check(test: Data = test, name: str | None = name, place: int = place) -> None:
            found = states.of(file, name)
            run(vectors, test, found[min(place, len(found) - 1)])

        yield test["Name"], check


def _messages(vectors: Vectors, states: States, file: str, data: Data) -> Iterator[Check]:
    return _sub_tests(vectors, states, file, data, _process)


def _process(vectors: Vectors, test: Data, end: Data) -> None:
    base = test["Runner"]["BaseRunner"]
    role = RunnerRole(base["RunnerRoleType"])
    node = node_of(vectors, role, base, PretendSelection.of(test))
    if test["DontStartDuty"]:
        session: Session | None = node.load(role, base, test)
    else:
        session = node.start(role, duty_in(test))
    for each in reading.rows(test["Messages"]):
        message = feed(node, each)
        if test["DecidedSlashable"] and message is not None:
            _mark_proposal(node.world, message)
    _expect_outputs(node.world, test)
    _expect_end(session, end["BaseRunner"])


def _expect_end(session: Session | None, base: Data) -> None:
    wanted = project_runner(base)
    ours = project_session(session, wanted)
    expect(ours["height"], wanted["height"], "end state, height")
    if wanted["state"] is None or ours["state"] is None:
        expect(ours["state"], wanted["state"], "end state")
        return
    for key, value in wanted["state"].items():
        expect(ours["state"][key], value, f"end state, {key}")


def _mark_proposal(world: World, signed: SignedMessage) -> None:
    """The height of a proposal becomes a slot that nothing may be signed in."""
    if signed.message.kind != EnvelopeKind.CONSENSUS:
        return
    body = decode_consensus(signed.message.data)
    if body.kind == ConsensusKind.PROPOSAL:
        world.mark_slashable(body.height)


def _new_duties(vectors: Vectors, states: States, file: str, data: Data) -> Iterator[Check]:
    return _sub_tests(vectors, states, file, data, _begin)


def _begin(vectors: Vectors, test: Data, end: Data) -> None:
    base = test["Runner"]["BaseRunner"]
    role = RunnerRole(base["RunnerRoleType"])
    node = node_of(vectors, role, base, PretendSelection.of(test))
    session: Session | None = node.load(role, base, test)
    # A committee has a runner per slot, but these cases start one runner again.
    if isinstance(node, CommitteeNode):
        again = node.start_again(session, role, duty_in(test))
    else:
        again = node.start(role, duty_in(test))
    _expect_first_message(node.world, test)
    _expect_end(again or session, end["BaseRunner"])


def _expect_first_message(world: World, test: Data) -> None:
    """These cases list the first message even of a duty that is refused, some with an old slot."""
    wanted = expected_fault(test["ExpectedErrorCode"], world.vectors.generation)
    expect(world.fault, wanted, "last fault")
    listed = [] if wanted else map(project_output, reading.rows(test["OutputMessages"]))
    expect(
        sorted((kind, roots) for kind, _, roots in map(project_sent, world.sent)),
        sorted((kind, roots) for kind, _, roots in listed),
        "own partial signatures",
    )


def _committees(vectors: Vectors, states: States, file: str, data: Data) -> Iterator[Check]:
    return _sub_tests(vectors, states, file, data, _run_committee)


def _run_committee(vectors: Vectors, test: Data, end: Data) -> None:
    node = CommitteeNode.of_dump(vectors, test["Committee"])
    for each in reading.rows(test["Input"]):
        if "ValidatorDuties" in each:
            node.start(_role_of(each), each)
        else:
            feed(node, each)
    _expect_outputs(node.world, test)
    if test["Name"] in STATE_NOT_COMPARED:
        return
    for key in COMMITTEE_KEYS.keys() & end.keys():
        sessions = node.sessions_of(COMMITTEE_KEYS[key])
        runners = {int(slot): dump["BaseRunner"] for slot, dump in (end[key] or {}).items()}
        expect(sorted(sessions), sorted(runners), f"slots of {key}")
        for slot, base in runners.items():
            _expect_end(sessions[slot], base)


_AGGREGATION = (1, 4)
"""Beacon roles of a duty that the aggregator committee does."""


def _role_of(duty: Data) -> RunnerRole:
    """Which runner a committee's duty is for, told by its first entry."""
    first = reading.rows(duty["ValidatorDuties"])[:1]
    is_aggregation = any(each["Type"] in _AGGREGATION for each in first)
    return RunnerRole.AGGREGATOR_COMMITTEE if is_aggregation else RunnerRole.COMMITTEE


def _expect_outputs(world: World, test: Data) -> None:
    wanted = expected_fault(test["ExpectedErrorCode"], world.vectors.generation)
    expect(world.fault, wanted, "last fault")
    expect(
        sorted(map(project_sent, world.sent)),
        sorted(map(project_output, reading.rows(test["OutputMessages"]))),
        "own partial signatures",
    )
    if "BeaconBroadcastedRoots" in test:
        roots = [reading.hexed(each).hex() for each in reading.rows(test["BeaconBroadcastedRoots"])]
        expect(sorted(world.beacon.submitted), sorted(roots), "submitted")


# --- single things ---------------------------------------------------------------------------


def _constructions(_: Vectors, __: States, ___: str, data: Data) -> Iterator[Check]:
    shares = {int(key): reading.share(dump) for key, dump in (data["Shares"] or {}).items()}

    def check(role: RunnerRole, text: str) -> None:
        try:
            check_shares(role, shares)
        except UsageError as problem:
            expect(bool(text) and text in problem.message, True, f"{problem.message} has {text!r}")
        else:
            expect("", text, "refusal")

    for number, text in data["RoleError"].items():
        role = RunnerRole(int(number))
        yield role.name, partial(check, role, text)


def _containers(vectors: Vectors, _: States, __: str, data: Data) -> Iterator[Check]:
    yield data["Name"], lambda: _fill_container(vectors, data)


def _fill_container(vectors: Vectors, data: Data) -> None:
    items = reading.partial_signatures({"Type": 0, "Slot": 0, "Messages": data["SignatureMsgs"]})
    share = share_of_set(vectors)
    expect(share.validator_key, reading.raw(data["ValidatorPubKey"]), "the set's validator")
    partials = Partials(
        committee=Committee.of(member.signer for member in share.committee),
        shares={share.validator_index: share},
        generation=vectors.generation,
    )
    partials.add(items.items)
    first = items.items[0]
    expect(partials.has_quorum(first.validator_index, first.root), data["ExpectedQuorum"], "quorum")
    (result,) = recover_all([partials.recovery(first.validator_index, first.root)])
    wanted = expected_fault(data["ExpectedErrorCode"], vectors.generation)
    has_failed = {True: int(Fault.RECONSTRUCTION_FAILED), False: 0}[result.signature is None]
    expect(has_failed, wanted, "fault")
    expect(result.signature or b"", reading.raw(data["ExpectedResult"]), "signature")


def _proofs(vectors: Vectors, states: States, file: str, data: Data) -> Iterator[Check]:
    yield data["Name"], lambda: _select(vectors, data, states.of(file)[0])


def _select(vectors: Vectors, data: Data, end: Data) -> None:
    """One validator at three positions of the sync committee; only some proofs are told to win."""
    share = share_of_set(vectors)
    duty = duty_in(end)
    is_committee = "AggregatorCommitteeDuty" in end
    role = RunnerRole.AGGREGATOR_COMMITTEE if is_committee else RunnerRole.SYNC_CONTRIBUTION
    committee = Committee.of(member.signer for member in share.committee)
    world = World(vectors, committee, {share.validator_index: share}, PretendSelection.of(data))
    node = CommitteeNode(world) if is_committee else ValidatorNode(world)
    session = node.start(role, duty)
    for each in data["Messages"]:
        feed(node, each)
    expect(world.fault, 0, "last fault")
    wanted = {"state": project_state(end)}
    ours = project_session(session, wanted)
    if not is_committee:
        # The own value names the positions of the duty, which ours has in another form.
        for each in (wanted["state"], ours["state"]):
            each.pop("own_value")
    expect(ours["state"], wanted["state"], "end state")


FAMILIES: dict[str, Callable[[Vectors, States, str, Data], Iterator[Check]]] = {
    "committee.CommitteeSpecTest": _committees,
    "committee.MultiCommitteeSpecTest": _committees,
    "newduty.MultiStartNewRunnerDutySpecTest": _new_duties,
    "partialsigcontainer.PartialSigContainerTest": _containers,
    "runnerconstruction.RunnerConstructionSpecTest": _constructions,
    "synccommitteeaggregator.SyncCommitteeAggregatorProofSpecTest": _proofs,
    "tests.MsgProcessingSpecTest": _messages,
    "tests.MultiMsgProcessingSpecTest": _messages,
}
