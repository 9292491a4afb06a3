"""What only the registry's logs tell: snapshots, an owner's clusters, operator keys, old nonces.

Pure operations over `logs.search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_typing import ChecksumAddress

from sdk.client.addresses import to_raw
from sdk.client.calls import Deployment
from sdk.client.logs import search
from sdk.client.operation import Operation
from sdk.client.values import ClusterSummary
from sdk.crypto.operator_key_text import read_public_key, write_public_key
from sdk.errors import InputError, NetworkError
from sdk.events import EVENT_ABIS, ClusterSnapshot, Log, decode, operator_public_key_text
from sdk.events.types import OperatorAdded, ValidatorAdded
from sdk.types import BlockNumber, OperatorId

_TOPIC: Final = {abi.event_class: "0x" + abi.topic.hex() for abi in EVENT_ABIS}
CLUSTER_TOPICS: Final = tuple(
    _TOPIC[abi.event_class] for abi in EVENT_ABIS if "cluster" in abi.fields
)
"""Events that carry a cluster's struct; the last one of a cluster carries its current one."""


def last_snapshot(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: tuple[OperatorId, ...],
    *,
    last_block: BlockNumber,
) -> Operation[tuple[ClusterSnapshot, BlockNumber] | None]:
    """The struct in the newest log of this cluster, and that log's block; None without a log."""
    found: list[tuple[ClusterSnapshot, BlockNumber]] = []

    def visit(page: list[Log]) -> bool:
        for log in reversed(page):
            event: Any = decode(log.topics, log.data)
            if getattr(event, "operator_ids", None) == ids and hasattr(event, "cluster"):
                found.append((event.cluster, log.block_number))
                return True
        return False

    yield from search(
        deployment,
        [CLUSTER_TOPICS, _word(owner)],
        visit,
        last_block=last_block,
        subject=f"snapshot of a cluster of {owner}",
    )
    return found[0] if found else None


def clusters_of(
    deployment: Deployment, owner: ChecksumAddress, *, last_block: BlockNumber
) -> Operation[list[ClusterSummary]]:
    """All clusters the owner ever had, each as its last log carried it, by operator ids."""
    found: dict[tuple[OperatorId, ...], ClusterSummary] = {}

    def visit(page: list[Log]) -> bool:
        for log in reversed(page):
            event: Any = decode(log.topics, log.data)
            if not hasattr(event, "cluster"):
                continue
            summary = ClusterSummary(owner, event.operator_ids, event.cluster, log.block_number)
            found.setdefault(event.operator_ids, summary)
        return False

    yield from search(
        deployment,
        [CLUSTER_TOPICS, _word(owner)],
        visit,
        last_block=last_block,
        subject=f"clusters of {owner}",
    )
    return [found[ids] for ids in sorted(found)]


def count_registrations(
    deployment: Deployment, owner: ChecksumAddress, *, last_block: BlockNumber
) -> Operation[int]:
    """How many validators the owner ever registered, counted twice over different ranges.

    Raises:
        NetworkError: `logs_incomplete`, the two counts differ.
    """
    counts = []
    for window in (deployment.window_blocks, max(1, deployment.window_blocks // 3)):
        seen: list[int] = []

        def visit(page: list[Log], seen: list[int] = seen) -> bool:
            seen.append(len(page))
            return False

        yield from search(
            deployment,
            [_TOPIC[ValidatorAdded], _word(owner)],
            visit,
            last_block=last_block,
            subject=f"registrations of {owner}",
            window_blocks=window,
        )
        counts.append(sum(seen))
    if counts[0] != counts[1]:
        raise NetworkError(
            f"the node shows {counts[0]} registrations of {owner} in one pass and {counts[1]} "
            "in another",
            code="logs_incomplete",
            hint="It leaves logs out. Use another node: a wrong nonce makes registrations void.",
            data={"counts": counts},
        )
    return counts[0]


def operator_keys(
    deployment: Deployment, ids: Sequence[int] | None, *, last_block: BlockNumber
) -> Operation[dict[OperatorId, str | None]]:
    """Registered public keys by operator id, None where the registered text is no key.

    Args:
        deployment: which registry.
        ids: operators to look for, all if None.
        last_block: newest block to look at.
    """
    found: dict[OperatorId, str | None] = {}
    wanted = None if ids is None else set(ids)

    def visit(page: list[Log]) -> bool:
        for log in page:
            event = decode(log.topics, log.data)
            if isinstance(event, OperatorAdded):
                found[event.operator_id] = _key(event.public_key)
        return wanted is not None and wanted <= found.keys()

    id_topics = None if wanted is None else [f"0x{each:064x}" for each in sorted(wanted)]
    topics: list[Any] = [_TOPIC[OperatorAdded]]
    if id_topics is not None:
        topics.append(id_topics)
    yield from search(deployment, topics, visit, last_block=last_block, subject="keys of operators")
    return dict(sorted(found.items()))


def _key(registered: bytes) -> str | None:
    text = operator_public_key_text(registered)
    if text is None:
        return None
    try:
        return write_public_key(read_public_key(text))
    except InputError:
        return None


def _word(owner: ChecksumAddress) -> str:
    return "0x" + to_raw(owner).hex().rjust(64, "0")
