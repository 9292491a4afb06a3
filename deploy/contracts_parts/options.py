"""What the commands of deploy/contracts.py share: options, the connection, the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from deploy.contracts_parts import parameters as parameter_files
from deploy.contracts_parts import signing
from deploy.contracts_parts.chain import Chain, connect
from deploy.contracts_parts.parameters import Parameters
from deploy.contracts_parts.signing import Signer
from sdk.cli.output import Output, json_option
from sdk.errors import ConfigError, UsageError
from sdk.toolchain.compile import ROOT
from sdk.types import checksum_address, parse_address

Command = TypeVar("Command", bound=Callable[..., Any])
NETWORKS = ("local", "testnet", "mainnet")
LOCAL_RPC_URL = "http://127.0.0.1:8545"
path_type = click.Path(path_type=Path, resolve_path=True)


@dataclass(frozen=True, slots=True)
class Session:
    """One command's settings.

    Attributes:
        account: alias in Ape's keystore, or on a local chain the number of a test account.
        sender: who would send, where only a plan is asked for; empty if `account` says it.
    """

    parameters: Parameters
    addresses: Path
    rpc_url: str
    account: str
    sender: str
    broadcast: bool
    yes: bool
    output: Output

    @property
    def journal(self) -> Path:
        """Journal of a deployment in progress, beside the addresses file."""
        return self.addresses.with_suffix(".journal.json")

    @property
    def upgrade_journal(self) -> Path:
        """Journal of an upgrade's contracts, until the upgrade was executed."""
        return self.addresses.with_suffix(".upgrade.json")

    @property
    def pending(self) -> Path:
        """What the addresses file will say once a proposed upgrade was executed."""
        return self.addresses.with_suffix(".pending.json")

    @contextmanager
    def connected(self) -> Iterator[Chain]:
        """The chain, once it is the one that the parameters are for.

        Raises:
            ConfigError: `wrong_chain`, or local parameters on a node that is no anvil.
        """
        with self._connection() as chain:
            network = self.parameters.network
            if chain.chain_id != network.chain_id:
                raise ConfigError(
                    f"the parameters are for chain {network.chain_id} ({network.name}), "
                    f"the node's chain is {chain.chain_id}",
                    code="wrong_chain",
                    hint="Nothing was sent. Check --network and --rpc-url.",
                )
            if self.parameters.is_local and not chain.is_development:
                raise ConfigError(
                    "local parameters are for anvil only: their keys are public",
                    code="wrong_chain",
                    hint="Use a parameters file of kind public.",
                )
            yield chain

    @contextmanager
    def _connection(self) -> Iterator[Chain]:
        """Through Ape where something is sent; a dry run does not wait for Ape to start."""
        if not self.broadcast:
            with connect(self.rpc_url) as chain:
                yield chain
            return
        with signing.provider(self.rpc_url) as provider:
            yield Chain(provider.web3.provider.make_request)

    def signer(self) -> Signer:
        """The account that signs, unlocked. A keystore asks for its password here."""
        if self.parameters.is_local:
            return signing.development_signer(self._test_account())
        if not self.account:
            raise UsageError("--broadcast needs --account", hint="`ape accounts list` shows them.")
        return signing.keystore_signer(self.account)

    def sender_address(self) -> str:
        """Who sends, without unlocking anything; empty if nobody was named."""
        if self.sender:
            return checksum_address(parse_address(self.sender, what="--sender"))
        if self.parameters.is_local:
            return signing.DEVELOPMENT_ACCOUNTS[self._test_account()]
        if self.account:
            return signing.keystore_address(self.account)
        return ""

    def confirm(self, question: str) -> None:
        """Asks before something is sent to a chain that others use."""
        if not (self.yes or self.parameters.is_local):
            click.confirm(question, abort=True, err=True)

    def _test_account(self) -> int:
        if not self.account:
            return 0
        if not self.account.isdigit() or int(self.account) >= len(signing.DEVELOPMENT_ACCOUNTS):
            raise UsageError("on a local chain --account is a test account's number, 0 to 9")
        return int(self.account)


def session_options(command: Command) -> Command:
    """The options of every command that talks to a chain; the command gets one `session`."""
    options = (
        click.option("--network", type=click.Choice(NETWORKS), default="local", show_default=True),
        click.option(
            "--parameters",
            "file",
            type=path_type,
            help="Instead of deploy/parameters/<network>.toml.",
        ),
        click.option(
            "--addresses", type=path_type, help="Instead of deploy/addresses/<network>.json."
        ),
        click.option(
            "--rpc-url",
            envvar="PHALANX_RPC_URL",
            default=LOCAL_RPC_URL,
            help="HTTP; also from PHALANX_RPC_URL, if it holds a key.  [default: anvil here]",
        ),
        click.option(
            "--account", default="", help="Ape keystore by name; locally a number, 0 to 9."
        ),
        click.option("--sender", default="", help="Plan for this address, without an account."),
        click.option("--broadcast", is_flag=True, help="Really send. Without it: a dry run."),
        click.option("--yes", is_flag=True, help="Do not ask before sending."),
        json_option,
    )

    def with_session(context: click.Context, /, **given: Any) -> Any:
        return context.invoke(command, session=_session(given), **given)

    with_session.__name__ = command.__name__
    with_session.__doc__ = command.__doc__
    wrapped: Any = click.pass_context(with_session)
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def _session(given: dict[str, Any]) -> Session:
    """Takes the shared options out of what click collected."""
    network = given.pop("network")
    file = given.pop("file") or ROOT / "deploy" / "parameters" / f"{network}.toml"
    parameters = parameter_files.load(file)
    broadcast, sender = given.pop("broadcast"), given.pop("sender")
    if broadcast and sender:
        raise UsageError("--sender is for plans; --broadcast signs with --account")
    # A development chain's addresses are nobody's business and not kept with the sources.
    folder = ROOT / (".build/addresses" if parameters.is_local else "deploy/addresses")
    return Session(
        parameters=parameters,
        addresses=given.pop("addresses") or folder / f"{parameters.network.name}.json",
        rpc_url=given.pop("rpc_url"),
        account=given.pop("account"),
        sender=sender,
        broadcast=broadcast,
        yes=given.pop("yes"),
        output=Output(as_json=given.pop("as_json")),
    )
