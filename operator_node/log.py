"""How the node tells what it does: one line per event, for people or as JSON, with a rotated file.

`configure` is called once, at the start. A line is a message and facts, given as
`extra=facts(slot=3)`; every duty has one line at info, from `duty_facts`. A message that repeats
too often is counted instead of written. Secrets are in types that never show themselves; addresses
and what looks like a key are masked here once more, in case a library quotes them.

Source: docs/failure-reasons.md for the words of a duty's line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Final, TextIO

from operator_node.config.settings import Endpoint, LogSettings
from operator_node.duties.types import DutyOutcome, Step
from sdk.errors import StorageError
from sdk.files import make_private_folder

PER_WINDOW: Final = 20
"""Lines of one message within a window; more say nothing new."""
WINDOW_S: Final = 60.0
MESSAGES_KEPT: Final = 1000
"""Messages that are counted at once; there are a few hundred in the program."""
QUIET_LIBRARIES: Final = ("h11", "httpcore", "httpx", "hypercorn", "libp2p", "multiaddr")
"""They tell every request or packet at info or debug."""

_DUTY: Final = "duty"
_COLOURS: Final = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31;1m"}
_PLAIN: Final = "\033[0m"
_MASKS: Final = (
    (re.compile(r"(\w+://)[^/\s@]+@"), r"\1…@"),
    (re.compile(r"(?i)(bearer|basic) [A-Za-z0-9+/=._~-]{8,}"), r"\1 …"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END[^-]*-----|$)", re.S), "…"),
    (re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+"), "…"),  # base64 of a PEM block
)


def facts(**values: object) -> dict[str, Mapping[str, object]]:
    """Facts of a line, for `extra`; keys are words of the glossary, ids are whole."""
    return {"facts": values}


def duty_facts(
    outcome: DutyOutcome, step_ms: Mapping[Step, int]
) -> dict[str, Mapping[str, object]]:
    """The facts of a duty's one line: what it was, how it ended, and when each step was done.

    Args:
        outcome: how it ended.
        step_ms: milliseconds since the slot began.
    """
    steps = {f"{step.value}_ms": at for step, at in step_ms.items()}
    return facts(
        duty=outcome.id,
        slot=outcome.slot,
        reason=outcome.reason.word,
        submitted=len(outcome.submitted),
        due=len(outcome.due),
        **steps,
        **{f"detail_{name}": value for name, value in outcome.detail.items()},
    )


def configure(
    settings: LogSettings,
    *,
    hidden: Sequence[Endpoint] = (),
    stream: TextIO | None = None,
) -> None:
    """Sets up all logging of the process, in place of what there was.

    Args:
        settings: level, form and file.
        hidden: addresses that are shown without their keys wherever they turn up.
        stream: for the console, stderr unless given.

    Raises:
        StorageError: `log_unwritable`.
    """
    mask = _Mask(hidden)
    text, as_json = _Text(mask), _Json(mask)
    console = logging.StreamHandler(stream or sys.stderr)
    console.setFormatter(as_json if settings.is_json else text)
    if settings.is_coloured and not settings.is_json and console.stream.isatty():
        console.setFormatter(_Text(mask, is_coloured=True))
    targets: list[logging.Handler] = [console]
    if settings.file is not None:
        try:
            make_private_folder(settings.file.parent)
            file = RotatingFileHandler(
                settings.file,
                maxBytes=settings.file_bytes,
                backupCount=settings.file_backups,
                encoding="utf-8",
            )
        except OSError as problem:
            raise StorageError(
                f"cannot write the log {settings.file}: {problem.strerror or problem}",
                code="log_unwritable",
                hint="Check the path and its permissions, or set global.LogFilePath.",
            ) from problem
        file.setFormatter(as_json if settings.is_json else text)
        targets.append(file)
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(Limited(targets))
    set_level(settings.level)


def set_level(level: str) -> None:
    """Another level from now on."""
    root = logging.getLogger()
    root.setLevel(level)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class Limited(logging.Handler):
    """Passes lines on, each message at most so often in a window; duties and errors always.

    The first line of a message in a new window says how many of it were left out in the last one.
    """

    def __init__(self, targets: Sequence[logging.Handler]) -> None:
        super().__init__()
        self._targets = tuple(targets)
        self._windows: dict[tuple[str, str], _Window] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or counts it."""
        if record.levelno < logging.ERROR and _DUTY not in _facts(record):
            window = self._window(record)
            window.lines += 1
            if window.lines > PER_WINDOW:
                return
        for target in self._targets:
            target.handle(record)

    def close(self) -> None:
        """Closes what lines are passed on to."""
        for target in self._targets:
            target.close()
        super().close()

    def _window(self, record: logging.LogRecord) -> _Window:
        name = (record.name, str(record.msg))
        window = self._windows.get(name)
        if window is not None and record.created - window.began < WINDOW_S:
            return window
        left_out = 0 if window is None else window.lines - PER_WINDOW
        if left_out > 0:
            record.facts = {**_facts(record), "left_out": left_out}
        if len(self._windows) >= MESSAGES_KEPT:
            self._windows.clear()
        self._windows[name] = window = _Window(record.created)
        return window


class _Window:
    __slots__ = ("began", "lines")

    def __init__(self, began: float) -> None:
        self.began = began
        self.lines = 0


class _Mask:
    """Texts without passwords, keys, and control codes."""

    def __init__(self, hidden: Sequence[Endpoint]) -> None:
        urls = {each.url.rstrip("/"): each.shown for each in hidden if each.url != each.shown}
        self._urls = sorted(urls.items(), key=lambda pair: -len(pair[0]))

    def __call__(self, text: str) -> str:
        for url, shown in self._urls:
            text = text.replace(url, shown)
        for pattern, instead in _MASKS:
            text = pattern.sub(instead, text)
        return text


class _Text(logging.Formatter):
    def __init__(self, mask: _Mask, *, is_coloured: bool = False) -> None:
        super().__init__()
        self._mask = mask
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, facts; a traceback below."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        told = " ".join(f"{name}={_value(value)}" for name, value in _facts(record).items())
        line = _one_line(f"{record.getMessage()} {told}".rstrip())
        colour = _COLOURS.get(record.levelname, "") if self._is_coloured else ""
        level = f"{colour}{record.levelname:<7}{_PLAIN if colour else ''}"
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{at} {level} {record.name}: {self._mask(line)}{self._mask(trace)}"


class _Json(logging.Formatter):
    def __init__(self, mask: _Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """One object: time, level, logger, message, and the facts beside them."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._mask(record.getMessage()),
        }
        if record.exc_info:
            line["trace"] = self._mask(self.formatException(record.exc_info))
        line |= {name: self._plain(value) for name, value in _facts(record).items()}
        return json.dumps(line)

    def _plain(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        return self._mask(_value(value))


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    found = getattr(record, "facts", None)
    return found if isinstance(found, Mapping) else {}


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple | list | set | frozenset):
        return ",".join(map(_value, value))
    return str(value)


def _one_line(text: str) -> str:
    """Control codes written out: what a peer sent must not steer a terminal or forge a line."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
