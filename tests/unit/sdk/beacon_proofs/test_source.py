"""What we ask a beacon node, and what becomes of each kind of answer."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from sdk.beacon_proofs import MINIMAL, BeaconHeader, Fork, ValidatorIndex, build_proofs
from sdk.beacon_proofs import source as source_module
from sdk.beacon_proofs.source import BeaconSource, RootCandidate
from sdk.errors import BeaconError
from tests.unit.sdk.beacon_proofs.states import header_of, small_state

STATE = small_state(3)
HEADER = header_of(STATE)
GONE = BeaconHeader(HEADER.slot, HEADER.proposer_index, bytes(32), b"\5" * 32, bytes(32))
NODE = "http://user:password@node.example/secret-token"
SSZ = {"Content-Type": "application/octet-stream", "Eth-Consensus-Version": "fulu"}
Answer = Callable[[str], httpx.Response]


def header_json(header: BeaconHeader, **changes: str) -> dict[str, object]:
    message = {
        "slot": str(header.slot),
        "proposer_index": str(header.proposer_index),
        "parent_root": "0x" + header.parent_root.hex(),
        "state_root": "0x" + header.state_root.hex(),
        "body_root": "0x" + header.body_root.hex(),
    }
    return {"data": {"root": "0x", "header": {"message": message | changes, "signature": "0x"}}}


def node(path: str) -> httpx.Response:
    """A node that still has both headers and one of their states."""
    match path:
        case "/eth/v1/beacon/genesis":
            return httpx.Response(200, json={"data": {"genesis_time": "1700000000"}})
        case "/eth/v1/config/spec":
            data = {"PRESET_BASE": "minimal", "SECONDS_PER_SLOT": "6", "BLOB_SCHEDULE": []}
            return httpx.Response(200, json={"data": data})
    for header in (HEADER, GONE):
        if path == f"/eth/v1/beacon/headers/0x{header.root().hex()}":
            return httpx.Response(200, json=header_json(header))
    if path == f"/eth/v2/debug/beacon/states/0x{HEADER.state_root.hex()}":
        return httpx.Response(200, content=bytes(STATE.data), headers=SSZ)
    return httpx.Response(404, json={"code": 404, "message": "not found"})


def source(answer: Answer = node, **settings: float) -> BeaconSource:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return answer(request.url.path.removeprefix("/secret-token"))

    client = httpx.Client(base_url=NODE, transport=httpx.MockTransport(respond))
    return BeaconSource(client, **settings)


def instead(part: str, response: Callable[[], httpx.Response]) -> Answer:
    """The node, with another answer where the path contains `part`."""
    return lambda path: response() if part in path else node(path)


def failure(answer: Answer, work: Callable[[BeaconSource], object]) -> BeaconError:
    with pytest.raises(BeaconError) as raised:
        work(source(answer))
    for secret in ("password", "secret-token"):
        assert secret not in str(raised.value)
    assert raised.value.hint
    return raised.value


def test_settings_of_the_chain() -> None:
    found = source().settings()
    assert (found.genesis_time, found.seconds_per_slot) == (1_700_000_000, 6)
    assert found.preset is MINIMAL


def test_the_newest_state_that_is_served_is_chosen() -> None:
    candidates = [
        RootCandidate(timestamp, root)
        for timestamp, root in ((36, b"\7" * 32), (24, GONE.root()), (12, HEADER.root()))
    ]
    served = source().newest_state(candidates, preset=MINIMAL)
    assert (served.timestamp, served.header) == (12, HEADER)
    assert served.state.fork is Fork.FULU
    proofs = build_proofs(served.state, served.header, [ValidatorIndex(2)])
    assert proofs.beacon_root == HEADER.root()


def test_a_state_is_asked_for_by_slot_if_its_root_is_not_known() -> None:
    def by_slot(path: str) -> httpx.Response:
        if path == f"/eth/v2/debug/beacon/states/{HEADER.slot}":
            return httpx.Response(200, content=bytes(STATE.data), headers=SSZ)
        return httpx.Response(404) if "states" in path else node(path)

    found = source(by_slot).state(HEADER, preset=MINIMAL)
    assert found is not None
    assert found.data == STATE.data


def test_nothing_served_is_an_error_that_says_what_was_there() -> None:
    candidates = [RootCandidate(12, GONE.root()), RootCandidate(0, b"\7" * 32)]
    problem = failure(node, lambda s: s.newest_state(candidates, preset=MINIMAL))
    assert problem.code == "beacon_state_unavailable"
    assert "headers of 1 and the states of none of the 2" in problem.message
    nothing = failure(node, lambda s: s.newest_state(candidates[1:], preset=MINIMAL))
    assert "same chain" in nothing.hint


def test_no_more_candidates_are_tried_than_stated() -> None:
    asked: list[str] = []

    def count(path: str) -> httpx.Response:
        asked.append(path)
        return httpx.Response(404)

    endless = (RootCandidate(number, b"\7" * 32) for number in range(10**6))
    with pytest.raises(BeaconError):
        source(count).newest_state(endless, preset=MINIMAL)
    assert len(asked) == source_module.MAX_CANDIDATES


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx.Response(200, json=header_json(GONE)),
        lambda: httpx.Response(200, json=header_json(HEADER, slot="-1")),
        lambda: httpx.Response(200, json=header_json(HEADER, slot=str(2**64))),
        lambda: httpx.Response(200, json=header_json(HEADER, slot="９")),
        lambda: httpx.Response(200, json=header_json(HEADER, state_root="0x00")),
        lambda: httpx.Response(200, json={"data": []}),
        lambda: httpx.Response(200, content=b"\xff" * 10),
        lambda: httpx.Response(200, content=b"[" * 1000),
        lambda: httpx.Response(200, content=bytes(source_module.MAX_JSON_BYTES + 1)),
        lambda: httpx.Response(500),
        lambda: httpx.Response(302, headers={"Location": "http://elsewhere.example"}),
    ],
)
def test_a_bad_header_is_an_error(response: Callable[[], httpx.Response]) -> None:
    answer = instead("headers", response)
    failure(answer, lambda s: s.header(HEADER.root()))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "application/octet-stream"}, "beacon_answer_malformed"),
        ({"Content-Type": "text/html", "Eth-Consensus-Version": "fulu"}, "beacon_answer_malformed"),
        (SSZ | {"Eth-Consensus-Version": "gloas"}, "beacon_fork_unsupported"),
    ],
)
def test_a_state_of_unknown_kind_is_an_error(headers: dict[str, str], code: str) -> None:
    answer = instead("states", lambda: httpx.Response(200, content=b"abc", headers=headers))
    assert failure(answer, lambda s: s.state(HEADER, preset=MINIMAL)).code == code


def test_a_state_beyond_the_limit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_STATE_BYTES", len(STATE.data) - 1)
    problem = failure(node, lambda s: s.state(HEADER, preset=MINIMAL))
    assert "more than" in problem.message


def test_a_state_that_takes_too_long_is_an_error() -> None:
    with pytest.raises(BeaconError, match="took longer"):
        source(state_seconds=-1).state(HEADER, preset=MINIMAL)


def test_a_node_that_does_not_answer_is_an_error() -> None:
    def fail() -> httpx.Response:
        raise httpx.ConnectError(f"cannot connect to {NODE}")

    problem = failure(instead("genesis", fail), lambda s: s.settings())
    assert "node.example did not answer" in problem.message


@pytest.mark.parametrize(
    "spec",
    [
        {"PRESET_BASE": "gnosis", "SECONDS_PER_SLOT": "5"},
        {"PRESET_BASE": "minimal", "SECONDS_PER_SLOT": "0"},
        {"PRESET_BASE": "minimal"},
    ],
)
def test_settings_we_cannot_use_are_an_error(spec: dict[str, str]) -> None:
    answer = instead("spec", lambda: httpx.Response(200, json={"data": spec}))
    failure(answer, lambda s: s.settings())


def test_a_node_without_the_routes_is_an_error() -> None:
    failure(lambda path: httpx.Response(404), lambda s: s.settings())
