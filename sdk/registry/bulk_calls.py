"""Reducer, shortcut: all logs of a bulk call at once, with the outcome of one after the other.

Pure. Such a call registers or removes up to some hundred keys of one cluster and writes one log per
key, all with the same struct. Settling again within the block changes nothing, so operators,
network and cluster need to be touched once only. Whatever is unusual about the logs is left to
`apply`, which is the rule; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdk.events import Event
from sdk.events.types import ValidatorAdded, ValidatorRemoved
from sdk.registry import effects
from sdk.registry.changes import AccountChanged, Change, ValidatorChanged
from sdk.registry.cluster_events import (
    adopted,
    inferred_deposit,
    parties_of,
    record_of,
    unfinished_call,
)
from sdk.registry.outcome import Applied, EventContext, Refused, SignatureVerdict
from sdk.registry.records import Account, Validator
from sdk.registry.registration import operators_refusal, registration_refusal
from sdk.registry.state import RegistryState
from sdk.types import PUBLIC_KEY_BYTES, Wei


def bulk_length(events: Sequence[object], start: int) -> int:
    """How many of a block's events, from `start` on, can be the logs of one bulk call.

    Args:
        events: `Event`s or anything else, in the order of their logs.
        start: a place among them.
    """
    first = events[start]
    kind = type(first)
    if not isinstance(first, ValidatorAdded | ValidatorRemoved):
        return 1
    end = start + 1
    while end < len(events):
        other = events[end]
        if (
            type(other) is not kind
            or other.owner != first.owner  # type: ignore[attr-defined]  # of that kind
            or other.operator_ids != first.operator_ids  # type: ignore[attr-defined]
            or other.cluster != first.cluster  # type: ignore[attr-defined]
        ):
            break
        end += 1
    return end - start


def apply_bulk(
    state: RegistryState,
    events: Sequence[Event],
    at: EventContext,
    verdicts: Sequence[SignatureVerdict],
) -> list[Applied] | None:
    """What `apply` and `commit` would do log by log; None if they have to.

    Args:
        state: after all earlier events.
        events: of one block, and as `bulk_length` found them.
        at: the place of any of them.
        verdicts: one per event.

    Returns:
        One answer per event, to be committed together: a record that several of them change is
        changed in the answer of the last one only.
    """
    keys = {
        each.public_key for each in events if isinstance(each, ValidatorAdded | ValidatorRemoved)
    }
    if len(keys) != len(events):
        return None
    match events[0]:
        case ValidatorAdded():
            return _added(state, events, at, verdicts)  # type: ignore[arg-type]  # all of that kind
        case ValidatorRemoved():
            return _removed(state, events, at)  # type: ignore[arg-type]
        case _:
            return None


def _added(
    state: RegistryState,
    events: Sequence[ValidatorAdded],
    at: EventContext,
    verdicts: Sequence[SignatureVerdict],
) -> list[Applied] | None:
    first = events[0]
    before = parties_of(state, first)
    owner, cluster = first.owner, before.cluster
    is_usual = (
        cluster.snapshot.active
        and len(before.operators) == len(cluster.operator_ids)
        and not any(unfinished_call(before, first))
        and all(
            len(each.public_key) == PUBLIC_KEY_BYTES
            and (owner, each.public_key) not in state.validators
            for each in events
        )
    )
    if not is_usual:
        return None
    deposit_wei = inferred_deposit(before, first.cluster, at)
    after = effects.register(before, validators=len(events), deposit_wei=deposit_wei, at=at.block)
    shared = adopted(state, first, at, after, [], [])
    if shared.divergences:
        return None
    account = state.account(owner)
    of_operators = operators_refusal(state, first.operator_ids)
    answers: list[Applied] = []
    for nonce, (event, verdict) in enumerate(
        zip(events, verdicts, strict=True), account.next_nonce
    ):
        reason = of_operators or registration_refusal(state, event, verdict)
        change = ValidatorChanged(None, record_of(event, cluster.cluster_id, nonce, reason, at))
        answers.append(
            Applied((change,), None if reason is None else Refused(reason), (), deposit_wei)
        )
        deposit_wei = Wei(0)
    counted = Account(owner, account.next_nonce + len(events), account.fee_recipient)
    account_change = AccountChanged(state.accounts.get(owner), counted)
    return _with_shared(answers, (account_change, *shared.changes))


def _removed(
    state: RegistryState, events: Sequence[ValidatorRemoved], at: EventContext
) -> list[Applied] | None:
    first = events[0]
    before = parties_of(state, first)
    cluster = before.cluster
    records: list[Validator] = []
    for event in events:
        record = state.validators.get((event.owner, event.public_key))
        if record is None or record.cluster_id != cluster.cluster_id:
            return None
        records.append(record)
    is_usual = (
        cluster.cluster_id in state.clusters
        and len(before.operators) == len(cluster.operator_ids)
        and not any(unfinished_call(before, first))
    )
    if not is_usual:
        return None
    after = effects.remove(
        before,
        validators=len(records),
        effective_balance_eth=sum(record.effective_balance_eth for record in records),
        at=at.block,
    )
    shared = adopted(state, first, at, after, [], [])
    if shared.divergences:
        return None
    answers = [Applied((ValidatorChanged(record, None),)) for record in records]
    return _with_shared(answers, shared.changes)


def _with_shared(answers: list[Applied], shared: tuple[Change, ...]) -> list[Applied]:
    """The last answer also has the changes that all have in common."""
    last = answers[-1]
    answers[-1] = Applied((*last.changes, *shared), last.refused, (), last.deposit_wei)
    return answers
