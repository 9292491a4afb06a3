"""Runs eras: a number of inputs from one seed, repeatable alone.

An era has a random source, a `Babble` and a clock of its own, so what went wrong in one is seen
again by running that one.
"""

from __future__ import annotations

import resource
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Final

from tests.fuzz.decoders import Decoder, block_decoders, interchange_decoder, wire_decoders
from tests.fuzz.gossip import Babble
from tests.fuzz.mutation import mutate, pick
from tests.unit.operator_node.validation import world

ERA_INPUTS: Final = 20_000
"""A second or so; the clock of an era crosses the fork in its middle."""
GOSSIP_SHARE: Final = 0.4
"""Of all inputs, those for the whole of validation; the others go to one decoder each."""
MOST_FAILURES: Final = 5
"""Per era; a defect that strikes often need not be told more often."""
SHOWN_BYTES: Final = 200
KIB: Final = 1024

_MESSAGES: Final = (
    world.proposal(),
    world.proposal(2, round_=2, round_changes=(b"x" * 40,), prepares=(b"y" * 30, b"")),
    world.prepare(2),
    world.decided(),
    world.round_change(data_round=1),
    world.post_consensus(),
    world.post_consensus(indexes=tuple(range(20))),
    world.partials(6, role=6, slot=world.BOOLE_SLOT),
)


@dataclass
class Report:
    """What came of some inputs.

    Attributes:
        accepted: by decoder and for "validation".
        refused: by decoder.
        verdicts: of validation, by number of the rule.
        failures: texts, one per undocumented exception or broken promise that is told.
        failed: how many there were.
        peak_mib: the process's largest resident size so far.
    """

    inputs: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    peak_mib: float = 0.0

    def add(self, other: Report) -> None:
        """Counts another era in."""
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refused += other.refused
        self.verdicts += other.verdicts
        self.failures += other.failures[: MOST_FAILURES - len(self.failures)]
        self.failed += other.failed
        self.peak_mib = max(self.peak_mib, other.peak_mib)


@cache
def decoders() -> tuple[Decoder, ...]:
    """All decoders, each as often as its share says."""
    found = [*wire_decoders(_MESSAGES), *block_decoders(), interchange_decoder()]
    return tuple(decoder for decoder in found for _ in range(decoder.share))


def run_era(
    seed: int, era: int, inputs: int = ERA_INPUTS, drawn: tuple[Decoder, ...] | None = None
) -> Report:
    """Runs the first inputs of an era.

    Args:
        seed: of the whole run.
        era: from 0.
        inputs: how many.
        drawn: decoders to choose from, all unless given.
    """
    random = Random(f"{seed}/{era}")
    babble, report = Babble(random), Report()
    drawn = decoders() if drawn is None else drawn
    for number in range(inputs):
        if random.random() < GOSSIP_SHARE:
            _babble(report, babble, f"{seed}/{era}/{number}")
            continue
        decoder = drawn[pick(random, len(drawn))]
        sample = decoder.samples[pick(random, len(decoder.samples))]
        data = mutate(random, sample, decoder.samples)
        try:
            decoder.read(data)
        except decoder.documented:
            report.refused[decoder.name] += 1
        except Exception:
            _tell(report, decoder.name, data, f"{seed}/{era}/{number}")
        else:
            report.accepted[decoder.name] += 1
    report.inputs = inputs
    report.verdicts = babble.verdicts
    report.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    return report


def _babble(report: Report, babble: Babble, place: str) -> None:
    said = babble.next()
    try:
        babble.hear(said)
    except Exception:
        _tell(report, "validation", said.data, place)


def _tell(report: Report, target: str, data: bytes, place: str) -> None:
    report.failed += 1
    if len(report.failures) < MOST_FAILURES:
        shown = data[:SHOWN_BYTES].hex() + ("…" if len(data) > SHOWN_BYTES else "")
        report.failures.append(
            f"{target}, input {place} (seed/era/number), {len(data)} bytes {shown}\n"
            f"{traceback.format_exc()}"
        )
