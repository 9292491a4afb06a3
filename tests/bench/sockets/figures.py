"""Figures out of what nodes told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from tests.bench.sockets.setting import Duty, Plan, Told

DONE = frozenset({"done", "nothing_selected"})


def quantile(values: Iterable[float], part: float) -> float:
    """The value that `part` of them do not exceed; not a number of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")


def decided_ms(all_told: Sequence[Told], slots: Iterable[int]) -> list[float]:
    """From the leader's proposal to each node's decision, of votes decided in round 1.

    A leader proposes in the step in which it gets its data.
    """
    wanted = set(slots)
    votes = [
        each for told in all_told for each in votes_of(told) if each.slot in wanted and each.steps
    ]
    proposed = {each.slot: each.steps["data"] for each in votes if is_swift(each) and each.leads}
    return [
        each.steps["decided"] - proposed[each.slot]
        for each in votes
        if is_swift(each) and each.slot in proposed
    ]


def signed_ms(all_told: Sequence[Told], slots: Iterable[int]) -> list[float]:
    """From a duty's start to the last of its group signatures, of votes decided in round 1."""
    wanted = set(slots)
    return [
        each.steps["post_quorum"] - each.at_ms
        for told in all_told
        for each in votes_of(told)
        if each.slot in wanted and is_swift(each) and "post_quorum" in each.steps
    ]


def votes_of(told: Told) -> list[Duty]:
    """A node's attestation duties."""
    return [each for each in told.duties if each.role == "COMMITTEE"]


def is_swift(duty: Duty) -> bool:
    """Whether it was decided at the first attempt."""
    return duty.round == 1 and "decided" in duty.steps


def cpu_ms(told: Told, plan: Plan, slots: Iterable[int]) -> list[float]:
    """Processor time of each of these slots."""
    marks = told.cpu_s
    return [1000 * (marks[slot - plan.idle + 1] - marks[slot - plan.idle]) for slot in slots]


def idle_ms_per_s(told: Told, plan: Plan, slot_s: int) -> float:
    """Processor time of a connected node that has nothing to do."""
    return fmean(cpu_ms(told, plan, range(plan.idle, plan.first))) / slot_s


def check(all_told: Sequence[Told]) -> None:
    """Every duty has to have ended well, for figures to mean something.

    Raises:
        RuntimeError: one did not, or a message was lost on the way inside a node.
    """
    bad = [
        (told.operator, each)
        for told in all_told
        for each in told.duties
        if each.reason not in DONE
    ]
    if bad or not any(told.duties for told in all_told):
        raise RuntimeError(f"{len(bad)} duties did not end well: {bad[:2]}")
    if lost := sum(told.lost + told.failures for told in all_told):
        raise RuntimeError(f"{lost} messages lost inside nodes, or faults of the software")
