"""`phalanx validators exit`: by the operators, or by the withdrawal address without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sdk.cli.chain_options import ChainOptions, OperatorIdsType, writing_options
from sdk.cli.open_session import open_session
from sdk.cli.output import counted
from sdk.cli.validator_keys_argument import keys_argument
from sdk.cli.validator_moves import beacon_option
from sdk.errors import PartialError, PhalanxError, UsageError

if TYPE_CHECKING:
    from sdk.cli.chain_session import Session
    from sdk.client import PreparedCall


@click.command("exit")
@keys_argument
@click.option(
    "--operators",
    "operator_ids",
    type=OperatorIdsType(),
    help="The cluster's operator ids, ascending, as 1,2,3,4.",
)
@click.option(
    "--from-withdrawal-address",
    is_flag=True,
    help="Ask the protocol itself (EIP-7002); needs no operator, and the withdrawal address signs.",
)
@beacon_option
@writing_options
def exit_(
    chain: ChainOptions,
    keys: tuple[str, ...],
    operator_ids: tuple[int, ...] | None,
    from_withdrawal_address: bool,
    beacon: str | None,
) -> None:
    """End validators on the beacon chain for good.

    Through the registry, the operators are asked to sign the voluntary exits: it takes 2f+1 of
    them, and f+1 can refuse. --from-withdrawal-address needs none of them.
    """
    if from_withdrawal_address:
        if operator_ids is not None:
            raise UsageError(
                "--operators and --from-withdrawal-address exclude each other", code="exit_way"
            )
        _by_withdrawal_address(chain, keys, beacon)
        return
    if operator_ids is None:
        raise UsageError(
            "--operators is missing",
            code="exit_way",
            hint="Name the cluster's operators, or use --from-withdrawal-address.",
        )
    session = open_session(chain)
    session.output.note(
        "an exit cannot be taken back; the operators sign it some blocks after this request, and "
        "`validators list --beacon` shows it. Fees are charged until the validators are removed, "
        "which is for after the exit"
    )
    session.submit(session.client.validators.exit(operator_ids, keys))


def _by_withdrawal_address(chain: ChainOptions, keys: tuple[str, ...], beacon: str | None) -> None:
    if beacon is None:
        raise UsageError(
            "the beacon chain ignores a request that is not in order, without a word; it has to be "
            "checked first",
            code="beacon_missing",
            hint="Give --beacon.",
        )
    if len(keys) > 1 and (chain.export or chain.safe):
        raise UsageError(
            "each exit is a call of its own", code="exit_way", hint="Export one by one."
        )
    session = open_session(chain)
    session.require_ready()
    from sdk.client.beacon import BeaconNode
    from sdk.client.exits import prepare_exits

    calls = prepare_exits(session.client, BeaconNode(beacon), keys)
    if len(calls) == 1:
        session.submit(calls[0], known=False)
        return
    _submit_all(session, calls)


def _submit_all(session: Session, calls: list[PreparedCall]) -> None:
    """Several requests, one transaction each."""
    from sdk.cli.chain_session import receipt_facts

    for call in calls:
        session.show_plan(call.plan())
    if session.options.dry_run:
        session.output.result({"sent": False}, "dry run: nothing was sent")
        return
    session.confirm()
    sent: list[dict[str, object]] = []
    progress = session.output.progress(len(calls), "exits asked for")
    for call in calls:
        try:
            sent.append(receipt_facts(session.send(call)))
        except PhalanxError as problem:
            if not sent:
                raise
            raise PartialError(
                f"{len(sent)} of {len(calls)} exits are asked for, then: {problem.message}",
                code="exited_in_part",
                hint="Give the command again for the others; those asked for are refused as "
                "exiting once the beacon chain has seen them.",
                data={"cause": problem.code, "transactions": sent},
            ) from problem
        progress.advance(len(sent), call.draft.action)
    session.output.result(
        {"sent": True, "transactions": sent}, f"{counted(len(sent), 'exit')} asked for"
    )
