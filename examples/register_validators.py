"""Registers four operators and two validators on a local chain, through `sdk.client`.

    deploy/toolchain/run anvil &
    deploy/toolchain/run .venv/bin/python -m examples.register_validators http://127.0.0.1:8545

The registry is deployed first, so all it needs is an empty anvil. Keys are throwaway keys.
Nothing here is special to a local chain but the deployment, the funding and the operators' keys.
"""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime

from web3 import HTTPProvider, Web3

from sdk.client import Client, NodeSigner, contract_errors
from sdk.errors import ChainError
from sdk.events.types import OperatorAdded
from sdk.shares import KeysharesFile, Operator, split_key
from sdk.testing import keys
from sdk.toolchain.deploy import LocalDeployment, deploy_local
from sdk.types import parse_address
from sdk.units import format_ether

OPERATOR_FEE_WEI = 1_770_000_000
VALIDATORS = 2
RUNWAY_DAYS = 90


def main(url: str) -> None:
    """The whole story, against the node at `url`."""
    w3 = Web3(HTTPProvider(url))
    deployed = deploy_local(w3)
    operators = register_operators(client_of(w3, deployed, 1))
    owner = client_of(w3, deployed, 2)
    file = split_validators(owner, operators)
    register(owner, file)
    look(owner, file)
    fail(client_of(w3, deployed, 1), operators[0])


def client_of(w3: Web3, deployed: LocalDeployment, number: int) -> Client:
    """A client that sends from one of anvil's own accounts."""
    return Client(
        w3,
        registry=deployed.registry,
        start_block=deployed.start_block,
        signer=NodeSigner(w3.eth.accounts[number]),
    )


def register_operators(client: Client) -> list[Operator]:
    """Four operators; their ids come with the event."""
    registered = []
    for number in range(1, 5):
        key = keys.operator_key(number).public_key
        receipt = client.operators.register(key.text, fee_wei=OPERATOR_FEE_WEI).transact()
        added = next(event for event in receipt.events if isinstance(event, OperatorAdded))
        registered.append(Operator(added.operator_id, key))
    print(f"operators: {', '.join(str(operator.id) for operator in registered)}")
    return registered


def split_validators(client: Client, operators: list[Operator]) -> KeysharesFile:
    """Keyshares for the owner's next nonces."""
    if client.account is None:
        raise SystemExit("the client has no account")
    first = client.owners.nonce(block="pending")
    shares = [
        split_key(
            keys.validator_secret(number),
            operators,
            owner=parse_address(client.account),
            nonce=first + number,
            random_below=secrets.randbelow,
        )
        for number in range(VALIDATORS)
    ]
    return KeysharesFile(tuple(shares), created_at=datetime.now(UTC).isoformat())


def register(client: Client, file: KeysharesFile) -> None:
    """Plan first, then send; the same file a second time is refused before anything is sent."""
    prepared = client.validators.register(file, runway_days=RUNWAY_DAYS)
    for line in prepared.plan().lines():
        print(f"  {line}")
    receipt = prepared.transact()
    print(f"registered in block {receipt.block_number} for {receipt.gas_used} gas")
    try:
        client.validators.register(file, runway_days=RUNWAY_DAYS)
    except ChainError as refused:
        print(f"again: {refused.code}: {refused}")


def look(client: Client, file: KeysharesFile) -> None:
    """The cluster as it is."""
    cluster = client.clusters.get(client.account or "", file.shares[0].operator_ids)
    print(
        f"cluster: {cluster.snapshot.validator_count} validators, "
        f"{format_ether(cluster.balance_wei)} ETH, runway {cluster.runway_blocks} blocks, "
        f"liquidatable from block {cluster.liquidation_block}"
    )


def fail(client: Client, operator: Operator) -> None:
    """An error of the contract is an exception class of its own."""
    try:
        client.operators.cancel_fee(operator.id).simulate()
    except contract_errors.NoFeeDeclared as refused:
        print(f"refused: {refused}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8545")
