"""A short run, and that the fuzzer would tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.validation import Rule
from operator_node.wire.faults import ProtocolFault
from tests.fuzz.__main__ import MEMORY_GROWTH_MIB, conclude, main
from tests.fuzz.decoders import Decoder
from tests.fuzz.run import ERA_INPUTS, Report, decoders, run_era

SEED = 20_261_122
UNREACHABLE = {"E1", "E2", "E13", "P1", "C1"}
"""Empty, and larger than anything that is worth drawing twenty thousand times."""


def misbehaves(data: bytes) -> None:
    raise ValueError("undocumented")


BROKEN = Decoder("broken", (b"sample",), (ProtocolFault,), misbehaves, 1)


def test_a_short_run_meets_documented_exceptions_only_and_reaches_nearly_all_rules() -> None:
    report = run_era(SEED, 0, ERA_INPUTS)
    assert report.failures == []
    assert (report.inputs, report.failed) == (ERA_INPUTS, 0)
    names = {decoder.name for decoder in decoders()}
    assert names == set(report.accepted) == set(report.refused)
    assert report.verdicts["accept"] > ERA_INPUTS / 20
    rules = {rule.number for rule in Rule} - UNREACHABLE
    assert len(rules - set(report.verdicts)) <= 5


def test_an_era_can_be_repeated() -> None:
    first, again = run_era(SEED, 3, 1_000), run_era(SEED, 3, 1_000)
    assert replace(first, peak_mib=0) == replace(again, peak_mib=0)
    assert first.verdicts != run_era(SEED, 4, 1_000).verdicts


def test_an_undocumented_exception_is_counted_and_told_with_its_place() -> None:
    report = run_era(SEED, 7, 200, drawn=(BROKEN,))
    assert report.failed > 50
    assert "ValueError: undocumented" in report.failures[0]
    assert f"broken, input {SEED}/7/" in report.failures[0]
    assert conclude(report, grown_mib=0) == 1


def test_the_command_ends_with_one_line_of_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", "700", "--seed", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fuzz: seed 5, 1 processes"
    assert lines[-1].startswith("fuzz: 700 inputs, 0 undocumented exceptions, peak memory ")
    assert lines[-1].endswith(" MiB")


def test_one_era_can_be_run_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--era", "9", "--inputs", "300"]) == 0
    assert "fuzz: 300 inputs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("report", "grown_mib", "code"),
    [
        (Report(inputs=1), 0, 0),
        (Report(inputs=0), 0, 1),
        (Report(inputs=1, failed=1), 0, 1),
        (Report(inputs=1), MEMORY_GROWTH_MIB + 1, 1),
    ],
)
def test_the_exit_code_tells_the_truth(report: Report, grown_mib: float, code: int) -> None:
    assert conclude(report, grown_mib=grown_mib) == code
