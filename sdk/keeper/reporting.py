"""What those who act for pay tell the user: each decision once, and every outcome.

It decides and sends nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sdk.client.draft import Draft
from sdk.errors import PhalanxError
from sdk.keeper.bidding import MEANINGS, Bid, Offer
from sdk.keeper.following import Voice
from sdk.keeper.sending import Ended, Flight, Outcome
from sdk.types import ClusterId
from sdk.units import format_ether

_OUTCOMES: Final = {
    Outcome.WON: "mined; the reward is ours",
    Outcome.LOST: "mined and reverted: somebody was faster",
    Outcome.WITHDRAWN: "its nonce is free",
    Outcome.DISPLACED: "another transaction of the account has its nonce",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A call that pays.

    Attributes:
        reward_wei: in the next block, at least.
        name: of the cluster, for people.
    """

    cluster_id: ClusterId
    draft: Draft
    reward_wei: int
    name: str


class Report:
    """Tells a voice. A decision is said again once it is another one."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._said: dict[ClusterId, str] = {}

    def keep(self, clusters: Collection[ClusterId]) -> None:
        """Forget what was said of others than these."""
        self._said = {each: said for each, said in self._said.items() if each in clusters}

    def forget(self) -> None:
        """Forget what was said."""
        self._said.clear()

    def decision(self, job: Job, offer: Offer) -> None:
        """What would be sent, or why nothing is."""
        word = "would_send" if isinstance(offer, Bid) else offer.why.value
        if self._said.get(job.cluster_id) == word:
            return
        self._said[job.cluster_id] = word
        facts = {
            "decision": word,
            "cluster_id": "0x" + job.cluster_id.hex(),
            "reward_wei": str(job.reward_wei),
        }
        if isinstance(offer, Bid):
            text = f"would {job.draft.action}: {terms(offer)}"
            self._voice.step(text, **facts, profit_wei=str(offer.profit_wei))
            return
        detail = f" ({offer.detail})" if offer.detail else ""
        text = f"{job.name}: not sent, {MEANINGS[offer.why]}{detail}"
        self._voice.step(text, **facts, missing_wei=str(offer.missing_wei))

    def flight(self, text: str, flight: Flight) -> None:
        """What happened to a transaction on its way."""
        sent = flight.attempts[-1].signed.hash.to_0x_hex()
        self._voice.step(
            f"transaction {sent}: {text}",
            transaction_hash=sent,
            nonce=flight.nonce,
            cluster_id="0x" + flight.cluster_id.hex(),
            attempt=len(flight.attempts),
        )

    def end(self, ended: Ended) -> None:
        """What became of a transaction, and what it cost."""
        flight = ended.flight
        sent = ended.transaction_hash or flight.attempts[-1].signed.hash
        meaning = _OUTCOMES[ended.outcome]
        if ended.outcome is Outcome.WON:
            meaning += f", at least {format_ether(flight.bid.reward_wei)} ETH"
        self._voice.step(
            f"transaction {sent.to_0x_hex()}: {meaning}; gas cost "
            f"{format_ether(ended.gas_cost_wei)} ETH",
            outcome=ended.outcome.value,
            transaction_hash=sent.to_0x_hex(),
            cluster_id="0x" + flight.cluster_id.hex(),
            block=flight.mined_at,
            gas_cost_wei=str(ended.gas_cost_wei),
        )

    def low_funds(self, account: str, funds_wei: int, *, calls: int) -> None:
        """The account will soon be unable to pay."""
        self._voice.note(
            f"{account} has {format_ether(funds_wei)} ETH left, less than {calls} calls need at "
            "today's prices",
            code="low_funds",
            funds_wei=str(funds_wei),
        )

    def problem(self, job: Job | None, problem: PhalanxError) -> None:
        """A node refused something that will be tried again."""
        text = problem.message if job is None else f"{job.name}: {problem.message}"
        self._voice.note(text, code=problem.code)


def terms(offer: Bid) -> str:
    """A bid in words."""
    return (
        f"reward at least {format_ether(offer.reward_wei)} ETH, gas limit {offer.gas_limit} at up "
        f"to {offer.max_fee_wei} wei, profit at least {format_ether(offer.profit_wei)} ETH"
    )
