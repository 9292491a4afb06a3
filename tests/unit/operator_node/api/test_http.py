"""The HTTP API over a real socket, and the commands that ask it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from click.testing import CliRunner
from fastapi import FastAPI, Response

from operator_node.api import (
    Absence,
    DutyQuery,
    Identity,
    Metrics,
    OwnValidator,
    Peer,
    Snapshot,
    Sources,
    Tokens,
    make_app,
    make_metrics_app,
    serve,
    status_of,
)
from operator_node.cli import questions
from operator_node.duties.reasons import Reason
from operator_node.engine.records import DutyRecord
from operator_node.wire.ids import RunnerRole
from sdk.errors import ConfigError, InputError, NetworkError
from sdk.types import Address, PublicKey
from tests.unit.operator_node.api.facts import BEACON, DONE, DOWN, FOUR, HEALTHY, MISSED

TOKEN = "open sesame"
NOBODY = 99


def sources(asked: list[DutyQuery], facts: Snapshot = HEALTHY) -> Sources:
    async def duties(query: DutyQuery) -> Sequence[DutyRecord]:
        asked.append(query)
        return [] if query.validator == NOBODY else [MISSED, DONE]

    async def duty(duty_id: str) -> DutyRecord | None:
        return next((each for each in (MISSED, DONE) if each.id == duty_id), None)

    return Sources(
        version="phalanx/1",
        identity=lambda: Identity("16Uiu2", ("/ip4/10.0.0.9/tcp/1",), FOUR[0], frozenset({0, 9})),
        peers=lambda: [Peer("16Uiu3", ("/ip4/10.0.0.8/tcp/13001",), FOUR[1], 0.5, ("ssv.v2.9",))],
        status=lambda: status_of(facts),
        facts=lambda: {"operator": 1, "slot": None, "connected": [], "co_operators": [2, 3]},
        beacon_nodes=lambda: [BEACON],
        validators=lambda: [
            OwnValidator(
                PublicKey(b"\xaa" * 48), 17, "active_ongoing", 0, None, Address(b"\x01" * 20),
                FOUR, liquidated=False, held=False,
            )
        ],
        duties=duties,
        duty=duty,
        absence=lambda slot, validator: Absence(f"{validator} slept in {slot}.", "Wake it."),
    )  # fmt: skip


def serving(
    steps: Callable[[httpx.AsyncClient, str], Awaitable[None]],
    *,
    token: str = "",
    facts: Snapshot = HEALTHY,
    asked: list[DutyQuery] | None = None,
) -> None:
    """Run steps against the API on a socket of its own."""

    async def main() -> None:
        app = make_app(sources([] if asked is None else asked, facts), tokens=Tokens(token))
        async with trio.open_nursery() as nursery:
            port = await nursery.start(partial(serve, app, host="127.0.0.1", port=0))
            url = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=url) as client:
                with trio.fail_after(30):
                    await steps(client, url)
            nursery.cancel_scope.cancel()

    trio.run(main)


def ask(command: Any, url: str) -> Any:
    return CliRunner().invoke(command, ["--api", url], catch_exceptions=False)


def test_answers_have_the_documented_shapes() -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        identity = await client.get("/v1/node/identity")
        assert identity.headers["x-ssv-node-version"] == "phalanx/1"
        assert identity.json()["subnets"] == "0102" + "0" * 28
        assert (await client.get("/v1/node/peers")).json()[0]["operator"] == 2
        topics = (await client.get("/v1/node/topics")).json()
        assert topics["peers_by_topic"] == [{"topic": "ssv.v2.9", "peers": ["16Uiu3"]}]
        health = (await client.get("/v1/node/health")).json()
        assert health["p2p"] == health["beacon_node"] == health["event_syncer"] == "good"
        validator = (await client.get("/v1/validators")).json()["data"][0]
        assert (validator["public_key"], validator["quorum"]) == ("aa" * 48, 3)
        status = (await client.get("/v2/status")).json()
        assert (status["state"], status["operator"]) == ("ready", 1)
        assert (await client.get("/v2/beacon-nodes")).json()[0]["state"] == "synced"
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/openapi.json")).json()["info"]["version"] == "phalanx/1"

    serving(steps)


def test_readiness_names_what_fails() -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"failing": ["beacon_node"]})

    serving(steps, facts=replace(HEALTHY, beacons=(DOWN,)))


def test_duties_are_filtered_told_and_explained() -> None:
    asked: list[DutyQuery] = []

    async def steps(client: httpx.AsyncClient, url: str) -> None:
        query: dict[str, str | int] = {
            "slot": 161,
            "role": "proposer",
            "outcome": "missed",
            "limit": 5,
        }
        found = (await client.get("/v2/duties", params=query)).json()["data"]
        assert asked[-1].from_slot == asked[-1].to_slot == 161
        assert asked[-1].role is RunnerRole.PROPOSER
        assert found[0]["detail"] == {"operators": [2, 3]}
        assert found[0]["reason"] == "pre_quorum_missing"
        text = await client.get(f"/v2/duties/{MISSED.id}", headers={"accept": "text/plain"})
        assert Reason.PRE_QUORUM_MISSING.advice in text.text
        missing = await client.get("/v2/duties/nothing")
        assert (missing.status_code, missing.json()["status"]) == (404, "Not Found")

    serving(steps, asked=asked)


@pytest.mark.parametrize(
    ("query", "named"), [({"limit": 5000}, "limit"), ({"role": "king"}, "role"), ({"to": -1}, "to")]
)
def test_bad_queries_are_refused_by_name(query: dict[str, Any], named: str) -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        answer = await client.get("/v2/duties", params=query)
        assert answer.status_code == 400
        assert named in answer.json()["error"]

    serving(steps)


def test_a_token_guards_everything_but_probes() -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        assert (await client.get("/v2/status")).status_code == 401
        wrong = {"authorization": "Bearer open sesam"}
        assert (await client.get("/v2/status", headers=wrong)).status_code == 401
        right = {"authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/v2/status", headers=right)).status_code == 200
        assert (await client.get("/livez")).status_code == 200

    serving(steps, token=TOKEN)


def test_a_taken_port_is_a_clear_error() -> None:
    async def main() -> None:
        app = make_app(sources([]))
        async with trio.open_nursery() as nursery:
            port = await nursery.start(partial(serve, app, host="127.0.0.1", port=0))
            with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
                await serve(app, host="127.0.0.1", port=port)
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_metrics_have_their_own_port_and_health() -> None:
    metrics = Metrics()
    metrics.duty_ended(RunnerRole.COMMITTEE, "done", Reason.DONE)
    metrics.status(status_of(HEALTHY))

    async def main() -> None:
        app = make_metrics_app(metrics.text, lambda: status_of(replace(HEALTHY, beacons=())))
        async with trio.open_nursery() as nursery:
            port = await nursery.start(partial(serve, app, host="127.0.0.1", port=0))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                text = (await client.get("/metrics")).text
                line = 'node_duty_total{outcome="done",reason="done",role="committee"} 1.0'
                assert line in text.splitlines()
                assert 'node_state{state="ready"} 1.0' in text.splitlines()
                health = await client.get("/health")
                assert health.status_code == 500
                assert health.json()["errors"] == ["no beacon node has answered yet"]
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_the_commands_tell_what_the_node_answers(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")

    async def steps(client: httpx.AsyncClient, url: str) -> None:
        options = ["--api", url, "--token-file", str(token_file)]

        def run(command: Any, *words: str) -> Any:
            return CliRunner().invoke(command, [*words, *options], catch_exceptions=False)

        status = await trio.to_thread.run_sync(run, questions.status)
        assert (status.exit_code, "state: ready" in status.output) == (0, True)
        listed = await trio.to_thread.run_sync(run, questions.duties)
        assert "PROPOSER-e5-s161-v17" in listed.output
        assert "pre_quorum_missing" in listed.output
        told = await trio.to_thread.run_sync(run, questions.why, MISSED.id, "--json")
        assert json.loads(told.output)["reason"] == "pre_quorum_missing"
        by_slot = await trio.to_thread.run_sync(run, questions.why, "161", "17")
        assert Reason.PRE_QUORUM_MISSING.cause in by_slot.output
        assert "slot: none yet\nconnected: none\nco_operators: 2, 3" in status.output
        with pytest.raises(InputError, match="404") as caught:
            await trio.to_thread.run_sync(run, questions.why, "PROPOSER-e5-s999-v17")
        assert caught.value.message.endswith("with 404: no duty 'PROPOSER-e5-s999-v17' is recorded")
        with pytest.raises(InputError, match=r"99 slept in 160\. Wake it\.") as caught:
            await trio.to_thread.run_sync(run, questions.why, "160", str(NOBODY))
        assert (caught.value.code, caught.value.exit_code) == ("duty_missing", 3)

    serving(steps, token=TOKEN)


def test_status_of_a_failing_node_exits_with_5() -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        result = await trio.to_thread.run_sync(
            lambda: CliRunner().invoke(questions.status, ["--api", url])
        )
        assert result.exit_code == 5
        assert "-> Check that the beacon nodes run" in result.output

    serving(steps, facts=replace(HEALTHY, beacons=(DOWN,)))


def test_a_missing_token_is_asked_for_in_our_words() -> None:
    async def steps(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(InputError) as caught:
            await trio.to_thread.run_sync(ask, questions.duties, url)
        assert caught.value.message.endswith("with 401: send the API's token as bearer token")
        assert "--token-file" in caught.value.hint

    serving(steps, token=TOKEN)


@pytest.mark.parametrize(
    "body", [b"<html>" + b"x" * 5000, b'{"detail": "Not Found"}', b"[1]", b'"\xff"', b""]
)
def test_words_of_another_server_are_not_passed_on(body: bytes) -> None:
    app = FastAPI()

    @app.get("/v2/duties")
    async def duties() -> Response:
        return Response(body, status_code=404)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            port = await nursery.start(partial(serve, app, host="127.0.0.1", port=0))
            with pytest.raises(InputError) as caught:
                await trio.to_thread.run_sync(ask, questions.duties, f"http://127.0.0.1:{port}")
            nursery.cancel_scope.cancel()
        assert caught.value.message.endswith("with 404: its answer is not of an operator node")
        assert "--api" in caught.value.hint

    trio.run(main)


def test_no_node_is_a_clear_error() -> None:
    with pytest.raises(NetworkError, match="no answer from the node"):
        CliRunner().invoke(
            questions.status, ["--api", "http://127.0.0.1:1"], catch_exceptions=False
        )
