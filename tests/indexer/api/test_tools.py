"""Tools: quotes, choices, files and calls against the SDK's own figures; many reads at once."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from sdk.client.abi import functions
from sdk.client.export import decode_call
from sdk.registry import Parties, ledger, runway
from sdk.types import BlockNumber, OperatorId, checksum_address
from sdk.units import units_to_wei
from tests.indexer.api.conftest import AT
from tests.indexer.api.world import CONTRACT, Api, Reference

pytestmark = pytest.mark.slow
NEWEST = AT[-1]


def clusters(told: Reference, *, active: bool, at: int = NEWEST) -> list[Parties]:
    state = told.states[at]
    return [
        state.parties(each)
        for each in state.clusters.values()
        if each.snapshot.active == active and each.validator_count
    ]


def name(parties: Parties) -> str:
    return "0x" + parties.cluster.cluster_id.hex()


@pytest.mark.parametrize(("count", "eb", "days"), [(1, 32, 180), (7, 32, 0), (3, 2048, 30)])
def test_a_quote_is_what_the_ledger_asks_of_such_a_cluster(
    api: Api, told: Reference, count: int, eb: int, days: int
) -> None:
    state = told.states[NEWEST]
    ids = [OperatorId(each) for each in (1, 2, 3, 4)]
    shown = api.get("/v1/fees/quote", operators="1,2,3,4", validators=count, eb=eb, days=days)[
        "data"
    ]
    rate = sum(state.operators[each].fee_units for each in ids) + state.network.fee_units
    per_block = units_to_wei(rate) * count * eb // 32
    assert shown["total_wei_per_block"] == str(per_block)
    assert shown["total_wei_per_year"] == str(per_block * 7200 * 365)
    parts = sum(int(each["fee_wei_per_block"]) for each in shown["operators"])
    assert parts + int(shown["network_fee_wei_per_block"]) == per_block
    threshold = max(
        state.network.parameters.minimum_collateral_wei,
        per_block * state.network.parameters.liquidation_period_blocks,
    )
    assert shown["collateral_wei"] == str(threshold)
    assert shown["deposit_wei"] == str(threshold + per_block * days * 7200)


def test_sets_of_operators_are_cheap_public_and_have_room(api: Api, told: Reference) -> None:
    state = told.states[NEWEST]
    public = [
        each
        for each in state.operators.values()
        if each.removed_at is None and not each.is_private and each.validator_count <= 490
    ]
    body = {"size": 4, "validators": 10, "sets": 3}
    if len({each.owner for each in public}) < 4:
        answer = api.ask("/v1/operators/select", method="POST", json=body)
        assert answer.json()["code"] == "operators_too_few"
        return
    sets = api.post("/v1/operators/select", body)["data"]["sets"]
    cheapest: dict[bytes, int] = {}
    for each in public:
        cheapest[each.owner] = min(each.fee_units, cheapest.get(each.owner, each.fee_units))
    assert sets[0]["fee_wei"] == str(units_to_wei(sum(sorted(cheapest.values())[:4])))
    known = {each.operator_id for each in public}
    assert all(set(each["operator_ids"]) <= known for each in sets)


def test_calls_carry_the_snapshot_and_forecast_what_is_left(api: Api, told: Reference) -> None:
    at = BlockNumber(NEWEST + 1)
    for parties in clusters(told, active=True):
        snapshot = parties.cluster.snapshot
        struct = (
            *(snapshot.validator_count, snapshot.network_fee_index, snapshot.index),
            *(snapshot.active, snapshot.balance_wei),
        )
        left = ledger.settle_cluster(parties, at=at).snapshot.balance_wei
        deposit = _draft(api, "deposit", cluster=name(parties), amount_wei="12345")
        assert _decoded(deposit)[0] == "deposit"
        assert _decoded(deposit)[1][2] == struct
        assert deposit["value_wei"] == "12345"
        assert deposit["balance_after_wei"] == str(left + 12345)
        assert deposit["to"] == checksum_address(CONTRACT)
        days = {"cluster": name(parties), "runway_days": 3650}
        needed = runway.deposit_needed_wei(parties, for_blocks=3650 * 7200, at=at)
        if needed:
            assert _draft(api, "deposit", **days)["value_wei"] == str(needed)
        else:
            assert _ask(api, "deposit", **days).json()["code"] == "nothing_to_do"
        most = runway.withdrawable_wei(parties, at=at)
        refused = _ask(api, "withdraw", cluster=name(parties), amount_wei=str(most + 1))
        assert (refused.status_code, refused.json()["code"]) == (409, "underfunded")
        if most:
            withdraw = _draft(api, "withdraw", cluster=name(parties), amount_wei=str(most))
            assert _decoded(withdraw) == (
                "withdraw",
                (parties.cluster.operator_ids, most, struct),
            )
            assert withdraw["sender"] == checksum_address(parties.cluster.owner)
            assert withdraw["balance_after_wei"] == str(left - most)
        liquidate = _draft(api, "liquidate", cluster=name(parties))
        assert _decoded(liquidate)[1][2] == struct
        assert _ask(api, "reactivate", cluster=name(parties), amount_wei="1").status_code == 409


def test_a_liquidated_cluster_is_reactivated_with_enough_only(api: Api, told: Reference) -> None:
    found = [(at, each) for at in AT for each in clusters(told, active=False, at=at)]
    assert found
    for at, parties in found:
        least = runway.deposit_needed_wei(parties, for_blocks=0, at=BlockNumber(at + 1))
        params = {"at": at}
        enough = {"cluster": name(parties), "amount_wei": str(least)}
        made = api.post("/v1/tx/reactivate", enough, **params)["data"]
        assert _decoded(made)[0] == "reactivate"
        assert made["value_wei"] == str(least)
        if least:
            less = {"cluster": name(parties), "amount_wei": str(least - 1)}
            answer = api.ask("/v1/tx/reactivate", method="POST", json=less, params=params)
            assert answer.json()["code"] == "underfunded"
        gone = api.ask(
            "/v1/tx/liquidate", method="POST", json={"cluster": name(parties)}, params=params
        )
        assert gone.json()["code"] == "cluster_liquidated"


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("deposit", {}, 400, "amount_missing"),
        ("deposit", {"amount_wei": "1", "runway_days": 1}, 400, "amount_missing"),
        ("deposit", {"amount_wei": "0"}, 400, "amount_zero"),
        ("deposit", {"amount_wei": "-1"}, 400, "parameters"),
        ("withdraw", {}, 400, "amount_missing"),
        ("steal", {}, 400, "parameters"),
    ],
)
def test_calls_that_make_no_sense_are_refused(
    api: Api, told: Reference, action: str, body: dict[str, Any], status: int, code: str
) -> None:
    parties = clusters(told, active=True)[0]
    answer = _ask(api, action, cluster=name(parties), **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_keyshares_file_is_judged_against_the_registry(api: Api, told: Reference) -> None:
    record = next(iter(told.states[NEWEST].validators.values()))
    detail = api.get(f"/v1/validators/0x{record.public_key.hex()}", shares="true")["data"]
    registration = next(each for each in detail["registrations"] if each["shares"])
    parts = registration["shares"]
    joined = [parts["signature"], *parts["share_public_keys"], *parts["encrypted_shares"]]
    entry = {
        "data": {
            "ownerNonce": 9_999,
            "ownerAddress": registration["owner"],
            "publicKey": detail["public_key"],
            "operators": [{"id": each, "operatorKey": ""} for each in registration["operator_ids"]],
        },
        "payload": {
            "publicKey": detail["public_key"],
            "operatorIds": registration["operator_ids"],
            "sharesData": "0x" + "".join(each[2:] for each in joined),
        },
    }
    document = {"version": "v1.2.0", "createdAt": "2026-01-01T00:00:00.000Z", "shares": [entry]}
    shown = api.post("/v1/keyshares/verify", document)["data"]
    codes = {each["code"] for each in shown["findings"]}
    assert shown["sound"] is False
    assert {"nonce_mismatch", "pubkey_invalid"} <= codes
    assert codes & {"already_registered", "owned_by_another"}
    many = api.ask("/v1/keyshares/verify", method="POST", json=document | {"shares": [entry] * 101})
    assert many.json()["code"] == "too_many_validators"
    assert api.ask("/v1/keyshares/verify", method="POST", json=[]).status_code == 400


def test_a_batch_tells_of_one_block_what_each_read_tells_alone(api: Api) -> None:
    reads = ["/v1/operators/1", "/v1/events?limit=2&asc=true", "/v1/operators/999", "/v1/network"]
    for at in ("latest", "finalized", "100"):
        shown = api.post("/v1/batch", {"at": at, "reads": reads})
        number = shown["meta"]["block"]["number"]
        for path, each in zip(reads, shown["data"], strict=True):
            alone = api.ask(path, params={"at": number} if "?" not in path else None)
            if "?" in path:
                alone = api.ask(f"{path}&at={number}")
            assert (each["status"], each["body"]) == (alone.status_code, alone.json())


@pytest.mark.parametrize(
    "reads",
    [
        [],
        ["/v1/network"] * 21,
        ["/metrics"],
        ["/v1/batch"],
        ["/v1/stream"],
        ["/v1/network?at=5"],
        ["http://elsewhere/v1/network"],
    ],
)
def test_a_batch_takes_only_reads_of_its_own(api: Api, reads: list[str]) -> None:
    answer = api.ask("/v1/batch", method="POST", json={"reads": reads})
    assert answer.status_code == 400


def test_the_openapi_document_is_complete_and_the_page_needs_nothing_else(api: Api) -> None:
    described = api.ask("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    text = json.dumps(described)
    assert "HTTPValidationError" not in text
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            assert "422" not in operation["responses"]
            if path.startswith("/v1"):
                assert "429" in operation["responses"]
                assert all(
                    each.get("description") or each["in"] == "path" or _plain(each)
                    for each in operation.get("parameters", [])
                )
    missing = set(_references(described)) - {
        f"#/components/schemas/{each}" for each in described["components"]["schemas"]
    }
    assert missing == set()
    page = api.ask("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in described["paths"])
    targets = re.findall('href="#([^"]+)"', page.text)
    assert len(targets) == sum(map(len, described["paths"].values()))
    assert all(page.text.count(f'id="{each}"') == 1 for each in targets)
    assert "<code>data.runway_blocks</code>" in page.text
    assert "&#34;effective_balance_eth&#34;: " in page.text
    assert '"$API/v1/fees/quote?' in html.unescape(page.text)
    # Examples name addresses of other hosts, as text; nothing is loaded from one.
    links = re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["']?([^"'\s>]*)""", page.text)
    assert {each[:1] for each in links} <= {"#", "/"}
    assert not [each for each in links if each.startswith("//")]
    assert "url(" not in page.text
    assert "@import" not in page.text
    assert "<script" not in page.text


