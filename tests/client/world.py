"""The chain the tests act on: who is who, and short ways to clients of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_typing import ChecksumAddress
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.types import RPCEndpoint

from sdk.client import AsyncClient, Client, LocalSigner, NodeSigner, Patience, Signer
from sdk.shares import KeyShare
from sdk.testing import keys
from sdk.toolchain.deploy import LocalDeployment
from sdk.types import Address, parse_address

# Linux hands out ports from 32768 upwards by itself; below it a bind races with nobody's dial.
IDS = (1, 2, 3, 4)
MORE_IDS = (1, 2, 3, 4, 5, 6, 7)
FEE_WEI = 1_770_000_000
ETHER = 10**18
GOVERNOR, OPERATOR, OWNER, STRANGER = range(4)
QUICK = Patience(
    attempts=3, first_pause_s=0.0, longest_pause_s=0.0, poll_s=0.02, receipt_timeout_s=10.0
)


@dataclass(frozen=True)
class World:
    """One chain with one registry."""

    w3: Web3
    url: str
    deployed: LocalDeployment

    def account(self, number: int) -> ChecksumAddress:
        return self.w3.eth.accounts[number]

    def raw(self, number: int) -> Address:
        return parse_address(self.account(number))

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.w3.provider.make_request(RPCEndpoint(method), list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self, blocks: int) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def client(self, number: int | Signer | None = None, *, url: str = "", **more: Any) -> Client:
        provider = HTTPProvider(url or self.url, exception_retry_configuration=None)
        return Client(Web3(provider), **self._settings(number, more))

    def async_client(
        self, number: int | Signer | None = None, *, url: str = "", **more: Any
    ) -> tuple[AsyncClient, AsyncWeb3[Any]]:
        provider = AsyncHTTPProvider(url or self.url, exception_retry_configuration=None)
        w3: AsyncWeb3[Any] = AsyncWeb3(provider)
        return AsyncClient(w3, **self._settings(number, more)), w3

    def _settings(self, number: int | Signer | None, more: dict[str, Any]) -> dict[str, Any]:
        signer = NodeSigner(self.account(number)) if isinstance(number, int) else number
        settings = {
            "registry": self.deployed.registry,
            "start_block": self.deployed.start_block,
            "signer": signer,
            "patience": QUICK,
        }
        return settings | more

    def register_operators(self) -> None:
        """Operators 1 to 4, by one account, with the keys that `shares` encrypts to."""
        client = self.client(OPERATOR)
        for operator in keys.operators(IDS):
            client.operators.register(operator.public_key.text, fee_wei=FEE_WEI).transact()

    def register_more_operators(self) -> None:
        """Those of `MORE_IDS` that `register_operators` left out."""
        client = self.client(OPERATOR)
        for number in MORE_IDS[len(IDS) :]:
            key = keys.operator_key(number).public_key.text
            client.operators.register(key, fee_wei=FEE_WEI).transact()

    def shares(self, *numbers: int, nonce: int = 0, owner: int = OWNER) -> list[KeyShare]:
        """Keyshares of these throwaway validators, nonces ascending."""
        account = self.raw(owner)
        return [
            keys.key_share(number, ids=IDS, owner=account, nonce=nonce + place)
            for place, number in enumerate(numbers)
        ]

    def register(self, *numbers: int, deposit_wei: int = ETHER) -> Client:
        """The owner's client, its validators registered."""
        client = self.client(OWNER)
        nonce = client.owners.nonce()
        client.validators.register(
            self.shares(*numbers, nonce=nonce), deposit_wei=deposit_wei
        ).transact()
        return client

    def funded_signer(self, seed: int = 1) -> LocalSigner:
        """A signer in this process whose account has ether."""
        signer = LocalSigner(Account.from_key(seed.to_bytes(32, "big")))
        self.rpc("anvil_setBalance", signer.address, hex(100 * ETHER))
        return signer
