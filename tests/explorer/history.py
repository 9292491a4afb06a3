"""Histories for the explorer: one with something of everything, and one that a test tells itself.

The calls go through the model registry, so what the pages show adds up. Times end near now, because
pages tell how long ago something was.
"""

from __future__ import annotations

import random
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from sdk.events import Event, encode, operator_public_key_bytes
from sdk.events import governance as laws
from sdk.events import types as events
from sdk.registry import Network, Parameters, SignatureVerdict, runway
from sdk.testing import builders, keys
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Slot, Wei
from tests.indexer.chain import FIRST, SECONDS, Chain, Said

BLOCKS: Final = 36_000
"""Five days, and a few hundred blocks with logs among them."""
EVERY: Final = 60
"""Blocks from one with logs to the next."""
OPERATORS: Final = 24
CLUSTER_EVERY: Final = 12
ETHER: Final = 10**18
DAY: Final = 7_200
PARAMETERS: Final = Parameters(
    liquidation_period_blocks=50_190,
    minimum_collateral_wei=Wei(940_000_000_000_000),
    maximum_operator_fee_wei=Wei(76_528_650_000_000),
    validators_per_operator_limit=500,
)
NETWORK_FEE: Final = FeeUnits(35_509)
OWNERS: Final = tuple(builders.address(number) for number in range(100, 114))
_SIZES: Final = (4, 4, 4, 7, 4, 4, 10)
_DEMANDS: Final = ("long", "soon", "long", "dry", "long", "ended", "long", "back")
"""What becomes of clusters, in turn: funded for long, or until soon after the end of the history,
dry at its end, liquidated, or liquidated and reactivated."""


def begin(model: ModelRegistry) -> list[Said]:
    """The registry as deployed: its fee and parameters."""
    model.update_network_fee(NETWORK_FEE)
    set_up: list[Event] = [
        *(event for event, _ in model.take_logs()),
        laws.LiquidationThresholdPeriodUpdated(PARAMETERS.liquidation_period_blocks),
        laws.MinimumLiquidationCollateralUpdated(PARAMETERS.minimum_collateral_wei),
        laws.OperatorMaximumFeeUpdated(PARAMETERS.maximum_operator_fee_wei),
        laws.ValidatorsPerOperatorLimitUpdated(PARAMETERS.validators_per_operator_limit),
        laws.DeclareOperatorFeePeriodUpdated(2 * DAY * SECONDS),
        laws.ExecuteOperatorFeePeriodUpdated(3 * DAY * SECONDS),
    ]
    return [encode(each) for each in set_up]


def operator_key(number: int) -> bytes:
    """As registered; a usable one for operators 1 to 13."""
    if number <= keys.MAX_OPERATORS:
        return operator_public_key_bytes(keys.operator_key(number).public_key.text)
    return operator_public_key_bytes(b64encode(sha256(b"%d" % number).digest() * 14).decode())


def share_bytes(operators: int, number: int, *, signed: bool) -> bytes:
    """Shares whose first byte says what `tests.indexer.following` is to think of them."""
    return bytes([signed]) + builders.shares(operators, number=number)[1:]


@dataclass(slots=True)
class Group:
    """A cluster while the history is written."""

    owner: Address
    ids: tuple[OperatorId, ...]
    demand: str
    since: int
    keys: list[PublicKey] = field(default_factory=list)


class Dated(Chain):
    """A chain whose newest block is about as old as this process."""

    def __init__(self, *, age_blocks: int) -> None:
        super().__init__()
        self._genesis_s = int(time.time()) - SECONDS * age_blocks

    def _seal(self, line: int) -> None:
        super()._seal(line)
        block = self.blocks[-1]
        block["timestamp"] = hex(self._genesis_s + SECONDS * int(block["number"], 16))


class Told(Dated):
    """A chain on which happens what a test says: its blocks' lines name what they do."""

    def __init__(self, plot: Mapping[int, Callable[[ModelRegistry], None]]) -> None:
        super().__init__(age_blocks=FIRST + 1)
        self._plot = plot

    def _happen(self, number: int, chance: random.Random) -> list[Said]:
        if number == FIRST:
            self._model = ModelRegistry(Network(parameters=PARAMETERS))
            self._model.block = BlockNumber(number)
            return begin(self._model)
        act = self._plot.get(self.lines[number])
        if act is None:
            return []
        self._model.block = BlockNumber(number)
        act(self._model)
        return [encode(event) for event, _ in self._model.take_logs()]


