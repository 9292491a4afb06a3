"""Voluntary exits: one phase, under Capella's domain from Deneb on."""

from __future__ import annotations

import pytest

from operator_node.duties.reasons import Reason
from operator_node.duties.types import SubmissionKind
from operator_node.duties.voluntary_exit import ExitDuty
from operator_node.spec.containers import VoluntaryExit
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import SIGNED_VOLUNTARY_EXIT
from operator_node.spec.signing import (
    SigningDomain,
    compute_domain,
    signing_root,
    voluntary_exit_root,
)
from operator_node.spec.ssz import decode, hash_tree_root
from operator_node.spec.versions import CAPELLA, FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    SHARE,
    SLOTS_PER_EPOCH,
    Desk,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

SLOT = first_slot(FULU)


def desk() -> Desk:
    return Desk(ExitDuty(setting(), duty_of(BeaconRole.VOLUNTARY_EXIT, SLOT), SHARE)).begin()


def test_exit_is_of_the_slots_epoch_under_the_capella_domain() -> None:
    at = desk()
    assert at.published[0].kind == PartialKind.VOLUNTARY_EXIT
    domain = compute_domain(
        SigningDomain.VOLUNTARY_EXIT,
        fork_version=MAINNET.forks[CAPELLA - 1].fork_version,
        genesis_validators_root=MAINNET.genesis_validators_root,
    )
    wanted = voluntary_exit_root(VoluntaryExit(SLOT // SLOTS_PER_EPOCH, INDEX))
    assert at.published[0].items[0].root == signing_root(wanted, domain)


def test_quorum_submits_the_signed_exit() -> None:
    at = desk().hear(2, 3).submit()
    (submission,) = at.submissions
    root = at.published[0].items[0].root
    assert decode(SIGNED_VOLUNTARY_EXIT, submission.data) == {
        "message": {"epoch": SLOT // SLOTS_PER_EPOCH, "validator_index": INDEX},
        "signature": recovered_signature(root),
    }
    assert submission.kind is SubmissionKind.EXIT
    assert submission.root == hash_tree_root(SIGNED_VOLUNTARY_EXIT, submission.data)
    assert at.outcomes[0].reason is Reason.DONE


def test_second_phase_message_has_its_own_fault() -> None:
    assert desk().receive(message(2, [bytes(32)], slot=SLOT)).faults == [
        Fault.EXIT_HAS_NO_POST_CONSENSUS
    ]


def test_consensus_has_its_own_fault() -> None:
    with pytest.raises(ProtocolFault) as refusal:
        desk().duty.check_value(b"", round_number=1)
    assert refusal.value.fault is Fault.EXIT_HAS_NO_CONSENSUS


def test_time_over_names_the_missing_operators() -> None:
    outcome = desk().hear(3).expire()
    assert (outcome.reason, outcome.detail["operators"]) == (Reason.PRE_QUORUM_MISSING, (2, 4))
