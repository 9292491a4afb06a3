"""Reads that take more than one question: nonces, confirmed clusters, lists of operators.

Pure operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from eth_typing import ChecksumAddress

from sdk.client.accounts import NO_SUCH_FUNCTION, is_known, read_operator, read_parties
from sdk.client.calls import Block, BlockTag, Deployment, block_header, call, call_one
from sdk.client.contract_errors import ERRORS
from sdk.client.operation import Operation
from sdk.client.search import count_registrations, last_snapshot, operator_keys
from sdk.client.values import ClusterState, OperatorState
from sdk.errors import ChainError, NetworkError
from sdk.events import EMPTY_SNAPSHOT, ClusterSnapshot
from sdk.types import BlockNumber, OperatorId

_STALE = (ERRORS["IncorrectClusterState"], ERRORS["ClusterDoesNotExist"])
_RACES = 2
"""Times a snapshot from logs is looked for; the second time only after a race lost."""


def owner_nonce(
    deployment: Deployment, owner: ChecksumAddress, *, block: BlockTag = "latest"
) -> Operation[int]:
    """Nonce of the owner's next registration.

    Asked of the registry; one without that view (SSV's own) is counted from its logs, where
    `pending` cannot be seen and stands for `latest`.
    """
    try:
        nonce: int = yield from call_one(deployment, "getOwnerNonce", owner, block=block)
    except NO_SUCH_FUNCTION:
        head = yield from block_header("latest" if block == "pending" else block)
        return (yield from count_registrations(deployment, owner, last_block=head.number))
    return nonce


def find_cluster(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: tuple[OperatorId, ...],
    *,
    snapshot: ClusterSnapshot | None = None,
    may_be_new: bool = False,
) -> Operation[ClusterState]:
    """The cluster at the newest block, its snapshot confirmed by the registry at that block.

    Args:
        deployment: which registry.
        owner: of the cluster.
        ids: its operators, ascending.
        snapshot: use this one instead of searching the logs.
        may_be_new: a cluster that does not exist is an empty one instead of an error.

    Raises:
        ChainError: `stale_snapshot`, the one given; `cluster_unknown`.
        NetworkError: `logs_incomplete`, the registry contradicts the node's logs twice.
    """
    for _ in range(_RACES):
        head = yield from block_header()
        source: Literal["events", "given", "new"] = "given"
        candidate, snapshot_block = snapshot, None
        if candidate is None:
            found = yield from last_snapshot(deployment, owner, ids, last_block=head.number)
            source = "events" if found else "new"
            candidate, snapshot_block = found or (EMPTY_SNAPSHOT, None)
        verdict = yield from _confirm(deployment, owner, ids, candidate, head)
        if verdict == "unknown" and candidate == EMPTY_SNAPSHOT:
            if not may_be_new:
                raise _unknown_cluster(owner, ids)
            source = "new"
        elif verdict != "right" or source == "new":
            if snapshot is not None:
                raise _stale(owner, ids, verdict)
            continue
        parties = yield from read_parties(
            deployment, owner, ids, candidate, block=head, is_new=source == "new"
        )
        return ClusterState(owner, ids, candidate, source, snapshot_block, head, parties)
    raise NetworkError(
        f"the registry does not confirm what the logs tell of {_cluster(owner, ids)}",
        code="logs_incomplete",
        hint="Check the registry's start block, or use a node that keeps all logs since then.",
        data={"owner": owner, "operator_ids": list(ids), "start_block": deployment.start_block},
    )


def confirm_snapshot(
    deployment: Deployment, cluster: ClusterState, *, block: BlockTag = "latest"
) -> Operation[None]:
    """Return if the cluster's snapshot is still the registry's.

    Raises:
        ChainError: `stale_snapshot`.
    """
    head = yield from block_header(block)
    wanted = "right" if cluster.exists else "unknown"
    verdict = yield from _confirm(
        deployment, cluster.owner, cluster.operator_ids, cluster.snapshot, head
    )
    if verdict != wanted:
        raise _stale(cluster.owner, cluster.operator_ids, verdict)


def _confirm(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: tuple[OperatorId, ...],
    snapshot: ClusterSnapshot,
    block: Block,
) -> Operation[Literal["right", "wrong", "unknown"]]:
    each = snapshot
    struct = (
        each.validator_count,
        each.network_fee_index,
        each.index,
        each.active,
        each.balance_wei,
    )
    try:
        yield from call(deployment, "isLiquidated", owner, ids, struct, block=block.number)
    except _STALE as problem:
        return "wrong" if isinstance(problem, _STALE[0]) else "unknown"
    return "right"


def list_operators(
    deployment: Deployment, ids: Sequence[int] | None = None
) -> Operation[list[OperatorState]]:
    """The operators with their public keys, ascending; removed ones included.

    Raises:
        ChainError: `operator_not_found`, one of `ids`; `no_registry`.
    """
    head = yield from block_header()
    keys = yield from operator_keys(deployment, ids, last_block=head.number)
    if ids is None and not keys:  # an address without a registry has no logs either
        yield from call_one(deployment, "getVersion", block=head.number)
    found = []
    for operator_id in sorted(set(ids)) if ids is not None else keys:
        state = yield from known_operator(deployment, operator_id, block=head.number)
        found.append(replace(state, public_key=keys.get(state.operator_id)))
    return found


def known_operator(
    deployment: Deployment, operator_id: int, *, block: BlockNumber | str = "latest"
) -> Operation[OperatorState]:
    """An operator that was registered, removed or not.

    Raises:
        ChainError: `operator_not_found`.
    """
    state = yield from read_operator(deployment, operator_id, block=block)
    if not is_known(state):
        raise ChainError(
            f"operator {operator_id} was never registered",
            code="operator_not_found",
            hint="Check the id and the network.",
            data={"operator_id": operator_id},
        )
    return state


def _stale(owner: ChecksumAddress, ids: tuple[OperatorId, ...], verdict: str) -> ChainError:
    why = "does not exist" if verdict == "unknown" else "has changed since its snapshot"
    return ChainError(
        f"{_cluster(owner, ids)} {why}",
        code="stale_snapshot",
        hint="Read the cluster again and prepare the call anew.",
        data={"owner": owner, "operator_ids": list(ids)},
    )


def _unknown_cluster(owner: ChecksumAddress, ids: tuple[OperatorId, ...]) -> ChainError:
    return ChainError(
        f"{_cluster(owner, ids)} does not exist",
        code="cluster_unknown",
        hint="Check owner, operator ids and network; the first registration makes a cluster.",
        data={"owner": owner, "operator_ids": list(ids)},
    )


def _cluster(owner: ChecksumAddress, ids: tuple[OperatorId, ...]) -> str:
    return f"the cluster of {owner} with operators {', '.join(map(str, ids))}"
