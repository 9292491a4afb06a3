"""What `/v2/registry` and the commands that ask it say, from nothing read to something wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from operator_node.api.registry import registry_answer
from operator_node.cli import registry as commands
from operator_node.registry import RegistryStatus
from operator_node.registry.status import (
    AuditStatus,
    Difference,
    Gap,
    ProofStatus,
    SourceState,
    SourceStatus,
)
from sdk.chain import Point
from sdk.types import BlockNumber

GAP = Gap(BlockNumber(7), "http://one", 0, 2)
DIFFERENCE = Difference("operator 5", BlockNumber(9), b"\1" * 32, b"\2" * 32, "http://one")
FINE = replace(
    RegistryStatus.nothing(),
    tip=Point(BlockNumber(9), b"\5" * 32),
    is_complete=True,
    proof=ProofStatus(whole=(BlockNumber(1), BlockNumber(9)), gaps=(GAP,)),
    audit=AuditStatus(verified=BlockNumber(9)),
)
WRONG = replace(
    FINE,
    proof=ProofStatus(trouble={"http://one": "has no receipts"}),
    audit=AuditStatus(differences=(DIFFERENCE,), operators_missing=3),
    sources=(SourceStatus("http://two", SourceState.BEHIND, 4, "is at block 4, others are at 9"),),
    exits_held=1,
)


def ask(
    monkeypatch: pytest.MonkeyPatch, status: RegistryStatus | None, *words: str
) -> tuple[Result, dict[str, Any]]:
    answer = msgspec.json.decode(msgspec.json.encode(registry_answer(status)))
    monkeypatch.setattr(httpx, "get", lambda url, **_: httpx.Response(200, json=answer))
    return CliRunner().invoke(commands.registry, words), answer


def test_before_anything_is_read_nothing_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    result, answer = ask(monkeypatch, None, "verify")
    assert result.exit_code == 3
    assert (answer["processed"], answer["verified"], answer["problem"]) == (None, None, "")
    assert "verified: not yet" in result.stdout


def test_what_is_verified_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    result, answer = ask(monkeypatch, FINE, "verify")
    assert result.exit_code == 0
    assert "verified: block 9" in result.stdout
    assert "problem: none" in result.stdout
    assert (answer["proven_from"], answer["proven_to"]) == (1, 9)
    result, _ = ask(monkeypatch, FINE, "diff")
    assert result.exit_code == 0
    assert "block 7: http://one gave 0 events, there are 2; repaired" in result.stdout


def test_everything_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result, answer = ask(monkeypatch, WRONG, "verify")
    assert result.exit_code == 3
    for part in (
        "http://one has no receipts",
        "http://two is behind: is at block 4",
        "the first is operator 5",
        "registrations of 3 operators are missing",
        "1 exits wait",
    ):
        assert part in answer["problem"]
    result, _ = ask(monkeypatch, WRONG, "diff")
    assert result.exit_code == 3
    assert f"operator 5 at block 9: read 0x{'01' * 32}" in result.stdout


def test_without_audit_views_that_is_said_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    status = replace(FINE, audit=AuditStatus(missing="the contract has no audit views"))
    result, _ = ask(monkeypatch, status, "verify")
    assert result.exit_code == 0
    assert "verified: the contract has no audit views" in result.stdout
