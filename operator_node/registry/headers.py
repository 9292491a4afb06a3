"""Which headers of an execution node the other ones do not have.

Where beacon nodes cannot tell, a majority does; where two stand against each other, nobody knows.

Source: docs/run-a-node.md, "Proof of the registry".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from sdk.chain import Block, Rpc
from sdk.chain.reading import read_headers
from sdk.errors import ConfigError, NetworkError

log = logging.getLogger(__name__)


async def outvoted(blocks: Sequence[Block], others: Sequence[Rpc]) -> Block | None:
    """The first of some headers that not more than half of the nodes have; None if all pass.

    Args:
        blocks: of one node, which has a voice for each.
        others: one per other node; who does not answer, or lacks a block, has none.
    """
    if not blocks:
        return None
    votes = {each.number: Counter([each.hash]) for each in blocks}
    for other in others:
        try:
            found = await read_headers(other, list(votes))
        except (NetworkError, ConfigError) as failure:
            log.info("registry: headers are compared less: %s", failure)
            continue
        for theirs in found:
            if theirs is not None:
                votes[theirs.number][theirs.hash] += 1
    for block in blocks:
        heard = votes[block.number]
        if 2 * heard[block.hash] <= heard.total():
            return block
    return None
