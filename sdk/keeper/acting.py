"""Jobs that pay, done: each is tried, priced and sent once, and looked after until it has ended.

Shell. The same for liquidations and proofs. Without a sender it only says what it would do. Nothing
is sent that a simulation in the next block does not confirm.

Source: docs/liquidator.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sdk.client import Client
from sdk.client.calls import quantity
from sdk.client.contract_errors import ERRORS, RegistryError
from sdk.client.operation import Rpc
from sdk.client.sending import current_fees
from sdk.errors import ChainError
from sdk.keeper.bidding import (
    Bid,
    Limits,
    Market,
    Offer,
    Refrain,
    Why,
    bid,
    outbid,
    withdrawal,
)
from sdk.keeper.following import Turn, Voice
from sdk.keeper.reporting import Job, Report, terms
from sdk.keeper.sending import (
    MOST_REPLACEMENTS,
    STUCK_BLOCKS,
    Flight,
    Sender,
    gas_needed,
)
from sdk.types import BlockNumber, ClusterId

MOST_TRIED: Final = 64
"""Jobs simulated per block: more questions would not be answered within a slot."""
FUNDS_EVERY: Final = 50
"""Blocks between two looks at the account's balance while there is nothing to do."""
FEW_CALLS: Final = 10
CALL_GAS: Final = 150_000
"""The account is low if it cannot pay for so many calls of so much gas at today's prices."""
_CHANGED: Final = tuple(
    ERRORS[name]
    for name in (
        "ClusterDoesNotExist",
        "ClusterIsLiquidated",
        "IncorrectClusterState",
        "IncorrectValidatorStateWithData",
        "NothingChanged",
        "ProofOlderThanRecord",
    )
)
_NOT_YET: Final = ERRORS["ClusterNotLiquidatable"]


