"""What `status`, `duties` and `why` refuse before they ask a node, and how `--api` is read."""

from __future__ import annotations

from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from operator_node.cli import questions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses asked; each answers that there is nothing."""
    urls: list[str] = []

    def get(url: str, **_options: Any) -> httpx.Response:
        urls.append(url)
        return httpx.Response(200, json={"data": []})

    monkeypatch.setattr(httpx, "get", get)
    return urls


def run(command: click.Command, *words: str) -> Result:
    return CliRunner().invoke(command, words)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:16000", "http://127.0.0.1:16000"),
        ("node.example:16000/", "http://node.example:16000"),
        ("[::1]:16000", "http://[::1]:16000"),
        ("https://node.example/one/", "https://node.example/one"),
    ],
)
def test_an_address_without_scheme_is_http(asked: list[str], given: str, url: str) -> None:
    assert run(questions.duties, "--api", given).exit_code == 0
    assert asked == [f"{url}/v2/duties"]


@pytest.mark.parametrize("role", ["committee", "PROPOSER", "aggregator_committee"])
def test_roles_are_taken_in_any_case(asked: list[str], role: str) -> None:
    assert run(questions.duties, "--role", role, "--from", "3", "--to", "3").exit_code == 0
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("command", "words", "told"),
    [
        (questions.status, ("--api", "ftp://node"), "such as http://127.0.0.1:16000"),
        (questions.status, ("--api", ""), "such as http://127.0.0.1:16000"),
        (questions.status, ("--api", "node:port"), "such as http://127.0.0.1:16000"),
        (questions.duties, ("--from", "9", "--to", "3"), "--from 9 is after --to 3"),
        (questions.duties, ("--role", "nonsense"), "'voluntary_exit'"),
        (questions.duties, ("--role", "unknown"), "'proposer'"),
        (questions.why, ("abc",), "COMMITTEE-1_2_3_4-e5-s160"),
        (questions.why, ("NONSENSE-e5-s160-v17",), "COMMITTEE-1_2_3_4-e5-s160"),
        (questions.why, ("160",), "a slot and a validator index"),
        (questions.why, ("160", "abc"), "a slot and a validator index"),
        (questions.why, ("1", "2", "3"), "a slot and a validator index"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    asked: list[str], command: click.Command, words: tuple[str, ...], told: str
) -> None:
    result = run(command, *words)
    assert (result.exit_code, asked) == (2, [])
    assert told in " ".join(result.stderr.replace("│", " ").split())
