"""What the registry's logs add up to, one frozen record per thing.

Pure values. Amounts are fee units (100,000 wei) unless the name says wei; effective balances are
whole ETH. Nothing here computes; `ledger` and `effects` do. Source: docs/fees.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sdk.events import ClusterSnapshot
from sdk.types import (
    Address,
    BlockNumber,
    ClusterId,
    FeeUnits,
    OperatorId,
    PublicKey,
    Slot,
    Wei,
)

BASELINE_ETH = 32
"""Effective balance of a validator until a proof says otherwise; also what fees are quoted for."""

_ZERO_WEI = Wei(0)
_ZERO_UNITS = FeeUnits(0)
_BLOCK_ZERO = BlockNumber(0)


class Refusal(StrEnum):
    """Why nodes do not act on a registration; a closed list, in the order of the checks."""

    PUBLIC_KEY_LENGTH = "public_key_length"
    OPERATORS_INVALID = "operators_invalid"
    OPERATOR_UNKNOWN = "operator_unknown"
    OPERATOR_REMOVED = "operator_removed"
    SHARES_LENGTH = "shares_length"
    NONCE_SIGNATURE_INVALID = "nonce_signature_invalid"
    ALREADY_REGISTERED = "already_registered"
    OWNED_BY_ANOTHER = "owned_by_another"


@dataclass(frozen=True, slots=True)
class DeclaredFee:
    """A fee that an operator announced and may execute inside a window of time.

    Attributes:
        begin_s: first second of the window, None if the block's timestamp was not given.
        end_s: last second of the window, likewise.
    """

    fee_units: FeeUnits
    declared_at: BlockNumber
    begin_s: int | None
    end_s: int | None


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator and its account; the defaults are those of a new one.

    Attributes:
        public_key: as registered; `sdk.events.operator_public_key_text` reads it.
        fee_units: per block and 32 ETH.
        index_units: sum of the fee over all blocks up to `block`.
        credit_units: earnings not yet withdrawn, settled at `block`.
        block: block of the last settlement.
        effective_balance_eth: sum over the active clusters that contain this operator.
        validator_count: the same for validators.
        removed_at: after removal everything but owner and index is 0, for ever.
    """

    operator_id: OperatorId
    owner: Address
    public_key: bytes
    fee_units: FeeUnits
    block: BlockNumber
    index_units: FeeUnits = _ZERO_UNITS
    credit_units: FeeUnits = _ZERO_UNITS
    effective_balance_eth: int = 0
    validator_count: int = 0
    is_private: bool = False
    whitelisting_contract: Address | None = None
    declared_fee: DeclaredFee | None = None
    removed_at: BlockNumber | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """One owner's validators on one set of operators.

    Attributes:
        operator_ids: ascending.
        sequence: 1 for the first cluster ever created, 2 for the next; never reused.
        snapshot: struct as last emitted, which calls must present.
        validator_count: validator records of this cluster. Differs from the snapshot's only
            between two logs of one bulk call, which all carry the final count.
        effective_balance_eth: sum over its validator records.
    """

    cluster_id: ClusterId
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    sequence: int
    snapshot: ClusterSnapshot
    validator_count: int
    effective_balance_eth: int


@dataclass(frozen=True, slots=True)
class Validator:
    """A registration. Two owners may register one key; nodes act on at most one of them.

    Attributes:
        nonce: owner nonce that this registration used up.
        shares_digest: SHA-256 of the shares, whose bytes stay in the log.
        effective_balance_eth: as last proven, else 32.
        last_proof_slot: 0 until the first proof.
        refusal: why nodes ignore it, None if they act on it. Fees are charged either way.
        exit_requested_at: block of the first exit request.
    """

    owner: Address
    public_key: PublicKey
    cluster_id: ClusterId
    nonce: int
    shares_digest: bytes
    effective_balance_eth: int
    last_proof_slot: Slot
    refusal: Refusal | None
    registered_at: BlockNumber
    exit_requested_at: BlockNumber | None


@dataclass(frozen=True, slots=True)
class Account:
    """An owner of validators.

    Attributes:
        next_nonce: number of `ValidatorAdded` logs of this owner, whether refused or not.
            Existing nodes keep it in 16 bits, so theirs starts again at 0 after 65,535; ours
            does not, and tools warn before an owner gets there.
        fee_recipient: None until set; nodes then use the owner's address.
    """

    owner: Address
    next_nonce: int = 0
    fee_recipient: Address | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """What governance sets. Zero until the log that sets it.

    Attributes:
        implementation: code that the registry's proxy runs.
        verifier_is_frozen: the verifier never changes again.
        upgrades_renounced: the code never changes again.
    """

    liquidation_period_blocks: int = 0
    minimum_collateral_wei: Wei = _ZERO_WEI
    fee_increase_limit_per_10000: int = 0
    declare_period_s: int = 0
    execute_period_s: int = 0
    maximum_operator_fee_wei: Wei = _ZERO_WEI
    minimum_operator_fee_wei: Wei = _ZERO_WEI
    validators_per_operator_limit: int = 0
    beacon_verifier: Address | None = None
    verifier_is_frozen: bool = False
    implementation: Address | None = None
    upgrades_renounced: bool = False
    owner: Address | None = None
    pending_owner: Address | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The network's own account, its parameters, and what nobody has paid for yet.

    Attributes:
        uncovered_debt_units: usage that clusters could not pay and network credit could not
            bear. At most one of this and `credit_units` is above 0.
        effective_balance_eth: sum over all active clusters.
        validator_count: the same for validators.
    """

    fee_units: FeeUnits = _ZERO_UNITS
    index_units: FeeUnits = _ZERO_UNITS
    credit_units: FeeUnits = _ZERO_UNITS
    block: BlockNumber = _BLOCK_ZERO
    effective_balance_eth: int = 0
    validator_count: int = 0
    uncovered_debt_units: FeeUnits = _ZERO_UNITS
    parameters: Parameters = Parameters()
