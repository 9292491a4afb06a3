"""The address book: newest good record of each operator, bounded, the same after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.p2p import book as book_module
from operator_node.p2p.book import AddressBook
from operator_node.p2p.records import LIFETIME_MS, Refused
from sdk.types import OperatorId
from tests.unit.operator_node.p2p.builders import DOMAIN, NOW_MS, key_of, peer_of, record


def new_book(path: Path | None = None) -> AddressBook:
    return AddressBook(domain=DOMAIN, key_of=key_of, path=path)


def filled(*operators: int, path: Path | None = None) -> AddressBook:
    book = new_book(path)
    for operator in operators:
        assert book.offer(record(operator), now_ms=NOW_MS) is None
    return book


def test_a_newer_record_replaces_an_older_one_and_never_the_other_way() -> None:
    book = filled(1)
    newer = record(1, sequence=NOW_MS + 1, addresses=("/ip4/192.0.2.9/tcp/9",))
    assert book.offer(newer, now_ms=NOW_MS) is None
    assert book.offer(record(1), now_ms=NOW_MS) is Refused.REPLAYED
    assert book.of(OperatorId(1)) == newer.record


def test_a_forged_newer_record_does_not_displace_the_good_one() -> None:
    book = filled(1)
    forged = record(1, sequence=NOW_MS + 1, signer=2)
    assert book.offer(forged, now_ms=NOW_MS) is Refused.FORGED
    assert book.of(OperatorId(1)) == record(1).record


def test_peers_are_known_by_their_operators() -> None:
    book = filled(1, 2)
    assert book.operator_of(peer_of(2)) == 2
    assert book.operator_of(peer_of(3)) is None


def test_others_get_what_they_lack_and_no_more() -> None:
    book = filled(1, 2, 3)
    theirs = {OperatorId(1): NOW_MS, OperatorId(2): NOW_MS - 1}
    lacking = book.missing_in(theirs, now_ms=NOW_MS, limit=10)
    assert [each.record.operator for each in lacking] == [2, 3]
    assert len(book.missing_in({}, now_ms=NOW_MS, limit=2)) == 2


def test_an_expired_record_is_not_spread_but_still_says_where_to_look() -> None:
    book = filled(1)
    later = NOW_MS + LIFETIME_MS
    assert book.digest(now_ms=later) == {}
    assert book.missing_in({}, now_ms=later, limit=10) == []
    assert book.of(OperatorId(1)) is not None


def test_the_book_is_the_same_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    book = filled(1, 2, path=path)
    assert book.is_changed
    book.write(book.snapshot())
    assert not book.is_changed
    again = new_book(path)
    assert again.load() == 2
    assert again.of(OperatorId(2)) == book.of(OperatorId(2))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version":1,"records":[7]}', b'{"records":[]}'])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "addresses.json"
    path.write_bytes(content)
    assert new_book(path).load() == 0


def test_a_full_book_makes_room_for_wanted_operators_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "RECORDS", 2)
    book = filled(1, 2)
    assert book.offer(record(3), now_ms=NOW_MS) is Refused.NO_ROOM
    book.want(frozenset({OperatorId(1), OperatorId(3)}))
    assert book.offer(record(3), now_ms=NOW_MS) is None
    assert book.operators() == {1, 3}


def test_operators_that_left_the_registry_are_dropped() -> None:
    registered = {1, 2}
    book = AddressBook(
        domain=DOMAIN,
        key_of=lambda operator: key_of(operator) if operator in registered else None,
        path=None,
    )
    for operator in (1, 2):
        assert book.offer(record(operator), now_ms=NOW_MS) is None
    registered.discard(2)
    assert book.digest(now_ms=NOW_MS) == {1: NOW_MS}
    book.drop_unregistered()
    assert book.operators() == {1}
    assert book.operator_of(peer_of(2)) is None