_STRANGE = (
    *("", "0", "-1", "1", "4", "99999999999999999999999999", "1,2,3,4", "0x", "0xzz", "true"),
    *("null", "\u0663", "a" * 600, "' OR 1=1 --", "%", "../../etc", "0x" + "00" * 20, "latest"),
    *("0x" + "00" * 32, "0x" + "11" * 48, "0x" + "00" * 20 + "-1-2-3-4", "events,owner:x", "\x00"),
)


def test_no_parameter_makes_a_route_fail(api: Api) -> None:
    described = api.ask("/openapi.json").json()
    asked = 0
    for path, methods in described["paths"].items():
        if "get" not in methods or path == "/v1/stream":
            continue
        for parameter in methods["get"].get("parameters", []):
            for place, strange in enumerate(_STRANGE):
                filled = path
                for each in methods["get"]["parameters"]:
                    if each["in"] == "path":
                        value = strange if each is parameter else _STRANGE[-place]
                        filled = filled.replace(f"{{{each['name']}}}", quote(value, safe=""))
                query = {parameter["name"]: strange} if parameter["in"] == "query" else {}
                answer = api.ask(filled, params=query)
                asked += 1
                assert answer.status_code in (200, 400, 404, 405, 409), (filled, query, answer.text)
                if answer.status_code != 200:
                    assert answer.headers["content-type"] == "application/problem+json"
    assert asked > 1000


def _plain(parameter: dict[str, Any]) -> bool:
    """A few speak for themselves."""
    return parameter["name"] in {
        *("limit", "sort", "days", "validators", "operators", "from_block", "last-event-id"),
    }


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for inner in value.values() for each in _references(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _references(inner)]
    return []


def _ask(api: Api, action: str, **body: Any) -> Any:
    return api.ask(f"/v1/tx/{action}", method="POST", json=body)


def _draft(api: Api, action: str, **body: Any) -> Any:
    return api.post(f"/v1/tx/{action}", body)["data"]


def _decoded(made: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    function, arguments = decode_call(bytes.fromhex(made["data"][2:]), source="the answer")
    assert function in functions()
    return function, arguments
