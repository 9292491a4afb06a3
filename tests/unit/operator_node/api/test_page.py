"""The start page says what is wrong first, with whose doing it is and what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest
import trio

from operator_node.api import Snapshot, Tokens, make_app, status_of
from operator_node.api.page import Shown, page
from operator_node.api.start import HEADERS
from operator_node.duties.reasons import Reason
from operator_node.engine.records import DutyRecord
from operator_node.wire.ids import RunnerRole
from sdk.types import OperatorId, Slot
from tests.unit.operator_node.api.facts import BEACON, DONE, DOWN, FOUR, HEALTHY, MISSED
from tests.unit.operator_node.api.test_http import sources

FACTS = {
    "operator": 1,
    "slot": 161,
    "validators": 2,
    "peers": 3,
    "registry_block": 1000,
    "co_operators": [2, 3, 4],
    "connected": [2, 3],
}


def shown(snapshot: Snapshot = HEALTHY, **more: Any) -> Shown:
    standard: dict[str, Any] = {
        "version": "phalanx/1",
        "status": status_of(snapshot),
        "facts": FACTS,
        "beacons": snapshot.beacons,
        "recent": (DONE,),
        "failed": (),
        "slots": 64,
    }
    return Shown(**(standard | more))


def told(html: str) -> str:
    """The page's text, a line per element."""
    body = html.split("<body>")[1]
    lines = (line.strip() for line in unescape(re.sub(r"<[^>]+>", "\n", body)).split("\n"))
    return "\n".join(line for line in lines if line)


def test_a_healthy_node_says_so_in_its_first_lines() -> None:
    text = told(page(shown()))
    assert text.startswith("ready\nAll parts are good, and duties are done.\noperator\n1\n")
    assert "What is wrong" not in text
    assert "Missed duties by reason\nNone is recorded." in text


def test_what_is_wrong_stands_first_the_worst_on_top_with_its_advice() -> None:
    missing = replace(
        HEALTHY, beacons=(DOWN,), connected=frozenset(FOUR[1:3]), validators=2, held=1
    )
    text = told(page(shown(missing)))
    assert text.startswith("degraded\n10.0.0.1:5052 is unreachable.\n")
    wrong = text.split("What is wrong\n")[1].split("Duties of the last")[0]
    assert wrong.startswith(
        "beacon_node\nbad\n"
        "Check that the beacon nodes run, are synced and are on the configured chain.\n"
        "what\n10.0.0.1:5052 is unreachable\neffect\n"
    )
    assert "whose doing, most often\nupstream's" in wrong
    assert wrong.index("beacon_node") < wrong.index("p2p") < wrong.index("doppelganger")
    assert "operators 4 are not connected" in wrong
    assert text.index("What is wrong") < text.index("Duties of the last 64 slots")


def test_missed_duties_are_grouped_by_reason_with_advice_and_the_last_one() -> None:
    late = replace(MISSED, id="COMMITTEE-1_2_3_4-e5-s150", slot=Slot(150), detail={})
    late = replace(late, reason=Reason.BN_DOWN)
    older = replace(late, id="COMMITTEE-1_2_3_4-e5-s140", slot=Slot(140))
    text = told(page(shown(failed=(MISSED, late, older))))
    groups = text.split("Missed duties by reason\n")[1].split("Co-operators")[0]
    assert groups.startswith(
        f"bn_down\n2, upstream's doing\n{Reason.BN_DOWN.advice}\n{Reason.BN_DOWN.cause}\n"
        "The last one: slot 150,\nphalanx node why COMMITTEE-1_2_3_4-e5-s150\n"
        "pre_quorum_missing\n1, co-operator's doing\n"
    )


def test_operators_that_missed_duties_name_are_told_the_worst_first() -> None:
    other = replace(MISSED, id="PROPOSER-e5-s162-v17", detail={"operators": [4, 3]})
    unknown = replace(MISSED, id="PROPOSER-e5-s163-v17", detail={"operators": "all of them"})
    text = told(page(shown(failed=(MISSED, other, unknown))))
    assert "Named most often: operator 3 (2), operator 2 (1), operator 4 (1)." in text


