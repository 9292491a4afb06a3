"""`phalanx keys split`: keystores in, one verified keyshares file out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from sdk.cli.inputs import (
    AddressType,
    choose_operators,
    operators_digest,
    operators_from_lists,
    path_type,
    read_operators,
)
from sdk.cli.keystore_inputs import gather_keystores, load_keystores
from sdk.cli.output import Output, counted, dry_run_option, json_option, overwrite_option
from sdk.cli.passwords import PasswordSource, password_options
from sdk.crypto.keystore import Decrypted
from sdk.crypto.password_box import PasswordForm
from sdk.crypto.secret import Password
from sdk.errors import InputError, InvariantBroken, KeysharesError, PartialError, UsageError
from sdk.files import refuse_existing, write_private
from sdk.shares.bulk import (
    DEFAULT_MEMORY_BYTES,
    Job,
    Outcome,
    Step,
    split_keystores,
    worker_count,
)
from sdk.shares.consistency import NONCE_LIMIT, NONCE_WARNING, across_entries
from sdk.shares.journal import Journal
from sdk.shares.keyshares_file import WRITTEN_VERSIONS, KeyShare, KeysharesFile, write_keyshares
from sdk.shares.keyshares_reader import read_keyshares
from sdk.shares.split import Operator, check_operators
from sdk.types import Address, checksum_address


@click.command()
@click.argument("keystores", nargs=-1, required=True, type=path_type)
@click.option(
    "--owner",
    "--owner-address",
    type=AddressType(),
    required=True,
    help="Account that will register the validators.",
)
@click.option(
    "--nonce",
    "--owner-nonce",
    type=click.IntRange(min=0),
    required=True,
    help="Its next registration nonce; keystores take it and the following ones, by file name.",
)
@click.option(
    "--operators", "operators_file", type=path_type, help="Operators (JSON list of id and key)."
)
@click.option("--operator-ids", help="Ids to take, as 1,2,3,4.")
@click.option("--operator-keys", help="Their public keys, comma-separated, instead of --operators.")
@click.option("--out", type=path_type, required=True, help="The keyshares file to write.")
@click.option(
    "--file-version",
    type=click.Choice(WRITTEN_VERSIONS),
    default=WRITTEN_VERSIONS[0],
    show_default=True,
)
@click.option("--workers", type=click.IntRange(min=1), help="Threads [default: one per core].")
@click.option(
    "--memory-mib",
    type=click.IntRange(min=1),
    default=DEFAULT_MEMORY_BYTES >> 20,
    show_default=True,
    help="Limit for all derivations together.",
)
@click.option(
    "--skip-invalid",
    is_flag=True,
    help="Leave out keystores that fail; the nonces of those after them move up.",
)
@click.option("--allow-high-nonce", is_flag=True, help=f"Go to nonce {NONCE_LIMIT} and beyond.")
@password_options(folder=True)
@overwrite_option
@dry_run_option
@json_option
def split(
    keystores: tuple[Path, ...],
    owner: Address,
    nonce: int,
    operators_file: Path | None,
    operator_ids: str | None,
    operator_keys: str | None,
    out: Path,
    file_version: str,
    workers: int | None,
    memory_mib: int,
    skip_invalid: bool,
    allow_high_nonce: bool,
    password: PasswordSource,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Split validator keystores (files or a folder) into shares for 4, 7, 10 or 13 operators.

    Works offline. Each keystore is opened once; passwords never stand in arguments. An
    interrupted run goes on where it stopped when the same command is given again.
    """
    output = Output(as_json=as_json)
    refuse_existing(out, overwrite=overwrite)
    operators = _operators(operators_file, operator_ids, operator_keys)
    files = gather_keystores(keystores, output)
    output.step(f"reading {counted(len(files), 'keystore')}")
    loaded = load_keystores(files, output, skip_invalid=skip_invalid)
    _check_nonces(nonce, len(loaded), output, allow_high=allow_high_nonce)
    passwords = _nobody if dry_run else password.for_keystores()
    jobs = [
        Job(keystore, partial(passwords, path), nonce + index)
        for index, (path, keystore) in enumerate(loaded)
    ]
    threads = worker_count(
        jobs, cores=workers or os.cpu_count() or 1, memory_limit_bytes=memory_mib << 20
    )
    facts = {
        "validators": len(jobs),
        "owner": checksum_address(owner),
        "first_nonce": nonce,
        "operator_ids": [operator.id for operator in operators],
        "operators_digest": operators_digest(operators),
        "file": str(out),
    }
    output.step(
        f"{counted(len(jobs), 'validator')} for operators "
        f"{', '.join(str(operator.id) for operator in operators)} "
        f"(operator set {operators_digest(operators)}), owner {checksum_address(owner)}, "
        f"{_nonces(nonce, len(jobs))}, {counted(threads, 'thread')}"
    )
    if dry_run:
        assigned = _assignments([(job.nonce, job.keystore.source) for job in jobs])
        output.result(facts | {"written": False}, f"{assigned}\ndry run: {out} not written")
        return
    with Journal(_journal_path(out), owner=owner, operators=operators) as journal:
        done = sum(job.key in journal.finished for job in jobs)
        if done:
            output.step(f"going on with {journal.path}: {done} of {len(jobs)} are done")
        try:
            outcome = _run(jobs, operators, owner, threads, journal, output, skip_invalid)
        except KeyboardInterrupt:
            raise _interrupted(journal, jobs) from None
        finally:
            if not journal.finished:
                journal.remove()
        _write(out, outcome.shares, file_version, overwrite=overwrite)
        journal.remove()
    skipped = len(files) - len(outcome.shares)
    written = {
        "written": True,
        "split": len(outcome.shares),
        "skipped": skipped,
        "nonces": {f"0x{share.public_key.hex()}": share.nonce for share in outcome.shares},
    }
    output.result(
        facts | written,
        _assignments([(share.nonce, f"0x{share.public_key.hex()}") for share in outcome.shares])
        + f"\nwrote {out}: {counted(len(outcome.shares), 'validator')}, verified. Register them as "
        f"{checksum_address(owner)}, starting at nonce {nonce}.",
    )
    if skipped:
        raise click.exceptions.Exit(PartialError.exit_code)


