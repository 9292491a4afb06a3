"""Calls that another client exported, judged anew before anybody signs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdk.client import export, reads
from sdk.client.addresses import to_checksum
from sdk.client.calls import Deployment
from sdk.client.draft import Draft
from sdk.client.fitness import keyshares_problems
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.search import operator_keys
from sdk.client.sending import require_chain
from sdk.client.values import ClusterState
from sdk.errors import ChainError
from sdk.events import ClusterSnapshot
from sdk.files import read_bounded
from sdk.shares.keyshares_file import KeyShare
from sdk.types import PublicKey, Wei

_REGISTRATION = "bulkRegisterValidator"


class ImportVerbs(Part):
    """What a call does is read from its calldata; the texts of its file are not believed."""

    @preparing
    def from_json(self, path: Path) -> Operation[Draft]:
        """The call in a file that `to_json` wrote, checked again against the registry.

        Raises:
            InputError: `unsigned_call_malformed`.
            ChainError: `other_registry`, `other_chain`, `stale_snapshot`.
            KeysharesError: a registration that nodes would refuse now.
        """
        data = read_bounded(path, limit_bytes=export.FILE_MAX_BYTES)
        found = export.read_unsigned(data, source=str(path))
        chain = yield from require_chain(self._deployment)
        if found.chain_id != chain:
            raise ChainError(
                f"{path} is for chain {found.chain_id}, the node follows {chain}",
                code="other_chain",
                hint="Use a node of that chain.",
            )
        if found.to != self._deployment.registry:
            raise ChainError(
                f"{path} calls {found.to}, this client's registry is {self._deployment.registry}",
                code="other_registry",
                hint="Do not sign it unless you know that address.",
            )
        arguments = dict(zip(export.argument_names(found.function), found.arguments, strict=True))
        cluster = yield from _cluster(self._deployment, found, arguments)
        nonces: tuple[int, ...] = ()
        if found.function == _REGISTRATION and cluster is not None:
            nonces = yield from _nonces(self._deployment, cluster, arguments)
        return Draft(
            function=found.function,
            arguments=found.arguments,
            action=f"imported call of {found.function}",
            sender=found.sender,
            value_wei=found.value_wei,
            cluster=cluster,
            nonces=nonces,
            items=max(1, len(nonces)),
        )


def _cluster(
    deployment: Deployment, found: export.UnsignedCall, arguments: dict[str, Any]
) -> Operation[ClusterState | None]:
    """The cluster whose snapshot the call presents, confirmed by the registry."""
    struct = arguments.get("cluster")
    if struct is None:
        return None
    count, network_index, index, active, balance_wei = struct
    return (
        yield from reads.find_cluster(
            deployment,
            to_checksum(arguments.get("clusterOwner", found.sender.lower())),
            tuple(arguments["operatorIds"]),
            snapshot=ClusterSnapshot(count, network_index, index, active, Wei(balance_wei)),
            may_be_new=found.function == _REGISTRATION,
        )
    )


def _nonces(
    deployment: Deployment, cluster: ClusterState, arguments: dict[str, Any]
) -> Operation[tuple[int, ...]]:
    """The nonces a registration will use up, if its signatures are for them."""
    first = yield from reads.owner_nonce(deployment, cluster.owner, block="pending")
    shares = [
        KeyShare(
            public_key=PublicKey(key),
            operator_ids=cluster.operator_ids,
            shares_data=data,
            owner=None,
            nonce=None,
            data_public_key=None,
            operators=(),
        )
        for key, data in zip(arguments["publicKeys"], arguments["sharesData"], strict=True)
    ]
    keys = yield from operator_keys(
        deployment, cluster.operator_ids, last_block=cluster.block.number
    )
    keyshares_problems(shares, owner=cluster.owner, nonce=first, operator_keys=keys)
    return tuple(range(first, first + len(shares)))


class Imports(ImportVerbs, BlockingPart):
    """`client.imports`."""

    __slots__ = ()


class AsyncImports(ImportVerbs, AwaitingPart):
    """`client.imports` of the async client."""

    __slots__ = ()
