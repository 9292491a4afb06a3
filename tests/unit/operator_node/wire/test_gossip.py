from __future__ import annotations

import pytest

from operator_node.wire.gossip import gossip_id


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "99e9d85137db46ef00000000"),
        (b"a", "5b6e8ca9f1c44ed200000000"),
        (b"abc", "990977adf52cbc4400000000"),
        (b"Nobody inspects the spammish repetition", "f18b378a3ca8cefb00000000"),
    ],
)
def test_a_gossip_id_is_the_little_endian_xxhash64_and_four_zeros(
    data: bytes, expected: str
) -> None:
    assert gossip_id(data).hex() == expected
