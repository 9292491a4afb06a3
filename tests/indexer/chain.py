"""A chain in memory with a registry on it, that tests mine, reorganise and ask over JSON-RPC.

What a block holds follows from the numbers its line was mined with, so a chain that was
reorganised is as good as any other. The registry is the model of `sdk.testing`; some logs beside
it have no model: lists, exits, parameters, logs that make no sense.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import httpx

from sdk.events import Event, encode
from sdk.events import governance as laws
from sdk.events import types as events
from sdk.registry import RegistryState, SignatureVerdict
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import Address, BlockNumber, FeeUnits, OperatorId, PublicKey, Slot, Wei

CONTRACT: Final = Address(b"\xcc" * 20)
CHAIN_ID: Final = 31337
FIRST: Final = 2
OWNERS: Final = [builders.address(number) for number in (1, 2, 3)]
SETS: Final = [
    builders.operator_ids(1, 2, 3, 4),
    builders.operator_ids(2, 3, 4, 5),
    builders.operator_ids(1, 2, 3, 4, 5, 6, 7),
]
KEYS: Final = [builders.public_key(number) for number in range(10)]
SECONDS: Final = 12
_STRANGE: Final = ((b"\x77" * 32,), b"no event of ours")
Said = tuple[tuple[bytes, ...], bytes]


def is_signed(signature: bytes) -> bool:
    """What these shares say about their signature, in place of a pairing."""
    return signature[0] == 1


@dataclass
class Chain:
    """Blocks as an execution node serves them.

    Attributes:
        lines: what each block was mined with, from block 0.
        blocks: headers and logs as JSON, by number.
        safe: blocks that the node says are behind the head's safe one.
        calls: methods asked, in order.
        fails: an exception for a method, raised instead of an answer.
    """

    lines: list[int] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    safe: int = 32
    calls: list[str] = field(default_factory=list)
    busy: float = 0.5
    _model: ModelRegistry = field(default_factory=lambda: ModelRegistry(RegistryState().network))
    _slot: int = 0

    def mine(self, *lines: int) -> None:
        """One block per number."""
        for line in lines:
            self.lines.append(line)
            self._seal(line)

    def reorganise(self, depth: int, *lines: int) -> None:
        """Replace the last blocks, never the first one."""
        kept = self.lines[: max(1, len(self.lines) - depth)]
        self.lines, self.blocks, self._slot = [], [], 0
        self._model = ModelRegistry(RegistryState().network)
        self.mine(*kept, *lines)

    @property
    def head(self) -> BlockNumber:
        return BlockNumber(len(self.blocks) - 1)

    @property
    def transport(self) -> httpx.MockTransport:
        """What carries requests to this node."""
        return httpx.MockTransport(
            lambda request: httpx.Response(200, content=self.respond(request.content))
        )

    def respond(self, body: bytes) -> bytes:
        """The answer to a request."""
        asked = json.loads(body)
        if isinstance(asked, list):
            return json.dumps([self._answer(each) for each in asked]).encode()
        return json.dumps(self._answer(asked)).encode()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(call["method"])
        return {
            "jsonrpc": "2.0",
            "id": call["id"],
            "result": self._result(call["method"], call["params"]),
        }

    def _result(self, method: str, params: list[Any]) -> Any:
        match method, params:
            case "eth_chainId", _:
                return hex(CHAIN_ID)
            case "eth_blockNumber", _:
                return hex(self.head)
            case "eth_getBlockByNumber", ["safe" | "finalized" as tag, _]:
                behind = self.safe if tag == "safe" else 2 * self.safe
                return self.blocks[max(0, self.head - behind)]
            case "eth_getBlockByNumber", [number, _]:
                return self.blocks[int(number, 16)] if int(number, 16) <= self.head else None
            case "eth_getLogs", [{"blockHash": wanted}]:
                return next(each["logs"] for each in self.blocks if each["hash"] == wanted)
            case "eth_getLogs", [{"fromBlock": low, "toBlock": high}]:
                blocks = self.blocks[int(low, 16) : int(high, 16) + 1]
                return [log for each in blocks for log in each["logs"]]
            case _:
                raise AssertionError(f"no indexer asks for {method} with {params}")

    def _seal(self, line: int) -> None:
        number = len(self.blocks)
        parent = self.blocks[-1]["hash"] if self.blocks else "0x" + "00" * 32
        name = "0x" + sha256(f"{parent}{line}".encode()).hexdigest()
        said = self._happen(number, random.Random(f"{number} {line}"))
        place = {
            "address": "0x" + CONTRACT.hex(),
            "blockNumber": hex(number),
            "blockHash": name,
            "removed": False,
        }
        logs = [
            place
            | {
                "transactionHash": "0x" + sha256(f"{name}{index // 2}".encode()).hexdigest(),
                "transactionIndex": hex(index // 2),
                "logIndex": hex(index),
                "topics": ["0x" + topic.hex() for topic in topics],
                "data": "0x" + data.hex(),
            }
            for index, (topics, data) in enumerate(said)
        ]
        self.blocks.append(
            {
                "number": hex(number),
                "hash": name,
                "parentHash": parent,
                "timestamp": hex(1_700_000_000 + SECONDS * number),
                "logs": logs,
            }
        )

    def _happen(self, number: int, chance: random.Random) -> list[Said]:
        """What a block holds: often nothing, sometimes a crowd."""
        if number < FIRST or (number > FIRST and chance.random() > self.busy):
            return []
        self._model.block = BlockNumber(number)
        found: list[Said] = []
        for _ in range(9 if number == FIRST else chance.choice((1, 1, 1, 2, 3, 8))):
            self._act(chance)
            found += [encode(event) for event, _ in self._model.take_logs()]
            if chance.random() < 0.2:
                found.append(_beside(chance, number))
        return found

    def _act(self, chance: random.Random) -> None:
        """Any call."""
        model = self._model
        owner, ids = chance.choice(OWNERS), chance.choice(SETS)
        amount = Wei(chance.choice((10**14, 10**18, 3 * 10**12)))
        operator_id = OperatorId(chance.randrange(1, 8))
        if len(model.state.operators) < 8:
            model.register_operator(builders.address(50 + operator_id), FeeUnits(17_700))
            return
        match chance.randrange(12):
            case 0 | 1 | 2:
                self._register(chance, owner, ids, amount)
            case 3:
                held = sorted(model.state.validators_of_cluster(_id(model, owner, ids)))
                keys = [PublicKey(key) for _, key in held[: chance.randrange(1, 4)]]
                model.remove(owner, ids, keys)
            case 4:
                model.deposit(owner, ids, value_wei=amount)
            case 5:
                model.withdraw(owner, ids, value_wei=amount)
            case 6:
                model.liquidate(owner, ids, by_owner=True, base_fee_wei=Wei(0))
            case 7:
                model.reactivate(owner, ids, value_wei=amount)
            case 8:
                held = sorted(model.state.validators_of_cluster(_id(model, owner, ids)))
                self._slot += 1
                proofs = [(PublicKey(key), chance.randrange(32, 99)) for _, key in held[:2]]
                model.prove(
                    owner,
                    ids,
                    proofs,
                    slot=Slot(self._slot),
                    value_wei=Wei(0),
                    base_fee_wei=Wei(1),
                )
            case 9:
                model.change_operator_fee(operator_id, FeeUnits(chance.randrange(30_000)))
            case 10:
                model.withdraw_earnings(operator_id)
            case _:
                if chance.random() < 0.1:
                    model.remove_operator(OperatorId(8))
                model.update_network_fee(FeeUnits(chance.randrange(1_000)))

    def _register(
        self, chance: random.Random, owner: Address, ids: tuple[OperatorId, ...], amount: Wei
    ) -> None:
        free = [key for key in KEYS if (owner, key) not in self._model.state.validators]
        chosen = chance.sample(free, min(len(free), chance.randrange(1, 4)))
        signed = chance.random() < 0.8
        shares = bytes([signed]) + builders.shares(len(ids))[1:]
        verdict = SignatureVerdict.VALID if signed else SignatureVerdict.INVALID
        self._model.register(
            owner, ids, chosen, [shares] * len(chosen), value_wei=amount, verdict=verdict
        )


def _id(model: ModelRegistry, owner: Address, ids: tuple[OperatorId, ...]) -> Any:
    return model.parties(owner, ids).cluster.cluster_id


def _beside(chance: random.Random, number: int) -> Said:
    """A log that the model knows nothing of."""
    owner, ids = chance.choice(OWNERS), chance.choice(SETS)
    listed = (ids[:2], (chance.choice(OWNERS),))
    made: list[Event | Said] = [
        events.FeeRecipientAddressUpdated(owner, builders.address(chance.randrange(9))),
        events.ValidatorExited(owner, ids, chance.choice(KEYS)),
        events.OperatorMultipleWhitelistUpdated(*listed),
        events.OperatorMultipleWhitelistRemoved(*listed),
        events.OperatorPrivacyStatusUpdated(ids, bool(chance.randrange(2))),
        events.OperatorWhitelistingContractUpdated(ids, builders.address(90)),
        events.OperatorFeeDeclared(owner, ids[0], BlockNumber(number), Wei(10**9)),
        events.OperatorFeeDeclarationCancelled(owner, ids[0]),
        laws.LiquidationThresholdPeriodUpdated(chance.randrange(3)),
        laws.OwnershipTransferred(owner, chance.choice(OWNERS)),
        events.ValidatorAdded(owner, ids, b"short", b"", builders.snapshot()),
        _STRANGE,
    ]
    what = chance.choice(made)
    return what if isinstance(what, tuple) else encode(what)
