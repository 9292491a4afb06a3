"""How urgent a cluster's funds are: its runway in words, a colour that comes with them, a gauge.

Pure. The figures are the API's (`indexer.api.schemas.ClusterOut`); nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from indexer.api.schemas import ClusterOut
from indexer.explorer.figures import BLOCK_S, blocks_text

DAY_BLOCKS: Final = 86_400 // BLOCK_S
SHORT_DAYS: Final = 7
"""Less is a matter of days: a weekend may be too late."""
WATCH_DAYS: Final = 30
"""Less deserves a date in somebody's calendar."""
GAUGE_DAYS: Final = 180
"""A full gauge; whoever has more need not look."""

Kind = Literal["good", "warn", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Runway:
    """A cluster's runway as pages show it.

    Attributes:
        kind: of the badge.
        text: how long, or why there is no such time.
        days: whole days for the gauge, None where it says nothing.
    """

    kind: Kind
    text: str
    days: int | None

    @property
    def gauge_days(self) -> int:
        """What the gauge shows, within its bounds."""
        return min(self.days or 0, GAUGE_DAYS)


@dataclass(frozen=True, slots=True)
class Funded:
    """A cluster and its runway."""

    cluster: ClusterOut
    runway: Runway


def funded(cluster: ClusterOut) -> Funded:
    """A cluster with its runway in words."""
    return Funded(cluster, runway(cluster))


@dataclass(frozen=True, slots=True)
class Together:
    """Funds of several clusters.

    Attributes:
        balance_wei: of all of them, liquidated ones included.
        shortest: the active one whose runway ends first, None if none ever ends.
    """

    balance_wei: int
    shortest: Funded | None


def together(clusters: Sequence[ClusterOut]) -> Together:
    """What an owner's clusters hold, and which of them needs a deposit first."""
    ending = [each for each in clusters if each.liquidation_block is not None]
    soonest = min(ending, key=lambda each: each.liquidation_block or 0, default=None)
    return Together(
        balance_wei=sum(int(each.balance_wei) for each in clusters),
        shortest=None if soonest is None else funded(soonest),
    )


def runway(cluster: ClusterOut) -> Runway:
    """How long a cluster's balance lasts at present fees."""
    if cluster.status == "liquidated":
        return Runway("bad", "Liquidated", None)
    if cluster.is_liquidatable:
        return Runway("bad", "Liquidatable now", 0)
    blocks = cluster.runway_blocks
    if blocks is None:
        return Runway("plain", "No end" if cluster.validators else "No validators", None)
    days = blocks // DAY_BLOCKS
    text = f"{days:,} days" if days >= SHORT_DAYS else blocks_text(blocks)
    return Runway(_kind(days), text, days)


def _kind(days: int) -> Kind:
    if days < SHORT_DAYS:
        return "bad"
    return "warn" if days < WATCH_DAYS else "good"
