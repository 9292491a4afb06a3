"""One command's session with the registry: its client, its voice, and how a call is submitted.

Imported only when a command runs, because web3 takes its time. It says what will happen and what
it costs, asks, and tells the truth about the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final
from urllib.parse import urlsplit

import click
from web3 import HTTPProvider, Web3

from sdk.cli.chain_options import ChainOptions
from sdk.cli.output import Output
from sdk.client import Client, Forecast, LocalSigner, Plan, PreparedCall, RemoteSigner, Signer
from sdk.client.draft import Receipt
from sdk.client.sending import require_chain
from sdk.errors import ConfigError, InvariantBroken, PartialError, UsageError
from sdk.files import refuse_existing
from sdk.units import format_ether

REQUEST_TIMEOUT_S: Final = 60.0
"""A search of logs may take a node that long; a lost connection is noticed sooner."""
AUTHORIZATION_VARIABLE: Final = "PHALANX_REMOTE_SIGNER_AUTHORIZATION"
"""Environment variable with the `Authorization` header for a remote signer."""

Telling = Callable[[Receipt], tuple[Mapping[str, object], str]]
"""What is worth telling of a mined call: facts and a line."""


class Session:
    """What a command works with.

    Args:
        options: what the user said.

    Raises:
        UsageError: `registry_missing`.
        ConfigError: `rpc_url`; `wrong_chain`, the node is not of the named network.
    """

    def __init__(self, options: ChainOptions) -> None:
        self.options = options
        self.output = Output(as_json=options.as_json)
        if options.registry is None:
            raise UsageError(
                "no registry is named", code="registry_missing", hint="See --registry."
            )
        signer = _signer(options)
        account = options.sender_text
        self.client = Client(
            _web3(options.rpc),
            registry=options.registry,
            network=options.network,
            signer=signer,
            account=account,
            start_block=options.start_block,
        )
        if options.network is not None:  # reads and dry runs go to that chain, too, or nowhere
            self.client.perform(require_chain(self.client.context.deployment))

    @property
    def account(self) -> str:
        """The calling account.

        Raises:
            UsageError: `account_missing`.
        """
        if self.client.account is None:
            raise UsageError(
                "nobody is named as the calling account",
                code="account_missing",
                hint="Give --from, --key-file, --keystore or --remote-signer.",
            )
        return self.client.account

    def owner(self, named: bytes | None) -> bytes | str:
        """The owner named by an option, else the calling account."""
        return self.account if named is None else named

    def submit(
        self,
        prepared: PreparedCall,
        tell: Telling = lambda receipt: ({}, ""),
        *,
        known: bool = True,
    ) -> Receipt | None:
        """Plan, then whatever the options say: stop, export, or ask, sign, send and wait.

        Args:
            prepared: the call.
            tell: what to add to the result once it is mined.
            known: a call of the registry, which can be simulated for its values.

        Returns:
            The receipt, None if nothing was sent.
        """
        options = self.options
        self.require_ready()
        plan = prepared.plan()
        self.show_plan(plan)
        facts: dict[str, object] = {"plan": plan_facts(plan)}
        if options.dry_run:
            prepared.check()
            if known:
                prepared.simulate()
            self.output.result(
                {**facts, "sent": False}, "dry run: the call would succeed; nothing was sent"
            )
            return None
        target = options.export or options.safe
        if target is not None:
            prepared.check()
            if options.export is not None:
                prepared.to_json(target)
            else:
                prepared.to_safe_batch(target)
            self.output.result(
                {**facts, "sent": False, "file": str(target)},
                f"wrote {target}; check it again before it is signed and sent",
            )
            return None
        self.confirm()
        receipt = self.send(prepared)
        more, line = tell(receipt)
        text = f"{plan.action}: done in block {receipt.block_number}"
        self.output.result(
            {**facts, "sent": True, **receipt_facts(receipt), **more},
            f"{text}\n{line}" if line else text,
        )
        return receipt

    def send(self, prepared: PreparedCall) -> Receipt:
        """Signs, sends and waits, telling the hash before it waits."""
        signed = prepared.sign()
        text = signed.hash.to_0x_hex()
        self.output.step(f"sending transaction {text}", transaction_hash=text)
        prepared.send(signed)
        return prepared.wait(signed.hash)

    def show_plan(self, plan: Plan) -> None:
        """The plan, on stderr for people; programs get it in the result."""
        self.say_lines(plan.lines())

    def say_lines(self, lines: list[str]) -> None:
        """Lines of a plan."""
        if not self.options.as_json:
            for line in lines:
                click.echo(f"    {line}", err=True)

    def confirm(self) -> None:
        """Returns if the user agrees.

        Raises:
            UsageError: `signer_missing`; `confirmation_missing`, nobody can be asked.
            PartialError: `interrupted`, the user does not.
        """
        self._require_signer()
        if self.options.yes:
            return
        if self.options.as_json or not sys.stdin.isatty():
            raise UsageError(
                "nobody can be asked whether to send this",
                code="confirmation_missing",
                hint="Say --yes to send it, or --dry-run to look at it.",
            )
        if not click.confirm("Send it?", err=True):
            raise PartialError("not sent: the user said no", code="interrupted")

    def require_ready(self) -> None:
        """Returns if the end of the command can be reached: a file to write, or a signer.

        Raises:
            UsageError: `file_exists`, `signer_missing`.
        """
        target = self.options.export or self.options.safe
        if target is not None:
            refuse_existing(target)
        elif not self.options.dry_run:
            self._require_signer()

    def _require_signer(self) -> None:
        if not self.options.has_signer:
            raise UsageError(
                "nobody is named who signs",
                code="signer_missing",
                hint="Give --key-file, --keystore or --remote-signer; or --dry-run, --export, "
                "--safe.",
            )


def plan_facts(plan: Plan) -> dict[str, object]:
    """The plan for programs."""
    facts = asdict(plan)
    facts["before"], facts["after"] = forecast_facts(plan.before), forecast_facts(plan.after)
    return facts


def forecast_facts(found: Forecast | None) -> dict[str, object] | None:
    """A cluster's funds for programs; wei as decimal text, which no reader rounds."""
    if found is None:
        return None
    facts = asdict(found)
    return {
        **facts,
        "balance_wei": str(found.balance_wei),
        "burn_rate_wei": str(found.burn_rate_wei),
    }


