"""Transactions of one account on their way: replaced when stuck, counted when mined.

Shell: it asks and tells the node through a blocking client. The nonce of a stuck transaction is
used again by its replacement, so of both at most one is mined. A transaction of a block that was
undone is on its way again. It decides nothing about money; it is given bids.

Source: docs/liquidator.md, "Races and what they cost".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hexbytes import HexBytes

from sdk.chain import ROLLBACK_DEPTH
from sdk.client import Client
from sdk.client.calls import call_with, quantity, revert_or_refusal
from sdk.client.draft import Draft
from sdk.client.operation import Operation, Result, Rpc, result_of
from sdk.client.sending import (
    Context,
    call_request,
    require_chain,
    send_signed,
    sender_of,
    sign,
)
from sdk.client.transaction import SignedTransaction, Transaction
from sdk.errors import ChainError, UsageError
from sdk.keeper.bidding import Bid, Refrain, Why
from sdk.types import BlockNumber, ClusterId

MOST_IN_FLIGHT: Final = 16
"""Pools keep so many of one account, and one bad block costs so many at most."""
STUCK_BLOCKS: Final = 3
"""Blocks without it after which a transaction is replaced by a dearer one."""
MOST_REPLACEMENTS: Final = 8
"""Of one nonce: the last one pays more than twice what the first did."""


class Outcome(StrEnum):
    """How a transaction ended."""

    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    DISPLACED = "displaced"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction, and whether it is the call or only frees its nonce."""

    signed: SignedTransaction
    is_call: bool


