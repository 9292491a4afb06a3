"""One registry on one chain, with the model and the follower that must agree with it.

A world makes calls and keeps what they led to; `checks` judges, `actions` chooses.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from sdk.events import ClusterSnapshot, Event, LogPosition, Undecodable, decode, types
from sdk.registry import Cluster, EventContext, Parties, RegistryState, apply, runway
from sdk.types import Address, BlockNumber, keccak256
from tests.contracts.chain import Chain, Outcome, RawLog
from tests.contracts.invariants.books import Books, Named, read_books
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.cast import Cast, Traits, draw_cast, draw_traits
from tests.contracts.invariants.model import FuzzModel, Surroundings
from tests.contracts.invariants.rules import predict
from tests.contracts.invariants.violation import Violation
from tests.contracts.registry_in_evm import RICH_WEI, Failure, deploy, deploy_registry

SECONDS_PER_BLOCK = 12
_EXECUTE = keccak256(b"execute(address,bytes)")[:4]


@dataclass
class History:
    """What must be remembered to judge later steps.

    Attributes:
        registrations: `ValidatorAdded` logs by owner.
        frozen: index of every removed operator at its removal.
        declared: last fee declaration by operator and what held when it was made.
        is_healthy: no cluster ever used more than it had.
        forced_wei: ether that came to the registry without a call.
    """

    registrations: Counter[Address] = field(default_factory=Counter)
    frozen: dict[int, int] = field(default_factory=dict)
    declared: dict[int, Declaration] = field(default_factory=dict)
    is_healthy: bool = True
    forced_wei: int = 0


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared fee with the rules of its moment; fees in units, times in UNIX seconds."""

    fee: int
    from_fee: int
    limit_per_10000: int
    begin_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Step:
    """One call and everything needed to judge it.

    Attributes:
        before: books before the call, as stored.
        books: after it.
        owed_before_wei: right side of I1 at this block before the call.
        owed_wei: after it.
        parties_settled: accounts that the call settled, which bounds its rounding.
    """

    call: Call
    failure: Failure | None
    events: tuple[Event, ...]
    before: Books
    books: Books
    owed_before_wei: int
    owed_wei: int
    block: int
    timestamp_s: int
    parties_settled: int


