"""How entries are cut into transactions, and what the journal holds of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdk.client.bulk_journal import (
    BulkJournal,
    Chunk,
    keys_of,
    keyshares_digest,
    plan_chunks,
    split_chunk,
)
from sdk.client.bulk_plan import calldata_bytes, fitting
from sdk.client.journal_file import JournalFile
from sdk.client.move_journal import MoveJournal
from sdk.client.silence import Silence
from sdk.client.tracking import SentTransaction
from sdk.errors import InputError, InvariantBroken, UsageError
from sdk.testing import keys

SENT = SentTransaction("0x" + 64 * "a", 7)


def journal(*chunks: Chunk, count: int = 5) -> BulkJournal:
    return BulkJournal(
        chain_id=1,
        registry="0x" + 40 * "1",
        owner="0x" + 40 * "2",
        operator_ids=(1, 2, 3, 4),
        digest="00",
        first_nonce=3,
        deposit_wei=2**80,
        keys=tuple(f"0x{number:096x}" for number in range(count)),
        chunks=chunks,
    )


@pytest.mark.parametrize(
    ("entries", "first", "most", "sizes"),
    [
        (5, 0, 2, [2, 2, 1]),
        (4, 0, 2, [2, 2]),
        (1, 0, 80, [1]),
        (5, 2, 2, [2, 2, 1]),
        (3, 3, 2, [3]),
    ],
)
def test_chunks_cover_all_entries_in_order(
    entries: int, first: int, most: int, sizes: list[int]
) -> None:
    chunks = plan_chunks(entries=entries, first=first, most=most, deposit_wei=10**18 + 1)
    assert [chunk.count for chunk in chunks] == sizes
    assert [chunk.start for chunk in chunks] == [sum(sizes[:at]) for at in range(len(sizes))]
    assert sum(chunk.count for chunk in chunks if chunk.is_verified) == first
    assert sum(chunk.deposit_wei for chunk in chunks) == (10**18 + 1 if first < entries else 0)


def test_split_keeps_entries_and_deposit() -> None:
    parts = split_chunk(Chunk(start=2, count=3, deposit_wei=10), 1)
    assert [(each.start, each.count, each.deposit_wei) for each in parts] == [(2, 1, 3), (3, 2, 7)]


def test_sent_chunk_is_never_split() -> None:
    with pytest.raises(InvariantBroken):
        split_chunk(Chunk(start=0, count=2, deposit_wei=0, sent=SENT), 1)


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (Chunk(start=0, count=4, deposit_wei=0),),
        (Chunk(start=1, count=5, deposit_wei=0),),
        (Chunk(start=0, count=5, deposit_wei=0), Chunk(start=5, count=0, deposit_wei=0)),
    ],
)
def test_journal_with_gaps_is_damaged(chunks: tuple[Chunk, ...]) -> None:
    with pytest.raises(InputError) as caught:
        journal(*chunks)
    assert caught.value.code == "journal_damaged"


def test_journal_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    written = journal(
        Chunk(start=0, count=2, deposit_wei=2**70, sent=SENT, block=9, is_verified=True),
        Chunk(start=2, count=3, deposit_wei=0, sent=replace(SENT, account_nonce=8)),
    )
    file = JournalFile(
        tmp_path / "journal", BulkJournal, format=written.format, version=written.version
    )
    with file:
        assert file.load() is None
        file.save(written)
        assert file.load() == written
    assert written.verified == 2
    assert not written.is_done
    assert written.unspent_wei == 2**80 - 2**70
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


def test_second_process_cannot_use_the_journal(tmp_path: Path) -> None:
    def file() -> JournalFile[BulkJournal]:
        return JournalFile(tmp_path / "journal", BulkJournal, format="x", version=1)

    with file():
        with pytest.raises(UsageError) as caught, file():
            pass
        assert caught.value.code == "journal_in_use"
    with file():
        pass


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": "phalanx-validator-move"', b"[1]"])
def test_other_file_is_no_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    file = JournalFile(path, MoveJournal, format="phalanx-validator-move", version=1)
    with file, pytest.raises(InputError) as caught:
        file.load()
    assert caught.value.code == "journal_damaged"
    assert path.read_bytes() == content


def test_move_journal_comes_back_with_its_silence(tmp_path: Path) -> None:
    written = MoveJournal(
        chain_id=1,
        registry="r",
        owner="o",
        old_operator_ids=(1, 2, 3, 4),
        new_operator_ids=(5, 6, 7, 8),
        keys=("0x11",),
        quiet_epochs=3,
        is_waived=False,
        removal=SENT,
        removal_block=5,
        silence=Silence(first_epoch=4, needed=3, quiet=(4, 5)),
    )
    file = JournalFile(
        tmp_path / "journal", MoveJournal, format=written.format, version=written.version
    )
    with file:
        file.save(written)
        assert file.load() == written
    assert not written.may_register
    assert replace(written, is_waived=True).may_register


@pytest.mark.parametrize(("operators", "most"), [(4, 86), (7, 53), (10, 39), (13, 30)])
def test_as_many_entries_as_the_transaction_pool_takes(operators: int, most: int) -> None:
    """sdk.md 5 has these figures for 128 KiB."""
    ids = tuple(range(1, operators + 1))
    share = keys.key_share(1, ids=ids)
    assert fitting([share] * 100) == most
    assert calldata_bytes([share] * most) <= 128 * 1024 - 256
    assert calldata_bytes([share] * (most + 1)) > 128 * 1024 - 256


def test_digest_tells_other_shares_keys_and_orders_apart() -> None:
    one, two = keys.key_share(1), keys.key_share(2, nonce=1)
    digests = {
        keyshares_digest(shares)
        for shares in (
            [one, two],
            [two, one],
            [one],
            [replace(one, shares_data=b"\0" + one.shares_data[1:]), two],
        )
    }
    assert len(digests) == 4
    assert keys_of([one]) == ("0x" + bytes(one.public_key).hex(),)
