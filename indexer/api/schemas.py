"""The things of the registry as JSON, and their making from records at one block.

Whatever is money is computed by `sdk.registry` from the record, at the block of the answer.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from indexer.api.envelope import FinalityWord
from indexer.api.making import made
from indexer.api.metadata import ClusterMetadataOut, OperatorMetadataOut
from indexer.api.scalars import (
    AddressText,
    BlockText,
    HashText,
    HexText,
    KeyText,
    OperatorIdsText,
    OperatorIdText,
    TimeText,
    WeiText,
    WholeText,
    address_text,
    hex_text,
    optional_address,
    optional_hex,
    time_text,
)
from indexer.queries.events import EventRow
from indexer.queries.reading import View
from indexer.queries.validators import Registration
from sdk.events import ClusterSnapshot, operator_public_key_text
from sdk.registry import Network, Operator, Parties, Refusal, Validator, ledger
from sdk.registry.funds import funds
from sdk.types import BlockNumber
from sdk.units import units_to_wei

BLOCK_S: Final = 12
"""A slot; estimates of time take every slot to have a block."""
BlockOrNull = BlockText | None


class DeclaredFeeOut(BaseModel):
    """A fee that was announced."""

    fee_wei: WeiText = Field(examples=["1900000000"])
    declared_at_block: BlockText
    not_before: TimeText | None = Field(description="First moment it can be executed.")
    not_after: TimeText | None = Field(description="Last moment it can be executed.")


class OperatorOut(BaseModel):
    """An operator and its account."""

    id: OperatorIdText
    owner: AddressText
    status: Literal["active", "no_validators", "removed"]
    public_key: str | None = Field(
        description="As registered, normally base64 of a PEM file; null if it is no text.",
        examples=["LS0tLS1CRUdJTiBSU0EgUFVCTElDIEtFWS0tLS0t"],
    )
    fee_wei: WeiText = Field(
        description="Wei per block and 32 ETH, in decimal.", examples=["1770000000"]
    )
    declared_fee: DeclaredFeeOut | None
    validators: int = Field(description="In active clusters.", examples=[120])
    free_capacity: int = Field(description="Validators it may still get.", examples=[880])
    effective_balance_eth: int = Field(description="In active clusters.", examples=[3840])
    is_private: bool = Field(description="Only admitted owners may register with it.")
    whitelisting_contract: AddressText | None = Field(examples=[None])
    earnings_wei: WeiText = Field(description="Wei not yet withdrawn at this block, in decimal.")
    removed_at_block: BlockOrNull = Field(examples=[None])
    metadata: OperatorMetadataOut | None = Field(
        default=None, description="What its owner says of it; only told of the newest block."
    )


class SnapshotOut(BaseModel):
    """The struct that calls must present, in ABI order."""

    validator_count: int = Field(examples=[3])
    network_fee_index: WholeText
    index: WholeText
    active: bool = Field(examples=[True])
    balance_wei: WeiText


class ClusterOut(BaseModel):
    """A cluster and its funds at the answer's block, at present fees."""

    id: HashText
    owner: AddressText
    operator_ids: OperatorIdsText
    status: Literal["active", "liquidated"]
    validators: int = Field(examples=[3])
    effective_balance_eth: int = Field(examples=[96])
    fee_asset: Literal["ETH"] = "ETH"
    snapshot: SnapshotOut
    balance_wei: WeiText = Field(description="Wei after what was used until this block.")
    burn_rate_wei: WeiText = Field(description="Wei per block.", examples=["34260000000"])
    collateral_wei: WeiText = Field(
        description="Balance below which anyone may liquidate it.", examples=["1470000000000000"]
    )
    withdrawable_wei: WeiText
    is_liquidatable: bool
    runway_blocks: int | None = Field(
        description="Most blocks that can pass with the cluster safe; null if nothing ends it.",
        examples=[43_739_929],
    )
    liquidation_block: BlockOrNull = Field(
        description="First block in which anyone may liquidate it; null if nothing ends it.",
        examples=[64_739_930],
    )
    liquidation_time: TimeText | None = Field(
        description="Estimate of that block's time, 12 s a block."
    )
    metadata: ClusterMetadataOut | None = Field(
        default=None, description="What its owner says of it; only told of the newest block."
    )


