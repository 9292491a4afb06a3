"""Whether a header is the one that its hash names: what binds its roots and its bloom to the chain.

Pure. A node that gives a block's true hash beside another receipts root is found out here. Fields
of forks that are not known here make every header fail: callers must not take that for a lie.

Source: Ethereum Yellow Paper 4.3; EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685 (later fields).
"""

from __future__ import annotations

from typing import Final

import rlp  # type: ignore[import-untyped]  # no type information upstream

from sdk.chain.follower import Block
from sdk.types import keccak256

NUMBERS: Final = frozenset({7, 8, 9, 10, 11, 15, 17, 18})
"""Places of fields that are quantities: difficulty, number, both gases, time, fee, both blob gases.
The others are bytes."""


def names_itself(block: Block) -> bool:
    """Whether the block's hash is that of its fields; False also if they were not all given."""
    if not block.fields:
        return False
    try:
        values = [
            int(text, 16) if place in NUMBERS else bytes.fromhex(text.removeprefix("0x"))
            for place, text in enumerate(block.fields)
        ]
    except ValueError:
        return False
    return keccak256(rlp.encode(values)) == block.hash
