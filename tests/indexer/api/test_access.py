"""Who may ask how much, from which pages, and in which form answers come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from indexer.api.app import Manners, Parts, make_app
from indexer.api.keys import Allotment, Keys
from tests.indexer.api.world import Api, Clock

pytestmark = pytest.mark.slow
KEY = "correct-horse-battery"
KEYS = Keys({sha256(KEY.encode()).digest(): Allotment("wallet", 2.0, 100)})
LISTED, STRANGE = "https://app.example.org", "https://elsewhere.example.org"


@contextmanager
def limited(api: Api, manners: Manners) -> Iterator[Api]:
    """The same tables behind other manners."""
    clock = Clock()
    yield Api(make_app(Parts(api.app.state.engine, clock, manners)), api.url, api.chain, clock)


def test_whoever_has_a_key_has_a_bucket_of_his_own(api: Api) -> None:
    with limited(api, Manners(per_second=1, burst=10, keys=KEYS)) as asked:
        sent = {"X-API-Key": KEY}
        first = asked.ask("/v1/operators", headers=sent)
        assert first.headers["ratelimit-limit"] == "100"
        assert first.headers["ratelimit-remaining"] == "99"
        assert asked.ask("/v1/operators").headers["ratelimit-remaining"] == "9"
        batch = {"reads": ["/v1/operators/1", "/v1/operators/2"]}
        assert asked.ask("/v1/batch", method="POST", json=batch, headers=sent).status_code == 200
        left = asked.ask("/v1/operators", headers=sent).headers["ratelimit-remaining"]
        assert left == "95"
        for _ in range(9):
            asked.ask("/v1/operators")
        assert asked.ask("/v1/operators").status_code == 429
        assert asked.ask("/v1/operators", headers=sent).status_code == 200


def test_a_key_that_is_nobodys_is_refused_and_costs_its_address(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with limited(api, Manners(per_second=1, burst=3, keys=KEYS)) as asked:
        sent = {"X-API-Key": "guess-one"}
        for _ in range(3):
            answer = asked.ask("/v1/operators", headers=sent)
            assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")
            assert "guess-one" not in answer.text
            assert answer.headers["www-authenticate"]
        assert asked.ask("/v1/operators", headers=sent).status_code == 429
    assert "guess" not in caplog.text


def test_no_key_is_told_by_whoever_holds_it(api: Api) -> None:
    assert KEY not in repr(KEYS)
    assert KEY not in repr(Manners(keys=KEYS))


def test_every_page_may_read_and_listed_ones_write(api: Api) -> None:
    path = "/v1/operators/1/metadata"
    with limited(api, Manners(burst=1_000, writers=(LISTED,))) as asked:
        for origin in (LISTED, STRANGE):
            read = asked.ask("/v1/network", headers={"Origin": origin})
            assert read.headers["access-control-allow-origin"] == "*"
            asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            found = asked.ask("/v1/batch", method="OPTIONS", headers=asks)
            assert found.status_code == 204
            assert found.headers["access-control-allow-origin"] == "*"
            assert "PUT" not in found.headers["access-control-allow-methods"]
        asks = {"Origin": LISTED, "Access-Control-Request-Method": "PUT"}
        found = asked.ask(path, method="OPTIONS", headers=asks)
        assert found.headers["access-control-allow-origin"] == LISTED
        assert "PUT" in found.headers["access-control-allow-methods"]
        assert "X-API-Key" in found.headers["access-control-allow-headers"]
        refused = asked.ask(path, method="OPTIONS", headers=asks | {"Origin": STRANGE})
        assert (refused.status_code, refused.json()["code"]) == (400, "origin_not_listed")
        assert "access-control-allow-origin" not in refused.headers
        written = asked.ask(path, method="PUT", json={}, headers={"Origin": STRANGE})
        assert (written.status_code, written.json()["code"]) == (403, "origin_not_listed")
        # From a listed page, and from no page at all, it is for the route to judge.
        for headers in ({"Origin": LISTED}, {}):
            judged = asked.ask(path, method="PUT", json={}, headers=headers)
            assert judged.json()["code"] == "parameters"
            allowed = judged.headers.get("access-control-allow-origin")
            assert allowed == headers.get("Origin")


def test_long_answers_come_in_brotli_to_whoever_takes_it(api: Api) -> None:
    path = "/v1/events?limit=100"
    plain = api.ask(path, headers={"Accept-Encoding": "identity"})
    for accepted, encoding in (("br", "br"), ("gzip, deflate, br", "br"), ("gzip", "gzip")):
        found = api.ask(path, headers={"Accept-Encoding": accepted})
        assert found.headers["content-encoding"] == encoding
        assert "Accept-Encoding" in found.headers["vary"]
        assert found.json() == plain.json()
        assert found.headers["etag"] == plain.headers["etag"]
    assert "content-encoding" not in plain.headers
    short = api.ask("/healthz", headers={"Accept-Encoding": "br"})
    assert "content-encoding" not in short.headers
    assert int(found.headers["content-length"]) < len(plain.content) / 4


def test_a_block_is_found_by_its_hash_and_a_transaction_by_its_own(api: Api) -> None:
    event = api.get("/v1/events", limit=1, asc="true")["data"][0]
    for text in (event["block_hash"], event["block_hash"][2:].upper()):
        hits = api.get("/v1/search", q=text)["data"]["hits"]
        assert [(each["kind"], each["id"]) for each in hits] == [("block", str(event["block"]))]
    hits = api.get("/v1/search", q=event["transaction_hash"])["data"]["hits"]
    assert [each["kind"] for each in hits] == ["transaction"]
    newest = api.chain.blocks[-1]
    hits = api.get("/v1/search", q=newest["hash"])["data"]["hits"]
    assert [each["id"] for each in hits] == [str(int(newest["number"], 16))]
    earlier = api.get("/v1/search", q=newest["hash"], at=100)["data"]["hits"]
    assert earlier == []


def test_a_path_tells_all_its_methods(api: Api) -> None:
    answer = api.ask("/v1/operators/1/metadata", method="DELETE")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, PUT"
    assert api.ask("/v1/operators/select").headers["allow"] == "POST"
