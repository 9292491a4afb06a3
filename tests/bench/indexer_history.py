"""A registry's whole life as an execution node would tell it, written once and served often.

The calls go through the model registry, so the logs agree with each other; nonce signatures are
valid but for a few. Deterministic: the same size gives the same bytes. At 1.1 million logs it has
150,000 validators at the end, 3,000 clusters and 1,500 operators, and takes 3 GB on disk.
"""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from sdk.committee import nonce_message, shares_data_length
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.events import Event, encode
from sdk.events import governance as laws
from sdk.events import types as events
from sdk.registry import RegistryState, SignatureVerdict
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Wei

WHOLE: Final = 1_100_000
CONTRACT: Final = Address(b"\xcc" * 20)
FIRST: Final = 1_000
GAP: Final = 18
"""Blocks from one with logs to the next, at most."""
EMPTY: Final = 300
"""Blocks without logs at the end."""
MOST_KEYS: Final = 20
"""Registrations in one transaction."""
SIGNED_AT_ONCE: Final = 2_000
BAD: Final = 500
"""One registration in so many has a signature over another nonce."""
SECONDS: Final = 12
ETHER: Final = 10**18
_SIZES: Final = (4, 4, 4, 4, 4, 4, 4, 7, 7, 13)


@dataclass(frozen=True, slots=True)
class History:
    """Where a history lies.

    Attributes:
        logs: JSON of each log and a comma after it, in the order of the chain.
        places: per block with logs: its number, where its logs begin, and how many came before.
        head: newest block.
    """

    logs: Path
    places: Path
    head: int
    count: int


@dataclass(slots=True)
class _Group:
    """A cluster while it is written."""

    owner: Address
    ids: tuple[OperatorId, ...]
    keys: list[PublicKey]


