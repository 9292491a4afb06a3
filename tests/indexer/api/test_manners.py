"""How the API behaves whatever is asked: caching, paging, errors, limits, secrets, documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from indexer.api.app import Manners, Parts, make_app
from indexer.queries.connections import open_database
from sdk.types import checksum_address
from tests.indexer import databases
from tests.indexer.api.world import Api, Clock, PaidChain, Reference, open_api, set_head

pytestmark = pytest.mark.slow


@pytest.fixture
def moving(server: str) -> Iterator[Api]:
    """An API over a chain that goes on during the test."""
    chain = PaidChain()
    chain.mine(*range(60))
    with databases.fresh(server, name="moving") as url:
        made = open_api(url, chain)
        yield made
        made.app.state.engine.dispose()


def test_every_answer_says_what_it_rests_on(api: Api) -> None:
    answer = api.ask("/v1/network")
    head = api.chain.blocks[-1]
    assert answer.headers["x-indexed-block"] == "219"
    assert answer.json()["meta"]["block"] == {
        "number": 219,
        "hash": head["hash"],
        "timestamp": "2023-11-14T22:57:08Z",
    }
    assert answer.json()["meta"]["lag_blocks"] == 0
    assert answer.json()["meta"]["chain_id"] == 31337


def test_finality_is_told_and_can_be_asked_for(api: Api) -> None:
    for at, number, finality in (
        ("latest", 219, "latest"),
        ("safe", 219 - 32, "safe"),
        ("finalized", 219 - 64, "finalized"),
        ("100", 100, "finalized"),
        ("160", 160, "safe"),
        ("200", 200, "latest"),
    ):
        meta = api.get("/v1/network", at=at)["meta"]
        assert (meta["block"]["number"], meta["finality"]) == (number, finality)
    events = api.every("/v1/events", limit=100)
    for each in events:
        expected = "finalized" if each["block"] <= 155 else "safe"
        assert each["finality"] == (expected if each["block"] <= 187 else "latest")


def test_a_tag_on_another_fork_vouches_for_nothing(moving: Api) -> None:
    with psycopg.connect(moving.url, autocommit=True) as connection:
        connection.execute("UPDATE head SET safe_hash = %s", (b"\x01" * 32,))
        connection.execute("UPDATE head SET finalized_number = 1000000")
    assert moving.get("/v1/network", at=3)["meta"]["finality"] == "latest"
    for at in ("safe", "finalized"):
        answer = moving.ask("/v1/network", params={"at": at})
        assert (answer.status_code, answer.json()["code"]) == (503, "not_final_yet")
        assert answer.headers["retry-after"]


def test_an_unchanged_answer_is_not_sent_again(moving: Api) -> None:
    first = moving.ask("/v1/operators", params={"limit": 2})
    assert first.headers["cache-control"] == "public, max-age=6, stale-while-revalidate=30"
    known = {"If-None-Match": first.headers["etag"]}
    again = moving.ask("/v1/operators", params={"limit": 2}, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert moving.ask("/v1/operators", params={"limit": 3}, headers=known).status_code == 200
    moving.chain.mine(1, 2, 3)
    moving.follow()
    assert moving.ask("/v1/operators", params={"limit": 2}, headers=known).status_code == 200


def test_finalized_history_never_expires(api: Api) -> None:
    answer = api.ask("/v1/clusters", params={"at": 100})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in api.ask("/v1/clusters", params={"at": 200}).headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/operators", {"sort": "validators", "desc": "true"}),
        ("/v1/operators", {"sort": "fee"}),
        ("/v1/clusters", {"sort": "effective_balance"}),
        ("/v1/validators", {}),
        ("/v1/events", {}),
        ("/v1/events", {"asc": "true"}),
    ],
)
def test_paging_visits_every_entry_once_while_data_moves(
    moving: Api, path: str, params: dict[str, Any]
) -> None:
    whole = moving.get(path, limit=500, **params)["data"]
    line = iter(range(1000, 2000))

    def move() -> None:
        if moving.chain.head < 75:
            moving.chain.mine(next(line))
            moving.follow()

    paged = moving.every(path, between=move, limit=1, **params)
    assert moving.chain.head > 60
    assert paged == whole or _without_finality(paged) == _without_finality(whole)


def _without_finality(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: each[key] for key in each if key != "finality"} for each in entries]


def test_a_list_whose_block_is_gone_says_so(moving: Api) -> None:
    cursor = moving.get("/v1/events", limit=1)["page"]["next_cursor"]
    moving.chain.reorganise(5, *range(900, 910))
    moving.follow()
    answer = moving.ask("/v1/events", params={"limit": 1, "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (409, "cursor_reverted")


def test_a_cursor_continues_only_its_own_question(api: Api) -> None:
    cursor = api.get("/v1/operators", limit=2)["page"]["next_cursor"]
    flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for path, params in (
        ("/v1/operators", {"cursor": cursor, "sort": "fee"}),
        ("/v1/clusters", {"cursor": cursor}),
        ("/v1/operators", {"cursor": flipped}),
        ("/v1/operators", {"cursor": "nonsense"}),
        ("/v1/operators", {"cursor": "é"}),
    ):
        answer = api.ask(path, params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")
    assert api.get("/v1/operators", limit=5, cursor=cursor)["data"][0]["id"] == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/operators/999", 404, "operator_unknown"),
        ("/v1/operators/0", 400, "parameters"),
        ("/v1/operators/99999999999999999999999", 400, "parameters"),
        ("/v1/operators?limit=501", 400, "parameters"),
        ("/v1/operators?limit=0", 400, "parameters"),
        ("/v1/operators?sort=name", 400, "parameters"),
        ("/v1/operators?at=yesterday", 400, "at_malformed"),
        ("/v1/operators?at=999999", 404, "block_not_indexed"),
        ("/v1/operators?at=1", 404, "block_not_indexed"),
        ("/v1/operators?ids=1,x", 400, "operator_ids_malformed"),
        ("/v1/clusters/0x12", 400, "cluster_malformed"),
        ("/v1/clusters/0x" + "00" * 32, 404, "cluster_unknown"),
        ("/v1/clusters/0x" + "00" * 20 + "-1-2-3", 400, "operator_ids_malformed"),
        ("/v1/clusters/0x" + "00" * 20 + "-4-3-2-1", 400, "operator_ids_malformed"),
        ("/v1/clusters/0x" + "00" * 32 + "/history", 404, "cluster_unknown"),
        ("/v1/validators/0x12", 400, "key_malformed"),
        ("/v1/validators/0x" + "00" * 48, 404, "validator_unknown"),
        ("/v1/accounts/0x12", 400, "address_malformed"),
        ("/v1/accounts/0x52908400098527886E0F7030069857D2E4169Ee7", 400, "address_checksum"),
        ("/v1/events?name=Nothing", 400, "event_unknown"),
        ("/v1/events?tx=0x12", 400, "hash_malformed"),
        ("/v1/events?name=a%00b", 400, "query_malformed"),
        ("/v1/search?q=", 400, "parameters"),
        ("/v1/fees/quote?operators=1,2,3,99", 404, "operator_unknown"),
        ("/v1/nothing", 404, "route_unknown"),
        ("/v1/stream?topics=gossip", 400, "topic_unknown"),
        ("/v1/stream?since=abc", 400, "event_id_malformed"),
    ],
)
def test_errors_are_problems_with_a_word_for_programs(
    api: Api, path: str, status: int, code: str
) -> None:
    answer = api.ask(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["code"] == code
    assert found["status"] == status
    assert found["type"].endswith(code)
    assert found["title"]
    assert found["detail"]


def test_an_address_without_history_is_an_answer_too(api: Api) -> None:
    shown = api.get("/v1/accounts/0x" + "42" * 20)["data"]
    assert shown["nonce"]["next"] == 0
    assert shown["clusters"] == 0


@pytest.mark.parametrize(
    "name",
    ["password", "private_key", "privateKey", "Mnemonic", "secret", "keystore_password", "seed"],
)
def test_secrets_are_refused_by_name_and_not_repeated(
    api: Api, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    value = "correct horse battery staple"
    asked = [
        api.ask("/v1/operators", params={name: value}),
        api.ask("/v1/keyshares/verify", method="POST", json={"shares": [{name: value}]}),
        api.ask("/v1/tx/deposit", method="POST", json={"cluster": "x", name: value}),
        api.ask("/v1/batch", method="POST", json={"reads": [], "deep": [[{"er": {name: value}}]]}),
    ]
    for answer in asked:
        assert (answer.status_code, answer.json()["code"]) == (400, "secret_refused")
        assert value not in answer.text
    assert caplog.text == ""


def test_what_was_sent_is_not_sent_back_with_an_error(api: Api) -> None:
    answer = api.ask("/v1/tx/deposit", method="POST", json={"cluster": ["hidden words"]})
    assert answer.status_code == 400
    assert "hidden" not in answer.text


def test_bodies_are_json_and_bounded(api: Api) -> None:
    for more, status, code in (
        ({"content": b"{}"}, 415, "not_json"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed_json"),
        ({"json": {"public_keys": ["a" * 300_000]}}, 413, "body_too_large"),
        ({"json": {"public_keys": []}}, 400, "parameters"),
        ({"json": {"public_keys": ["0x00"] * 1001}}, 400, "parameters"),
        (
            {"content": b"[" * 50_000, "headers": {"Content-Type": "application/json"}},
            400,
            "malformed_json",
        ),
    ):
        answer = api.ask("/v1/validators/lookup", method="POST", **more)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_who_asks_too_much_is_told_when_to_come_again(api: Api) -> None:
    clock = Clock()
    engine = api.app.state.engine
    app = make_app(Parts(engine, clock, Manners(per_second=1, burst=12)))
    limited = Api(app, api.url, api.chain, clock)
    first = limited.ask("/v1/operators")
    assert first.headers["ratelimit-limit"] == "12"
    assert first.headers["ratelimit-remaining"] == "11"
    assert first.headers["ratelimit-reset"] == "1"
    assert limited.ask("/v1/liquidations").headers["ratelimit-remaining"] == "6"
    assert limited.ask("/v1/operators?count=true").headers["ratelimit-remaining"] == "0"
    refused = limited.ask("/v1/liquidations")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "5"
    assert limited.ask("/healthz").status_code == 200
    clock.now_s += 5
    assert limited.ask("/v1/liquidations").status_code == 200


def test_pages_of_other_sites_may_read(api: Api) -> None:
    answer = api.ask("/v1/network", headers={"Origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "PUT"}
    assert api.ask("/v1/network", method="OPTIONS", headers=asked).status_code == 400


def test_long_answers_are_compressed_and_requests_keep_their_id(api: Api) -> None:
    answer = api.ask("/v1/events", headers={"X-Request-Id": "mine-1", "Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-request-id"] == "mine-1"
    assert len(api.ask("/v1/events", headers={"X-Request-Id": "a b"}).headers["x-request-id"]) == 32


def test_readiness_and_status_tell_how_the_indexer_is(moving: Api) -> None:
    assert moving.ask("/readyz").json() == {"ready": True, "reason": ""}
    status = moving.get("/v1/status")["data"]
    assert (status["indexed_block"], status["lag_blocks"]) == (59, 0)
    assert (status["safe_block"], status["finalized_block"]) == (27, 0)
    assert status["reorgs"] == []
    moving.chain.reorganise(4, *range(700, 720))
    moving.follow()
    status = moving.get("/v1/status")["data"]
    assert (status["reorgs"][0]["from_block"], status["reorgs"][0]["to_block"]) == (59, 55)
    set_head(moving.url, moving.chain, ahead=20)
    refused = moving.ask("/readyz")
    assert (refused.status_code, refused.json()["ready"]) == (503, False)
    set_head(moving.url, moving.chain, caught_up=False)
    assert moving.ask("/readyz").status_code == 503
    text = moving.ask("/metrics").text
    assert "api_indexed_block 75.0" in text
    assert 'api_answers_total{route="/readyz",status="503"} 2.0' in text


def test_an_empty_or_absent_database_is_a_problem_and_no_crash(server: str, api: Api) -> None:
    with databases.fresh(server, name="nothing") as url:
        for target, code in (
            (url, "empty"),
            (databases.renamed(server, "postgres"), "empty"),
            (databases.renamed(server, "absent"), "database"),
        ):
            engine = open_database(target, connections=1)
            bare = Api(make_app(Parts(engine, Clock())), target, api.chain, Clock())
            answer = bare.ask("/v1/operators")
            assert (answer.status_code, answer.json()["code"]) == (503, code)
            assert answer.headers["retry-after"] == "12"
            assert bare.ask("/readyz").status_code == 503
            assert bare.ask("/healthz").status_code == 200
            assert bare.ask("/metrics").status_code == 200
            engine.dispose()


def test_two_processes_and_a_role_that_can_only_read_answer_alike(server: str, api: Api) -> None:
    with psycopg.connect(api.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    reader = api.url.replace("postgres:@", "reader:@")
    assert reader != api.url
    engine = open_database(reader, connections=2)
    other = Api(make_app(Parts(engine, Clock())), reader, api.chain, Clock())
    for path in ("/v1/operators", "/v1/clusters", "/v1/events", "/v1/network", "/v1/liquidations"):
        ours, theirs = api.ask(path), other.ask(path)
        assert (ours.headers["etag"], ours.text) == (theirs.headers["etag"], theirs.text)
    cursor = api.get("/v1/events", limit=3)["page"]["next_cursor"]
    assert other.get("/v1/events", limit=3, cursor=cursor) == api.get(
        "/v1/events", limit=3, cursor=cursor
    )
    engine.dispose()
    with psycopg.connect(api.url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_an_owner_typed_in_lower_case_is_the_same_owner(api: Api, told: Reference) -> None:
    owner = next(iter(told.states[219].accounts))
    upper = api.get(f"/v1/accounts/{checksum_address(owner)}")
    assert api.get(f"/v1/accounts/0x{owner.hex()}") == upper