def _run(
    jobs: Sequence[Job],
    operators: Sequence[Operator],
    owner: Address,
    threads: int,
    journal: Journal,
    output: Output,
    skip_invalid: bool,
) -> Outcome:
    progress = output.progress(len(jobs), "split")
    noted: set[str] = set()

    def on_step(step: Step) -> None:
        problem = "" if step.error is None else step.error.message
        progress.advance(step.done, step.job.keystore.source, problem)
        if step.form is PasswordForm.RAW and step.job.keystore.source not in noted:
            noted.add(step.job.keystore.source)
            output.note(
                f"{step.job.keystore.source} opens only with the password as raw bytes: the tool "
                "that made it did not follow EIP-2335"
            )

    # Leaving one out moves the nonces of others, and none of them shall be derived twice.
    opened: dict[str, Decrypted] | None = {} if skip_invalid else None
    outcome = split_keystores(
        jobs,
        operators,
        owner=owner,
        workers=threads,
        journal=journal,
        on_step=on_step,
        opened=opened,
    )
    if not outcome.failures:
        return outcome
    if not outcome.shares:
        raise InputError(
            f"none of {counted(len(jobs), 'keystore')} could be split; the first: "
            f"{outcome.failures[0].error.message}",
            code=outcome.failures[0].error.code,
            hint="Check that the password file belongs to these keystores.",
        )
    if not skip_invalid:
        raise PartialError(
            f"{len(outcome.failures)} of {len(jobs)} keystores failed; nothing is written, "
            f"{len(outcome.shares)} finished wait in {journal.path}",
            code="keystores_failed",
            hint="Correct them and give the same command again; only they are done anew.",
            data={f.job.keystore.source: f.error.code for f in outcome.failures},
        )
    failed = {failure.job.nonce for failure in outcome.failures}
    kept = [job for job in jobs if job.nonce not in failed]
    moved = [replace(job, nonce=jobs[0].nonce + index) for index, job in enumerate(kept)]
    output.step(
        f"{counted(len(failed), 'keystore')} left out; those after them move up to earlier nonces"
    )
    progress = output.progress(len(moved), "split")
    again = split_keystores(
        moved,
        operators,
        owner=owner,
        workers=threads,
        journal=journal,
        on_step=on_step,
        opened=opened,
    )
    if again.failures:
        raise again.failures[0].error
    return Outcome(again.shares, outcome.failures)


def _write(out: Path, shares: Sequence[KeyShare], version: str, *, overwrite: bool) -> None:
    """Writes the file only if its very bytes read back as the entries, each proven when made."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = write_keyshares(KeysharesFile(tuple(shares), created_at=now, version=version))
    reading = read_keyshares(data)
    if reading.findings or reading.file.shares != tuple(shares):
        raise InvariantBroken("the new keyshares do not read back as they were made")
    for finding in across_entries(reading.file.shares):
        if finding.code == "duplicate_validator":
            raise KeysharesError(
                "the same validator key is in two of the keystores",
                code=finding.code,
                hint="Remove one of the two; nothing was written.",
            )
    write_private(out, data, overwrite=overwrite)


def _operators(file: Path | None, ids: str | None, keys: str | None) -> tuple[Operator, ...]:
    if (file is None) == (keys is None):
        raise UsageError("give --operators FILE, or --operator-ids with --operator-keys")
    if keys is not None and ids is None:
        raise UsageError("--operator-keys needs --operator-ids")
    known = operators_from_lists(ids or "", keys) if keys else read_operators(file or Path())
    chosen = choose_operators(known, ids)
    try:
        return check_operators(chosen)
    except InputError as problem:
        if problem.code != "operator_count":
            raise
        raise InputError(
            f"{file or '--operator-ids'}: {problem.message}",
            code=problem.code,
            hint="Choose among them with --operator-ids, as 1,2,3,4.",
        ) from None


def _nonces(first: int, count: int) -> str:
    return f"nonce {first}" if count == 1 else f"nonces {first} to {first + count - 1}"


def _assignments(rows: Sequence[tuple[int | None, str]]) -> str:
    """Which validator gets which nonce; what is registered in another order is refused."""
    return "\n".join(f"nonce {nonce}: {subject}" for nonce, subject in rows)


def _interrupted(journal: Journal, jobs: Sequence[Job]) -> PartialError:
    done = sum(job.key in journal.finished for job in jobs)
    return PartialError(
        f"stopped by the user; {done} of {len(jobs)} are done, nothing is written",
        code="interrupted",
        hint="Give the same command again to go on.",
    )


def _check_nonces(first: int, count: int, output: Output, *, allow_high: bool) -> None:
    last = first + count - 1
    if last >= NONCE_LIMIT and not allow_high:
        raise InputError(
            f"nonce {last} is not below {NONCE_LIMIT}, where nodes written in Go start again at 0",
            code="nonce_limit",
            hint="Use another owner account, or --allow-high-nonce if you know your operators.",
        )
    if last >= NONCE_WARNING:
        output.note(f"nonce {last} is close to {NONCE_LIMIT}, the last that every node accepts")


def _nobody(keystore: Path) -> Password:
    raise InvariantBroken(f"a dry run asked for the password of {keystore}")


def _journal_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.journal")
