"""What the chain holds, read by the audit views and taken apart; and what it adds up to.

The words are those of contracts/ledger and contracts/keys. Structs are those of each cluster's last
event. Nothing here uses the model: the invariants judge the chain by its own figures, and the
formulas of contracts.md 8 are written out a second time, apart from `sdk.registry`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sdk.events import ClusterSnapshot
from sdk.types import Address, ClusterId, OperatorId, keccak256
from tests.contracts.registry_in_evm import DEPLOYER, Registry

UNIT_WEI = 100_000
BASELINE_ETH = 32
MOST_CREDIT = 2**64 - 1
COMMITMENT_BYTES = 24
_WORD = 32


@dataclass(frozen=True, slots=True)
class OperatorBook:
    """An operator's word; all zero but index and flag once removed."""

    block: int
    fee: int
    index: int
    credit: int
    eth: int
    validators: int
    is_private: bool

    @property
    def is_live(self) -> bool:
        """Whether it is registered and not removed."""
        return self.block != 0

    def index_at(self, block: int) -> int:
        """index_o(b), in units."""
        return self.index + (block - self.block) * self.fee if self.block else self.index

    def credit_at(self, block: int) -> int:
        """credit_o(b), in units."""
        earned = (block - self.block) * self.fee * self.eth // BASELINE_ETH
        return min(self.credit + earned, MOST_CREDIT)


@dataclass(frozen=True, slots=True)
class NetworkBook:
    """The network's word; a negative balance is uncovered debt."""

    block: int
    fee: int
    index: int
    balance: int
    eth: int
    validators: int

    def index_at(self, block: int) -> int:
        """nindex(b), in units."""
        return self.index + (block - self.block) * self.fee

    def balance_at(self, block: int) -> int:
        """ncredit(b) less the uncovered debt, in units."""
        return self.balance + (block - self.block) * self.fee * self.eth // BASELINE_ETH


