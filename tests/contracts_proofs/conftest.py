"""A local chain with the beacon roots contract and both verifiers on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from eth_utils.abi import function_signature_to_4byte_selector
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError

from sdk.beacon_proofs import BeaconProofs, Refused, Verifier
from sdk.toolchain.anvil import running_anvil
from sdk.toolchain.compile import compile_contracts
from tests.contracts_proofs import beacon_roots

GENESIS_TIME = 1_700_000_000
WINDOW = Verifier(
    genesis_time=GENESIS_TIME,
    seconds_per_slot=12,
    valid_from=GENESIS_TIME + 12,
    valid_until=GENESIS_TIME + 12_000_000,
)
FIRST_TIME = GENESIS_TIME + 1_000_000
SELECTORS = {
    function_signature_to_4byte_selector("InvalidProof()"): Refused.INVALID_PROOF,
    function_signature_to_4byte_selector("BeaconRootUnavailable(uint64)"): Refused.ROOT_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Verifiers:
    """The contract, its plain twin and its Python twin, who must always agree."""

    chain: Web3
    fast: Contract
    plain: Contract
    twin: Verifier

    def ask(
        self, timestamp: int, proofs: BeaconProofs, *, kept_root: bytes | None
    ) -> int | Refused:
        """The answer all three give: the slot, or why they refuse.

        Args:
            timestamp: under which the chain keeps `kept_root`.
            proofs: what is claimed.
            kept_root: what the Python twin is told; the contracts ask the chain.
        """
        answers = {call_verify(contract, timestamp, proofs) for contract in (self.fast, self.plain)}
        answers.add(self.twin.verify(timestamp, proofs, kept_root=kept_root))
        assert len(answers) == 1, answers
        return answers.pop()

    def ask_kept(self, timestamp: int, proofs: BeaconProofs) -> int | Refused:
        """As `ask`, after the chain has kept the proofs' own root."""
        beacon_roots.keep(self.chain, timestamp, proofs.beacon_root)
        return self.ask(timestamp, proofs, kept_root=proofs.beacon_root)


def call_verify(contract: Contract, timestamp: int, proofs: BeaconProofs) -> int | Refused:
    """What the contract answers to an `eth_call`."""
    try:
        answer = contract.functions.verify(timestamp, *proofs.as_abi()).call()
    except ContractLogicError as refused:
        return SELECTORS[bytes.fromhex(str(refused.data)[2:10])]
    assert isinstance(answer, int)
    return answer


def deploy(chain: Web3, name: str, window: Verifier) -> Contract:
    """A verifier of that name with this window."""
    artifact = compile_contracts()[name]
    factory = chain.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = factory.constructor(
        window.genesis_time, window.seconds_per_slot, window.valid_from, window.valid_until
    ).transact({"from": chain.eth.accounts[0]})
    address = chain.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    assert address is not None
    return chain.eth.contract(address=address, abi=artifact.abi)


def deploy_all(chain: Web3, window: Verifier) -> Verifiers:
    """Both contracts with this window, and the twin."""
    return Verifiers(
        chain=chain,
        fast=deploy(chain, "BeaconVerifier", window),
        plain=deploy(chain, "PlainBeaconVerifier", window),
        twin=replace(window),
    )


@pytest.fixture(scope="session")
def chain() -> Iterator[Web3]:
    """A client of an anvil on loopback whose clock begins at `FIRST_TIME`."""
    with running_anvil("--timestamp", str(FIRST_TIME)) as url:
        client = Web3(HTTPProvider(url))
        beacon_roots.install(client)
        yield client


@pytest.fixture(scope="session")
def verifiers(chain: Web3) -> Verifiers:
    """Both contracts, with the window that the tests use unless they say otherwise."""
    return deploy_all(chain, WINDOW)
