"""Splitting many keystores at once: all cores, bounded memory, one derivation per keystore.

Key derivation releases the interpreter lock and takes nearly all the time, so threads use every
core. Each finished entry goes to the journal; an interrupted or partly failed run resumes from it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from sdk.crypto.keystore import Decrypted, Keystore, decrypt
from sdk.crypto.password_box import PasswordForm, memory_bytes
from sdk.crypto.secret import Password
from sdk.errors import InputError, UsageError
from sdk.shares.journal import Journal
from sdk.shares.keyshares_file import KeyShare
from sdk.shares.split import Operator, split_key
from sdk.types import Address

DEFAULT_MEMORY_BYTES: Final = 1 << 30
"""Four scrypt derivations at the cost the deposit tools use (256 MiB each)."""


@dataclass(frozen=True, slots=True)
class Job:
    """One keystore to split; `password` is asked for only when the job runs."""

    keystore: Keystore
    password: Callable[[], Password]
    nonce: int

    @property
    def key(self) -> tuple[str, int]:
        """What a journal knows the job by: the keystore's checksum, and the nonce."""
        return self.keystore.sealed.checksum.hex(), self.nonce


@dataclass(frozen=True, slots=True)
class Failure:
    """A keystore that could not be split, and why."""

    job: Job
    error: InputError


@dataclass(frozen=True, slots=True)
class Outcome:
    """Entries by ascending nonce, and what failed. The file may be written only if nothing did."""

    shares: tuple[KeyShare, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One job has ended: `error` is None if it succeeded, `form` says how its password was read."""

    job: Job
    error: InputError | None
    form: PasswordForm | None
    done: int
    total: int


def worker_count(jobs: Sequence[Job], *, cores: int, memory_limit_bytes: int) -> int:
    """Threads to use: one per core, fewer if their derivations would exceed the memory limit.

    Raises:
        UsageError: `memory_limit`, one derivation alone exceeds it.
    """
    largest = max((memory_bytes(job.keystore.sealed.kdf) for job in jobs), default=0)
    if largest > memory_limit_bytes:
        raise UsageError(
            f"one of the keystores needs {-(-largest // 2**20)} MiB to be opened, the limit is "
            f"{memory_limit_bytes >> 20} MiB",
            code="memory_limit",
            hint="Raise the limit.",
        )
    return max(1, min(cores, memory_limit_bytes // max(1, largest)))


def split_keystores(
    jobs: Sequence[Job],
    operators: Sequence[Operator],
    *,
    owner: Address,
    workers: int,
    journal: Journal | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
    opened: dict[str, Decrypted] | None = None,
) -> Outcome:
    """An entry for every keystore, or the reason why not; one failure does not stop the others.

    Args:
        jobs: keystores with their nonces; a nonce appears once.
        operators: 4, 7, 10 or 13 operators.
        owner: the account that will register.
        workers: threads, see `worker_count`.
        journal: finished entries of an earlier run are taken from it, new ones are added.
        on_step: called in this thread after each job.
        opened: keys of opened keystores by checksum, kept here for a further call, which then
            derives nothing twice. Left out, no key outlives its job.

    Raises:
        InputError: `journal_damaged`, an entry is not for the keystore it names.
        KeyboardInterrupt: passed on after running derivations ended; every job that `on_step`
            was told of is in the journal.
        InvariantBroken: the machine or a library is faulty; no job can be trusted then.
    """
    shares = _from_journal(jobs, journal) if journal else {}
    failures: list[Failure] = []
    waiting = [job for job in jobs if job.nonce not in shares]
    done = len(jobs) - len(waiting)
    # Closed at once on any error, or the jobs still waiting would run before the process may end.
    with closing(_run(waiting, operators, owner, workers, opened)) as results:
        for job, result in results:
            done += 1
            if isinstance(result, InputError):
                failures.append(Failure(job, result))
                on_step(Step(job, result, None, done=done, total=len(jobs)))
                continue
            share, form = result
            shares[job.nonce] = share
            if journal:
                journal.add(share, keystore=job.key[0])
            on_step(Step(job, None, form, done=done, total=len(jobs)))
    failures.sort(key=lambda failure: failure.job.nonce)
    return Outcome(tuple(shares[nonce] for nonce in sorted(shares)), tuple(failures))


def _from_journal(jobs: Sequence[Job], journal: Journal) -> dict[int, KeyShare]:
    """Finished entries of these jobs; a keystore that does not name its key is opened anew."""
    shares = {}
    for job in jobs:
        share = journal.finished.get(job.key)
        if share is None or job.keystore.public_key is None:
            continue
        if share.public_key != job.keystore.public_key:
            raise InputError(
                f"{journal.path} holds another validator's entry for {job.keystore.source}",
                code="journal_damaged",
                hint="Delete it to start anew; nothing else is lost.",
            )
        shares[job.nonce] = share
    return shares


def _run(
    jobs: Sequence[Job],
    operators: Sequence[Operator],
    owner: Address,
    workers: int,
    opened: dict[str, Decrypted] | None,
) -> Generator[tuple[Job, tuple[KeyShare, PasswordForm] | InputError], None, None]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="split")
    try:
        futures: dict[Future[tuple[KeyShare, PasswordForm]], Job] = {
            pool.submit(_split, job, operators, owner, opened): job for job in jobs
        }
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except InputError as problem:
                yield futures[future], problem
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _split(
    job: Job,
    operators: Sequence[Operator],
    owner: Address,
    opened: dict[str, Decrypted] | None,
) -> tuple[KeyShare, PasswordForm]:
    decrypted = opened.get(job.key[0]) if opened else None
    if decrypted is None:
        decrypted = decrypt(job.keystore, job.password())
    if opened is not None:
        opened[job.key[0]] = decrypted
    share = split_key(
        decrypted.secret,
        operators,
        owner=owner,
        nonce=job.nonce,
        random_below=secrets.randbelow,
    )
    return share, decrypted.form
