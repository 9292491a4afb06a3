"""The registry on a local chain as the scenarios drive it: deploy, call, measure a row.

Keeps each cluster's latest struct from the logs, as every client must, and leaves one to five
blocks between transactions. Keys and shares are random bytes from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract

from sdk.committee import shares_data_length
from sdk.errors import InvariantBroken
from sdk.events import EMPTY_SNAPSHOT, ClusterSnapshot, Undecodable, decode
from sdk.toolchain.compile import Artifact
from sdk.toolchain.deploy import DEFAULT_PARAMETERS, deploy_local
from tests.gas.chain import Chain, Receipt

SEED = 7623
ETHER = 10**18
OPERATOR_FEE_WEI = 1_770_000_000
NETWORK_FEE_WEI = DEFAULT_PARAMETERS["networkFee"]
MINIMUM_COLLATERAL_WEI = DEFAULT_PARAMETERS["minimumLiquidationCollateral"]
PERIOD_S = DEFAULT_PARAMETERS["declareOperatorFeePeriod"]
LONGEST_GAP_BLOCKS = 5
KEY_BYTES = 48

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Actors:
    """Who does what; all of them are known to the chain and hold ether."""

    governance: str
    operators: str
    owner: str
    other_owner: str
    liquidator: str
    newcomer: str


@dataclass(slots=True)
class Bench:
    """One registry behind its proxy, and the rows measured so far.

    Attributes:
        snapshots: latest struct by owner, in lower case, and operator ids.
        to_trace: rows whose every instruction is kept in `traces`.
    """

    chain: Chain
    artifacts: dict[str, Artifact]
    actors: Actors
    registry: Contract
    random: random.Random = field(default_factory=lambda: random.Random(SEED))
    rows: dict[str, Receipt] = field(default_factory=dict)
    to_trace: frozenset[str] = frozenset()
    traces: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    snapshots: dict[tuple[str, Ids], ClusterSnapshot] = field(default_factory=dict)

    def send(self, name: str, *arguments: object, sender: str, value_wei: int = 0) -> Receipt:
        """One call of the registry, one to five blocks after the last."""
        self.chain.mine(self.random.randrange(LONGEST_GAP_BLOCKS))
        data = bytes.fromhex(self.registry.encode_abi(name, args=arguments)[2:])
        receipt = self.chain.send(
            sender=sender, to=self.registry.address, data=data, value_wei=value_wei
        )
        self._follow(receipt)
        return receipt

    def measure(
        self, row: str, name: str, *arguments: object, sender: str, value_wei: int = 0
    ) -> None:
        """The same, kept as a row of the report."""
        if row in self.rows:
            raise InvariantBroken(f"row {row} is measured twice")
        self.rows[row] = self.send(name, *arguments, sender=sender, value_wei=value_wei)
        if row in self.to_trace:  # now: the chain forgets it when the scenario is undone
            self.traces[row] = self.chain.trace(self.rows[row])

    @contextmanager
    def restored_afterwards(self) -> Iterator[None]:
        """A scenario of its own: chain, structs and randomness go back to where they were."""
        snapshots, state = dict(self.snapshots), self.random.getstate()
        with self.chain.restored_afterwards():
            yield
        self.snapshots = snapshots
        self.random.setstate(state)

    def cluster(self, owner: str, ids: Ids) -> tuple[Any, ...]:
        """The cluster's latest struct as the ABI takes it, that of a new one if unknown."""
        latest = self.snapshots.get((owner.lower(), ids), EMPTY_SNAPSHOT)
        return (
            latest.validator_count,
            latest.network_fee_index,
            latest.index,
            latest.active,
            latest.balance_wei,
        )

    def key(self) -> bytes:
        """48 random bytes."""
        return self.random.randbytes(KEY_BYTES)

    def keys(self, count: int) -> list[bytes]:
        return [self.key() for _ in range(count)]

    def shares(self, ids: Ids) -> bytes:
        """Random bytes of the length that a cluster of this size has."""
        return self.random.randbytes(shares_data_length(len(ids)))

    def address(self) -> ChecksumAddress:
        """An address that nobody has used."""
        return Web3.to_checksum_address(self.random.randbytes(20))

    def deploy(self, name: str, *arguments: object) -> ChecksumAddress:
        """Address of a new contract from our sources."""
        return deploy(self.chain, self.artifacts[name], *arguments, sender=self.actors.governance)

    def _follow(self, receipt: Receipt) -> None:
        for log in receipt.logs:
            event = decode(log.topics, log.data)
            if isinstance(event, Undecodable):
                raise InvariantBroken(f"the registry emitted {event.reason}: {event.detail}")
            match event:
                case object(owner=owner, operator_ids=ids, cluster=ClusterSnapshot() as cluster):
                    self.snapshots["0x" + owner.hex(), tuple(ids)] = cluster


def deploy(chain: Chain, artifact: Artifact, *arguments: object, sender: str) -> ChecksumAddress:
    """Address of a new contract."""
    factory = Web3().eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    data = factory.constructor(*arguments).data_in_transaction
    receipt = chain.send(sender=sender, to=None, data=bytes.fromhex(data[2:]))
    if receipt.contract is None:
        raise InvariantBroken(f"no address for the new {artifact.name}")
    return Web3.to_checksum_address(receipt.contract)


def deploy_registry(chain: Chain, artifacts: dict[str, Artifact], abi: Sequence[Any]) -> Bench:
    """A registry with the reference's parameters, before its first call."""
    with chain.mining_by_itself():
        deployed = deploy_local(chain.w3)
    registry = Web3().eth.contract(address=deployed.registry, abi=abi)
    return Bench(chain, artifacts, Actors(*chain.accounts[:6]), registry)