def receipt_facts(receipt: Receipt) -> dict[str, object]:
    """A receipt for programs."""
    return {
        "transaction_hash": receipt.transaction_hash.to_0x_hex(),
        "block": receipt.block_number,
        "gas_used": receipt.gas_used,
        "gas_cost_wei": str(receipt.gas_cost_wei),
    }


def ether(wei: int) -> str:
    """An amount for people."""
    return f"{format_ether(wei)} ETH"


def _web3(url: str) -> Web3:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("--rpc is no http or https URL", code="rpc_url")
    return Web3(
        HTTPProvider(
            url,
            request_kwargs={"timeout": REQUEST_TIMEOUT_S},
            exception_retry_configuration=None,
        )
    )


def _signer(options: ChainOptions) -> Signer | None:
    signs = not (options.dry_run or options.export or options.safe)
    if not options.has_signer or (options.sender is not None and not signs):
        return None  # whoever only looks needs no key
    if options.key_file is not None:
        return LocalSigner.from_key_file(options.key_file)
    if options.keystore is not None:
        keystore = options.keystore
        return LocalSigner.from_keystore(
            keystore, lambda: options.password.read(f"keystore {keystore.name}")
        )
    if options.remote_signer is None or options.sender is None:
        raise InvariantBroken("a signer is named, but none is there")
    authorization = os.environ.get(AUTHORIZATION_VARIABLE)
    headers = {"Authorization": authorization} if authorization else {}
    return RemoteSigner(options.remote_signer, options.sender, headers=headers)
