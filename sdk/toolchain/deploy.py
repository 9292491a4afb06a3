"""Deploys the registry to a local chain whose node signs, such as anvil.

For tests, the demo and the local network. A real deployment goes through `phalanx deploy`, which
plans first, asks, records what it did and hands the registry to a timelock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract

from sdk.errors import ChainError
from sdk.toolchain.compile import Artifact, compile_contracts

NO_ADDRESS = "0x" + "00" * 20
DEFAULT_PARAMETERS: dict[str, int] = {
    "networkFee": 3_550_900_000,
    "liquidationThresholdPeriod": 50_190,
    "minimumLiquidationCollateral": 940_000_000_000_000,
    "minimumOperatorFee": 1_000_000_000,
    "maximumOperatorFee": 10_000_000_000_000,
    "validatorsPerOperatorLimit": 3_000,
    "operatorFeeIncreaseLimit": 1_000,
    "declareOperatorFeePeriod": 604_800,
    "executeOperatorFeePeriod": 604_800,
}
"""The reference network's values: wei per block and 32 ETH, blocks, wei, 1/10,000, seconds."""


@dataclass(frozen=True, slots=True)
class LocalDeployment:
    """Where the registry is.

    Attributes:
        registry: the proxy, which everybody calls.
        start_block: block of the proxy's creation; no log is older.
        owner: who governs.
        verifier: contract that checks balance proofs, zero if none.
    """

    registry: ChecksumAddress
    implementation: ChecksumAddress
    extension: ChecksumAddress
    verifier: ChecksumAddress
    owner: ChecksumAddress
    start_block: int


def deploy_local(
    w3: Web3,
    *,
    owner: ChecksumAddress | None = None,
    verifier: ChecksumAddress | None = None,
    **parameters: int,
) -> LocalDeployment:
    """Deploy extension, core and proxy, and initialise it in the proxy's own transaction.

    Args:
        w3: of a node that signs for its accounts.
        owner: who governs; the node's first account if None, which also pays.
        verifier: an `IBeaconVerifier`; without one no effective balance can be proven.
        parameters: values other than `DEFAULT_PARAMETERS`.

    Raises:
        ChainError: a deployment was mined and failed.
    """
    unknown = set(parameters) - set(DEFAULT_PARAMETERS)
    if unknown:
        raise TypeError(f"no such parameter: {', '.join(sorted(unknown))}")
    payer = w3.eth.accounts[0]
    owner = owner or payer
    contracts = compile_contracts()
    extension, _ = create(w3, contracts["RegistryExtension"], payer)
    implementation, _ = create(w3, contracts["Registry"], payer, extension)
    initial = {
        "owner": owner,
        "beaconVerifier": verifier or NO_ADDRESS,
        **DEFAULT_PARAMETERS,
        **parameters,
    }
    abi = contracts["RegistryExtension"].abi
    call = w3.eth.contract(abi=abi).encode_abi("initialize", args=[initial])
    registry, block = create(w3, contracts["ERC1967Proxy"], payer, implementation, call)
    return LocalDeployment(
        registry=registry,
        implementation=implementation,
        extension=extension,
        verifier=cast(ChecksumAddress, verifier or NO_ADDRESS),
        owner=owner,
        start_block=block,
    )


def create(
    w3: Web3, artifact: Artifact, payer: ChecksumAddress, *arguments: Any
) -> tuple[ChecksumAddress, int]:
    """Address and block of a new contract."""
    contract: type[Contract] = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = contract.constructor(*arguments).transact({"from": payer})
    receipt = w3.eth.wait_for_transaction_receipt(sent)
    if receipt["status"] != 1 or receipt["contractAddress"] is None:
        raise ChainError(
            f"deploying {artifact.name} failed in transaction {sent.to_0x_hex()}",
            hint="The chain needs the rules of prague or later.",
        )
    return receipt["contractAddress"], receipt["blockNumber"]
