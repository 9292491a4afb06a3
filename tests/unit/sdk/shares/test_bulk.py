"""Splitting many keystores: one derivation each, bounded memory, interruptible, resumable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sdk.crypto import password_box
from sdk.crypto.keystore import Decrypted, parse_keystore
from sdk.crypto.password_box import Kdf, PasswordForm, Pbkdf2, Scrypt
from sdk.crypto.secret import Password
from sdk.errors import InputError, InvariantBroken, UsageError
from sdk.shares import bulk
from sdk.shares.bulk import Job, Outcome, Step, split_keystores, worker_count
from sdk.shares.consistency import Expected
from sdk.shares.journal import Journal
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.verify import verify_keyshares
from sdk.testing.keys import (
    KEYSTORE_PASSWORD,
    OWNER,
    keyshares,
    keystore,
    operators,
    validator_secret,
)

OPERATORS = operators()


def job(
    number: int,
    *,
    password: Callable[[], Password] = lambda: KEYSTORE_PASSWORD,
    kdf: Kdf | None = None,
) -> Job:
    data = keystore(number, kdf=kdf) if kdf else keystore(number)
    return Job(parse_keystore(data, source=f"keystore-{number}.json"), password, nonce=number)


def wrong() -> Password:
    return Password(b"wrong")


def split(
    jobs: Sequence[Job],
    journal: Journal | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
    workers: int = 2,
) -> Outcome:
    return split_keystores(
        jobs, OPERATORS, owner=OWNER, workers=workers, journal=journal, on_step=on_step
    )


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The salt of every key derivation that was made."""
    salts: list[bytes] = []
    derive = password_box._derive

    def counted(password: bytes, kdf: Kdf, salt: bytes, *, source: str) -> bytes:
        salts.append(salt)
        return derive(password, kdf, salt, source=source)

    monkeypatch.setattr(password_box, "_derive", counted)
    return salts


def test_every_keystore_becomes_a_sound_entry_with_its_nonce(derivations: list[bytes]) -> None:
    jobs = [job(number) for number in range(5, 25)]
    derivations.clear()
    outcome = split(jobs)
    assert [share.nonce for share in outcome.shares] == list(range(5, 25))
    assert outcome.failures == ()
    reading = read_keyshares(keyshares(*outcome.shares))
    assert verify_keyshares(reading, Expected(owner=OWNER, nonce=5)) == []
    named = [each.keystore.public_key for each in jobs]
    assert [share.public_key for share in outcome.shares] == named
    assert sorted(derivations) == sorted(each.keystore.sealed.salt for each in jobs)


def test_wrong_password_is_reported_and_stops_no_other() -> None:
    steps: list[Step] = []
    jobs = [job(1), job(2, password=wrong), job(3), job(4, password=wrong)]
    outcome = split(jobs, on_step=steps.append)
    assert [share.nonce for share in outcome.shares] == [1, 3]
    assert [(f.job.nonce, f.error.code) for f in outcome.failures] == [
        (2, "keystore_password"),
        (4, "keystore_password"),
    ]
    assert [step.done for step in steps] == [1, 2, 3, 4]
    assert {step.total for step in steps} == {4}
    assert {step.job.nonce: step.error is None for step in steps} == {
        1: True,
        2: False,
        3: True,
        4: False,
    }


def test_password_that_cannot_be_had_is_a_failure_of_its_job() -> None:
    def missing() -> Password:
        raise InputError("no such file", code="file_unreadable")

    outcome = split([job(1, password=missing), job(2)])
    assert [f.error.code for f in outcome.failures] == ["file_unreadable"]
    assert [share.nonce for share in outcome.shares] == [2]


def test_form_of_the_password_is_told() -> None:
    raw_only = Password("pässword".encode("latin-1"))
    steps: list[Step] = []
    box = parse_keystore(keystore(1), source="k")
    outcome = split([Job(box, lambda: raw_only, 1), job(2)], on_step=steps.append)
    assert {step.job.nonce: step.form for step in steps} == {1: None, 2: PasswordForm.STANDARD}
    assert len(outcome.failures) == 1


def test_faulty_machine_is_no_failure_of_one_keystore(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object, **__: object) -> object:
        raise InvariantBroken("the shares do not recombine")

    monkeypatch.setattr(bulk, "split_key", faulty)
    with pytest.raises(InvariantBroken):
        split([job(1)])


def test_nothing_to_do_gives_nothing() -> None:
    assert split([]) == Outcome((), ())


def test_finished_entries_are_taken_from_the_journal(
    tmp_path: Path, derivations: list[bytes]
) -> None:
    jobs = [job(number) for number in range(6)]
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        first = split(jobs[:4], journal)
    derivations.clear()
    steps: list[Step] = []
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        outcome = split(jobs, journal, on_step=steps.append)
    assert outcome.shares[:4] == first.shares
    assert sorted(derivations) == sorted(each.keystore.sealed.salt for each in jobs[4:])
    assert [(step.done, step.total) for step in steps] == [(5, 6), (6, 6)]


def test_replaced_keystore_and_moved_nonce_are_done_anew(
    tmp_path: Path, derivations: list[bytes]
) -> None:
    first = [job(1), job(2), job(3)]
    jobs = [first[0], replace(job(5), nonce=2), replace(first[2], nonce=4)]
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        split(first, journal)
    derivations.clear()
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        outcome = split(jobs, journal)
    assert sorted(derivations) == sorted(each.keystore.sealed.salt for each in jobs[1:])
    assert [share.nonce for share in outcome.shares] == [1, 2, 4]
    keys = [each.keystore.public_key for each in jobs]
    assert [share.public_key for share in outcome.shares] == keys


