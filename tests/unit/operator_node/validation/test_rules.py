"""The table of rules, as data."""

from __future__ import annotations

import pytest

from operator_node.validation import (
    Ignore,
    Outcome,
    Reject,
    Rule,
    consensus_rules,
    envelope_rules,
    partial_rules,
)
from operator_node.validation.verdict import refuse

BY_PIPELINE = {
    Rule.NO_DATA,
    Rule.PACKET_TOO_LARGE,
    Rule.MALFORMED,
    Rule.UNKNOWN_COMMITTEE,
    Rule.UNKNOWN_VALIDATOR,
    Rule.CONSENSUS_MALFORMED,
    Rule.CONSENSUS_SIGNATURE,
    Rule.PARTIALS_MALFORMED,
    Rule.PARTIALS_SIGNATURE,
}
"""Judged where bytes, executors and signatures are looked at, not by a function in a table."""
TABLES = (
    envelope_rules.FORM,
    envelope_rules.COMMITTEE,
    envelope_rules.VALIDATOR,
    envelope_rules.PLACE,
    consensus_rules.BYTES,
    consensus_rules.CONSENSUS,
    partial_rules.BYTES,
    partial_rules.PARTIALS,
)


@pytest.mark.parametrize(("letter", "count"), [("E", 24), ("C", 29), ("P", 20)])
def test_numbers_are_consecutive_in_the_order_of_the_table(letter: str, count: int) -> None:
    numbers = [rule.number for rule in Rule if rule.number[0] == letter]
    assert numbers == [f"{letter}{at}" for at in range(1, count + 1)]


def test_every_rule_has_exactly_one_place() -> None:
    placed = [rule for table in TABLES for rule, _ in table]
    assert len(placed) == len(set(placed))
    assert set(placed) | BY_PIPELINE == set(Rule)
    assert not set(placed) & BY_PIPELINE


@pytest.mark.parametrize("table", TABLES)
def test_rules_are_applied_in_the_order_of_their_numbers(
    table: tuple[tuple[Rule, object], ...],
) -> None:
    numbers = [int(rule.number[1:]) for rule, _ in table]
    assert numbers == sorted(numbers)


def test_what_is_ignored_is_exactly_what_honest_nodes_may_disagree_about() -> None:
    ignored = {rule.number for rule in Rule if rule.outcome is Outcome.IGNORE}
    assert ignored == {
        *("E2", "E11", "E15", "E17", "E18", "E19", "E20", "E21", "E22", "E24"),
        *("C10", "C16", "C17", "C18", "C19", "C20", "C21", "C22", "C23", "C24", "C25"),
        *("C26", "C27", "C28"),
        *("P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16"),
    }


def test_only_what_the_message_id_commits_to_depends_on_whose_it_is() -> None:
    members = {rule.number for rule in Rule if rule.outcome is Outcome.REJECT_MEMBERS}
    assert members == {"E23", "C4", "C15"}


def test_a_verdict_follows_the_rules_outcome() -> None:
    assert refuse(Rule.NO_DATA, "why") == Reject(Rule.NO_DATA, "why")
    assert refuse(Rule.WRONG_TOPIC, "why") == Ignore(Rule.WRONG_TOPIC, "why")
    of_validator = refuse(Rule.NO_DATA, "why", of_committee=False)
    assert of_validator == Reject(Rule.NO_DATA, "why")


def test_a_verdict_about_members_follows_from_whose_message_it_is() -> None:
    rule = Rule.NOT_THE_LEADER
    assert refuse(rule, "why", of_committee=True) == Reject(rule, "why")
    assert refuse(rule, "why", of_committee=False) == Ignore(rule, "why")


def test_every_rule_says_what_breaks_it() -> None:
    assert all(rule.says and rule.says == rule.says.strip() for rule in Rule)
    assert len({rule.says for rule in Rule if rule.number[0] == "C"}) == 29
