"""What owners say: taken with their signature only, once, not for long, and kept over a reset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from indexer.store import engine, schema
from indexer.store.signed import signed_metadata
from tests.indexer import databases
from tests.indexer.api.world import NOW_S, Api, PaidChain, open_api

pytestmark = pytest.mark.slow
OWNER: LocalAccount = Account.from_key(b"\x07" * 32)
STRANGER: LocalAccount = Account.from_key(b"\x08" * 32)
SOON = int(NOW_S) + 600
OPERATOR = "/v1/operators/1/metadata"


@pytest.fixture(scope="module")
def owned(server: str) -> Iterator[Api]:
    """An API in whose tables an account that we can sign for owns an operator and a cluster."""
    chain = PaidChain()
    chain.mine(*range(60))
    with databases.fresh(server, name="owned") as url:
        made = open_api(url, chain)
        give_away(url)
        yield made
        made.app.state.engine.dispose()


@pytest.fixture
def api(owned: Api) -> Api:
    """The same, with nothing said yet."""
    with psycopg.connect(owned.url) as connection:
        connection.execute("DELETE FROM signed_metadata")
    return owned


def give_away(url: str) -> None:
    """As if operator 1 and the first cluster were registered by our account."""
    owner = bytes.fromhex(OWNER.address[2:])
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE operator_version SET owner = %s WHERE operator_id = 1", (owner,))
        connection.execute("UPDATE cluster_version SET owner = %s WHERE sequence = 1", (owner,))


def cluster_path(api: Api) -> str:
    return f"/v1/clusters/{api.get('/v1/clusters', limit=1)['data'][0]['id']}/metadata"


def signed(api: Api, path: str, account: LocalAccount = OWNER, **said: Any) -> dict[str, Any]:
    """A body as a frontend makes it: from what the API says is to be signed."""
    asked = api.get(path)["data"]
    said = {"nonce": asked["next_nonce"], "expires_at": SOON, **said}
    data = asked["typed_data"]
    members = data["types"][data["primaryType"]]
    empty = {each["name"]: "" for each in members if each["type"] == "string"}
    data["message"] = empty | data["message"] | said
    signature = account.sign_message(encode_typed_data(full_message=data)).signature
    return said | {"signature": "0x" + bytes(signature).hex()}


def put(api: Api, path: str, body: dict[str, Any]) -> Any:
    return api.ask(path, method="PUT", json=body)


def test_an_owner_names_his_operator_and_it_is_found_by_that(api: Api) -> None:
    body = signed(api, OPERATOR, name="Blue Node", website_url="https://example.org")
    answer = put(api, OPERATOR, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["name"] == "Blue Node"
    shown = api.get("/v1/operators/1")["data"]["metadata"]
    assert shown == answer.json()["data"]
    assert shown["nonce"] == 1
    assert shown["signature"] == body["signature"]
    listed = api.get("/v1/operators", ids="1,2")["data"]
    assert [each["metadata"] for each in listed] == [shown, None]
    for text in ("blue", "BLUE NODE", "bl"):
        hits = api.get("/v1/search", q=text)["data"]["hits"]
        found = [(each["kind"], each["id"], each["name"]) for each in hits]
        assert found == [("operator", "1", "Blue Node")]
    for text in ("node", "b", "blue%", "blue_node"):
        assert api.get("/v1/search", q=text)["data"]["hits"] == []


def test_a_cluster_is_named_in_the_same_way(api: Api) -> None:
    path = cluster_path(api)
    answer = put(api, path, signed(api, path, name="Savings", description="of ours"))
    assert answer.status_code == 200, answer.text
    detail = api.get(path.removesuffix("/metadata"))["data"]
    assert detail["metadata"]["description"] == "of ours"
    hits = api.get("/v1/search", q="savings")["data"]["hits"]
    assert [(each["kind"], each["id"]) for each in hits] == [("cluster", detail["id"])]


def test_what_was_signed_counts_once(api: Api) -> None:
    first = signed(api, OPERATOR, name="One")
    assert put(api, OPERATOR, first).status_code == 200
    second = signed(api, OPERATOR, name="Two")
    assert second["nonce"] == 2
    assert put(api, OPERATOR, second).status_code == 200
    for again in (first, second):
        answer = put(api, OPERATOR, again)
        assert (answer.status_code, answer.json()["code"]) == (409, "nonce_used")
    assert api.get("/v1/operators/1")["data"]["metadata"]["name"] == "Two"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"name": "Another"}, 403, "signature_invalid"),
        ({"nonce": 2}, 403, "signature_invalid"),
        ({"expires_at": SOON + 1}, 403, "signature_invalid"),
        ({"signature": "0x" + "00" * 65}, 403, "signature_invalid"),
        ({"signature": "0x12"}, 403, "signature_invalid"),
        ({"signature": "0xzz"}, 400, "signature_malformed"),
        ({"expires_at": int(NOW_S) - 1}, 400, "expiry"),
        ({"expires_at": int(NOW_S) + 3_601}, 400, "expiry"),
        ({"name": "n" * 65}, 400, "parameters"),
        ({"name": "right\u202eleft"}, 400, "text_malformed"),
        ({"name": " spaced"}, 400, "text_malformed"),
        ({"website_url": "javascript:alert(1)"}, 400, "text_malformed"),
        ({"website_url": "http://example.org"}, 400, "text_malformed"),
        ({"dkg_address": "nowhere"}, 400, "text_malformed"),
        ({"nonce": 0}, 400, "parameters"),
    ],
)
def test_what_is_not_as_it_was_signed_is_refused(
    api: Api, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = put(api, OPERATOR, signed(api, OPERATOR, name="Mine") | changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert api.get("/v1/operators/1")["data"]["metadata"] is None


def test_only_the_owner_speaks(api: Api) -> None:
    answer = put(api, OPERATOR, signed(api, OPERATOR, STRANGER, name="Mine"))
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")
    other = "/v1/operators/2/metadata"
    body = signed(api, OPERATOR, name="Mine")
    assert put(api, other, body).json()["code"] == "signature_invalid"
    assert put(api, "/v1/operators/4711/metadata", body).status_code == 404


def test_what_a_former_owner_said_is_not_told(api: Api) -> None:
    assert put(api, OPERATOR, signed(api, OPERATOR, name="Former")).status_code == 200
    with psycopg.connect(api.url) as connection:
        connection.execute("UPDATE signed_metadata SET owner = %s", (bytes(20),))
    assert api.get("/v1/operators/1")["data"]["metadata"] is None
    assert api.get("/v1/search", q="former")["data"]["hits"] == []
    assert put(api, OPERATOR, signed(api, OPERATOR, name="Present")).status_code == 200
    assert api.get("/v1/operators/1")["data"]["metadata"]["name"] == "Present"


def test_old_blocks_are_told_of_without_it(api: Api) -> None:
    """Their answers may be kept for ever."""
    assert put(api, OPERATOR, signed(api, OPERATOR, name="Now")).status_code == 200
    assert api.get("/v1/operators/1", at=30)["data"]["metadata"] is None


def test_a_reset_leaves_it(api: Api) -> None:
    assert put(api, OPERATOR, signed(api, OPERATOR, name="Lasting")).status_code == 200
    with databases.fresh(api.url, name="emptied") as other:
        schema.drop(engine(other))
        schema.upgrade(engine(other))
        with psycopg.connect(other) as connection:
            insert = f"INSERT INTO {signed_metadata.name} SELECT 1, '', 'cluster', ''"
            connection.execute(f"{insert}, '', 1, 'kept', '{{}}', '', now()".encode())
        schema.drop(engine(other))
        schema.upgrade(engine(other))
        with psycopg.connect(other) as connection:
            found = connection.execute("SELECT name FROM signed_metadata").fetchall()
    assert found == [("kept",)]


def test_a_role_that_may_not_write_says_so_and_one_may_write_nothing_else(api: Api) -> None:
    """As in docs/api.md: SELECT on everything, INSERT and UPDATE on this table only."""
    with psycopg.connect(api.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE teller LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO teller")
        try:
            as_teller = databases.renamed(api.url, "owned").replace("postgres:@", "teller@")
            api.app.state.metadata_url = as_teller
            answer = put(api, OPERATOR, signed(api, OPERATOR, name="Told"))
            assert (answer.status_code, answer.json()["code"]) == (503, "metadata_read_only")
            connection.execute("GRANT INSERT, UPDATE ON signed_metadata TO teller")
            assert put(api, OPERATOR, signed(api, OPERATOR, name="Told")).status_code == 200
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                psycopg.connect(as_teller) as own,
            ):
                own.execute("DELETE FROM log")
        finally:
            api.app.state.metadata_url = api.url
            connection.execute("DROP OWNED BY teller")
            connection.execute("DROP ROLE teller")


def test_a_signature_of_a_contract_counts_by_a_nodes_word(api: Api) -> None:
    class Wallet:
        """A node on which the owner is a contract that accepts one signature."""

        def accepts(self, wallet: bytes, digest: bytes, signature: bytes, *, chain: int) -> bool:
            return (wallet, signature, chain) == (
                bytes.fromhex(OWNER.address[2:]),
                b"\x01\x02\x03",
                31337,
            )

    body = signed(api, OPERATOR, name="Safe") | {"signature": "0x010203"}
    assert put(api, OPERATOR, body).status_code == 403
    api.app.state.node = Wallet()
    try:
        wrong = put(api, OPERATOR, body | {"signature": "0x010204"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "signature_invalid")
        assert put(api, OPERATOR, body).status_code == 200
    finally:
        api.app.state.node = None
