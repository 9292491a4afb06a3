"""Searching the registry's logs, newest first, through nodes that answer only small ranges.

Pure operations. No range is ever skipped: what a node refuses is asked again in smaller pieces,
down to one block, or the search fails. Skipping one is how nonces get counted too low, and
every registration after that is void.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sdk.client.calls import Deployment
from sdk.client.operation import Operation, Refused, Result, Rpc
from sdk.errors import NetworkError
from sdk.events import Log
from sdk.types import Address, BlockNumber

FORGET_AFTER_PAGES: Final = 16
"""Pages after which a wider range is tried again: a crowded stretch has an end."""
_METHOD_MISSING: Final = -32601
_HEX_RANGE: Final = re.compile(r"\[\s*(0x[0-9a-fA-F]{1,16})\s*,\s*(0x[0-9a-fA-F]{1,16})\s*\]")
_BLOCKS: Final = re.compile(
    r"(?:range|limit\w*|max\w*|up to(?: an?)?|within|than|over)[^0-9\[\]]{0,32}"
    r"(\d[\d,_]{0,12})(k?)\b(?!\s*(?:result|log))|"
    r"\b(\d[\d,_]{0,12})(k?)[ -]block",
    re.IGNORECASE,
)

Topics = Sequence[str | Sequence[str] | None]


@dataclass(slots=True)
class _Width:
    """How many blocks to ask for next."""

    blocks: int
    widest: int
    refused: int | None = None
    pages: int = 0

    def shrink(self, asked: int, suggested: int | None) -> None:
        """After a refusal of `asked` blocks, always to fewer."""
        self.blocks = max(1, min(suggested or asked // 2, asked - 1))
        refused = asked if suggested is None else self.blocks + 1
        self.refused = min(refused, self.refused or refused)
        self.pages = 0

    def grow(self) -> None:
        """After an answer; not up to what was refused, until that is long ago."""
        self.pages += 1
        if self.pages >= FORGET_AFTER_PAGES:
            self.refused, self.pages = None, 0
        wider = min(2 * self.blocks, self.widest)
        if self.refused is None or wider < self.refused:
            self.blocks = wider


def search(
    deployment: Deployment,
    topics: Topics,
    visit: Callable[[list[Log]], bool],
    *,
    last_block: BlockNumber,
    subject: str,
    window_blocks: int | None = None,
) -> Operation[None]:
    """Shows all matching logs to `visit`, a page at a time, newest page first.

    Args:
        deployment: which registry; the search ends at its start block.
        topics: filter as JSON-RPC takes it.
        visit: gets a page in chain order; true ends the search.
        last_block: where the search begins.
        subject: what is searched, for errors.
        window_blocks: widest range to ask for, the deployment's if None.

    Raises:
        NetworkError: `logs_refused`, the node refuses even one block; or it does not answer.
    """
    widest = max(1, window_blocks or deployment.window_blocks)
    width = _Width(widest, widest)
    high: int = last_block
    while high >= deployment.start_block:
        low = max(deployment.start_block, high - width.blocks + 1)
        asked = high - low + 1
        request = _request(deployment, topics, low, high, subject)
        try:
            reply = yield request
        except NetworkError as failure:
            if asked == 1 or not failure.data.get("is_timeout"):
                raise
            width.shrink(asked, None)
            continue
        if isinstance(reply, Result):
            if visit(_page(reply.value, low, high, subject)):
                return
            high = low - 1
            width.grow()
            continue
        refused = reply if isinstance(reply, Refused) else Refused(None, "no answer")
        if asked == 1 or refused.code == _METHOD_MISSING:
            raise NetworkError(
                f"{subject}: the node refuses logs of block {high}: {refused.message[:200]!r}",
                code="logs_refused",
                hint="Use a node that keeps logs since the registry's deployment.",
                data={"block": high, "rpc_code": refused.code},
            )
        width.shrink(asked, suggested_blocks(refused))


def suggested_blocks(refused: Refused) -> int | None:
    """How many blocks a refusal says would be answered; None if it says nothing usable."""
    if isinstance(refused.data, dict):
        bounds = [refused.data.get(name) for name in ("from", "to")]
        found = _HEX_RANGE.search(f"[{bounds[0]},{bounds[1]}]")
    else:
        found = None
    found = found or _HEX_RANGE.search(refused.message)
    if found is not None:
        low, high = int(found[1], 16), int(found[2], 16)
        return high - low + 1 if high >= low else None
    told = _BLOCKS.search(refused.message)
    if told is None:
        return None
    digits, thousand = (told[1], told[2]) if told[1] else (told[3], told[4])
    blocks = int(re.sub("[,_]", "", digits)) * (1000 if thousand else 1)
    return blocks or None


def _request(deployment: Deployment, topics: Topics, low: int, high: int, subject: str) -> Rpc:
    wanted = {
        "address": deployment.registry,
        "fromBlock": hex(low),
        "toBlock": hex(high),
        "topics": list(topics),
    }
    return Rpc("eth_getLogs", (wanted,), f"{subject}, blocks {low} to {high}")


def _page(found: Any, low: int, high: int, subject: str) -> list[Log]:
    """The logs in an answer, in chain order."""
    try:
        logs = [read_log(each) for each in found if not each.get("removed")]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise NetworkError(
            f"{subject}: the node's logs of blocks {low} to {high} cannot be read",
            code="rpc_answer",
            hint="Use another node.",
        ) from None
    if any(not low <= log.block_number <= high for log in logs):
        raise NetworkError(
            f"{subject}: the node sent logs from outside blocks {low} to {high}",
            code="rpc_answer",
            hint="Use another node.",
        )
    return sorted(logs, key=lambda log: log.position)


def read_log(found: Any) -> Log:
    """A log out of JSON-RPC."""
    return Log(
        address=Address(_bytes(found["address"])),
        topics=tuple(_bytes(topic) for topic in found["topics"]),
        data=_bytes(found["data"]),
        block_number=BlockNumber(int(found["blockNumber"], 16)),
        block_hash=_bytes(found["blockHash"]),
        transaction_hash=_bytes(found["transactionHash"]),
        transaction_index=int(found["transactionIndex"], 16),
        log_index=int(found["logIndex"], 16),
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