class ValidatorOut(BaseModel):
    """One owner's registration of a key."""

    public_key: KeyText
    owner: AddressText
    cluster_id: HashText
    accepted: bool = Field(description="Nodes act on it.", examples=[True])
    rejected_reason: Refusal | None = Field(
        description="Why nodes do not; fees are due anyway.", examples=[None]
    )
    nonce: int = Field(description="Owner nonce that the registration used up.", examples=[16])
    effective_balance_eth: int = Field(description="As last proven, else 32.", examples=[32])
    last_proof_slot: int = Field(description="0 before the first proof.", examples=[0])
    registered_at_block: BlockText
    exit_requested_at_block: BlockOrNull = Field(examples=[None])
    shares_digest: HashText = Field(description="SHA-256 of the shares.")


class SharesOut(BaseModel):
    """The shares as registered."""

    signature: HexText = Field(description="The key's signature over owner and nonce.")
    share_public_keys: list[KeyText]
    encrypted_shares: list[HexText]


class RegistrationOut(BaseModel):
    """One registration of a key, present or past."""

    owner: AddressText
    status: Literal["registered", "exiting", "removed", "void"] = Field(
        description="`void`: it never became a record, because the owner had the key already."
    )
    accepted: bool = Field(examples=[True])
    rejected_reason: str | None = Field(examples=[None])
    nonce: int | None = Field(examples=[16])
    cluster_id: HashText | None
    operator_ids: OperatorIdsText
    block: BlockText
    timestamp: TimeText | None
    transaction_hash: HashText
    log_index: int
    record: ValidatorOut | None = Field(description="What holds of it now; null if removed.")
    shares: SharesOut | None = Field(default=None, description="With `shares=true`.")


class ValidatorDetail(BaseModel):
    """Everything about one key."""

    public_key: KeyText
    registrations: list[RegistrationOut] = Field(description="The newest first.")


class EventOut(BaseModel):
    """One log of the registry."""

    id: str = Field(description="Block and log index.", examples=["21000000:17"])
    name: str | None = Field(
        description="Null for a log that is no event of the registry.", examples=["ValidatorAdded"]
    )
    undecodable: str | None = Field(
        description="Why it is no event of the registry.", examples=[None]
    )
    args: dict[str, Any] = Field(
        description="By ABI name, without shares: numbers as decimal text, bytes as hex.",
        examples=[{"owner": "0x52908400098527886e0f7030069857d2e4169ee7", "operatorIds": ["1"]}],
    )
    block: BlockText
    block_hash: HashText
    timestamp: TimeText | None
    finality: FinalityWord
    transaction_hash: HashText
    transaction_index: int
    log_index: int
    owner: AddressText | None
    operator_ids: OperatorIdsText
    cluster_id: HashText | None
    validator: HexText | None
    rejected_reason: str | None = Field(examples=[None])
    nonce: int | None = Field(examples=[16])
    deposit_wei: WeiText | None = Field(
        description="What a registration or reactivation paid in, inferred from the balance."
    )


def operator_out(
    each: Operator, network: Network, *, at: BlockNumber, said: OperatorMetadataOut | None = None
) -> OperatorOut:
    """The operator at a block, with what its owner says of it."""
    limit = network.parameters.validators_per_operator_limit
    status: Literal["active", "no_validators", "removed"] = "active"
    if each.removed_at is not None:
        status = "removed"
    elif each.validator_count == 0:
        status = "no_validators"
    declared = each.declared_fee
    return made(
        OperatorOut,
        id=each.operator_id,
        owner=address_text(each.owner),
        status=status,
        public_key=operator_public_key_text(each.public_key),
        fee_wei=str(units_to_wei(each.fee_units)),
        declared_fee=None
        if declared is None
        else made(
            DeclaredFeeOut,
            fee_wei=str(units_to_wei(declared.fee_units)),
            declared_at_block=declared.declared_at,
            not_before=time_text(declared.begin_s),
            not_after=time_text(declared.end_s),
        ),
        validators=each.validator_count,
        free_capacity=0 if status == "removed" else max(0, limit - each.validator_count),
        effective_balance_eth=each.effective_balance_eth,
        is_private=each.is_private,
        whitelisting_contract=optional_address(each.whitelisting_contract),
        earnings_wei=str(units_to_wei(ledger.settle_operator(each, at=at).credit_units)),
        removed_at_block=each.removed_at,
        metadata=said,
    )


