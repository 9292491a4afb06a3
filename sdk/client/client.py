"""The two clients: the same parts and verbs, over `Web3` or `AsyncWeb3`.

Construction asks nothing of the node.
"""

from __future__ import annotations

from typing import Any, TypeVar

from eth_typing import ChecksumAddress
from web3 import AsyncWeb3, Web3

from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.calls import DEFAULT_WINDOW_BLOCKS, Deployment
from sdk.client.clusters import AsyncClusters, Clusters
from sdk.client.drivers import AwaitingDriver, BlockingDriver
from sdk.client.imports import AsyncImports, Imports
from sdk.client.network import AsyncNetwork
from sdk.client.network import Network as NetworkPart
from sdk.client.operation import Operation, Patience
from sdk.client.operators import AsyncOperators, Operators
from sdk.client.owners import AsyncOwners, Owners
from sdk.client.sending import Context
from sdk.client.signers import Signer
from sdk.client.validators import AsyncValidators, Validators
from sdk.errors import ConfigError, UsageError
from sdk.networks import Network, network_by_name

T = TypeVar("T")


class Client:
    """The registry through a blocking `Web3`.

    Attributes:
        operators: register, fees, earnings, whitelists.
        validators: register, remove, exit.
        clusters: snapshot, funds, liquidation, proofs.
        owners: nonce, fee recipient, all clusters of an owner.
        network: parameters and governance.
        imports: calls that another client exported.
    """

    def __init__(
        self,
        w3: Web3,
        *,
        registry: AddressLike,
        network: str | Network | None = None,
        signer: Signer | None = None,
        account: AddressLike | None = None,
        start_block: int = 0,
        window_blocks: int = DEFAULT_WINDOW_BLOCKS,
        patience: Patience | None = None,
    ) -> None:
        """A client.

        Args:
            w3: with any provider; its middleware is not used.
            registry: the registry's address.
            network: what the node must follow; None accepts any.
            signer: who signs; None to read and export only.
            account: who calls, for export; the signer's address unless given.
            start_block: block of the registry's deployment.
            window_blocks: widest range of blocks asked for at once.
            patience: how long to go on without an answer.

        Raises:
            ConfigError: a setting is out of bounds.
            UsageError: `wrong_sender`, `account` is not the signer's.
        """
        self._context = _context(
            registry=registry,
            network=network,
            signer=signer,
            account=account,
            start_block=start_block,
            window_blocks=window_blocks,
            patience=patience,
        )
        driver = BlockingDriver(w3, signer=signer, patience=self._context.patience)
        self._driver = driver
        self.operators = Operators(driver, self._context)
        self.validators = Validators(driver, self._context)
        self.clusters = Clusters(driver, self._context)
        self.owners = Owners(driver, self._context)
        self.network = NetworkPart(driver, self._context)
        self.imports = Imports(driver, self._context)

    @property
    def account(self) -> ChecksumAddress | None:
        """Who calls."""
        return self._context.account

    @property
    def registry(self) -> ChecksumAddress:
        """The registry's address."""
        return self._context.deployment.registry

    @property
    def context(self) -> Context:
        """What all parts share: registry, account, signer, patience."""
        return self._context

    @property
    def driver(self) -> BlockingDriver:
        """What carries requests out."""
        return self._driver

    def perform(self, operation: Operation[T]) -> T:
        """The result of an operation of this package."""
        return self._driver.run(operation)

    def __repr__(self) -> str:
        return f"Client(registry={self.registry}, account={self.account})"


class AsyncClient:
    """The registry through an `AsyncWeb3`: the parts and verbs of `Client`, to be awaited."""

    def __init__(
        self,
        w3: AsyncWeb3[Any],
        *,
        registry: AddressLike,
        network: str | Network | None = None,
        signer: Signer | None = None,
        account: AddressLike | None = None,
        start_block: int = 0,
        window_blocks: int = DEFAULT_WINDOW_BLOCKS,
        patience: Patience | None = None,
    ) -> None:
        """A client; see `Client`."""
        self._context = _context(
            registry=registry,
            network=network,
            signer=signer,
            account=account,
            start_block=start_block,
            window_blocks=window_blocks,
            patience=patience,
        )
        driver = AwaitingDriver(w3, signer=signer, patience=self._context.patience)
        self._driver = driver
        self.operators = AsyncOperators(driver, self._context)
        self.validators = AsyncValidators(driver, self._context)
        self.clusters = AsyncClusters(driver, self._context)
        self.owners = AsyncOwners(driver, self._context)
        self.network = AsyncNetwork(driver, self._context)
        self.imports = AsyncImports(driver, self._context)

    async def close(self) -> None:
        """Closes the connection to a remote signer; that of `w3` is the caller's."""
        await self._driver.close()

    @property
    def account(self) -> ChecksumAddress | None:
        """Who calls."""
        return self._context.account

    @property
    def registry(self) -> ChecksumAddress:
        """The registry's address."""
        return self._context.deployment.registry

    def __repr__(self) -> str:
        return f"AsyncClient(registry={self.registry}, account={self.account})"


def _context(
    *,
    registry: AddressLike,
    network: str | Network | None,
    signer: Signer | None,
    account: AddressLike | None,
    start_block: int,
    window_blocks: int,
    patience: Patience | None,
) -> Context:
    if start_block < 0 or window_blocks < 1:
        raise ConfigError(
            f"start block {start_block} and window of {window_blocks} blocks are out of bounds"
        )
    named = None if account is None else to_checksum(account, what="account")
    if signer is not None and named not in (None, signer.address):
        raise UsageError(
            f"account {named} is not the signer's, {signer.address}",
            code="wrong_sender",
            hint="Leave the account out, or the signer.",
        )
    return Context(
        deployment=Deployment(
            registry=to_checksum(registry, what="registry"),
            start_block=start_block,
            network=network_by_name(network) if isinstance(network, str) else network,
            window_blocks=window_blocks,
        ),
        account=signer.address if signer is not None else named,
        signer=signer,
        patience=patience or Patience(),
    )