class World:
    """A registry, everyone around it, and what is known about it.

    Attributes:
        next_key: how many validator keys were drawn.
        attempted: whether the coalition's opening was played.
        groups: who uses only its own operators; nobody unless a scenario says so.
    """

    def __init__(self, rng: Random, chain: Chain, *, is_diligent: bool = False) -> None:
        self.rng = rng
        self.chain = chain
        refuser, _ = deploy(chain, "RefusingReceiver")
        allow_list, _ = deploy(chain, "AllowList", _allowing(()))
        verifier, _ = deploy(chain, "OpenBeaconVerifier")
        self.cast: Cast = draw_cast(refuser)
        listed = frozenset(rng.sample(self.cast.cluster_owners, 3))
        second, _ = deploy(chain, "AllowList", _allowing(tuple(sorted(listed))))
        self.traits: Traits = draw_traits(
            rng, governance=self.cast.governance, verifier=verifier, is_diligent=is_diligent
        )
        self.surroundings = Surroundings(
            verifier=verifier,
            refusing={refuser},
            allow_lists={allow_list: frozenset(), second: listed},
            contracts={refuser, allow_list, second, verifier},
        )
        for account in self.cast.everyone:
            if account != refuser:
                chain.give_ether(account, RICH_WEI)
        self.registry, logs = deploy_registry(chain, self.traits.parameters)
        self.surroundings.contracts.add(self.registry.address)
        self.follower = RegistryState()
        self._log_index = 0
        self._follow(logs)
        self.model = FuzzModel(self.follower.network, self.surroundings)
        self.history = History()
        self.books = self.read()
        self.next_key = 0
        self.attempted = False
        self.groups: tuple[frozenset[Address], ...] = ()
        self._tell_model()

    def advance(self, blocks: int, *, base_fee_wei: int, seconds: int | None = None) -> None:
        """Let blocks pass, 12 seconds each unless the seconds are given."""
        self.chain.advance(
            blocks=blocks,
            seconds=blocks * SECONDS_PER_BLOCK if seconds is None else seconds,
            base_fee_wei=base_fee_wei,
        )
        self._tell_model()
        if min(self.books.values_wei(self.chain.block), default=0) < 0:
            self.history.is_healthy = False

    def force_ether(self, amount_wei: int) -> None:
        """Ether reaches the registry past its functions."""
        self.chain.give_ether(self.registry.address, amount_wei)
        self.history.forced_wei += amount_wei
        self.model.held_wei += amount_wei
        self.books = self.read()

    def perform(self, call: Call) -> Step:
        """Predict the call, make it, and compare.

        Raises:
            Violation: the registry answers otherwise than the model, or its logs differ.
        """
        roundings = self.model.roundings
        expected = predict(self.model, call)
        outcome = self.send(call)
        failure = None if outcome.succeeded else self.registry.abi.failure(outcome)
        if failure != expected:
            raise Violation(
                "model", f"predicted {expected or 'success'}, got {failure or 'success'}"
            )
        events = self._follow(outcome.logs)
        predicted = tuple(event for event, _ in self.model.take_logs())
        if events != predicted:
            raise Violation("model", f"predicted the logs {predicted}, got {events}")
        before, block = self.books, self.chain.block
        owed_before_wei = before.owed_wei(block)
        self.books = self.read()
        step = Step(
            call=call,
            failure=failure,
            events=events,
            before=before,
            books=self.books,
            owed_before_wei=owed_before_wei,
            owed_wei=self.books.owed_wei(block),
            block=block,
            timestamp_s=self.chain.timestamp_s,
            parties_settled=self.model.roundings - roundings,
        )
        self._remember(step)
        return step

    def send(self, call: Call) -> Outcome:
        """Make the call on the chain; a contract makes it by being told to."""
        data = self.registry.abi.encode(call.function, call.arguments)
        to = self.registry.address
        if call.sender in self.surroundings.refusing:
            data, to = _execute(to, data), call.sender
            return self.chain.transact(self.cast.stranger, to, data, call.value_wei)
        return self.chain.transact(call.sender, to, data, call.value_wei)

    def read(self) -> Books:
        """The registry's books as stored at this moment."""
        named = [_named(cluster) for cluster in self.follower.clusters.values()]
        return read_books(self.registry, operators=len(self.follower.operators), clusters=named)

    def parties(self, cluster: Cluster) -> Parties:
        """The cluster with its operators and the network, by the model."""
        return self.model.state.parties(cluster)

    @property
    def block(self) -> BlockNumber:
        """Number of the present block."""
        return BlockNumber(self.chain.block)

    def blocks_until_due(self) -> int:
        """Blocks that can pass before any cluster becomes liquidatable."""
        waits = [
            runway.runway_blocks(self.parties(cluster), at=self.block)
            for cluster in self.follower.clusters.values()
        ]
        return min((wait for wait in waits if wait is not None), default=10**6)

    def events(self, outcome: Outcome) -> tuple[Event, ...]:
        """The outcome's logs, decoded."""
        return tuple(map(_decoded, outcome.logs))

    def _follow(self, logs: tuple[RawLog, ...]) -> tuple[Event, ...]:
        """Apply the logs to the follower, which must find nothing strange in them."""
        events = []
        for log in logs:
            event = _decoded(log)
            position = LogPosition(BlockNumber(self.chain.block), 0, self._log_index)
            self._log_index += 1
            context = EventContext(position, self.chain.timestamp_s)
            applied = apply(self.follower, event, context)
            if applied.divergences:
                raise Violation("reducer", f"{event} diverges: {applied.divergences}")
            self.follower.commit(applied.changes)
            events.append(event)
        return tuple(events)

    def _tell_model(self) -> None:
        self.model.block = BlockNumber(self.chain.block)
        self.model.timestamp_s = self.chain.timestamp_s
        self.model.base_fee_wei = self.chain.base_fee_wei

    def _remember(self, step: Step) -> None:
        parameters = self.model.state.network.parameters
        for event in step.events:
            match event:
                case types.ValidatorAdded():
                    self.history.registrations[event.owner] += 1
                case types.OperatorRemoved():
                    self.history.frozen[event.operator_id] = step.before.operator(
                        event.operator_id
                    ).index_at(step.block)
                case types.OperatorFeeDeclared():
                    begin_s = step.timestamp_s + parameters.declare_period_s
                    self.history.declared[event.operator_id] = Declaration(
                        fee=event.fee_wei // 100_000,
                        from_fee=step.before.operator(event.operator_id).fee,
                        limit_per_10000=parameters.fee_increase_limit_per_10000,
                        begin_s=begin_s,
                        end_s=begin_s + parameters.execute_period_s,
                    )
                case _:
                    pass


def struct_of(events: tuple[Event, ...]) -> ClusterSnapshot | None:
    """Struct that the last of these events carries."""
    for event in reversed(events):
        struct = getattr(event, "cluster", None)
        if isinstance(struct, ClusterSnapshot):
            return struct
    return None


def _named(cluster: Cluster) -> Named:
    return Named(cluster.cluster_id, cluster.owner, cluster.operator_ids, cluster.snapshot)


def _decoded(log: RawLog) -> Event:
    event = decode(log.topics, log.data)
    if isinstance(event, Undecodable):
        raise Violation("events", f"a log cannot be decoded: {event}")
    return event


def _allowing(accounts: tuple[Address, ...]) -> bytes:
    words = [32, len(accounts), *(int.from_bytes(account, "big") for account in accounts)]
    return b"".join(word.to_bytes(32, "big") for word in words)


def _execute(target: Address, data: bytes) -> bytes:
    head = target.rjust(32, b"\0") + (64).to_bytes(32, "big") + len(data).to_bytes(32, "big")
    return _EXECUTE + head + data + bytes(-len(data) % 32)