def made(folder: Path, count: int) -> History:
    """The history of so many logs; written if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = folder / f"history-{count}.json"
    logs, places = folder / f"history-{count}.logs", folder / f"history-{count}.places"
    if not facts.exists():
        head, written = _write(logs, places, count)
        facts.write_text(json.dumps({"head": head, "count": written}))
    told = json.loads(facts.read_text())
    return History(logs, places, told["head"], told["count"])


def block_hash(number: int) -> str:
    """The hash of a block; nothing is ever reorganised here."""
    return sha256(b"block %d" % number).hexdigest()


def _write(logs: Path, places: Path, count: int) -> tuple[int, int]:
    index = array("Q")
    written = number = 0
    context = get_context("spawn")
    with logs.open("wb") as file, ProcessPoolExecutor(mp_context=context) as pool:
        for number, said in _signed(_life(count), pool):
            index.extend((number, file.tell(), written))
            for place, event in enumerate(said):
                file.write(_rendered(number, place, event))
            written += len(said)
        index.extend((number + 1, file.tell(), written))
    places.write_bytes(index.tobytes())
    return number + EMPTY, written


def _signed(
    blocks: Iterator[tuple[int, list[Event]]], pool: ProcessPoolExecutor
) -> Iterator[tuple[int, list[Event]]]:
    """The same blocks with signatures, made in pieces by all cores."""
    nonces: dict[Address, int] = {}
    held: list[tuple[int, list[Event]]] = []
    wanted: list[tuple[int, bytes]] = []

    def flush() -> Iterator[tuple[int, list[Event]]]:
        signatures = iter(pool.map(_sign, wanted, chunksize=50))
        for number, said in held:
            yield (
                number,
                [
                    replace(each, shares=next(signatures) + each.shares[96:])
                    if isinstance(each, events.ValidatorAdded)
                    else each
                    for each in said
                ],
            )
        held.clear()
        wanted.clear()

    for number, said in blocks:
        held.append((number, said))
        for each in said:
            if isinstance(each, events.ValidatorAdded):
                nonce = nonces.get(each.owner, 0)
                nonces[each.owner] = nonce + 1
                claimed = nonce + (len(wanted) % BAD == BAD - 1)
                wanted.append((_number_of(each), nonce_message(each.owner, claimed)))
        if len(wanted) >= SIGNED_AT_ONCE:
            yield from flush()
    yield from flush()


def _number_of(event: events.ValidatorAdded) -> int:
    """Which throwaway key it is, as the generator left it in the shares."""
    return int.from_bytes(event.shares[:8], "big")


def _sign(wanted: tuple[int, bytes]) -> bytes:
    number, message = wanted
    return bls.sign(_secret(number), message)


def _secret(number: int) -> SecretKey:
    return SecretKey(number)


@lru_cache(maxsize=400_000)
def _key(number: int) -> PublicKey:
    return bls.public_key(_secret(number))


def _life(count: int) -> Iterator[tuple[int, list[Event]]]:
    """Blocks with what happened in them."""
    chance = random.Random(f"history {count}")
    model = ModelRegistry(RegistryState().network)
    share = count / WHOLE
    block, written, key = FIRST, 0, 1
    yield block, list(_laws())
    written += len(list(_laws()))
    operators = max(14, round(1_500 * share))
    groups = _groups(chance, operators, max(5, round(3_000 * share)))
    live, target = 0, round(150_000 * share)
    model.block = BlockNumber(block)
    while written < count:
        block += chance.randrange(1, GAP)
        model.block = BlockNumber(block)
        said: list[Event] = []
        if len(model.state.operators) < operators:
            for _ in range(10):
                owner = Address(sha256(b"operator %d" % chance.randrange(400)).digest()[:20])
                fee = FeeUnits(chance.choice((0, 10_000, 17_700, 17_700, 25_000)))
                model.register_operator(owner, fee, public_key=chance.randbytes(676))
        else:
            group = chance.choice(groups)
            what = chance.random()
            many = min(chance.randrange(1, MOST_KEYS), count - written)
            # Growing first, then as many leave as come.
            if what < (0.35 if live < target else 0.27):
                key = _register(model, chance, group, key, many)
                live += many
            elif what < 0.55 and group.keys:
                leaving = group.keys[:many]
                del group.keys[:many]
                model.remove(group.owner, group.ids, leaving)
                live -= len(leaving)
            elif what < 0.68:
                said += [
                    events.ValidatorExited(group.owner, group.ids, each)
                    for each in group.keys[:many]
                ]
            else:
                said += _small(model, chance, group, operators)
        said += [event for event, _ in model.take_logs()]
        if said:
            written += len(said)
            yield block, said


def _laws() -> Iterator[Event]:
    yield laws.LiquidationThresholdPeriodUpdated(50_190)
    yield laws.MinimumLiquidationCollateralUpdated(Wei(940_000_000_000_000))
    yield laws.DeclareOperatorFeePeriodUpdated(3_600)
    yield laws.ExecuteOperatorFeePeriodUpdated(3_600)


def _groups(chance: random.Random, operators: int, many: int) -> list[_Group]:
    made: dict[tuple[Address, tuple[OperatorId, ...]], _Group] = {}
    while len(made) < many:
        owner = Address(sha256(b"owner %d" % chance.randrange(many * 2 // 5)).digest()[:20])
        ids = tuple(
            sorted(
                OperatorId(each + 1)
                for each in chance.sample(range(operators), chance.choice(_SIZES))
            )
        )
        made[owner, ids] = _Group(owner, ids, [])
    return list(made.values())


def _register(
    model: ModelRegistry, chance: random.Random, group: _Group, first: int, many: int
) -> int:
    numbers = range(first, first + many)
    keys = [_key(number) for number in numbers]
    length = shares_data_length(len(group.ids))
    pool = chance.randbytes(length - 8)
    shares = [number.to_bytes(8, "big") + pool for number in numbers]
    model.register(
        group.owner,
        group.ids,
        keys,
        shares,
        value_wei=Wei(ETHER * many),
        verdict=SignatureVerdict.VALID,
    )
    group.keys += keys
    return first + many


def _small(
    model: ModelRegistry, chance: random.Random, group: _Group, operators: int
) -> list[Event]:
    operator_id = OperatorId(chance.randrange(1, operators + 1))
    match chance.randrange(8):
        case 0 | 1 | 2:
            model.deposit(group.owner, group.ids, value_wei=Wei(ETHER // 4))
        case 3:
            model.withdraw(group.owner, group.ids, value_wei=Wei(ETHER // 10))
        case 4:
            model.change_operator_fee(operator_id, FeeUnits(chance.randrange(10_000, 30_000)))
        case 5:
            model.withdraw_earnings(operator_id)
        case 6:
            recipient = Address(chance.randbytes(20))
            return [events.FeeRecipientAddressUpdated(group.owner, recipient)]
        case _:
            owner = model.state.operators[operator_id].owner
            fee = Wei(1_000_000_000)
            return [events.OperatorFeeDeclared(owner, operator_id, model.block, fee)]
    return []


def _rendered(number: int, place: int, event: Event) -> bytes:
    topics, data = encode(event)
    name = block_hash(number)
    said = {
        "address": "0x" + CONTRACT.hex(),
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
        "blockNumber": hex(number),
        "blockHash": "0x" + name,
        "blockTimestamp": hex(1_600_000_000 + SECONDS * number),
        "transactionHash": "0x" + sha256(name.encode()).hexdigest(),
        "transactionIndex": "0x0",
        "logIndex": hex(place),
        "removed": False,
    }
    return json.dumps(said, separators=(",", ":")).encode() + b","
