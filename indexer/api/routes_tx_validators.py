"""`/v1/tx/{action}` on validators: calls ready for their owner to sign. Nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api import drafts_validators as drafts
from indexer.api.asking import Asked
from indexer.api.branches import Branch
from indexer.api.drafts import DraftCall, plain
from indexer.api.envelope import Reply
from indexer.api.keyshares import judge, read_file, turn
from indexer.api.parameters import AddressIn, AmountIn, ClusterIn, KeyIn, parse_key
from indexer.api.routes_clusters import required_cluster
from indexer.api.routes_tx import MOST_DAYS, paid_in
from indexer.api.transactions import TransactionOut, respond
from indexer.queries import accounts, clusters, operators, validators
from indexer.queries.errors import NotFound
from indexer.queries.network import network
from indexer.queries.reading import View
from sdk.client.validators import common_operators
from sdk.errors import KeysharesError
from sdk.registry import Cluster, Parties, Validator, cluster_id, new_cluster
from sdk.shares.keyshares_reader import Reading
from sdk.types import Address, OperatorId, checksum_address, parse_address

router = Branch(prefix="/v1/tx", tags=["tools"])
MOST_KEYS: Final = 500
"""Of one call; more than a block has room for."""


class RegistrationIn(BaseModel):
    """Validators to be registered."""

    owner: AddressIn = Field(description="Who registers and pays.")
    keyshares: dict[str, Any] = Field(
        description="A keyshares file, as tools write it, of one cluster. It holds public parts "
        "only.",
        examples=[{"version": "v1.2.0", "createdAt": "2026-01-31T12:00:11.000Z", "shares": []}],
    )
    amount_wei: AmountIn | None = Field(default=None, description="To pay in.")
    runway_days: int | None = Field(
        default=None,
        ge=0,
        le=MOST_DAYS,
        description="Instead of an amount: how long the cluster's balance shall last.",
        examples=[None],
    )


class KeysIn(BaseModel):
    """Validators of one cluster."""

    cluster: ClusterIn
    public_keys: list[KeyIn] = Field(min_length=1, max_length=MOST_KEYS)


class FeeRecipientIn(BaseModel):
    """Who shall receive block rewards of an owner's validators."""

    owner: AddressIn
    recipient: AddressIn


Answer = Reply[TransactionOut]


@router.post("/register", response_model=Answer)
def draft_register(ask: Asked, body: RegistrationIn) -> Response:
    """Registers the validators of a keyshares file, after judging it as nodes will."""
    owner = parse_address(body.owner, what="owner")
    reading = read_file(msgspec.json.encode(body.keyshares))

    def find(view: View) -> DraftCall:
        shares = reading.file.shares
        ids = tuple(OperatorId(each) for each in common_operators(shares))
        _require_sound(view, reading, owner)
        net = network(view)
        known = operators.by_ids(view, ids)
        warnings = drafts.require_fit(
            known,
            ids,
            added=len(shares),
            limit=net.parameters.validators_per_operator_limit,
            admitting=operators.admits(view, ids, owner),
        )
        cluster = clusters.cluster(view, cluster_id(owner, ids))
        if cluster is None:
            cluster = new_cluster(owner, ids, sequence=0)
        parties = Parties(cluster, tuple(known[each] for each in ids), net)
        made = drafts.register(
            parties,
            shares,
            nonce=accounts.account(view, owner).next_nonce,
            amount_wei=paid_in(
                parties,
                amount_wei=body.amount_wei,
                runway_days=body.runway_days,
                at=view.at,
                new_validators=len(shares) if cluster.snapshot.active else 0,
            ),
            at=view.at,
        )
        return replace(made, warnings=(*made.warnings, *warnings))

    with turn():
        return respond(ask, find)


@router.post("/remove", response_model=Answer)
def draft_remove(ask: Asked, body: KeysIn) -> Response:
    """Takes validators out of their cluster; one that shall end has to exit first."""

    def find(view: View) -> DraftCall:
        parties, records = _members(view, body)
        return drafts.remove(parties, records, at=view.at)

    return respond(ask, find)


@router.post("/exit", response_model=Answer)
def draft_exit(ask: Asked, body: KeysIn) -> Response:
    """Asks the operators to sign the voluntary exits of validators."""

    def find(view: View) -> DraftCall:
        return drafts.exit_validators(*_members(view, body))

    return respond(ask, find)


@router.post("/set_fee_recipient", response_model=Answer)
def draft_set_fee_recipient(ask: Asked, body: FeeRecipientIn) -> Response:
    """Says who receives block rewards of all validators of an owner."""
    owner = parse_address(body.owner, what="owner")
    recipient = checksum_address(parse_address(body.recipient, what="recipient"))
    return respond(ask, lambda view: plain("setFeeRecipientAddress", (recipient,), sender=owner))


def _require_sound(view: View, reading: Reading, owner: Address) -> None:
    """Return if nodes will act on the registrations.

    Raises:
        KeysharesError: the first finding that is an error.
    """
    for each in judge(view, reading, owner=owner):
        if each.severity == "error":
            raise KeysharesError(f"{each.where}: {each.message}", code=each.code, hint=each.hint)


def _members(view: View, body: KeysIn) -> tuple[Parties, Sequence[Validator]]:
    """The cluster, and its validators with these keys.

    Raises:
        NotFound: `cluster_unknown`; `validator_unknown`, one is not in the cluster.
    """
    cluster: Cluster = required_cluster(view, body.cluster)
    keys = list(dict.fromkeys(map(parse_key, body.public_keys)))
    found = {
        bytes(each.public_key): each
        for each in validators.by_keys(view, keys)
        if each.cluster_id == cluster.cluster_id
    }
    for key in keys:
        if key not in found:
            raise NotFound(
                f"validator 0x{key.hex()} is not in the cluster at block {view.at}",
                code="validator_unknown",
            )
    return clusters.parties(view, [cluster])[0], [found[bytes(key)] for key in keys]
