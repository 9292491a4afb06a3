"""How a bulk registration is cut into transactions, and what it will cost, before anything is sent.

Pure operations. The limits are those of `sdk.client.transaction`: what pools keep and what a block
may contain. See docs/bulk-registration.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from sdk.client import reads, sending
from sdk.client.abi import encode_call
from sdk.client.addresses import to_operator_ids
from sdk.client.bulk_journal import Chunk, plan_chunks
from sdk.client.calls import Deployment, call_one
from sdk.client.draft import Forecast, forecast
from sdk.client.fitness import keyshares_problems, operator_problems
from sdk.client.funds import Funding, cluster_name, funded, require_active, require_funds
from sdk.client.operation import Operation
from sdk.client.search import operator_keys
from sdk.client.transaction import ENVELOPE_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_GAS
from sdk.client.validators import common_operators
from sdk.client.values import ClusterState
from sdk.errors import ChainError
from sdk.events import EMPTY_SNAPSHOT
from sdk.registry import effects, runway
from sdk.shares.keyshares_file import KeyShare
from sdk.types import Wei
from sdk.units import format_ether

SPARE_BLOCKS: Final = 600
"""Runway each transaction keeps at least, two hours: it may wait that long before it is mined."""
MOST_GAS: Final = MAX_TRANSACTION_GAS * 100 // (100 + sending.GAS_MARGIN_PER_100)
"""Highest estimate whose margin still fits a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPlan:
    """A bulk registration before its first transaction.

    Attributes:
        cluster: as found.
        first_nonce: registration nonce of the first entry.
        chunks: those registered already are verified.
        deposit_wei: over all chunks.
        before: the cluster's funds now; None if it is new.
        after: the same with all validators registered in the next block.
    """

    owner: ChecksumAddress
    cluster: ClusterState
    first_nonce: int
    chunks: tuple[Chunk, ...]
    deposit_wei: int
    largest_calldata_bytes: int
    before: Forecast | None
    after: Forecast

    @property
    def to_send(self) -> tuple[Chunk, ...]:
        """Chunks that are not registered yet."""
        return tuple(chunk for chunk in self.chunks if not chunk.is_verified)

    @property
    def validators(self) -> int:
        """How many are left to register."""
        return sum(chunk.count for chunk in self.to_send)

    def lines(self) -> list[str]:
        """The plan for a person, one fact a line."""
        sizes = [chunk.count for chunk in self.to_send]
        done = sum(chunk.count for chunk in self.chunks if chunk.is_verified)
        first = self.first_nonce + done
        told = [
            f"register {self.validators} {_noun(self.validators)} in {cluster_name(self.cluster)}",
            f"transactions: {len(sizes)}, of at most {max(sizes, default=0)} "
            f"{_noun(max(sizes, default=0))}, calldata up to {self.largest_calldata_bytes} bytes",
            f"deposit: {format_ether(self.deposit_wei)} ETH in all",
            f"registration nonces used up: {first} to {first + self.validators - 1}",
        ]
        if done:
            told.insert(1, f"registered already: the first {done} of the file")
        if self.before is not None:
            told.append(f"cluster before: {self.before}")
        told.append(f"cluster after: {self.after}")
        return told


def _noun(count: int) -> str:
    return "validator" if count == 1 else "validators"


def plan_bulk(
    deployment: Deployment,
    owner: ChecksumAddress,
    shares: Sequence[KeyShare],
    *,
    funding: Funding,
    most_per_transaction: int | None,
    are_registered: bool = False,
) -> Operation[BulkPlan]:
    """The plan, with every check that can be made now.

    Entries at the beginning whose nonces are used up are left out if their validators are
    registered, so a run without its journal goes on, too.

    Args:
        deployment: which registry.
        owner: account that registers.
        shares: all entries, for one set of operators.
        funding: for all of them together.
        most_per_transaction: entries per transaction; as many as fit if None.
        are_registered: the validators are still registered elsewhere, to be removed before.

    Raises:
        KeysharesError: an entry is not sound.
        ChainError: as `validators.register`.
    """
    ids = to_operator_ids(common_operators(shares))
    nonce = yield from reads.owner_nonce(deployment, owner, block="latest")
    first_nonce = nonce if shares[0].nonce is None else shares[0].nonce
    done = yield from _registered_before(
        deployment, owner, shares, nonce=nonce, first_nonce=first_nonce
    )
    cluster = yield from reads.find_cluster(deployment, owner, ids, may_be_new=True)
    require_active(cluster)
    rest = shares[done:]
    if rest:
        yield from _require_fit(
            deployment, cluster, rest, nonce=nonce, are_registered=are_registered
        )
    amount = funded(cluster, funding, new_validators=len(rest)) if rest else 0
    if rest:
        _require_deposit(cluster, amount, validators=len(rest))
    most = min(fitting(shares), most_per_transaction or len(shares))
    chunks = plan_chunks(entries=len(shares), first=done, most=most, deposit_wei=amount)
    after = effects.register(
        cluster.parties, validators=len(rest), deposit_wei=Wei(amount), at=cluster.next_block
    )
    return BulkPlan(
        owner=owner,
        cluster=cluster,
        first_nonce=first_nonce,
        chunks=chunks,
        deposit_wei=amount,
        largest_calldata_bytes=calldata_bytes(shares[:most]),
        before=forecast(cluster.parties, at=cluster.block.number) if cluster.exists else None,
        after=forecast(after, at=cluster.next_block),
    )