@dataclass(frozen=True, slots=True)
class ClusterBook:
    """A cluster's word, with whose it is and the struct of its last event."""

    cluster_id: ClusterId
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    struct: ClusterSnapshot
    commitment: bytes
    eth: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Books:
    """Everything at one moment.

    Attributes:
        held_wei: the registry's ether, forced ether included.
    """

    operators: tuple[OperatorBook, ...]
    clusters: tuple[ClusterBook, ...]
    network: NetworkBook
    held_wei: int

    def operator(self, operator_id: int) -> OperatorBook:
        """An operator by id."""
        return self.operators[operator_id - 1]

    def usage(self, cluster: ClusterBook, indexes: Sequence[int], network_index: int) -> int:
        """usage(b) of an active cluster, in units, rounded up.

        Args:
            cluster: one of these books.
            indexes: index_o(b) of every operator in the order of their ids.
            network_index: nindex(b).
        """
        index = sum(indexes[operator_id - 1] for operator_id in cluster.operator_ids)
        struct = cluster.struct
        accrued = index - struct.index + network_index - struct.network_fee_index
        return -(-accrued * cluster.eth // BASELINE_ETH)

    def values_wei(self, block: int) -> list[int]:
        """v_c of every cluster: negative where more was used than is there."""
        indexes = [operator.index_at(block) for operator in self.operators]
        network_index = self.network.index_at(block)
        return [
            cluster.struct.balance_wei - self.usage(cluster, indexes, network_index) * UNIT_WEI
            if cluster.struct.active
            else cluster.struct.balance_wei
            for cluster in self.clusters
        ]

    def owed_wei(self, block: int) -> int:
        """Right side of I1 at a block: clusters, operators, network, less the debt."""
        credits = sum(operator.credit_at(block) for operator in self.operators if operator.is_live)
        units = credits + self.network.balance_at(block)
        return sum(self.values_wei(block)) + units * UNIT_WEI

    def fee_rate(self, cluster: ClusterBook) -> int:
        """Units per block and 32 ETH."""
        fees = (self.operators[operator_id - 1].fee for operator_id in cluster.operator_ids)
        return sum(fees) + self.network.fee

    def threshold_wei(self, cluster: ClusterBook, *, period: int, collateral_wei: int) -> int:
        """Balance below which the cluster may be liquidated."""
        units = -(-period * self.fee_rate(cluster) * cluster.eth // BASELINE_ETH)
        return max(collateral_wei, units * UNIT_WEI)


@dataclass(frozen=True, slots=True)
class Named:
    """Whose cluster it is and what its last event said; what the chain does not store."""

    cluster_id: ClusterId
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    struct: ClusterSnapshot


def read_books(registry: Registry, *, operators: int, clusters: Sequence[Named]) -> Books:
    """Read every account of the registry by four calls.

    Args:
        registry: where.
        operators: how many were ever registered.
        clusters: every cluster ever created, in any order.
    """
    words = _words(registry, "getOperatorWords", _two(1, operators)) if operators else []
    given = _two(_WORD, len(clusters)) + b"".join(named.cluster_id for named in clusters)
    commitments = _words(registry, "getClusterWords", given)
    network = _call(registry, "getNetworkWord", b"")
    return Books(
        operators=tuple(map(operator_book, words)),
        clusters=tuple(map(_cluster_book, clusters, commitments)),
        network=network_book(network),
        held_wei=registry.chain.balance_wei(registry.address),
    )


@lru_cache(maxsize=4096)
def operator_book(word: bytes) -> OperatorBook:
    """Take an operator's word apart: block 32, fee 40, index 64, credit 64, EB 32, count 16."""
    number = int.from_bytes(word, "big")
    return OperatorBook(
        block=number & 0xFFFFFFFF,
        fee=number >> 32 & 0xFFFFFFFFFF,
        index=number >> 72 & 0xFFFFFFFFFFFFFFFF,
        credit=number >> 136 & 0xFFFFFFFFFFFFFFFF,
        eth=number >> 200 & 0xFFFFFFFF,
        validators=number >> 232 & 0xFFFF,
        is_private=bool(number >> 248),
    )


def network_book(word: bytes) -> NetworkBook:
    """Take the network's word apart: block 32, fee 24, index 56, balance 80, EB 40, count 24."""
    number = int.from_bytes(word, "big")
    balance = number >> 112 & 0xFFFFFFFFFFFFFFFFFFFF
    return NetworkBook(
        block=number & 0xFFFFFFFF,
        fee=number >> 32 & 0xFFFFFF,
        index=number >> 56 & 0xFFFFFFFFFFFFFF,
        balance=balance - (balance >> 79 << 80),
        eth=number >> 192 & 0xFFFFFFFFFF,
        validators=number >> 232,
    )


@lru_cache(maxsize=4096)
def commitment_of(struct: ClusterSnapshot) -> bytes:
    """First 24 bytes of the hash of the struct's ABI encoding."""
    words = (
        struct.validator_count,
        struct.network_fee_index,
        struct.index,
        int(struct.active),
        struct.balance_wei,
    )
    return keccak256(b"".join(_word(word) for word in words))[:COMMITMENT_BYTES]


@lru_cache(maxsize=8192)
def _cluster_book(named: Named, word: bytes) -> ClusterBook:
    return ClusterBook(
        cluster_id=named.cluster_id,
        owner=named.owner,
        operator_ids=named.operator_ids,
        struct=named.struct,
        commitment=word[:COMMITMENT_BYTES],
        eth=int.from_bytes(word[24:28], "big"),
        sequence=int.from_bytes(word[28:], "big"),
    )


def by_id(books: Books) -> Mapping[ClusterId, ClusterBook]:
    """The clusters by their id."""
    return {cluster.cluster_id: cluster for cluster in books.clusters}


def _words(registry: Registry, function: str, arguments: bytes) -> list[bytes]:
    """An answer that is one array of words, taken apart without the ABI library for speed."""
    output = _call(registry, function, arguments)
    count = int.from_bytes(output[_WORD : 2 * _WORD], "big")
    return [output[place : place + _WORD] for place in range(2 * _WORD, (count + 2) * _WORD, _WORD)]


def _call(registry: Registry, function: str, arguments: bytes) -> bytes:
    data = registry.abi.functions[function].selector + arguments
    outcome = registry.chain.call(DEPLOYER, registry.address, data)
    if not outcome.succeeded:
        raise AssertionError(f"{function} fails: {registry.abi.failure(outcome)}")
    return outcome.output


def _two(first: int, second: int) -> bytes:
    return _word(first) + _word(second)


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")