def test_entries_of_the_journal_that_no_job_asks_for_are_left_out(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        split([job(1), job(2)], journal)
        assert [share.nonce for share in split([job(2)], journal).shares] == [2]


def test_interrupted_run_keeps_what_was_reported_and_starts_no_other_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, derivations: list[bytes]
) -> None:
    cancelled = threading.Event()
    started: list[int] = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            cancelled.set()
            super().shutdown(wait=wait)

    def password(number: int) -> Callable[[], Password]:
        def ask() -> Password:
            started.append(number)
            # The third job runs until the others are cancelled.
            assert number < 2 or cancelled.wait(timeout=10)
            return KEYSTORE_PASSWORD

        return ask

    def interrupt(step: Step) -> None:
        if step.done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "ThreadPoolExecutor", Pool)
    jobs = [job(number, password=password(number)) for number in range(8)]
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        # The caught error holds the frames, so nothing is cleaned up by their going away.
        with pytest.raises(KeyboardInterrupt) as stopped:
            split(jobs, journal, on_step=interrupt, workers=1)
        assert cancelled.is_set()
        assert stopped.tb is not None
        assert started == [0, 1, 2]

    derivations.clear()
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        assert list(journal.finished) == [jobs[0].key, jobs[1].key]
        outcome = split(jobs, journal)
    assert [share.nonce for share in outcome.shares] == list(range(8))
    assert sorted(derivations) == sorted(each.keystore.sealed.salt for each in jobs[2:])


@pytest.mark.parametrize(
    ("kdfs", "cores", "limit_mib", "workers"),
    [
        ([Pbkdf2()], 8, 1, 8),
        ([Scrypt()], 8, 1024, 4),
        ([Scrypt()], 2, 1024, 2),
        ([Scrypt(), Pbkdf2()], 8, 512, 2),
        ([Scrypt()], 8, 256, 1),
        ([], 8, 1024, 8),
    ],
)
def test_workers_are_one_per_core_unless_memory_would_not_do(
    kdfs: list[Kdf], cores: int, limit_mib: int, workers: int
) -> None:
    cheap = parse_keystore(keystore(1))
    jobs = []
    for kdf in kdfs:
        sealed = type(cheap.sealed)(kdf, bytes(32), bytes(16), bytes(32), bytes(32))
        box = type(cheap)(sealed, None, "", "", "", "k")
        jobs.append(Job(box, lambda: KEYSTORE_PASSWORD, 0))
    assert worker_count(jobs, cores=cores, memory_limit_bytes=limit_mib << 20) == workers


def test_keystore_that_alone_exceeds_the_memory_limit_is_refused() -> None:
    cheap = parse_keystore(keystore(1))
    sealed = type(cheap.sealed)(Scrypt(), bytes(32), bytes(16), bytes(32), bytes(32))
    job = Job(type(cheap)(sealed, None, "", "", "", "k"), lambda: KEYSTORE_PASSWORD, 0)
    with pytest.raises(UsageError, match="needs 256 MiB to be opened, the limit is 100 MiB"):
        worker_count([job], cores=2, memory_limit_bytes=100 << 20)


def test_journal_entry_of_another_validator_is_refused(tmp_path: Path) -> None:
    mine, other = job(1), job(2)
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        (share,) = split([replace(other, nonce=1)]).shares
        journal.add(share, keystore=mine.key[0])
        with pytest.raises(InputError, match="another validator's entry") as caught:
            split([mine], journal)
    assert caught.value.code == "journal_damaged"


def test_keystore_that_does_not_name_its_key_is_opened_anew(
    tmp_path: Path, derivations: list[bytes]
) -> None:
    named = job(1)
    unnamed = replace(named, keystore=replace(named.keystore, public_key=None))
    with Journal(tmp_path / "j", owner=OWNER, operators=OPERATORS) as journal:
        split([unnamed], journal)
        derivations.clear()
        assert len(split([unnamed], journal).shares) == 1
    assert derivations == [named.keystore.sealed.salt]


def test_opened_keys_serve_a_second_call_without_a_derivation(derivations: list[bytes]) -> None:
    jobs = [job(1), job(2)]
    derivations.clear()
    opened: dict[str, Decrypted] = {}
    common = {"owner": OWNER, "workers": 1, "opened": opened}
    split_keystores(jobs, OPERATORS, **common)  # type: ignore[arg-type]
    moved = [replace(each, nonce=each.nonce + 5) for each in jobs]
    outcome = split_keystores(moved, OPERATORS, **common)  # type: ignore[arg-type]
    assert [share.nonce for share in outcome.shares] == [6, 7]
    assert sorted(derivations) == sorted(each.keystore.sealed.salt for each in jobs)


def test_nothing_that_a_run_returns_shows_a_secret() -> None:
    jobs = [job(1), job(2, password=wrong)]
    text = repr(jobs) + repr(split(jobs))
    assert KEYSTORE_PASSWORD.reveal().decode() not in text
    for number in (1, 2):
        assert validator_secret(number).to_bytes().hex() not in text
        assert repr(validator_secret(number).to_bytes()) not in text
        assert str(validator_secret(number).reveal()) not in text
