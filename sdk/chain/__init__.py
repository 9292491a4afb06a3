"""Reading a contract's logs from execution clients: in order, by hash, across reorganisations."""

from __future__ import annotations

from sdk.chain.fetching import Fetcher, fetcher
from sdk.chain.follower import (
    FOLLOW_DISTANCE,
    ROLLBACK_DEPTH,
    Block,
    Diverged,
    Extend,
    Follower,
    Point,
    Read,
    Rollback,
    Step,
    TooDeep,
)
from sdk.chain.logs import CaughtUp, LogCheck, LogReader
from sdk.chain.messages import Call
from sdk.chain.rpc import Rpc

__all__ = [
    "FOLLOW_DISTANCE",
    "ROLLBACK_DEPTH",
    "Block",
    "Call",
    "CaughtUp",
    "Diverged",
    "Extend",
    "Fetcher",
    "Follower",
    "LogCheck",
    "LogReader",
    "Point",
    "Read",
    "Rollback",
    "Rpc",
    "Step",
    "TooDeep",
    "fetcher",
]
