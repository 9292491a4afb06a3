"""Words as docs/contracts.md lays them out."""

from __future__ import annotations

from indexer.sync.words import (
    cluster_word,
    network_word,
    operator_word,
    owner_word,
    without_privacy,
)
from sdk.types import keccak256


def bits(word: bytes, first: int, many: int) -> int:
    """A field, bits counted from the lowest."""
    return int.from_bytes(word, "big") >> first & (1 << many) - 1


def test_an_operators_fields_have_their_places() -> None:
    word = operator_word((7, 100, 17_700, 2**63, 2**40, 64, 2, True, None))
    places = ((0, 32), (32, 40), (72, 64), (136, 64), (200, 32), (232, 16), (248, 8))
    assert [bits(word, *place) for place in places] == [100, 17_700, 2**63, 2**40, 64, 2, 1]


def test_of_a_removed_operator_only_the_index_is_left() -> None:
    word = operator_word((7, 100, 17_700, 5, 6, 64, 2, True, 99))
    assert int.from_bytes(word, "big") == 5 << 72
    assert without_privacy(b"\1" + word[1:]) == word


def test_a_clusters_struct_is_under_the_commitment() -> None:
    row = (b"\7" * 32, 3, 96, 3, 11, 12, True, 10**18)
    word = cluster_word(row)
    struct = b"".join(each.to_bytes(32, "big") for each in (3, 11, 12, 1, 10**18))
    assert word[:24] == keccak256(struct)[:24]
    assert (bits(word, 0, 32), bits(word, 32, 32)) == (3, 96)
    assert cluster_word((*row[:-1], 10**18 - 1)) != word


def test_an_owners_recipient_may_never_have_been_set() -> None:
    assert owner_word((b"\1" * 20, 5, None)) == (5).to_bytes(32, "big")
    word = owner_word((b"\1" * 20, 5, b"\2" * 20))
    assert bits(word, 32, 160).to_bytes(20, "big") == b"\2" * 20


def test_debt_is_a_negative_balance_of_the_network() -> None:
    word = network_word((9, 35_509, 8, 0, 3, 96, 3))
    assert bits(word, 112, 80) == 2**80 - 3
    places = ((0, 32), (32, 24), (56, 56), (192, 40), (232, 24))
    assert [bits(word, *place) for place in places] == [9, 35_509, 8, 96, 3]
