"""The families of part `qbft`: structure, drafts, leaders, instances, heights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from operator_node.qbft import Broadcast, Heights, Instance, State, drafts, leader_of
from operator_node.wire.codec import decode_consensus, encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.generations import Generation
from operator_node.wire.messages import SignedMessage
from operator_node.wire.roots import root_of
from operator_node.wire.structure import check_consensus, check_signed
from tests.vectors.case import expect
from tests.vectors.ssv.archive import States, Vectors
from tests.vectors.ssv.errors import expected_fault, fault_of
from tests.vectors.ssv.qbft_harness import (
    Transcript,
    always_first,
    members_of,
    second_at_ten,
    setup_of,
    sign,
)
from tests.vectors.ssv.qbft_projection import load_state, project, project_ours, received
from tests.vectors.ssv.reading import hexed, raw, rows, signed_message

Data: TypeAlias = dict[str, Any]
Checks: TypeAlias = Iterator[tuple[str, Callable[[], None]]]
Family: TypeAlias = Callable[[Vectors, States, str, Data], Checks]


def _message(vectors: Vectors, data: Data) -> None:
    messages = [signed_message(each) for each in rows(data["Messages"])]
    fault = fault_of(*(partial(_check, each, vectors.generation) for each in messages))
    expect(fault, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")
    for message, encoding in zip(messages, rows(data["EncodedMessages"]), strict=False):
        expect(encode_signed(message).hex(), raw(encoding).hex(), "encoding")
    for message, root in zip(messages, rows(data["ExpectedRoots"]), strict=False):
        expect(root_of(message, vectors.generation).hex(), raw(root).hex(), "root")


def _check(message: SignedMessage, generation: Generation) -> None:
    check_signed(message, generation)
    check_consensus(decode_consensus(message.message.data), generation)


def _creation(vectors: Vectors, data: Data) -> None:
    size = 4
    draft = _draft(data, Committee.of(range(1, size + 1)))
    root = root_of(sign(vectors, draft, size), vectors.generation)
    expect(root.hex(), data["ExpectedRoot"], "root")


def _draft(data: Data, committee: Committee) -> Broadcast:
    identifier, value = raw(data["Identifier"]), raw(data["StateValue"])
    height, round_ = 0, data["Round"]
    prepares = [received(signed_message(each)) for each in rows(data["PrepareJustifications"])]
    changes = [received(signed_message(each)) for each in rows(data["RoundChangeJustifications"])]
    match data["CreateType"]:
        case "createProposal":
            return drafts.proposal(
                identifier,
                height,
                round_,
                value,
                round_changes=changes,
                prepares=drafts.encoded(prepares),
            )
        case "CreatePrepare":
            return drafts.prepare(identifier, height, round_, hexed(data["Value"]))
        case "CreateCommit":
            return drafts.commit(identifier, height, round_, hexed(data["Value"]))
        case "CreateRoundChange":
            state = State(height)
            if prepares:
                state.prepared_round, state.prepared_value = prepares[0].body.round, value
                state.prepares[state.prepared_round] = prepares
            return drafts.round_change(identifier, state, 1, committee)
    raise AssertionError(f"unknown kind of draft {data['CreateType']}")


def _leaders(vectors: Vectors, data: Data) -> None:
    leader = leader_of(Committee.of(members_of(data["Share"])), vectors.generation)
    ours = [leader(*turn) for turn in zip(data["Heights"], data["Rounds"], strict=True)]
    expect(ours, data["Proposers"], "leaders")


def _instance(vectors: Vectors, data: Data) -> tuple[Instance, Transcript]:
    dump = data["Pre"]
    inner = dump["State"]
    members = members_of(inner["CommitteeMember"])
    setup = setup_of(vectors, raw(inner["ID"]), members, second_at_ten)
    state = load_state(dump)
    return Instance(setup, state.height, state=state), Transcript(vectors, len(members))


def _processing(vectors: Vectors, states: States, file: str, data: Data) -> None:
    instance, transcript = _instance(vectors, data)
    for message in map(signed_message, rows(data["InputMessages"])):
        transcript.note(instance.receive(received(message)))
    transcript.expect_fault(data["ExpectedErrorCode"])
    transcript.expect_timer(data["ExpectedTimerState"])
    _expect_sent(transcript, data)
    for wanted in states.of(file):
        expect(project_ours(instance.state), project(_whole(wanted)), "end state")


def _timeout(vectors: Vectors, data: Data) -> None:
    instance, transcript = _instance(vectors, data)
    transcript.note(instance.expire(instance.state.round))
    transcript.expect_fault(data["ExpectedErrorCode"])
    transcript.expect_timer(data["ExpectedTimerState"])
    _expect_sent(transcript, data)


def _expect_sent(transcript: Transcript, data: Data) -> None:
    wanted = [signed_message(each) for each in rows(data["OutputMessages"])]
    expect(
        [encode_signed(each).hex() for each in transcript.sent],
        [encode_signed(each).hex() for each in wanted],
        "broadcasts",
    )


def _heights(vectors: Vectors, states: States, file: str, data: Data) -> None:
    dump = data["Controller"]
    members = members_of(dump["CommitteeMember"])
    heights = Heights(
        setup_of(vectors, raw(dump["Identifier"]), members, always_first),
        height=data.get("StartHeight") or dump["Height"],
        states=[load_state(each) for each in rows(dump["StoredInstances"])],
    )
    transcript = Transcript(vectors, len(members))
    recorded = states.of(file)
    ends = recorded[0] if recorded else []
    for place, item in enumerate(data["RunInstanceData"]):
        _run_height(heights, transcript, item, place)
        if place < len(ends):
            _expect_heights(heights, ends[place])
    transcript.expect_fault(data["ExpectedErrorCode"])


def _run_height(heights: Heights, transcript: Transcript, item: Data, place: int) -> None:
    transcript.decisions.clear()
    height = item.get("Height")
    transcript.note(heights.start(place if height is None else height, raw(item["InputValue"])))
    for message in map(signed_message, rows(item["InputMessages"])):
        transcript.note(heights.receive(received(message)))
    wanted = item["ExpectedDecidedState"]
    expect(len(transcript.decisions), wanted["DecidedCnt"], "decisions")
    for decision in transcript.decisions:
        expect(decision.value.hex(), raw(wanted["DecidedVal"]).hex(), "decided value")
    if wanted["BroadcastedDecided"] is not None:
        aggregate = encode_signed(signed_message(wanted["BroadcastedDecided"]))
        expect(aggregate in map(encode_signed, transcript.sent), True, "aggregate was spread")
    transcript.expect_timer(item["ExpectedTimerState"])


def _expect_heights(heights: Heights, wanted: Data) -> None:
    expect(heights.height, wanted["Height"], "height")
    expect(
        [project_ours(instance.state) for instance in heights.instances],
        [project(each) for each in rows(wanted["StoredInstances"])],
        "stored instances",
    )


def _whole(dump: Data) -> Data:
    """An instance's dump; end states of instances come without the instance around them."""
    return dump if "State" in dump else {"State": dump}


def _plain(check: Callable[[Vectors, Data], None]) -> Family:
    def family(vectors: Vectors, _states: States, _file: str, data: Data) -> Checks:
        yield data["Name"], partial(check, vectors, data)

    return family


def _with_states(check: Callable[[Vectors, States, str, Data], None]) -> Family:
    def family(vectors: Vectors, states: States, file: str, data: Data) -> Checks:
        yield data["Name"], partial(check, vectors, states, file, data)

    return family


FAMILIES: dict[str, Family] = {
    "tests.MsgSpecTest": _plain(_message),
    "tests.CreateMsgSpecTest": _plain(_creation),
    "tests.RoundRobinSpecTest": _plain(_leaders),
    "tests.MsgProcessingSpecTest": _with_states(_processing),
    "timeout.SpecTest": _plain(_timeout),
    "tests.ControllerSpecTest": _with_states(_heights),
}
