"""What operators do together, one class per kind of duty, each a state machine without I/O.

A duty returns commands (fetch, sign, publish, propose, recover, submit) and is told what came of
them; `operator_node.session` joins it with consensus. Each ends in exactly one `DutyOutcome` with a
`Reason` from a closed list.
"""

from operator_node.duties.aggregator import AggregatorDuty
from operator_node.duties.aggregator_committee import AggregationDuty
from operator_node.duties.committee import VoteDuty
from operator_node.duties.distrust import Distrust
from operator_node.duties.outcome import duty_id
from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.reasons import Reason, Whose
from operator_node.duties.recover import recover_all
from operator_node.duties.registration import RegistrationDuty
from operator_node.duties.sync_contribution import ContributionDuty
from operator_node.duties.types import CommitteeDuty, Duty, DutyOutcome, Setting
from operator_node.duties.voluntary_exit import ExitDuty

__all__ = [
    "AggregationDuty",
    "AggregatorDuty",
    "CommitteeDuty",
    "ContributionDuty",
    "Distrust",
    "Duty",
    "DutyOutcome",
    "ExitDuty",
    "ProposerDuty",
    "Reason",
    "RegistrationDuty",
    "Setting",
    "VoteDuty",
    "Whose",
    "duty_id",
    "recover_all",
]