class Actor:
    """Does jobs with one account. Not for several threads at a time."""

    def __init__(
        self, client: Client, *, sender: Sender | None, limits: Limits, voice: Voice
    ) -> None:
        """Nothing is on its way.

        Args:
            client: of the registry; its account is the caller in simulations.
            sender: of the same client; None sends nothing.
            limits: of tip and profit.
            voice: told of every decision once, and of every outcome.
        """
        self._client = client
        self._sender = sender
        self._limits = limits
        self._report = Report(voice)
        self._gas: dict[ClusterId, int] = {}
        self._funds_at: BlockNumber | None = None
        self._is_low = False

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way."""
        return self._sender is not None and bool(self._sender.flights)

    def market(self) -> Market:
        """Prices of gas now."""
        fees = self._client.perform(current_fees())
        return Market(fees.base_fee_wei, fees.priority_fee_wei)

    def look_after(self, turn: Turn) -> None:
        """Notes which transactions are mined, and which are not any more."""
        if self._sender is None:
            return
        if turn.undone_to is not None:
            for flight in self._sender.roll_back(turn.undone_to):
                self._report.flight("its block was undone; it is on its way again", flight)
        for ended in self._sender.survey(at=turn.block):
            self._report.end(ended)
        self._watch_funds(turn.block)

    def act(
        self, jobs: Callable[[Market], Sequence[Job]], *, at: BlockNumber, has_jobs: bool
    ) -> None:
        """Do what pays.

        Args:
            jobs: all that could be done now, at these prices.
            at: newest block.
            has_jobs: false if there are none for sure, so that nothing needs to be asked.
        """
        if not has_jobs and not self.is_busy:
            self._report.forget()
            self._gas.clear()
            return
        market = self.market()
        found = sorted(jobs(market), key=lambda each: (-each.reward_wei, each.cluster_id))
        wanted = {each.cluster_id for each in found}
        self._report.keep(wanted)
        self._gas = {each: gas for each, gas in self._gas.items() if each in wanted}
        tried = 0
        for job in found:
            flight = self._sender.of(job.cluster_id) if self._sender else None
            if flight is not None:
                self._renew(flight, job, market, at=at)
                continue
            if tried < MOST_TRIED:
                tried += self._try(job, market, at=at)
        self._clear_away(wanted, market, at=at)

    def _try(self, job: Job, market: Market, *, at: BlockNumber) -> bool:
        """Do a job if it pays; whether the node had to be asked."""
        known = self._gas.get(job.cluster_id)
        if known is not None:
            offer = self._price(job, known, market)
            if isinstance(offer, Refrain):
                self._report.decision(job, offer)
                return False
        offer = self._simulate(job, market)
        if isinstance(offer, Bid) and self._sender is not None:
            sent = self._send(job, offer, at=at)
            if isinstance(sent, Flight):
                return True
            offer = sent
        self._report.decision(job, offer)
        return True

    def _simulate(self, job: Job, market: Market) -> Offer:
        """Fees for a call that would succeed in the next block."""
        try:
            gas = self._client.perform(gas_needed(self._client.context, job.draft))
        except _NOT_YET:
            return Refrain(Why.NOT_YET)
        except _CHANGED as problem:
            return Refrain(Why.CHANGED, problem.code)
        except RegistryError as problem:
            return Refrain(Why.REVERTS, problem.message)
        except ChainError as problem:
            is_poor = problem.code == "insufficient_funds"
            return Refrain(Why.POOR if is_poor else Why.REFUSED, problem.message)
        self._gas[job.cluster_id] = gas
        return self._price(job, gas, market)

    def _price(self, job: Job, gas: int, market: Market) -> Offer:
        funds = None if self._sender is None else self._sender.funds_wei()
        return bid(
            reward_wei=job.reward_wei, gas=gas, market=market, limits=self._limits, funds_wei=funds
        )

    def _send(self, job: Job, offer: Bid, *, at: BlockNumber) -> Flight | Refrain:
        if self._sender is None:
            return Refrain(Why.REFUSED)
        try:
            sent = self._sender.send(job.cluster_id, job.draft, offer, at=at)
        except ChainError as problem:
            return Refrain(Why.REFUSED, problem.message)
        if isinstance(sent, Flight):
            self._report.flight(f"sent: {job.draft.action}, {terms(offer)}", sent)
        return sent

    def _renew(self, flight: Flight, job: Job, market: Market, *, at: BlockNumber) -> None:
        """Replace a transaction that waits too long; bring back one that the node has lost."""
        if self._sender is None or flight.sent_at == at:
            return
        is_lost = not self._sender.is_known(flight)
        if not is_lost and not self._is_stuck(flight, at=at):
            return
        try:
            if is_lost and flight.bid.max_fee_wei >= market.most_base_fee_wei:
                flight.sent_at = at
                self._sender.again(flight)
                self._report.flight("the node had lost it; sent again", flight)
                return
            fresh = bid(
                reward_wei=job.reward_wei,
                gas=self._gas.get(job.cluster_id, flight.bid.gas_limit),
                market=market,
                limits=self._limits,
                funds_wei=None,
            )
            if len(flight.attempts) > MOST_REPLACEMENTS or isinstance(fresh, Refrain):
                return
            better = outbid(flight.bid, fresh, self._limits)
            if better is not None:
                self._sender.replace(flight, job.draft, better, at=at)
                self._report.flight(f"not mined yet; replaced, {terms(better)}", flight)
        except ChainError as problem:
            self._report.problem(job, problem)

    def _clear_away(self, wanted: set[ClusterId], market: Market, *, at: BlockNumber) -> None:
        """Free the nonces of transactions that are stuck and for nothing."""
        if self._sender is None:
            return
        for flight in list(self._sender.flights.values()):
            if flight.cluster_id in wanted or not self._is_stuck(flight, at=at):
                continue
            is_last = len(self._sender.flights) == 1
            if is_last and not self._sender.is_known(flight):
                self._sender.drop(flight)
                self._report.flight("given up: nobody has it, and nothing is left to win", flight)
                continue
            free = withdrawal(flight.bid, market)
            if free is None or len(flight.attempts) > MOST_REPLACEMENTS:
                continue
            try:
                self._sender.replace(flight, None, free, at=at)
                self._report.flight("nothing is left to win; its nonce is being freed", flight)
            except ChainError as problem:
                flight.sent_at = at
                self._report.problem(None, problem)

    def _is_stuck(self, flight: Flight, *, at: BlockNumber) -> bool:
        """Whether it waits too long; of several on their way only the first can be mined."""
        if self._sender is None or flight.nonce != min(self._sender.flights):
            return False
        return at - flight.sent_at >= STUCK_BLOCKS

    def _watch_funds(self, at: BlockNumber) -> None:
        if self._sender is None:
            return
        if self._funds_at is not None and at - self._funds_at < FUNDS_EVERY:
            return
        self._funds_at = at
        market = self.market()
        asked = Rpc("eth_getBalance", (self._client.account, "latest"), "balance of the account")
        funds = self._client.perform(quantity(asked))
        tip = min(market.tip_wei, self._limits.max_tip_wei)
        is_low = funds < FEW_CALLS * CALL_GAS * (market.most_base_fee_wei + tip)
        if is_low and not self._is_low:
            self._report.low_funds(f"{self._client.account}", funds, calls=FEW_CALLS)
        self._is_low = is_low
