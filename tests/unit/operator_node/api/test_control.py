"""Orders need a token of their own, and answer with what they did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from click.testing import CliRunner

from operator_node.api import Tokens, make_app
from operator_node.api.control import NotNow
from operator_node.cli import orders
from sdk.errors import ConfigError, InputError, StorageError
from tests.unit.operator_node.api.test_http import sources

READ, CONTROL = "open sesame", "close sesame"
BOTH = Tokens(READ, CONTROL)
ORDERS = ("drain", "resume", "fence", "reload")


@dataclass
class Reloaded:
    applied: tuple[str, ...] = ("Graffiti",)
    needs_restart: tuple[str, ...] = ("p2p.TcpPort",)


@dataclass
class Fake:
    """Remembers what was ordered, and refuses with `problem` if there is one."""

    problem: Exception | None = None
    done: list[str] = field(default_factory=list)

    def _do(self, what: str) -> str:
        if self.problem is not None:
            raise self.problem
        self.done.append(what)
        return f"{what} done"

    def drain(self) -> str:
        return self._do("drain")

    def resume(self) -> str:
        return self._do("resume")

    def fence(self) -> str:
        return self._do("fence")

    async def reload(self) -> Reloaded:
        self._do("reload")
        return Reloaded()


def ask(
    fake: Fake | None, path: str, token: str = CONTROL, *, tokens: Tokens = BOTH, verb: str = "POST"
) -> tuple[int, Any]:
    app = make_app(replace(sources([]), orders=lambda: fake), tokens=tokens)

    async def main() -> tuple[int, Any]:
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            answer = await client.request(verb, path, headers=headers)
        return answer.status_code, answer.json()

    return trio.run(main)


@pytest.mark.parametrize("order", ORDERS)
def test_the_control_token_gives_orders(order: str) -> None:
    fake = Fake()
    code, answer = ask(fake, f"/v2/control/{order}")
    assert code == 200
    assert fake.done == [order]
    expected = {"applied": ["Graffiti"], "needs_restart": ["p2p.TcpPort"]}
    assert answer == (expected if order == "reload" else {"done": f"{order} done"})


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("tokens", "token", "code"),
    [
        (BOTH, "", 401),
        (BOTH, READ, 401),
        (BOTH, "guess", 401),
        (Tokens(READ), READ, 403),
        (Tokens(), "", 403),
        (Tokens(), "guess", 403),
    ],
)
def test_nothing_else_gives_orders(order: str, tokens: Tokens, token: str, code: int) -> None:
    fake = Fake()
    found, answer = ask(fake, f"/v2/control/{order}", token, tokens=tokens)
    assert (found, fake.done) == (code, [])
    assert "token" in answer["error"]
    assert READ not in answer["error"]
    assert CONTROL not in answer["error"]


def test_orders_are_no_reading_and_reading_takes_either_token() -> None:
    fake = Fake()
    assert ask(fake, "/v2/control/drain", verb="GET")[0] == 405
    assert fake.done == []
    assert [ask(fake, "/v2/status", token, verb="GET")[0] for token in (READ, CONTROL, "")] == [
        200,
        200,
        401,
    ]
    assert ask(fake, "/v2/status", "", tokens=Tokens(), verb="GET")[0] == 200


@pytest.mark.parametrize("order", ORDERS)
def test_a_node_that_cannot_do_it_now_says_why(order: str) -> None:
    code, answer = ask(Fake(NotNow("still starting")), f"/v2/control/{order}")
    assert (code, answer) == (409, {"status": "Conflict", "error": "still starting"})
    assert ask(None, f"/v2/control/{order}")[0] == 409


def test_settings_that_cannot_be_used_change_nothing_and_are_told() -> None:
    code, answer = ask(Fake(ConfigError("Graffiti is too long")), "/v2/control/reload")
    assert (code, answer["error"]) == (400, "nothing was changed: Graffiti is too long")
    assert ask(Fake(StorageError("disk")), "/v2/control/reload")[0] == 409


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", Tokens()),
        ("one\n", Tokens("one")),
        ("one two\n\n  three  \nfour\n", Tokens("one two", "three")),
    ],
)
def test_tokens_are_lines(text: str, tokens: Tokens) -> None:
    assert Tokens.of(text) == tokens


# --- commands ------------------------------------------------------------------------------


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Address and token of every order."""
    found: list[tuple[str, str]] = []

    def post(url: str, *, headers: dict[str, str], **_options: Any) -> httpx.Response:
        found.append((url, headers.get("authorization", "")))
        if url.endswith("reload"):
            return httpx.Response(200, json={"applied": [], "needs_restart": ["p2p.TcpPort"]})
        if "refusing" in url:
            return httpx.Response(403, json={"status": "Forbidden", "error": "no control token"})
        return httpx.Response(200, json={"done": "duties are begun again"})

    monkeypatch.setattr(httpx, "post", post)
    return found


@pytest.mark.parametrize(
    ("text", "token"), [(f"{READ}\n{CONTROL}\n", CONTROL), (f"{CONTROL}\n", CONTROL)]
)
def test_commands_send_the_control_token(
    tmp_path: Path, posted: list[tuple[str, str]], text: str, token: str
) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    for command in (orders.drain, orders.resume, orders.fence):
        found = CliRunner().invoke(command, ["--api", "http://n:1", "--token-file", str(file)])
        assert (found.exit_code, found.stdout) == (0, "duties are begun again\n")
    assert posted == [
        (f"http://n:1/v2/control/{name}", f"Bearer {token}")
        for name in ("drain", "resume", "fence")
    ]


def test_reload_names_what_needs_a_restart(posted: list[tuple[str, str]]) -> None:
    found = CliRunner().invoke(orders.reload, ["--api", "http://n:1"])
    assert found.stdout == "taken over: nothing\nneeds a restart: p2p.TcpPort\n"


def test_a_node_without_a_control_token_is_told_with_what_to_do(
    posted: list[tuple[str, str]],
) -> None:
    with pytest.raises(InputError, match="no control token") as caught:
        orders.drain.main(["--api", "http://refusing"], standalone_mode=False)
    assert "node.api_tokens_file" in caught.value.hint
