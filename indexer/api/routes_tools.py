"""Tools: `/v1/fees/quote`, `/v1/operators/select`, `/v1/keyshares/verify`.

They compute from the tables and what is sent; nothing that is sent is kept.
"""

from __future__ import annotations

from threading import Semaphore
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked
from indexer.api.envelope import Reply
from indexer.api.parameters import MOST_IDS, parse_committee
from indexer.api.scalars import AddressText, OperatorIdText, WeiText, hex_text
from indexer.api.selection import MOST_SETS, choose
from indexer.queries import accounts, operators, validators
from indexer.queries.errors import NotFound, Overloaded
from indexer.queries.network import network
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import View
from indexer.queries.records import PAGE_LIMIT, Cut
from sdk.committee import THRESHOLDS
from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import InputError
from sdk.events import ClusterSnapshot, operator_public_key_text
from sdk.findings import Finding
from sdk.registry import Cluster, Network, Operator, Parties, cluster_id, ledger, runway
from sdk.shares import Expected, is_sound, read_keyshares, verify_keyshares
from sdk.types import Address, BlockNumber, OperatorId, Wei, parse_address
from sdk.units import units_down, units_to_wei

router = APIRouter(prefix="/v1", tags=["tools"])
BLOCKS_PER_DAY: Final = 7_200
MOST_VALIDATORS: Final = 100_000
MOST_DAYS: Final = 3_650
MOST_SHARES: Final = 100
"""Validators of one file; a check of one takes some ten milliseconds of one core."""
CHECKS_AT_ONCE: Final = 1
"""Files judged at once in one process, so that other answers keep a core."""
_CHECK_WAIT_S: Final = 5.0
_checking: Final = Semaphore(CHECKS_AT_ONCE)


class OperatorFeeOut(BaseModel):
    """An operator's part."""

    operator_id: OperatorIdText
    fee_wei_per_block: WeiText


class QuoteOut(BaseModel):
    """What a cluster would cost at present fees."""

    operators: list[OperatorFeeOut] = Field(description="For all validators together.")
    network_fee_wei_per_block: WeiText
    total_wei_per_block: WeiText
    total_wei_per_day: WeiText
    total_wei_per_year: WeiText
    collateral_wei: WeiText = Field(description="Must stay in the cluster.")
    deposit_wei: WeiText = Field(description="Smallest payment that lasts for the days asked.")
    days: int
    validators: int
    effective_balance_eth: int


class SelectIn(BaseModel):
    """What a set of operators must be."""

    size: Literal[4, 7, 10, 13] = 4
    validators: int = Field(default=1, ge=1, le=MOST_VALIDATORS, description="To be registered.")
    max_fee_wei: str | None = Field(default=None, pattern=r"^[0-9]{1,30}$")
    owner: AddressText | None = Field(
        default=None, description="Who registers; private operators that list it are allowed, too."
    )
    include: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(default=[], max_length=13)
    exclude: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(default=[], max_length=MOST_IDS)
    sets: int = Field(default=5, ge=1, le=MOST_SETS)


class SetOut(BaseModel):
    """Operators that fit together; no two have one owner."""

    operator_ids: list[OperatorIdText]
    fee_wei: WeiText = Field(description="Sum of their fees, per block and 32 ETH.")
    most_loaded_validators: int = Field(description="Validators of the busiest of them.")


class SetsOut(BaseModel):
    """The cheapest first."""

    sets: list[SetOut]