def calldata_bytes(shares: Sequence[KeyShare]) -> int:
    """Calldata of one registration of these entries."""
    keys = tuple(bytes(share.public_key) for share in shares)
    data = tuple(share.shares_data for share in shares)
    each = EMPTY_SNAPSHOT
    struct = (0, each.network_fee_index, each.index, each.active, each.balance_wei)
    arguments = (keys, shares[0].operator_ids, data, struct)
    return len(encode_call("bulkRegisterValidator", arguments))


def fitting(shares: Sequence[KeyShare]) -> int:
    """Most entries that fit one transaction's size; entries are of one length."""
    one = calldata_bytes(shares[:1])
    if len(shares) == 1:
        return 1
    further = calldata_bytes(shares[:2]) - one
    return 1 + (MAX_TRANSACTION_BYTES - ENVELOPE_BYTES - one) // further


def least_deposit_wei(cluster: ClusterState, *, validators: int) -> int:
    """Deposit with which these validators can be registered within the next `SPARE_BLOCKS`."""
    return runway.deposit_needed_wei(
        cluster.parties, for_blocks=SPARE_BLOCKS, at=cluster.next_block, new_validators=validators
    )


def require_registered(
    deployment: Deployment, owner: ChecksumAddress, shares: Sequence[KeyShare]
) -> Operation[None]:
    """Return if the owner has registered all of these validators.

    Raises:
        ChainError: `nonce_used_elsewhere`, their nonces are used up, but not by them.
    """
    for share in shares:
        if not (yield from is_registered(deployment, owner, share)):
            raise ChainError(
                f"the nonce of validator 0x{bytes(share.public_key).hex()} is used up, but {owner} "
                "does not have that validator",
                code="nonce_used_elsewhere",
                hint="Split the validators that are not registered again, from the next nonce.",
                data={"public_key": "0x" + bytes(share.public_key).hex(), "owner": owner},
            )


def is_registered(
    deployment: Deployment, owner: ChecksumAddress, share: KeyShare
) -> Operation[bool]:
    """Whether the owner has registered this validator."""
    key = bytes(share.public_key)
    found: bool = yield from call_one(deployment, "getValidator", owner, key)
    return found


def _registered_before(
    deployment: Deployment,
    owner: ChecksumAddress,
    shares: Sequence[KeyShare],
    *,
    nonce: int,
    first_nonce: int,
) -> Operation[int]:
    """How many entries at the beginning are registered, their nonces being used up."""
    if nonce < first_nonce:
        sending.require_nonce(first_nonce, expected=nonce, owner=owner)
    used = min(nonce - first_nonce, len(shares))
    if used == 0:
        return 0
    # Keyshares of which none is registered were simply made for an old nonce.
    if not (yield from is_registered(deployment, owner, shares[0])):
        sending.require_nonce(first_nonce, expected=nonce, owner=owner)
    yield from require_registered(deployment, owner, shares[:used])
    return used


def _require_fit(
    deployment: Deployment,
    cluster: ClusterState,
    shares: Sequence[KeyShare],
    *,
    nonce: int,
    are_registered: bool,
) -> Operation[None]:
    at, ids, owner = cluster.block.number, cluster.operator_ids, cluster.owner
    yield from operator_problems(deployment, owner, ids, added=len(shares), block=at)
    keys = yield from operator_keys(deployment, ids, last_block=at)
    keyshares_problems(shares, owner=owner, nonce=nonce, operator_keys=keys)
    if are_registered:
        return
    for share in shares:
        if (yield from is_registered(deployment, owner, share)):
            raise ChainError(
                f"validator 0x{bytes(share.public_key).hex()} is registered by {owner} already",
                code="already_registered",
                hint="Leave it out; entries after it need keyshares for lower nonces then.",
                data={"position": share.position},
            )


def _require_deposit(cluster: ClusterState, deposit_wei: int, *, validators: int) -> None:
    """Return if the deposit suffices for all, with time to spare.

    Raises:
        ChainError: `underfunded`.
    """
    require_funds(cluster, deposit_wei, new_validators=validators)
    least = least_deposit_wei(cluster, validators=validators)
    if deposit_wei < least:
        raise ChainError(
            f"a deposit of {format_ether(deposit_wei)} ETH leaves {cluster_name(cluster)} no "
            f"{SPARE_BLOCKS} blocks of runway with {validators} more validators: "
            f"{format_ether(least)} ETH are the least for several transactions",
            code="underfunded",
            hint="Pay in more, or name a runway in days.",
            data={"deposit_wei": deposit_wei, "least_wei": least},
        )
