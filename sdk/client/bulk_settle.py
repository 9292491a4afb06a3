"""What the chain says about one transaction of a bulk registration, whoever sent it and when.

Pure operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress

from sdk.client import mining, reads, tracking
from sdk.client.bulk_journal import BulkJournal, Chunk, split_chunk
from sdk.client.bulk_plan import is_registered, require_registered
from sdk.client.calls import Deployment
from sdk.client.operation import Operation, Rpc, result_of
from sdk.client.sending import Context
from sdk.client.tracking import Mined, Missing, SentTransaction
from sdk.errors import ChainError, NetworkError
from sdk.shares.keyshares_file import KeyShare


@dataclass(frozen=True, slots=True)
class Settled:
    """A chunk as the chain knows it.

    Attributes:
        chunks: the chunk; two if only its first part is registered.
        is_sure: false if the node cannot tell any more whether the nonces are the signed ones.
    """

    chunks: tuple[Chunk, ...]
    is_sure: bool = True


def settle(
    context: Context,
    owner: ChecksumAddress,
    journal: BulkJournal,
    shares: Sequence[KeyShare],
    index: int,
) -> Operation[Settled]:
    """The chunk at `index`: verified, or to be sent; a pending transaction is waited for.

    Raises:
        ChainError: `nonce_used_elsewhere`, `nonce_shifted`.
        NetworkError: `receipt_timeout`, `node_behind`.
    """
    chunk = journal.chunks[index]
    first = journal.first_nonce + chunk.start
    next_nonce = yield from _next_nonce(context.deployment, owner)
    if chunk.is_verified and next_nonce >= first + chunk.count:
        return Settled((chunk,))
    # If it was verified, its block is no longer part of the chain.
    chunk = replace(chunk, is_verified=False)
    if chunk.sent is not None:
        chunk = yield from _look_up(context, owner, chunk, chunk.sent, end=first + chunk.count)
        next_nonce = yield from _next_nonce(context.deployment, owner)
    used = min(next_nonce - first, chunk.count)
    if used <= 0:
        return Settled((chunk,))
    rest: tuple[Chunk, ...] = ()
    if used < chunk.count:
        chunk, *rest_list = split_chunk(replace(chunk, sent=None), used)
        rest = tuple(rest_list)
    yield from require_registered(context.deployment, owner, shares[chunk.start : chunk.end])
    end = journal.first_nonce + chunk.end
    is_sure = next_nonce == end
    if not is_sure and chunk.sent is not None and chunk.block is not None:
        is_sure = yield from _has_its_nonces(context.deployment, owner, chunk.sent, first)
    return Settled((replace(chunk, is_verified=True), *rest), is_sure)


def require_kept(
    deployment: Deployment,
    owner: ChecksumAddress,
    journal: BulkJournal,
    shares: Sequence[KeyShare],
) -> Operation[None]:
    """Return if every validator that the journal calls registered still is.

    Chunks whose nonces are free again are left out: their block is gone, `settle` looks them up.

    Raises:
        ChainError: `removed_since`.
    """
    verified = [chunk for chunk in journal.chunks if chunk.is_verified]
    if not verified:
        return
    next_nonce = yield from _next_nonce(deployment, owner)
    kept = [chunk for chunk in verified if next_nonce >= journal.first_nonce + chunk.end]
    known = [share for chunk in kept for share in shares[chunk.start : chunk.end]]
    removed = []
    for share in known:
        is_kept = yield from is_registered(deployment, owner, share)
        if not is_kept:
            removed.append("0x" + bytes(share.public_key).hex())
    if removed:
        raise ChainError(
            f"{len(removed)} of {len(known)} validators that the journal calls registered are not "
            f"registered by {owner} now, first {removed[0]}",
            code="removed_since",
            hint="They were removed after this file was registered. Split them again with the "
            f"next nonce, {next_nonce}, then register the new file.",
            data={"removed": removed, "owner": owner, "next_nonce": next_nonce},
        )


def _look_up(
    context: Context, owner: ChecksumAddress, chunk: Chunk, sent: SentTransaction, *, end: int
) -> Operation[Chunk]:
    """The chunk with what became of its transaction; without it if it never can be mined."""
    fate = yield from tracking.await_fate(sent, sender=owner, patience=context.patience)
    match fate:
        case Missing():
            return replace(chunk, block=None)
        case Mined(block_number=block, succeeded=True):
            if (yield from _next_nonce(context.deployment, owner)) < end:
                raise NetworkError(
                    f"transaction {sent.hash} is mined, but the node's state does not have it",
                    code="node_behind",
                    hint="Give the same command again when the node has caught up.",
                )
            return replace(chunk, block=block)
        case _:
            return replace(chunk, sent=None, block=None)


def _has_its_nonces(
    deployment: Deployment, owner: ChecksumAddress, sent: SentTransaction, first: int
) -> Operation[bool]:
    """Whether the mined transaction used the nonces from `first` on; false if the node cannot tell.

    Raises:
        ChainError: `nonce_shifted`, it surely did not.
    """
    request = Rpc("eth_getTransactionReceipt", (sent.hash,), f"receipt of {sent.hash}")
    try:
        found = yield from result_of(request)
        if found is None:
            return False  # the node has forgotten it
        yield from mining.require_first_nonce(deployment, owner, found, first)
    except (NetworkError, ChainError) as error:
        if error.code == "nonce_shifted":
            raise
        return False  # the node has dropped the state of that block
    return True


def _next_nonce(deployment: Deployment, owner: ChecksumAddress) -> Operation[int]:
    return (yield from reads.owner_nonce(deployment, owner, block="latest"))