class FindingOut(BaseModel):
    """Something about a keyshares file."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    where: str
    hint: str


class VerdictOut(BaseModel):
    """What nodes would make of a keyshares file registered now."""

    sound: bool
    validators: int
    findings: list[FindingOut]


@router.get("/fees/quote", response_model=Reply[QuoteOut])
def quote(
    ask: Asked,
    operators_text: Annotated[str, Query(alias="operators", max_length=400, examples=["1,2,3,4"])],
    validators_count: Annotated[int, Query(alias="validators", ge=1, le=MOST_VALIDATORS)] = 1,
    eb: Annotated[
        int, Query(ge=32, le=2048, description="Effective balance of each, whole ETH.")
    ] = 32,
    days: Annotated[int, Query(ge=0, le=MOST_DAYS)] = 180,
) -> Response:
    """What validators would cost with these operators, and the deposit for so many days."""
    ids = parse_committee(operators_text.split(","))

    def find(view: View) -> QuoteOut:
        known = operators.by_ids(view, ids)
        missing = [each for each in ids if each not in known or known[each].removed_at is not None]
        if missing:
            raise NotFound(
                f"operator {missing[0]} does not exist at block {view.at}", code="operator_unknown"
            )
        parties = _imagined(
            [known[each] for each in ids], network(view), validators_count, eb, at=view.at
        )
        return _quote_out(parties, days, at=view.at)

    return ask.answer(find)


@router.post("/operators/select", response_model=Reply[SetsOut])
def select_operators(ask: Asked, body: SelectIn) -> Response:
    """Sets of operators that take so many validators, the cheapest first."""
    owner = None if body.owner is None else parse_address(body.owner, what="owner")
    excluded = set(body.exclude)

    def find(view: View) -> SetsOut:
        limit = network(view).parameters.validators_per_operator_limit
        fee = body.max_fee_wei
        wanted = OperatorFilter(
            is_private=None if owner is not None else False,
            is_removed=False,
            most_validators=limit - body.validators,
            most_fee_units=None if fee is None else units_down(int(fee)),
            allows=owner,
        )
        cheapest = operators.operators(view, wanted, Cut(PAGE_LIMIT), sort="fee").entries
        named = operators.operators(view, _with_ids(wanted, body.include), Cut(PAGE_LIMIT)).entries
        fitting = {each.operator_id: each for each in (*cheapest, *named)}
        found = choose(
            [each for key, each in fitting.items() if key not in excluded],
            size=body.size,
            include=[OperatorId(each) for each in body.include],
            sets=body.sets,
        )
        return SetsOut(
            sets=[
                SetOut(
                    operator_ids=list(each.ids),
                    fee_wei=str(units_to_wei(each.fee_units)),
                    most_loaded_validators=max(one.validator_count for one in each.operators),
                )
                for each in found
            ]
        )

    return ask.answer(find)


async def _raw(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/keyshares/verify",
    response_model=Reply[VerdictOut],
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A keyshares file, as tools write it. It holds public parts only.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def verify(ask: Asked, raw: Annotated[bytes, Depends(_raw)]) -> Response:
    """What is wrong with a keyshares file, by itself and against the registry at this block."""
    reading = read_keyshares(raw, source="the keyshares file")
    shares = reading.file.shares
    if len(shares) > MOST_SHARES:
        raise InputError(
            f"the file has {len(shares)} validators, at most {MOST_SHARES} are judged at once",
            code="too_many_validators",
            hint="Split the file, or judge it offline: phalanx validator-keys verify.",
        )

    def find(view: View) -> VerdictOut:
        owners = {each.owner for each in shares if each.owner is not None}
        owner = owners.pop() if len(owners) == 1 else None
        ids = {operator_id for each in shares for operator_id in each.operator_ids}
        expected = Expected(
            owner=owner,
            nonce=None if owner is None else accounts.account(view, owner).next_nonce,
            operators=_registered_keys(view, ids),
        )
        found = verify_keyshares(reading, expected)
        found += _already_registered(view, [each.public_key for each in shares], owner)
        return VerdictOut(
            sound=is_sound(found),
            validators=len(shares),
            findings=[
                FindingOut(
                    code=each.code,
                    severity=each.severity,
                    message=each.message,
                    where=each.where,
                    hint=each.hint,
                )
                for each in found
            ],
        )

    # Whoever waits for his turn holds no connection yet.
    if not _checking.acquire(timeout=_CHECK_WAIT_S):
        raise Overloaded("other files are being judged")
    try:
        return ask.answer(find)
    finally:
        _checking.release()


def _imagined(
    chosen: list[Operator], net: Network, count: int, eth: int, *, at: BlockNumber
) -> Parties:
    """A cluster as it would be right after its registration, without a balance."""
    nobody = Address(bytes(20))
    ids = tuple(each.operator_id for each in chosen)
    cluster = Cluster(
        cluster_id=cluster_id(nobody, ids),
        owner=nobody,
        operator_ids=ids,
        sequence=0,
        snapshot=ClusterSnapshot(
            validator_count=count,
            network_fee_index=ledger.network_index(net, at=at),
            index=sum(ledger.operator_index(each, at=at) for each in chosen),
            active=True,
            balance_wei=Wei(0),
        ),
        validator_count=count,
        effective_balance_eth=count * eth,
    )
    return Parties(cluster, tuple(chosen), net)


def _quote_out(parties: Parties, days: int, *, at: BlockNumber) -> QuoteOut:
    eth = parties.cluster.effective_balance_eth
    burn_wei = ledger.burn_rate_wei(parties)

    def share_wei(fee_units: int) -> str:
        return str(units_to_wei(fee_units) * eth // 32)

    return QuoteOut(
        operators=[
            OperatorFeeOut(
                operator_id=each.operator_id, fee_wei_per_block=share_wei(each.fee_units)
            )
            for each in parties.operators
        ],
        network_fee_wei_per_block=share_wei(parties.network.fee_units),
        total_wei_per_block=str(burn_wei),
        total_wei_per_day=str(burn_wei * BLOCKS_PER_DAY),
        total_wei_per_year=str(burn_wei * BLOCKS_PER_DAY * 365),
        collateral_wei=str(ledger.liquidation_threshold_wei(parties, effective_balance_eth=eth)),
        deposit_wei=str(
            runway.deposit_needed_wei(parties, for_blocks=days * BLOCKS_PER_DAY, at=at)
        ),
        days=days,
        validators=parties.cluster.validator_count,
        effective_balance_eth=eth,
    )


def _with_ids(wanted: OperatorFilter, ids: list[int]) -> OperatorFilter:
    return OperatorFilter(
        ids=[OperatorId(each) for each in ids],
        is_private=wanted.is_private,
        is_removed=False,
        most_validators=wanted.most_validators,
        most_fee_units=wanted.most_fee_units,
        allows=wanted.allows,
    )


def _registered_keys(view: View, ids: set[Any]) -> dict[OperatorId, OperatorPublicKey]:
    """Keys of operators that exist and have a readable one."""
    if len(ids) > MOST_OPERATORS:
        raise InputError(f"the file names {len(ids)} operators", code="too_many_operators")
    found = {}
    for operator_id, each in operators.by_ids(view, [i for i in ids if i < 2**63]).items():
        text = operator_public_key_text(each.public_key)
        if text is None or each.removed_at is not None:
            continue
        try:
            found[operator_id] = parse_public_key(text)
        except InputError:
            continue  # then the file cannot have its key, which is a finding
    return found


def _already_registered(view: View, keys: list[Any], owner: Address | None) -> list[Finding]:
    """Keys that somebody has registered already."""
    return [
        Finding(
            "already_registered" if each.owner == owner else "owned_by_another",
            f"validator {hex_text(each.public_key)} is registered already"
            + ("" if each.owner == owner else ", by another account"),
            hint="The registry or the nodes will refuse it.",
            severity="error" if each.refusal is None or each.owner == owner else "warning",
        )
        for each in validators.by_keys(view, keys)
    ]


MOST_OPERATORS: Final = MOST_SHARES * max(THRESHOLDS)
"""Operators that so many validators can have."""
