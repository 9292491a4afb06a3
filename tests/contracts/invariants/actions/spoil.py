"""Makes one thing about a call wrong: caller, struct, list, key, amount."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sdk.events import EMPTY_SNAPSHOT, ClusterSnapshot
from sdk.testing import builders
from sdk.types import OperatorId, Wei
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.world import World

_PAYABLE = {
    "registerValidator",
    "bulkRegisterValidator",
    "deposit",
    "reactivate",
    "proveEffectiveBalances",
    "coverDebt",
}
_LISTS_OF_KEYS = {"bulkRegisterValidator", "bulkRemoveValidator", "bulkExitValidator"}


def spoil(world: World, call: Call) -> Call:
    """The call with one thing changed; often it fails by it, not always."""
    rng = world.rng
    if rng.random() < 0.25 or not call.arguments:
        return replace(call, sender=rng.choice(world.cast.everyone))
    if call.function in _PAYABLE and rng.random() < 0.2:
        return replace(call, value_wei=rng.choice([0, 1, call.value_wei // 2]))
    place = rng.randrange(len(call.arguments))
    arguments = list(call.arguments)
    arguments[place] = _spoiled(world, call, place)
    return replace(call, arguments=tuple(arguments))


def _spoiled(world: World, call: Call, place: int) -> Any:
    value = call.arguments[place]
    match value:
        case ClusterSnapshot():
            return _struct(world, value)
        case bool():
            return not value
        case int():
            return _number(world, call, place, value)
        case bytes():
            return _bytes(world, value)
        case list() | tuple() if value and isinstance(value[0], int):
            return _ids(world, list(value))
        case list() | tuple() if value and isinstance(value[0], bytes):
            return _list(world, call, list(value))
        case list() | tuple():
            return value[:-1] if world.rng.random() < 0.5 else (*value, *value[:1])
        case _:
            return value


def _struct(world: World, struct: ClusterSnapshot) -> ClusterSnapshot:
    """Stale, forged, empty or somebody else's."""
    rng = world.rng
    others = [cluster.snapshot for cluster in world.follower.clusters.values()]
    return rng.choice(
        [
            replace(struct, balance_wei=Wei(struct.balance_wei + 1)),
            replace(struct, validator_count=struct.validator_count + 1),
            replace(struct, active=not struct.active),
            replace(struct, index=struct.index ^ 1),
            replace(struct, network_fee_index=struct.network_fee_index ^ 1),
            replace(struct, balance_wei=Wei(2**256 - 1)),
            EMPTY_SNAPSHOT,
            *others[:1],
        ]
    )


def _number(world: World, call: Call, place: int, value: int) -> int:
    rng = world.rng
    types = world.registry.abi.functions[call.function].inputs
    most: int = 2 ** int(types[place].removeprefix("uint")) - 1
    if types[place] == "uint64" and place == 0 and "perator" in call.function:
        return rng.choice([0, len(world.follower.operators) + 1, rng.randrange(1, 9), most])
    return rng.choice([0, 1, min(most, value + 1), max(0, value - 1), min(most, 2 * value), most])


def _bytes(world: World, value: bytes) -> bytes:
    rng = world.rng
    if len(value) == 20:
        return rng.choice([*world.cast.everyone, bytes(20)])
    if len(value) == 32:
        return rng.randbytes(32)
    other = builders.public_key(rng.randrange(world.next_key + 1))
    return rng.choice([value[:-1], value + b"\0", b"", other])


def _ids(world: World, ids: list[int]) -> list[OperatorId]:
    rng = world.rng
    place = rng.randrange(len(ids))
    unknown = len(world.follower.operators) + 1
    spoiled = rng.choice(
        [
            ids[:place] + ids[place + 1 :],
            [*ids, unknown],
            ids[::-1],
            [*ids[:place], *ids[:1], *ids[place + 1 :]],
            [*ids[:place], unknown, *ids[place + 1 :]],
            [0, *ids[1:]],
            rng.sample(range(1, unknown + 1), min(len(ids), unknown)),
            [],
            ids * 4,
        ]
    )
    return [OperatorId(operator_id) for operator_id in spoiled]


def _list(world: World, call: Call, values: list[bytes]) -> list[bytes]:
    rng = world.rng
    place = rng.randrange(len(values))
    choices = [
        values[:place] + values[place + 1 :],
        [*values, values[0]],
        [],
    ]
    if call.function in _LISTS_OF_KEYS:
        choices.append([*values[:place], _bytes(world, values[place]), *values[place + 1 :]])
    return rng.choice(choices)