def snapshot_out(each: ClusterSnapshot) -> SnapshotOut:
    """The struct."""
    return made(
        SnapshotOut,
        validator_count=each.validator_count,
        network_fee_index=str(each.network_fee_index),
        index=str(each.index),
        active=each.active,
        balance_wei=str(each.balance_wei),
    )


def cluster_out(
    parties: Parties, view: View, *, said: ClusterMetadataOut | None = None
) -> ClusterOut:
    """The cluster at the view's block, with what its owner says of it."""
    cluster, at = parties.cluster, view.at
    has = funds(parties, at=at)
    ends = has.liquidation_block
    return made(
        ClusterOut,
        id=hex_text(cluster.cluster_id),
        owner=address_text(cluster.owner),
        operator_ids=list(cluster.operator_ids),
        status="active" if cluster.snapshot.active else "liquidated",
        validators=cluster.validator_count,
        effective_balance_eth=cluster.effective_balance_eth,
        fee_asset="ETH",
        snapshot=snapshot_out(cluster.snapshot),
        balance_wei=str(has.balance_wei),
        burn_rate_wei=str(has.burn_rate_wei),
        collateral_wei=str(has.collateral_wei),
        withdrawable_wei=str(has.withdrawable_wei),
        is_liquidatable=ends == at,
        # The last block in which it still is safe.
        runway_blocks=None if ends is None else max(0, ends - at - 1),
        liquidation_block=ends,
        liquidation_time=estimated_time(view, ends),
        metadata=said,
    )


def estimated_time(view: View, block: int | None) -> str | None:
    """When a later block comes, if every slot has one."""
    now_s = view.block.timestamp_s
    if block is None or now_s is None:
        return None
    return time_text(now_s + (block - view.at) * BLOCK_S)


def validator_out(each: Validator) -> ValidatorOut:
    """A present registration."""
    return made(
        ValidatorOut,
        public_key=hex_text(each.public_key),
        owner=address_text(each.owner),
        cluster_id=hex_text(each.cluster_id),
        accepted=each.refusal is None,
        rejected_reason=each.refusal,
        nonce=each.nonce,
        effective_balance_eth=each.effective_balance_eth,
        last_proof_slot=each.last_proof_slot,
        registered_at_block=each.registered_at,
        exit_requested_at_block=each.exit_requested_at,
        shares_digest=hex_text(each.shares_digest),
    )


def registration_out(each: Registration, shares: SharesOut | None) -> RegistrationOut:
    """A present or past registration."""
    added, record = each.added, each.record
    status: Literal["registered", "exiting", "removed", "void"] = "removed"
    if record is not None:
        status = "registered" if record.exit_requested_at is None else "exiting"
    elif added.refusal in _NEVER_RECORDED:
        status = "void"
    return made(
        RegistrationOut,
        owner=address_text(added.owner or b""),
        status=status,
        accepted=added.refusal is None,
        rejected_reason=added.refusal,
        nonce=added.nonce,
        cluster_id=optional_hex(added.cluster_id),
        operator_ids=list(added.operator_ids),
        block=added.block,
        timestamp=time_text(added.timestamp_s),
        transaction_hash=hex_text(added.transaction_hash),
        log_index=added.log_index,
        record=None if record is None else validator_out(record),
        shares=shares,
    )


def event_out(each: EventRow, view: View) -> EventOut:
    """One log."""
    return made(
        EventOut,
        id=f"{each.block}:{each.log_index}",
        name=each.name,
        undecodable=each.undecodable,
        args=dict(each.args),
        block=each.block,
        block_hash=hex_text(each.block_hash),
        timestamp=time_text(each.timestamp_s),
        finality=view.position.finality(each.block).value,
        transaction_hash=hex_text(each.transaction_hash),
        transaction_index=each.transaction_index,
        log_index=each.log_index,
        owner=optional_address(each.owner),
        operator_ids=list(each.operator_ids),
        cluster_id=optional_hex(each.cluster_id),
        validator=optional_hex(each.validator_key),
        rejected_reason=each.refusal,
        nonce=each.nonce,
        deposit_wei=None if each.deposit_wei is None else str(each.deposit_wei),
    )


_NEVER_RECORDED: Final = frozenset({Refusal.ALREADY_REGISTERED, Refusal.PUBLIC_KEY_LENGTH})