class Grown(Dated):
    """A registry with all that happens in one, five days old.

    Attributes:
        groups: its clusters, in the order of their creation.
    """

    def __init__(self) -> None:
        super().__init__(age_blocks=BLOCKS)
        self.groups: list[Group] = []
        self._key = 0

    def _happen(self, number: int, chance: random.Random) -> list[Said]:
        if number == FIRST:
            self.groups, self._key = [], 0
            self._model = ModelRegistry(Network(parameters=PARAMETERS))
            self._model.block = BlockNumber(number)
            return begin(self._model)
        if number % EVERY or not number:
            return []
        turn = number // EVERY
        self._model.block = BlockNumber(number)
        beside: list[Event] = []
        if turn <= OPERATORS:
            self._open(turn, chance)
        elif turn % CLUSTER_EVERY == 0:
            self._found(number, chance)
        else:
            beside = self._take_turn(number, chance)
        return [encode(event) for event, _ in self._model.take_logs()] + list(map(encode, beside))

    def _open(self, number: int, chance: random.Random) -> None:
        """An operator; a few are private, some owners have two."""
        self._model.register_operator(
            builders.address(50 + number * 3 // 4),
            FeeUnits(chance.choice((12_000, 17_700, 19_000, 25_000, 40_000)) if number > 2 else 0),
            public_key=operator_key(number),
            is_private=number in (9, 17),
        )

    def _found(self, number: int, chance: random.Random) -> None:
        """A cluster with its first validators."""
        place = len(self.groups)
        size = _SIZES[place % len(_SIZES)]
        ids = tuple(OperatorId(1 + (place * 5 + step * 2) % 20) for step in range(size))
        group = Group(
            OWNERS[(place * 3) % len(OWNERS)],
            tuple(sorted(ids)),
            _DEMANDS[place % len(_DEMANDS)],
            number,
        )
        left = BLOCKS - number
        blocks = {
            "soon": left + 2_000 * (1 + place % 7),
            "dry": left - 1_500,
            "ended": left // 3,
            "back": left // 4,
        }.get(group.demand, DAY * chance.randrange(40, 400))
        self._enrol(group, chance.choice((1, 2, 4, 9)), max(blocks, 600), chance)
        if group.keys:
            self.groups.append(group)

    def _enrol(self, group: Group, count: int, blocks: int, chance: random.Random) -> None:
        fresh = [builders.public_key(self._key + step) for step in range(count)]
        self._key += count
        at = self._model.block
        parties = self._model.parties(group.owner, group.ids)
        if not parties.cluster.snapshot.active:
            return
        value_wei = runway.deposit_needed_wei(
            parties, for_blocks=blocks, at=at, new_validators=count
        )
        signed = chance.random() < 0.88
        shares = [
            share_bytes(len(group.ids), self._key + each, signed=signed) for each in range(count)
        ]
        verdict = SignatureVerdict.VALID if signed else SignatureVerdict.INVALID
        if self._model.register(
            group.owner, group.ids, fresh, shares, value_wei=value_wei, verdict=verdict
        ):
            group.keys += fresh

    def _take_turn(self, number: int, chance: random.Random) -> list[Event]:
        """Something with a cluster or an operator."""
        model = self._model
        for group in self.groups:
            if group.demand in ("ended", "back") and model.liquidate(
                group.owner, group.ids, by_owner=False, base_fee_wei=Wei(10**9)
            ):
                return []
            if group.demand == "back" and not self._is_active(group) and chance.random() < 0.05:
                parties = model.parties(group.owner, group.ids)
                value_wei = runway.deposit_needed_wei(
                    parties, for_blocks=30 * DAY, at=BlockNumber(number)
                )
                model.reactivate(group.owner, group.ids, value_wei=value_wei)
                group.demand = "long"
                return []
        busy = [each for each in self.groups if each.demand == "long"]
        if not busy:
            return []
        return self._live(chance.choice(busy), number, chance)

    def _live(self, group: Group, number: int, chance: random.Random) -> list[Event]:
        model, owner, ids = self._model, group.owner, group.ids
        operator_id = OperatorId(chance.randrange(5, OPERATORS + 1))
        operator = model.state.operators[operator_id]
        match chance.randrange(13):
            case 0 | 1:
                self._enrol(
                    group, chance.choice((1, 1, 3)), DAY * chance.randrange(60, 300), chance
                )
            case 2 | 3 | 4:
                model.deposit(owner, ids, value_wei=Wei(chance.choice((5, 20, 75)) * ETHER // 1000))
            case 5 | 6:
                most = runway.withdrawable_wei(model.parties(owner, ids), at=model.block)
                model.withdraw(owner, ids, value_wei=Wei(most // 4 // 10**12 * 10**12))
            case 7 if len(group.keys) > 1:
                model.remove(owner, ids, [group.keys.pop()])
            case 8:
                proofs = [(group.keys[0], chance.choice((33, 48, 64, 128)))]
                slot = Slot(number)
                model.prove(
                    owner, ids, proofs, slot=slot, value_wei=Wei(0), base_fee_wei=Wei(10**9)
                )
            case 9 if operator.removed_at is None:
                fee = FeeUnits(int(operator.fee_units * chance.choice((0.9, 1.05, 1.1))))
                model.change_operator_fee(operator_id, fee)
            case 10 if operator.removed_at is None:
                fee_wei = Wei(operator.fee_units * 108 // 100 * 100_000)
                declared = BlockNumber(number)
                return [events.OperatorFeeDeclared(operator.owner, operator_id, declared, fee_wei)]
            case 11:
                if chance.random() < 0.5:
                    return [events.FeeRecipientAddressUpdated(owner, builders.address(number))]
                return [events.ValidatorExited(owner, ids, group.keys[0])]
            case 12:
                model.withdraw_earnings(operator_id)
            case _:
                listed = (OperatorId(9), OperatorId(17))
                return [events.OperatorMultipleWhitelistUpdated(listed, (owner,))]
        return []

    def _is_active(self, group: Group) -> bool:
        return self._model.parties(group.owner, group.ids).cluster.snapshot.active
