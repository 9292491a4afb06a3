"""The registry on the local chain: deployed, with operators and validators, all through the SDK.

Operators get fresh RSA keys in password-protected files, as real ones would. The validators' whole
keys are interop keys; they are split here, and registered with encrypted shares and a deposit.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio
from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3

from deploy.devnet.chain import Chain
from deploy.devnet.keys import interop_key, interop_secret
from sdk.client import Client, NodeSigner
from sdk.crypto.operator_keys import OperatorPrivateKey, OperatorPublicKey
from sdk.crypto.operator_keystore import encrypt_operator_key
from sdk.crypto.secret import Password
from sdk.errors import InvariantBroken
from sdk.events.types import OperatorAdded
from sdk.files import make_private_folder, write_private
from sdk.shares import Operator, split_key
from sdk.toolchain.deploy import LocalDeployment, deploy_local
from sdk.types import OperatorId, parse_address

OPERATOR_FEE_WEI: Final = 1_770_000_000
RUNWAY_DAYS: Final = 30
BATCH: Final = 8
"""Validators in one transaction: with 13 operators more than 30 exceed what pools keep."""
OPERATORS_ACCOUNT: Final = 1
OWNER_ACCOUNT: Final = 2
"""Which of anvil's ten accounts registers operators, and which validators; the first governs."""
PASSWORD_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class LocalOperator:
    """A registered operator and the files that its node needs."""

    id: OperatorId
    public_key: OperatorPublicKey
    key_file: Path
    password_file: Path


@dataclass(frozen=True, slots=True)
class LocalRegistry:
    """The registry with its operators.

    Attributes:
        chain: where it is.
        deployment: its addresses and first block.
        operators: in ascending id order; all of them are every validator's committee.
        owner: of the validators.
    """

    chain: Chain
    deployment: LocalDeployment
    operators: tuple[LocalOperator, ...]
    owner: ChecksumAddress

    @property
    def operator_ids(self) -> tuple[OperatorId, ...]:
        """Of the committee, ascending."""
        return tuple(operator.id for operator in self.operators)

    @property
    def cluster(self) -> str:
        """Of all validators, as the indexer's API names it."""
        return "-".join([self.owner, *map(str, self.operator_ids)])

    def client(self, account: int = OWNER_ACCOUNT) -> Client:
        """The registry as one of anvil's accounts sees it, unless told the validators' owner."""
        return _client(self.chain, self.deployment, account)

    async def register(self, validators: Sequence[int]) -> None:
        """Split interop keys and register them, a few per transaction, with a deposit.

        After `Chain.align` each transaction waits for the next slot's block.

        Raises:
            PhalanxError: as `client.validators.register`.
        """
        for first in range(0, len(validators), BATCH):
            await trio.to_thread.run_sync(self._register, validators[first : first + BATCH])

    async def request_exits(self, validators: Sequence[int]) -> None:
        """Ask the operators, by an event of the registry, to exit validators."""
        await trio.to_thread.run_sync(self._request_exits, validators)

    def _register(self, validators: Sequence[int]) -> None:
        client = self.client()
        if client.account is None:
            raise InvariantBroken("the owner's client has no account")
        nonce = client.owners.nonce(block="pending")
        committee = [Operator(each.id, each.public_key) for each in self.operators]
        shares = [
            split_key(
                interop_secret(index),
                committee,
                owner=parse_address(client.account),
                nonce=nonce + position,
                random_below=secrets.randbelow,
            )
            for position, index in enumerate(validators)
        ]
        client.validators.register(shares, runway_days=RUNWAY_DAYS).transact()

    def _request_exits(self, validators: Sequence[int]) -> None:
        keys = [interop_key(index) for index in validators]
        self.client().validators.exit(self.operator_ids, keys).transact()


async def set_up_registry(
    chain: Chain, folder: Path, *, operators: int = 4, validators: Sequence[int] = ()
) -> LocalRegistry:
    """Deploy the registry, register operators with fresh keys, and validators if any are given.

    Takes seconds; compiling the contracts takes a minute, once per version of them.

    Args:
        chain: not aligned yet, so that it does not wait for blocks.
        folder: gets `operator-N/key.json` and `operator-N/password` for N from 1 on.
        operators: 4, 7, 10 or 13.
        validators: interop numbers.
    """
    registry = await trio.to_thread.run_sync(_set_up, chain, folder, operators)
    await registry.register(validators)
    return registry


def _set_up(chain: Chain, folder: Path, operators: int) -> LocalRegistry:
    w3 = Web3(HTTPProvider(chain.url))
    deployment = deploy_local(w3)
    client = _client(chain, deployment, OPERATORS_ACCOUNT)
    registered = [
        _new_operator(client, folder / f"operator-{number}") for number in range(1, operators + 1)
    ]
    return LocalRegistry(
        chain,
        deployment,
        tuple(sorted(registered, key=lambda operator: operator.id)),
        list(w3.eth.accounts)[OWNER_ACCOUNT],
    )


def _new_operator(client: Client, folder: Path) -> LocalOperator:
    make_private_folder(folder)
    key = OperatorPrivateKey.generate()
    password = secrets.token_urlsafe(PASSWORD_BYTES).encode()
    files = folder / "key.json", folder / "password"
    write_private(files[0], encrypt_operator_key(key, Password(password)))
    write_private(files[1], password + b"\n")
    receipt = client.operators.register(key.public_key.text, fee_wei=OPERATOR_FEE_WEI).transact()
    added = next(event for event in receipt.events if isinstance(event, OperatorAdded))
    return LocalOperator(added.operator_id, key.public_key, *files)


def _client(chain: Chain, deployment: LocalDeployment, account: int) -> Client:
    w3 = Web3(HTTPProvider(chain.url))
    return Client(
        w3,
        registry=deployment.registry,
        start_block=deployment.start_block,
        signer=NodeSigner(w3.eth.accounts[account]),
    )
