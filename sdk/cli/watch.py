"""`phalanx watch`: alerts on runway, fees, operators and registrations.

Alerts go to stdout, one line each, as JSON with `--json`; and to a webhook if one is named.
Source: docs/liquidator.md, "Watching".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sdk.cli.chain_options import OPERATOR_ID, ChainOptions, reading_options
from sdk.cli.inputs import AddressType
from sdk.cli.output import plain
from sdk.cli.passwords import PasswordSource
from sdk.errors import UsageError
from sdk.types import Address, ClusterId, OperatorId

if TYPE_CHECKING:
    from sdk.keeper.alerts import Alert

DUE: Final = 10
"""Exit code of `--once` if something is due; no error has it."""
BLOCKS_PER_DAY: Final = 7_200
DEFAULT_DAYS: Final = (30, 7, 1)
_CLUSTER_BYTES: Final = 32


class ClusterIdType(click.ParamType[ClusterId]):
    """A cluster's id, 32 bytes as hex."""

    name = "id"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> ClusterId:
        if isinstance(value, bytes):
            return ClusterId(value)
        try:
            raw = bytes.fromhex(str(value).removeprefix("0x"))
        except ValueError:
            raw = b""
        if len(raw) != _CLUSTER_BYTES:
            self.fail(f"{str(value)[:80]!r} is no id of 64 hex digits", parameter, context)
        return ClusterId(raw)


@click.command()
@click.option("--owner", "owners", type=AddressType(), multiple=True, help="All of its clusters.")
@click.option("--cluster", "clusters", type=ClusterIdType(), multiple=True, help="One cluster.")
@click.option(
    "--operator",
    "operators",
    type=OPERATOR_ID,
    multiple=True,
    metavar="ID",
    help="An operator, and all clusters that contain it.",
)
@click.option(
    "--runway-days",
    type=click.IntRange(1, 10_000),
    multiple=True,
    help="Warn below so many days of 7,200 blocks; 30, 7 and 1 if no threshold is given.",
)
@click.option(
    "--runway-blocks", type=click.IntRange(min=1), multiple=True, help="The same in blocks."
)
@click.option(
    "--webhook",
    envvar="PHALANX_WEBHOOK",
    metavar="URL",
    help="Send alerts there [env: PHALANX_WEBHOOK, for an address that holds an access key].",
)
@click.option(
    "--webhook-secret-file",
    type=click.Path(path_type=Path),
    help="File with the secret that signs what the webhook is sent.",
)
@click.option("--webhook-secret-env", metavar="NAME", help="Environment variable with that secret.")
@click.option("--once", is_flag=True, help="Look once; exit code 10 if something is due.")
@reading_options
@click.pass_context
def watch(
    context: click.Context,
    chain: ChainOptions,
    owners: tuple[Address, ...],
    clusters: tuple[ClusterId, ...],
    operators: tuple[int, ...],
    runway_days: tuple[int, ...],
    runway_blocks: tuple[int, ...],
    webhook: str | None,
    webhook_secret_file: Path | None,
    webhook_secret_env: str | None,
    once: bool,
) -> None:
    """Warns of clusters that run dry, of fees, lost operators and refused registrations.

    Watches everything unless owners, clusters or operators are named. Runs until SIGTERM or Ctrl-C.
    """
    from sdk.cli.keepers import follow_registry, run_until_told
    from sdk.cli.open_session import open_session
    from sdk.keeper.alerts import Alarms
    from sdk.keeper.conditions import Filters
    from sdk.keeper.deliveries import Webhook
    from sdk.keeper.watching import Watch, judge_for

    filters = Filters(
        frozenset(owners), frozenset(clusters), frozenset(OperatorId(each) for each in operators)
    )
    days = runway_days or (() if runway_blocks else DEFAULT_DAYS)
    alarms = Alarms(
        filters, runway_blocks=[*runway_blocks, *(each * BLOCKS_PER_DAY for each in days)]
    )
    secret = PasswordSource(file=webhook_secret_file, env=webhook_secret_env)
    if webhook is None and secret != PasswordSource():
        raise UsageError("a secret is given, but no webhook", code="webhook_missing")
    session = open_session(chain)
    hook = None
    if webhook is not None:
        is_signed = secret != PasswordSource()
        hook = Webhook(
            webhook,
            secret=secret.read("the webhook") if is_signed else None,
            voice=session.output,
            network={"registry": session.client.registry, "network": chain.network},
        )

    def say(alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            click.echo(_line(alert, as_json=chain.as_json))
        if hook is not None:
            hook.put(alerts)

    async def work() -> None:
        look = Watch(alarms, say, is_once=once)
        async with hook or nullcontext():
            await follow_registry(session, look.act, judge=judge_for(filters), is_once=once)
            if hook is not None:
                await hook.flush()

    # With --once they are delivered at the end, so that a failure is told by the exit code.
    run_until_told(work, *([] if hook is None or once else [hook.run]))
    if not once:
        session.output.step("stopped")
    elif alarms.standing:
        context.exit(DUE)


def _line(alert: Alert, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(alert.as_json())
    return plain(f"block {alert.block} {alert.kind} {alert.news}: {alert.text}")
