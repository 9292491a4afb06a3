"""What a running node does at its operator's orders."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import trio
import trio.testing

from operator_node.api.control import NotNow
from operator_node.config import Built, Sources, build, read_sources
from operator_node.config.keys import BY_PATH
from operator_node.duties import Reason
from operator_node.engine import Policy
from operator_node.node.control import FENCED, Control
from operator_node.node.drain import Drain
from operator_node.node.fences import Fences
from operator_node.node.reload import LIVE, Reload
from operator_node.node.telling import Life
from sdk.errors import ConfigError
from tests.unit.operator_node.config.files import BASE


@dataclass
class Signer:
    why: str = ""

    def fence(self, why: str) -> None:
        self.why = why

    def unfence(self) -> None:
        self.why = ""


@dataclass
class Parts:
    """What orders reach of a working node."""

    signer: Signer = field(default_factory=Signer)
    drain: Drain = field(default_factory=lambda: Drain(lambda slot: None))
    policy: Policy = field(default_factory=Policy)
    delays_ms: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fences = Fences(self.signer)
        self.base = self
        self.maker = self
        self.scheduler = self

    def delay_proposals(self, delay_ms: int) -> None:
        self.delays_ms.append(delay_ms)


@dataclass
class FakeLife:
    working: Parts | None = field(default_factory=Parts)


class File:
    """A configuration that changes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "node.yaml"
        self.write("")

    def write(self, text: str) -> None:
        self.path.write_text(BASE + text)

    def read(self) -> tuple[Sources, Built]:
        sources = read_sources(self.path, {})
        return sources, build(sources)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def control(file: File, parts: Parts) -> Control:
    life = cast(Life, FakeLife(parts))
    return Control(life, Reload(file.read, file.read()[0]))


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def test_a_drained_node_begins_no_duty_until_it_is_wanted_again(
    control: Control, parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    assert parts.drain.of(5) is None
    assert "no duty is begun" in control.drain()
    found = parts.drain.of(5)
    assert found is not None
    assert found[0] is Reason.DRAINED
    control.resume()
    assert parts.drain.of(5) is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_other_reasons_for_silence_go_first() -> None:
    drain = Drain(lambda slot: (Reason.FENCED, f"slot {slot}"))
    drain.is_on = True
    assert drain.of(5) == (Reason.FENCED, "slot 5")


def test_a_fence_silences_the_signer_and_no_resume_lifts_it(control: Control, parts: Parts) -> None:
    control.fence()
    control.resume()
    assert parts.signer.why == FENCED


def test_a_node_that_does_not_work_yet_takes_no_orders(file: File) -> None:
    control = Control(cast(Life, FakeLife(None)), Reload(file.read, file.read()[0]))
    for order in (control.drain, control.resume, control.fence):
        with pytest.raises(NotNow, match="still starting"):
            order()
    with pytest.raises(NotNow):
        trio.run(control.reload)


# --- settings ------------------------------------------------------------------------------


def test_what_can_be_taken_over_is_and_the_rest_is_named(
    control: Control, file: File, parts: Parts
) -> None:
    file.write(
        "Graffiti: new\nProposerDelay: 300ms\nglobal:\n  LogLevel: error\n"
        "node:\n  builder: never\n  fee_recipient_policy: warn\np2p:\n  TcpPort: 14000\n"
    )
    found = trio.run(control.reload)
    assert found.applied == (
        "Graffiti",
        "ProposerDelay",
        "global.LogLevel",
        "node.builder",
        "node.fee_recipient_policy",
    )
    assert found.needs_restart == ("p2p.TcpPort",)
    assert parts.policy.graffiti.rstrip(b"\0") == b"new"
    assert not parts.policy.takes_builder_blocks
    assert parts.delays_ms == [300]
    assert logging.getLogger().level == logging.ERROR


def test_what_needs_a_restart_is_named_each_time_and_the_rest_once(
    control: Control, file: File, parts: Parts
) -> None:
    file.write("Graffiti: new\np2p:\n  TcpPort: 14000\n")
    trio.run(control.reload)
    again = trio.run(control.reload)
    assert (again.applied, again.needs_restart) == ((), ("p2p.TcpPort",))
    file.write("")
    back = trio.run(control.reload)
    assert (back.applied, back.needs_restart) == (("Graffiti",), ())
    assert parts.policy.graffiti == bytes(32)


def test_nothing_changes_if_anything_is_wrong(control: Control, file: File, parts: Parts) -> None:
    file.write("Graffiti: new\np2p:\n  TcpPort: none\n")
    with pytest.raises(ConfigError, match=r"p2p\.TcpPort"):
        trio.run(control.reload)
    assert parts.policy.graffiti == bytes(32)


def test_every_key_that_is_taken_over_is_one() -> None:
    assert set(BY_PATH) >= LIVE


def test_sighup_reads_the_settings_again_and_survives_faults(
    control: Control, file: File, parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    async def until(is_so: Callable[[], Any]) -> None:
        with trio.fail_after(20):
            while not is_so():
                os.kill(os.getpid(), signal.SIGHUP)
                await trio.sleep(0.01)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(control.follow_signals)
            await trio.testing.wait_all_tasks_blocked()
            file.write("Graffiti: [\n")
            await until(lambda: "nothing changed" in caplog.text)
            file.write("Graffiti: new\n")
            await until(lambda: parts.policy.graffiti.startswith(b"new"))
            nursery.cancel_scope.cancel()

    trio.run(main)
