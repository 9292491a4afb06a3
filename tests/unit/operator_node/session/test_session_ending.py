"""How a session ends: outcomes told once, with reasons and names."""

from __future__ import annotations

from dataclasses import replace

from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AttestationDataQuery,
    CheckpointView,
)
from operator_node.wire.messages import (
    ConsensusKind,
    EnvelopeKind,
)
from operator_node.wire.values import Checkpoint
from sdk.types import Epoch
from tests.unit.operator_node.duties.single_validator import OPERATORS
from tests.unit.operator_node.session.operators import (
    LEADER,
    OTHERS,
    SLOT,
    VIEW,
    VOTE,
    committee_cluster,
    leader,
)
from tests.unit.operator_node.session.telling import (
    kind_of,
    reasons,
    session_of,
)


def test_outcome_is_told_exactly_once() -> None:
    cluster = committee_cluster()
    cluster.run()
    operator = cluster.operators[LEADER]
    session = session_of(operator)
    assert session.expire() == []
    assert session.expire() == []
    assert len(operator.outcomes) == 1


def test_timer_after_the_end_does_nothing() -> None:
    cluster = committee_cluster(without_data=OPERATORS)
    session = session_of(cluster.operators[LEADER])
    session.expire()
    assert session.expire_round(SLOT, 1) == []


def test_answers_after_the_end_do_nothing() -> None:
    cluster = committee_cluster(without_data=OPERATORS)
    session = session_of(cluster.operators[LEADER])
    session.expire()
    assert session.provide(AttestationDataQuery(SLOT), VOTE) == []
    assert session.update_view(VIEW) == []


def test_expired_instance_takes_no_further_part() -> None:
    cluster = committee_cluster()
    operator = cluster.operators[OTHERS[0]]
    session = session_of(operator)
    operator.carry_out(session, session.expire())
    cluster.run()
    mine = [each for each in cluster.sent if each.signers == (operator.me,)]
    assert [kind_of(each) for each in mine] == []


def test_nobody_proposing_names_the_leaders() -> None:
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, _to, what: kind_of(what) is ConsensusKind.PROPOSAL
    cluster.run()
    cluster.expire_round(1)
    assert reasons(cluster) == [Reason.NO_PROPOSAL] * 4
    detail = cluster.operators[OTHERS[0]].outcomes[0].detail
    assert detail["leaders"] == (leader(SLOT, 1), leader(SLOT, 2))


def test_refused_proposal_says_why_and_whose_it_was() -> None:
    older = Checkpoint(Epoch(VOTE.source.epoch - 1), VOTE.source.root)
    odd = replace(VOTE, source=older)
    cluster = committee_cluster(begin=())
    leading = cluster.operators[LEADER]
    leading.beacon = lambda _query: odd
    session = session_of(leading)
    leading.carry_out(session, session.begin())
    leading.carry_out(session, session.update_view(CheckpointView(older, VOTE.target)))
    for me in OTHERS:
        operator = cluster.operators[me]
        operator.begin(session_of(operator))
    leading.carry_out(session, session.provide(AttestationDataQuery(SLOT), odd))
    cluster.run()
    other = cluster.operators[OTHERS[0]]
    other.carry_out(session_of(other), session_of(other).expire())
    (outcome,) = other.outcomes
    assert outcome.reason is Reason.FORK_HOLD
    assert (outcome.detail["leader"], outcome.detail["round"]) == (LEADER, 1)
    assert "source" in str(outcome.detail["why"])


def test_missing_prepares_name_the_operators() -> None:
    silent = OTHERS[:2]
    cluster = committee_cluster()
    cluster.is_lost = lambda sender, _to, _what: sender in silent
    cluster.run()
    leading = cluster.operators[LEADER]
    session = session_of(leading)
    leading.carry_out(session, session.expire())
    (outcome,) = leading.outcomes
    assert outcome.reason is Reason.PREPARE_QUORUM_MISSING
    assert outcome.detail["operators"] == tuple(sorted(silent))


def test_missing_commits_name_the_operators() -> None:
    silent = OTHERS[:2]
    cluster = committee_cluster()
    cluster.is_lost = lambda sender, _to, what: (
        sender in silent and kind_of(what) is ConsensusKind.COMMIT
    )
    cluster.run()
    assert reasons(cluster) == [Reason.COMMIT_QUORUM_MISSING] * 4
    detail = cluster.operators[LEADER].outcomes[0].detail
    assert detail["operators"] == tuple(sorted(silent))


def test_missing_signatures_after_the_decision_name_the_operators() -> None:
    silent = OTHERS[:2]
    cluster = committee_cluster()
    cluster.is_lost = lambda sender, _to, what: (
        sender in silent and what.message.kind == EnvelopeKind.PARTIAL_SIGNATURES
    )
    cluster.run()
    leading = cluster.operators[LEADER]
    session = session_of(leading)
    leading.carry_out(session, session.expire())
    (outcome,) = leading.outcomes
    assert outcome.reason is Reason.POST_QUORUM_MISSING
    assert outcome.detail["operators"] == tuple(sorted(silent))