@dataclass(slots=True)
class Flight:
    """A nonce in use.

    Attributes:
        draft: the call; None once only the nonce is to be freed.
        bid: fees of the newest attempt.
        attempts: transactions with this nonce, the newest last.
        sent_at: newest block when that was sent.
        mined_at: block that has one of them.
    """

    cluster_id: ClusterId
    draft: Draft | None
    bid: Bid
    nonce: int
    sent_at: BlockNumber
    attempts: list[Attempt] = field(default_factory=list)
    mined_at: BlockNumber | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a flight; LOST and WITHDRAWN cost gas and brought nothing."""

    flight: Flight
    outcome: Outcome
    transaction_hash: HexBytes | None = None
    gas_cost_wei: int = 0


def gas_needed(context: Context, draft: Draft) -> Operation[int]:
    """Gas of the call in the block that is being made, where it would succeed.

    Raises:
        RegistryError: it would revert.
    """
    request = call_request(context, draft)
    yield from call_with(request, block="pending", subject=draft.action)
    asked = Rpc("eth_estimateGas", (request, "pending"), draft.action)
    reply = yield asked
    if isinstance(reply, Result):
        return int(reply.value, 16)
    raise revert_or_refusal(asked, reply)


class Sender:
    """The account's transactions. Not for several threads at a time.

    Attributes:
        flights: on their way, by nonce.
    """

    def __init__(self, client: Client) -> None:
        """Nothing is on its way.

        Args:
            client: with a signer that can sign without sending.
        """
        self.flights: dict[int, Flight] = {}
        self._landed: list[Flight] = []
        self._client = client

    @property
    def committed_wei(self) -> int:
        """What everything on its way can cost at the most."""
        return sum(each.bid.most_cost_wei for each in self.flights.values())

    def of(self, cluster_id: ClusterId) -> Flight | None:
        """What is on its way for a cluster."""
        found = (each for each in self.flights.values() if each.cluster_id == cluster_id)
        return next(found, None)

    def funds_wei(self) -> int:
        """What the account has, less what everything on its way can cost."""
        asked = Rpc("eth_getBalance", (self._client.account, "latest"), "balance of the account")
        return max(0, self._client.perform(quantity(asked)) - self.committed_wei)

    def send(
        self, cluster_id: ClusterId, draft: Draft, bid: Bid, *, at: BlockNumber
    ) -> Flight | Refrain:
        """Sign and send a call; nothing may be on its way for that cluster.

        Args:
            cluster_id: which the call is for.
            draft: the call.
            bid: its fees.
            at: newest block.

        Raises:
            ChainError: `transaction_refused`.
        """
        if len(self.flights) >= MOST_IN_FLIGHT:
            return Refrain(Why.TOO_MANY, f"{len(self.flights)} are on their way")
        nonce = self._count("latest")
        while nonce in self.flights:
            nonce += 1
        pending = self._count("pending")
        if pending > nonce:
            return Refrain(Why.ACCOUNT_BUSY, f"its next nonce is {pending} instead of {nonce}")
        flight = Flight(cluster_id, draft, bid, nonce, at)
        self._launch(flight)
        return flight

    def replace(self, flight: Flight, draft: Draft | None, bid: Bid, *, at: BlockNumber) -> None:
        """Send a dearer transaction with the same nonce.

        Args:
            flight: that is stuck.
            draft: what to do instead; None only frees the nonce.
            bid: fees that replace those of the flight.
            at: newest block.

        Raises:
            ChainError: `transaction_refused`; the flight is as it was.
        """
        before = flight.draft, flight.bid
        flight.draft, flight.bid, flight.sent_at = draft, bid, at
        try:
            self._launch(flight)
        except ChainError:
            flight.draft, flight.bid = before
            raise

    def again(self, flight: Flight) -> None:
        """Send the newest attempt once more, to a node that has lost it.

        Raises:
            ChainError: `transaction_refused`.
        """
        self._client.perform(send_signed(flight.attempts[-1].signed))

    def is_known(self, flight: Flight) -> bool:
        """Whether the node still has one of the attempts."""
        for attempt in reversed(flight.attempts):
            text = attempt.signed.hash.to_0x_hex()
            asked = Rpc("eth_getTransactionByHash", (text,), f"transaction {text}")
            if self._client.perform(result_of(asked)) is not None:
                return True
        return False

    def drop(self, flight: Flight) -> None:
        """Forget a flight that no node has any more."""
        del self.flights[flight.nonce]

    def survey(self, *, at: BlockNumber) -> list[Ended]:
        """What has ended by block `at`."""
        self._landed = [
            each
            for each in self._landed
            if each.mined_at is not None and each.mined_at > at - ROLLBACK_DEPTH
        ]
        if not self.flights:
            return []
        used = self._count("latest")
        ended = [
            self._end(flight)
            for flight in sorted(self.flights.values(), key=lambda each: each.nonce)
            if flight.nonce < used
        ]
        for each in ended:
            del self.flights[each.flight.nonce]
            if each.flight.mined_at is not None:
                self._landed.append(each.flight)
        return ended

    def roll_back(self, to: BlockNumber) -> Sequence[Flight]:
        """Blocks above `to` were undone: their transactions are on their way again."""
        back = [each for each in self._landed if each.mined_at is not None and each.mined_at > to]
        self._landed = [each for each in self._landed if each not in back]
        for flight in back:
            flight.mined_at, flight.sent_at = None, to
            self.flights[flight.nonce] = flight
        return back

    def _end(self, flight: Flight) -> Ended:
        """The end of a flight whose nonce is used."""
        for attempt in reversed(flight.attempts):
            text = attempt.signed.hash.to_0x_hex()
            asked = Rpc("eth_getTransactionReceipt", (text,), f"receipt of {text}")
            found: Any = self._client.perform(result_of(asked))
            if found is None:
                continue
            flight.mined_at = BlockNumber(int(found["blockNumber"], 16))
            cost = int(found["gasUsed"], 16) * int(found.get("effectiveGasPrice") or "0x0", 16)
            outcome = Outcome.WITHDRAWN
            if attempt.is_call:
                outcome = Outcome.WON if int(found["status"], 16) == 1 else Outcome.LOST
            return Ended(flight, outcome, attempt.signed.hash, cost)
        return Ended(flight, Outcome.DISPLACED)

    def _launch(self, flight: Flight) -> None:
        signed = self._client.perform(self._signed(flight))
        # Noted before it is sent: if the answer is lost, it may be on its way nevertheless.
        flight.attempts.append(Attempt(signed, is_call=flight.draft is not None))
        self.flights[flight.nonce] = flight
        try:
            self._client.perform(send_signed(signed))
        except ChainError:
            flight.attempts.pop()
            if not flight.attempts:
                del self.flights[flight.nonce]
            raise

    def _signed(self, flight: Flight) -> Operation[SignedTransaction]:
        context, bid, draft = self._client.context, flight.bid, flight.draft
        chain = yield from require_chain(context.deployment)
        sender = self._client.account if draft is None else sender_of(context, draft)
        if sender is None:
            raise UsageError("nobody is named as the calling account", code="account_missing")
        transaction = Transaction(
            chain_id=chain,
            sender=sender,
            nonce=flight.nonce,
            to=sender if draft is None else context.deployment.registry,
            value_wei=0 if draft is None else draft.value_wei,
            data=b"" if draft is None else bytes(draft.call_data),
            gas=bid.gas_limit,
            max_fee_wei=bid.max_fee_wei,
            priority_fee_wei=bid.tip_wei,
        )
        return (yield from sign(context, transaction))

    def _count(self, block: str) -> int:
        account = self._client.account
        asked = Rpc("eth_getTransactionCount", (account, block), f"nonce of {account}")
        return self._client.perform(quantity(asked))
