"""Event logs and an accounting run of the reference registry (see docs/vectors.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sdk.events import EVENT_ABIS, ClusterSnapshot
from sdk.registry import cluster_id, snapshot_hash
from sdk.testing.accounting_replay import replay_accounting
from sdk.testing.event_replay import replay_events
from sdk.types import OperatorId, Wei, parse_address
from tests.vectors.case import Case, attempt, expect

Document = dict[str, Any]


def run(folder: Path) -> Iterator[Case]:
    """One case per check and file."""
    for name, file, check in CHECKS:
        path = folder / file
        if path.is_file():
            yield attempt(name, partial(_check, check, path))


def is_present(folder: Path) -> bool:
    """Whether the folder holds any of the files."""
    return any((folder / file).is_file() for _, file, _ in CHECKS)


def _check(check: Callable[[Document], list[str]], path: Path) -> None:
    expect(check(json.loads(path.read_bytes())), [], "mismatches")


def _every_block(document: Document) -> list[str]:
    return replay_accounting(document, settle_every_block=True)


def _cluster_ids(document: Document) -> list[str]:
    mismatches = []
    for entry in document.get("clusterIds", ()):
        ids = tuple(OperatorId(operator) for operator in entry["operatorIds"])
        ours = f"0x{cluster_id(parse_address(entry['owner']), ids).hex()}"
        if ours != entry["clusterId"]:
            mismatches.append(f"{entry}: ours {ours}")
    return mismatches


def _cluster_hashes(document: Document) -> list[str]:
    mismatches = []
    for entry in document.get("clusterHashes", ()):
        struct = entry["cluster"]
        snapshot = ClusterSnapshot(
            validator_count=int(struct["validatorCount"]),
            network_fee_index=int(struct["networkFeeIndex"]),
            index=int(struct["index"]),
            active=struct["active"],
            balance_wei=Wei(int(struct["balance"])),
        )
        ours = f"0x{snapshot_hash(snapshot).hex()}"
        if ours != entry["keccakPacked"]:
            mismatches.append(f"{entry}: ours {ours}")
    return mismatches


def _topics(document: Document) -> list[str]:
    ours = {abi.signature: f"0x{abi.topic.hex()}" for abi in EVENT_ABIS}
    return [
        f"{signature}: ours {ours.get(signature)}"
        for signature, event in document["events"].items()
        if ours.get(signature) != event["topic0"]
    ]


CHECKS: list[tuple[str, str, Callable[[Document], list[str]]]] = [
    ("events decode and encode again", "event-vectors.json", replay_events),
    ("event topics", "selectors.json", _topics),
    ("accounting, settled by steps", "accounting-vectors.json", replay_accounting),
    ("accounting, settled every block", "accounting-vectors.json", _every_block),
    ("cluster ids", "accounting-vectors.json", _cluster_ids),
    ("cluster hashes", "accounting-vectors.json", _cluster_hashes),
]
