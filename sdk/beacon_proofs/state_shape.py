"""The beacon state of Electra and Fulu, field by field, for the mainnet and the minimal preset.

Pure tables. A fork that is not listed is refused: its tree may have another shape, and then the
verifier on chain has to be another one too (docs/beacon-proofs.md).

Source: consensus-specs, electra/beacon-chain.md, fulu/beacon-chain.md, presets/.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from sdk.beacon_proofs.shapes import Bytes, Container, ItemList, Items, PackedList, Shape
from sdk.errors import BeaconError

VALIDATOR_REGISTRY_LIMIT: Final = 2**40
VALIDATORS: Final = "validators"
STATE_DEPTH: Final = 6
"""33 to 64 fields."""


class Fork(StrEnum):
    """Forks whose states we can prove; the text is that of `Eth-Consensus-Version`."""

    ELECTRA = "electra"
    FULU = "fulu"


@dataclass(frozen=True, slots=True)
class Preset:
    """The sizes in a state that differ between presets; names are those of the specification."""

    name: str
    slots_per_epoch: int
    slots_per_historical_root: int
    epochs_per_eth1_voting_period: int
    epochs_per_historical_vector: int
    epochs_per_slashings_vector: int
    sync_committee_size: int
    pending_partial_withdrawals_limit: int
    pending_consolidations_limit: int


MAINNET: Final = Preset(
    name="mainnet",
    slots_per_epoch=32,
    slots_per_historical_root=8192,
    epochs_per_eth1_voting_period=64,
    epochs_per_historical_vector=65_536,
    epochs_per_slashings_vector=8192,
    sync_committee_size=512,
    pending_partial_withdrawals_limit=2**27,
    pending_consolidations_limit=2**18,
)
MINIMAL: Final = Preset(
    name="minimal",
    slots_per_epoch=8,
    slots_per_historical_root=64,
    epochs_per_eth1_voting_period=4,
    epochs_per_historical_vector=64,
    epochs_per_slashings_vector=64,
    sync_committee_size=32,
    pending_partial_withdrawals_limit=64,
    pending_consolidations_limit=64,
)
PRESETS: Final = {preset.name: preset for preset in (MAINNET, MINIMAL)}

_HISTORICAL_ROOTS_LIMIT: Final = 2**24
_PENDING_DEPOSITS_LIMIT: Final = 2**27
_PROPOSER_LOOKAHEAD_EPOCHS: Final = 2

_UINT64: Final = Bytes(8)
_ROOT: Final = Bytes(32)
_PUBLIC_KEY: Final = Bytes(48)
_VERSION: Final = Bytes(4)


def _of(name: str, **fields: Shape) -> Container:
    return Container(name, tuple(fields.items()))


VALIDATOR: Final = _of(
    "Validator",
    pubkey=_PUBLIC_KEY,
    withdrawal_credentials=_ROOT,
    effective_balance=_UINT64,
    slashed=Bytes(1),
    activation_eligibility_epoch=_UINT64,
    activation_epoch=_UINT64,
    exit_epoch=_UINT64,
    withdrawable_epoch=_UINT64,
)
_FORK = _of("Fork", previous_version=_VERSION, current_version=_VERSION, epoch=_UINT64)
_HEADER = _of(
    "BeaconBlockHeader",
    slot=_UINT64,
    proposer_index=_UINT64,
    parent_root=_ROOT,
    state_root=_ROOT,
    body_root=_ROOT,
)
_ETH1_DATA = _of("Eth1Data", deposit_root=_ROOT, deposit_count=_UINT64, block_hash=_ROOT)
_CHECKPOINT = _of("Checkpoint", epoch=_UINT64, root=_ROOT)
_PAYLOAD_HEADER = _of(
    "ExecutionPayloadHeader",
    parent_hash=_ROOT,
    fee_recipient=Bytes(20),
    state_root=_ROOT,
    receipts_root=_ROOT,
    logs_bloom=Bytes(256),
    prev_randao=_ROOT,
    block_number=_UINT64,
    gas_limit=_UINT64,
    gas_used=_UINT64,
    timestamp=_UINT64,
    extra_data=PackedList(1, 32),
    base_fee_per_gas=Bytes(32),
    block_hash=_ROOT,
    transactions_root=_ROOT,
    withdrawals_root=_ROOT,
    blob_gas_used=_UINT64,
    excess_blob_gas=_UINT64,
)
_SUMMARY = _of("HistoricalSummary", block_summary_root=_ROOT, state_summary_root=_ROOT)
_PENDING_DEPOSIT = _of(
    "PendingDeposit",
    pubkey=_PUBLIC_KEY,
    withdrawal_credentials=_ROOT,
    amount=_UINT64,
    signature=Bytes(96),
    slot=_UINT64,
)
_PENDING_PARTIAL_WITHDRAWAL = _of(
    "PendingPartialWithdrawal", validator_index=_UINT64, amount=_UINT64, withdrawable_epoch=_UINT64
)
_PENDING_CONSOLIDATION = _of("PendingConsolidation", source_index=_UINT64, target_index=_UINT64)


def fork_named(name: str) -> Fork:
    """The fork of that name.

    Raises:
        BeaconError: `beacon_fork_unsupported`.
    """
    if name not in set(Fork):
        raise BeaconError(
            f"states of the fork {name[:40]!r} cannot be proven",
            code="beacon_fork_unsupported",
            hint=f"Known are {', '.join(Fork)}; a newer one needs a newer program.",
            data={"fork": name[:40]},
        )
    return Fork(name)


@cache
def state_shape(fork: Fork, preset: Preset) -> Container:
    """The fields of the fork's `BeaconState`, in order."""
    per_validator_byte = PackedList(1, VALIDATOR_REGISTRY_LIMIT)
    per_validator_uint64 = PackedList(8, VALIDATOR_REGISTRY_LIMIT)
    roots = Bytes(32 * preset.slots_per_historical_root)
    votes = preset.epochs_per_eth1_voting_period * preset.slots_per_epoch
    committee = _of(
        "SyncCommittee",
        pubkeys=Items(_PUBLIC_KEY, preset.sync_committee_size),
        aggregate_pubkey=_PUBLIC_KEY,
    )
    electra = _of(
        "BeaconState",
        genesis_time=_UINT64,
        genesis_validators_root=_ROOT,
        slot=_UINT64,
        fork=_FORK,
        latest_block_header=_HEADER,
        block_roots=roots,
        state_roots=roots,
        historical_roots=PackedList(32, _HISTORICAL_ROOTS_LIMIT),
        eth1_data=_ETH1_DATA,
        eth1_data_votes=ItemList(_ETH1_DATA, votes),
        eth1_deposit_index=_UINT64,
        validators=ItemList(VALIDATOR, VALIDATOR_REGISTRY_LIMIT),
        balances=per_validator_uint64,
        randao_mixes=Bytes(32 * preset.epochs_per_historical_vector),
        slashings=Bytes(8 * preset.epochs_per_slashings_vector),
        previous_epoch_participation=per_validator_byte,
        current_epoch_participation=per_validator_byte,
        justification_bits=Bytes(1),
        previous_justified_checkpoint=_CHECKPOINT,
        current_justified_checkpoint=_CHECKPOINT,
        finalized_checkpoint=_CHECKPOINT,
        inactivity_scores=per_validator_uint64,
        current_sync_committee=committee,
        next_sync_committee=committee,
        latest_execution_payload_header=_PAYLOAD_HEADER,
        next_withdrawal_index=_UINT64,
        next_withdrawal_validator_index=_UINT64,
        historical_summaries=ItemList(_SUMMARY, _HISTORICAL_ROOTS_LIMIT),
        deposit_requests_start_index=_UINT64,
        deposit_balance_to_consume=_UINT64,
        exit_balance_to_consume=_UINT64,
        earliest_exit_epoch=_UINT64,
        consolidation_balance_to_consume=_UINT64,
        earliest_consolidation_epoch=_UINT64,
        pending_deposits=ItemList(_PENDING_DEPOSIT, _PENDING_DEPOSITS_LIMIT),
        pending_partial_withdrawals=ItemList(
            _PENDING_PARTIAL_WITHDRAWAL, preset.pending_partial_withdrawals_limit
        ),
        pending_consolidations=ItemList(
            _PENDING_CONSOLIDATION, preset.pending_consolidations_limit
        ),
    )
    if fork is Fork.ELECTRA:
        return electra
    slots = _PROPOSER_LOOKAHEAD_EPOCHS * preset.slots_per_epoch
    return Container("BeaconState", (*electra.fields, ("proposer_lookahead", Bytes(8 * slots))))
