"""Log lines: for people and as JSON, bounded, and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from operator_node.config import Endpoint, LogSettings
from operator_node.duties.reasons import Reason
from operator_node.duties.types import DutyOutcome, Step
from operator_node.log import (
    MESSAGES_KEPT,
    PER_WINDOW,
    WINDOW_S,
    Limited,
    configure,
    duty_facts,
    facts,
)
from operator_node.wire.ids import RunnerRole
from sdk.errors import StorageError
from sdk.types import Slot

SETTINGS = LogSettings(
    level="INFO", is_json=False, is_coloured=False, file=None, file_bytes=10_000, file_backups=2
)
OUTCOME = DutyOutcome(
    id="COMMITTEE-1_2_3_4-e1-s40",
    role=RunnerRole.COMMITTEE,
    slot=Slot(40),
    reason=Reason.COMMIT_QUORUM_MISSING,
    detail={"operators": (2, 3)},
    submitted=(),
    due=(7, 8),
)
logger = logging.getLogger("phalanx.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A console; logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield io.StringIO()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_line_for_people_has_time_level_place_message_and_facts(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    logger.warning("share %s refused", 7, extra=facts(slot=40, key=b"\xab", operators=(1, 2)))
    (line,) = lines(stream)
    assert line[4] == line[7] == "-"
    assert line[24:] == "WARNING phalanx.test: share 7 refused slot=40 key=0xab operators=1,2"


def test_json_line_has_facts_beside_the_message(stream: io.StringIO) -> None:
    configure(replace(SETTINGS, is_json=True), stream=stream)
    logger.info("share refused", extra=facts(slot=40, key=b"\xab", late=None, operators=(1, 2)))
    found = json.loads(stream.getvalue())
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info",
        "logger": "phalanx.test",
        "message": "share refused",
        "slot": 40,
        "key": "0xab",
        "late": None,
        "operators": [1, 2],
    }


def test_duty_has_one_line_with_reason_and_times(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    logger.info("duty", extra=duty_facts(OUTCOME, {Step.STARTED: 4, Step.DECIDED: 610}))
    (line,) = lines(stream)
    assert line.endswith(
        "duty duty=COMMITTEE-1_2_3_4-e1-s40 slot=40 reason=commit_quorum_missing submitted=0 "
        "due=2 started_ms=4 decided_ms=610 detail_operators=2,3"
    )


def test_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    configure(replace(SETTINGS, level="DEBUG"), stream=stream)
    logging.getLogger("httpx").info("request")
    logging.getLogger("httpcore.connection").debug("packet")
    logging.getLogger("httpx").warning("lost")
    logger.debug("ours")
    assert [line.split(": ")[1] for line in lines(stream)] == ["lost", "ours"]


def test_keys_and_passwords_are_masked_wherever_they_turn_up(stream: io.StringIO) -> None:
    endpoint = Endpoint("https://host:1/hush-key")
    pem = "-----BEGIN RSA PRIVATE KEY-----\nhush\n-----END RSA PRIVATE KEY-----"
    for is_json in (False, True):
        configure(replace(SETTINGS, is_json=is_json), hidden=[endpoint], stream=stream)
        logger.warning("GET %s/eth/v1/node?x failed", endpoint.url)
        logger.warning("at http://me:hush@host/", extra=facts(at="wss://me:hush@host"))
        logger.warning("key %s and LS0tLS1CRUdJTiBhush=", pem)
        logger.warning("sent", extra=facts(header="Bearer hush-hush-hush"))
        try:
            raise ValueError(f"no answer from {endpoint.url}")
        except ValueError:
            logger.exception("failed")
    text = stream.getvalue().replace(r"\u2026", "…")
    assert "hush" not in text
    assert text.count("https://host:1/…") >= 4
    assert "GET https://host:1/…/eth/v1/node?x failed" in text


def test_what_a_peer_sent_forges_no_line(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    logger.info("agent %s", "x\n2026-01-01 ERROR\x1b[31m", extra=facts(name="a\nb"))
    (line,) = lines(stream)
    assert r"x\n2026-01-01 ERROR\x1b[31m name=a\nb" in line


def test_repeated_message_is_counted_after_a_while(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    for number in range(PER_WINDOW + 5):
        logger.info("peer %s lost", number)
    logger.info("another")
    assert len(lines(stream)) == PER_WINDOW + 1


def test_left_out_lines_are_told_in_the_next_window(stream: io.StringIO) -> None:
    target = logging.StreamHandler(stream)
    target.setFormatter(logging.Formatter("%(message)s %(facts)s"))
    limited = Limited([target])
    for number in range(PER_WINDOW + 5):
        limited.emit(record("peer lost", at=float(number) / 1000))
    limited.emit(record("peer lost", at=WINDOW_S + 1))
    assert lines(stream)[-1] == "peer lost {'left_out': 5}"
    assert len(lines(stream)) == PER_WINDOW + 1
    limited.close()


def test_errors_and_duties_are_never_left_out(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    for _ in range(PER_WINDOW + 5):
        logger.error("failed")
        logger.info("duty", extra=duty_facts(OUTCOME, {}))
    assert len(lines(stream)) == 2 * (PER_WINDOW + 5)


def test_counted_messages_have_a_bound() -> None:
    limited = Limited([])
    for number in range(MESSAGES_KEPT + 10):
        limited.emit(record(f"message {number}", at=0.0))
    assert len(limited._windows) == 10


def record(message: str, *, at: float) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.INFO, "", 0, message, None, None)
    made.created = at
    made.facts = {}
    return made


def test_file_is_rotated_by_size(stream: io.StringIO, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "node.log"
    configure(replace(SETTINGS, file=path, file_bytes=2000), stream=stream)
    for number in range(200):
        logger.error("number %d", number)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "node.log",
        "node.log.1",
        "node.log.2",
    ]
    assert all(file.stat().st_size <= 2000 for file in path.parent.iterdir())
    assert path.read_text().splitlines()[-1].endswith("number 199")


def test_configuring_again_replaces_what_there_was(stream: io.StringIO) -> None:
    configure(SETTINGS, stream=stream)
    configure(replace(SETTINGS, level="ERROR"), stream=stream)
    logger.warning("no")
    logger.error("yes")
    assert len(lines(stream)) == 1


def test_log_that_cannot_be_written_is_a_storage_error(stream: io.StringIO, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        configure(replace(SETTINGS, file=tmp_path), stream=stream)
    assert caught.value.code == "log_unwritable"
