"""`phalanx validators move`: to other operators, without the risk of being slashed on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import ChainOptions, OperatorIdsType, journal_options
from sdk.cli.inputs import load_keyshares_file, path_type
from sdk.cli.open_session import open_session
from sdk.cli.output import counted
from sdk.cli.validator_registrations import deposit_option, runway_option, tell_step
from sdk.errors import UsageError

if TYPE_CHECKING:
    from sdk.cli.chain_session import Session
    from sdk.client.move import Move, MoveStep

beacon_option = click.option(
    "--beacon",
    envvar="PHALANX_BEACON",
    metavar="URL",
    help="Beacon node [env: PHALANX_BEACON, for an address that holds an access key].",
)
WAIVER = "--accept-slashing-risk-of-not-waiting"
EXPLANATION = (
    "If the old and the new operators sign for a validator at the same time, they can sign two "
    "different votes for one epoch. That is slashable: the validator loses stake and is ejected.",
    "So: remove, wait until the removal is final, wait until a beacon node has seen no sign of "
    "life in {epochs} whole epochs in a row, then register. The validator earns nothing meanwhile.",
)


@click.command()
@click.argument("keyshares", type=path_type)
@click.option(
    "--from-operators",
    type=OperatorIdsType(),
    required=True,
    help="The present operators, ascending, as 1,2,3,4.",
)
@deposit_option
@runway_option
@beacon_option
@click.option(
    "--quiet-epochs",
    type=click.IntRange(min=2),
    default=3,
    show_default=True,
    help="Epochs in a row without a sign of life.",
)
@click.option(
    WAIVER,
    "accept_slashing_risk",
    is_flag=True,
    help="Register at once after the removal. Only if the old operators surely have stopped.",
)
@click.option(
    "--journal", type=path_type, help="Where progress is noted [default: KEYSHARES.move]."
)
@journal_options
def move(
    chain: ChainOptions,
    keyshares: Path,
    from_operators: tuple[int, ...],
    deposit: int | None,
    runway_days: int | None,
    beacon: str | None,
    quiet_epochs: int,
    accept_slashing_risk: bool,
    journal: Path | None,
) -> None:
    """Move validators to the operators of a new keyshares file: remove, wait, register.

    Takes about half an hour and up to an hour. Interrupted, the same command goes on where it
    stopped. What is left in the old cluster can be withdrawn afterwards.
    """
    if beacon is None and not accept_slashing_risk:
        raise UsageError(
            "without a beacon node nobody can tell when the old operators are silent, and "
            "registering before that can get the validators slashed",
            code="beacon_missing",
            hint=f"Give --beacon, or say {WAIVER}.",
        )
    file = load_keyshares_file(keyshares)
    session = open_session(chain)
    session.require_ready()
    from sdk.client.beacon import BeaconNode
    from sdk.client.move import Move, move_journal_file

    path = journal or keyshares.with_name(keyshares.name + ".move")
    node = None if beacon is None else BeaconNode(beacon)
    with move_journal_file(path) as journal_file:
        moving = Move(
            session.client,
            node,
            file.shares,
            journal_file,
            tell=lambda step: _tell(session, step),
            tell_registration=lambda step: tell_step(session, step),
        )
        _explain(session, waived=accept_slashing_risk, epochs=quiet_epochs)
        if moving.journal is None:
            begun, removal, registration = moving.plan(
                from_operators,
                deposit_wei=deposit,
                runway_days=runway_days,
                quiet_epochs=quiet_epochs,
                accept_slashing_risk=accept_slashing_risk,
            )
            _warn(session, moving)
            if removal is not None:
                session.show_plan(removal)
            session.say_lines(registration.lines())
        elif moving.journal.old_operator_ids != from_operators:
            raise UsageError(
                f"{path} is of a move away from operators "
                f"{', '.join(map(str, moving.journal.old_operator_ids))}",
                code="journal_of_another_run",
                hint="Name those with --from-operators, or give another --journal.",
            )
        else:
            begun = moving.journal
            session.output.step(f"going on with the move noted in {path}")
        facts = {"validators": len(begun.keys), "to_operators": list(begun.new_operator_ids)}
        if chain.dry_run:
            session.output.result({**facts, "sent": False}, "dry run: nothing was sent")
            return
        session.confirm()
        if moving.journal is None:
            moving.begin(begun)
        if accept_slashing_risk:
            moving.waive()
        done = moving.run(deposit_wei=deposit, runway_days=runway_days)
    ids = ", ".join(map(str, done.new_operator_ids))
    quiet = [] if done.silence is None else list(done.silence.quiet)
    session.output.result(
        {**facts, "sent": True, "journal": str(path), "quiet_epochs": quiet},
        f"{counted(len(done.keys), 'validator')} moved to operators {ids}",
    )


def _explain(session: Session, *, waived: bool, epochs: int) -> None:
    for line in EXPLANATION:
        session.output.note(line.format(epochs=epochs))
    if waived:
        session.output.note(
            f"{WAIVER} is set: the validators are registered right after their removal, whether "
            "their old operators have stopped or not"
        )


def _warn(session: Session, moving: Move) -> None:
    if moving.unheard_active:
        # Before the removal this is refused; after it there is nothing left to try the node on.
        session.output.note(
            f"the validators are removed already, and the beacon node saw no sign of life of "
            f"{counted(moving.unheard_active, 'active validator')} in the last epoch: they are "
            "silent, or it does not track liveness, and its silence proves little"
        )


def _tell(session: Session, step: MoveStep) -> None:
    session.output.step(step.text, kind=step.kind, **step.facts)