def test_commands_in_advice_are_set_apart() -> None:
    html = page(shown(replace(HEALTHY, connected=frozenset(FOUR[1:3]))))
    assert "see <code>phalanx node status</code>." in html


def test_recent_duties_are_counted_by_role_and_outcome() -> None:
    running = replace(DONE, id="COMMITTEE-1_2_3_4-e5-s161", reason=None)
    text = told(page(shown(recent=(running, MISSED, DONE))))
    table = text.split("Duties of the last 64 slots\n")[1].split("\nMissed")[0].split("\n")
    assert table == [
        *("role", "running", "done", "partly", "missed"),
        *("committee", "1", "1", "0", "0"),
        *("proposer", "0", "0", "0", "1"),
    ]


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        (HEALTHY, "None was due, or none is recorded yet."),
        (replace(HEALTHY, beacons=(DOWN,)), "None is recorded; what is wrong above says why."),
    ],
)
def test_no_duties_are_explained(snapshot: Snapshot, why: str) -> None:
    assert why in told(page(shown(snapshot, recent=())))


def test_proposals_tell_leader_and_payment() -> None:
    detail = {"block": "blinded", "paid_by": "nobody", "paid_to": "0x66"}
    proposal = replace(MISSED, reason=Reason.DONE, submitted=(17,), leader=FOUR[2], detail=detail)
    text = told(page(shown(recent=(proposal,))))
    assert "161\n17\ndone\noperator 3\nblinded\nnobody\n0x66" in text


def test_co_operators_tell_whether_they_are_connected_and_how_early_they_speak() -> None:
    text = told(page(shown()))
    table = text.split("first message into slot, median\n")[1].split("\nBeacon nodes")[0]
    assert table == "2\nyes\n1\n4100 ms\n3\nyes\n0\n4\nno\n0"


def test_texts_from_outside_are_escaped_everywhere() -> None:
    hostile = "<script>x</script>\"'&"
    beacon = replace(DOWN, name=hostile, client=hostile, last_trouble=hostile)
    record: DutyRecord = replace(
        MISSED, id=hostile, role=RunnerRole.PROPOSER, detail={"block": hostile, "paid_to": hostile}
    )
    snapshot = replace(HEALTHY, beacons=(beacon,), fenced_by=hostile)
    facts = {**FACTS, "operator": hostile}
    html = page(shown(snapshot, recent=(record,), failed=(record,), facts=facts, version=hostile))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 7
    assert "http://" not in html
    assert "src=" not in html


def test_a_node_that_starts_has_a_page_too() -> None:
    snapshot = replace(
        HEALTHY,
        is_started=False,
        is_working=False,
        operator=None,
        beacons=(),
        registry_complete=False,
        co_operators=frozenset[OperatorId](),
        connected=frozenset[OperatorId](),
        validators=0,
    )
    facts: dict[str, Any] = {"operator": None, "slot": None, "co_operators": [], "connected": []}
    text = told(page(shown(snapshot, facts=facts, recent=())))
    assert text.startswith("starting\nNo beacon node has answered yet.\n")
    assert text.count("it waits for the first answer of a beacon node") == 1
    assert "\nregistry, operator, " in text


# --- the route -----------------------------------------------------------------------------


def answer(*, tokens: Tokens | None = None, auth: tuple[str, str] | None = None) -> httpx.Response:
    app = make_app(sources([]), tokens=tokens)

    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.get("/", auth=auth)

    return trio.run(main)


def test_the_page_is_served_without_scripts_and_frames() -> None:
    found = answer()
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert HEADERS.items() <= dict(found.headers).items()
    assert BEACON.name in found.text


def test_a_browser_gives_the_token_as_password() -> None:
    tokens = Tokens("open sesame", "close sesame")
    refused = answer(tokens=tokens)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    for token in ("open sesame", "close sesame"):
        assert answer(tokens=tokens, auth=("anybody", token)).status_code == 200
    assert answer(tokens=tokens, auth=("anybody", "guess")).status_code == 401


def test_a_browsers_password_gives_no_orders() -> None:
    app = make_app(sources([]), tokens=Tokens("read", "control"))

    async def main() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            found = await client.post("/v2/control/drain", auth=("anybody", "control"))
        return found.status_code

    assert trio.run(main) == 401
