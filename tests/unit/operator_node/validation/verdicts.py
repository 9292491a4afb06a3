"""Assertions about verdicts."""

from __future__ import annotations

from operator_node.validation import Accept, Ignore, Outcome, Reject, Verdict

_VERDICTS = {Outcome.IGNORE: Ignore, Outcome.REJECT: Reject}


def check(verdict: Verdict, number: str, outcome: Outcome) -> None:
    """The verdict names the rule of that number, and is what such a rule leads to."""
    assert not isinstance(verdict, Accept)
    assert verdict.rule.number == number
    assert verdict.rule.outcome in (outcome, Outcome.REJECT_MEMBERS)
    assert type(verdict) is _VERDICTS[outcome]
    assert verdict.why


def ignored(verdict: Verdict, number: str) -> None:
    check(verdict, number, Outcome.IGNORE)


def rejected(verdict: Verdict, number: str) -> None:
    check(verdict, number, Outcome.REJECT)
