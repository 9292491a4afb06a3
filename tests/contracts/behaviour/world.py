"""The deployed registry and the steps tests take before the one they are about.

Accounts are anvil's. `governor` owns the registry, `alice` owns operators, `carol` and `dave` own
clusters, `bob` and `stranger` own nothing. No rule of the registry is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eth_abi.abi import encode

from sdk.toolchain.deploy import DEFAULT_PARAMETERS, NO_ADDRESS
from tests.contracts.behaviour.abi import Contract, artifacts, entries, read_log
from tests.contracts.behaviour.anvil import Anvil, Log, Receipt

FEE_UNIT = 100_000
OPERATOR_FEE = 1_770_000_000
NETWORK_FEE = DEFAULT_PARAMETERS["networkFee"]
ETHER = 10**18


class Cluster(NamedTuple):
    """A cluster's account as the ABI's tuple has it; balance in wei, indexes in fee units."""

    validator_count: int
    network_fee_index: int
    index: int  # type: ignore[assignment] # the ABI's name; tuple.index is not missed
    active: bool
    balance: int


NEW_CLUSTER = Cluster(0, 0, 0, True, 0)
"""How a cluster is passed that does not exist yet."""


def operator_key(number: int) -> bytes:
    """An operator's public key as the registry takes it: one ABI-encoded string."""
    return encode(["string"], [f"operator key {number}"])


def validator_key(number: int) -> bytes:
    """48 bytes."""
    return number.to_bytes(48, "big")


def shares(operators: int, filler: int = 7) -> bytes:
    """Shares of the right length; the registry reads nothing in them."""
    return bytes([filler]) * (96 + 304 * operators)


def word(number: int) -> bytes:
    """32 bytes, as most ABI values are."""
    return number.to_bytes(32, "big")


@dataclass(slots=True)
class World:
    """One registry behind its proxy, and who is who."""

    anvil: Anvil
    registry: Contract
    implementation: Contract
    extension: Contract
    initializer: Receipt
    governor: str
    alice: str
    bob: str
    carol: str
    dave: str
    stranger: str
    keys_used: int = 0

    @classmethod
    def deploy(cls, anvil: Anvil) -> World:
        """A new registry with the default parameters and no verifier."""
        governor, alice, bob, carol, dave, *_, stranger = anvil.accounts
        registry, implementation, extension, initializer = deploy_registry(anvil, governor)
        return cls(
            anvil=anvil,
            registry=registry,
            implementation=implementation,
            extension=extension,
            initializer=initializer,
            governor=governor,
            alice=alice,
            bob=bob,
            carol=carol,
            dave=dave,
            stranger=stranger,
        )

    def create(self, name: str, *arguments: Any) -> Contract:
        """A new contract of ours by name."""
        return create(self.anvil, self.governor, name, *arguments)[0]

    def another(self, **parameters: Any) -> Contract:
        """A second registry with other parameters than the defaults."""
        return deploy_registry(self.anvil, self.governor, **parameters)[0]

    # ----------------------------------------------------------------------------------- operators

    def operator(
        self, owner: str | None = None, *, fee: int = OPERATOR_FEE, private: bool = False
    ) -> int:
        """Id of a new operator; alice's, unless told otherwise."""
        self.keys_used += 1
        key = operator_key(10**6 + self.keys_used)
        receipt = self.registry.registerOperator(key, fee, private, sender=owner or self.alice)
        return int.from_bytes(receipt.logs[0].topics[1], "big")

    def operators(
        self,
        count: int = 4,
        *,
        fee: int = OPERATOR_FEE,
        owner: str | None = None,
        private: bool = False,
    ) -> list[int]:
        """Ids of new operators, ascending."""
        return [self.operator(owner, fee=fee, private=private) for _ in range(count)]

    # ------------------------------------------------------------------------------------ clusters

    def register(
        self, owner: str, operator_ids: Sequence[int], *, keys: int = 1, value: int = ETHER
    ) -> list[bytes]:
        """Public keys of validators newly registered in the owner's cluster, which may be new."""
        first = self.keys_used + 1
        self.keys_used += keys
        public_keys = [validator_key(number) for number in range(first, first + keys)]
        self.registry.bulkRegisterValidator(
            public_keys,
            operator_ids,
            [shares(len(operator_ids))] * keys,
            self.latest(owner, operator_ids),
            sender=owner,
            value=value,
        )
        return public_keys

    def cluster(self, operators: int = 4, *, keys: int = 1, value: int = ETHER) -> list[int]:
        """Operators of a new cluster of carol's: new ones, with validators."""
        operator_ids = self.operators(operators)
        self.register(self.carol, operator_ids, keys=keys, value=value)
        return operator_ids

    def latest(self, owner: str, operator_ids: Sequence[int]) -> Cluster:
        """The cluster as its last log carries it; a new one's if there is none."""
        topic = "0x" + "00" * 12 + owner[2:]
        found = latest_in(self.anvil.logs(self.registry.address, [None, topic]), operator_ids)
        return found or NEW_CLUSTER

    def verifier(self) -> Contract:
        """A verifier that believes every proof, chosen by the governor."""
        verifier = self.create("OpenBeaconVerifier")
        self.registry.updateBeaconVerifier(verifier.address, sender=self.governor)
        return verifier


def latest_in(logs: Iterable[Log], operator_ids: Sequence[int]) -> Cluster | None:
    """The last cluster with these operators among one owner's logs."""
    found = None
    for log in logs:
        _, values = read_log(log)
        if "cluster" in values and values["operatorIds"] == tuple(operator_ids):
            found = Cluster(*values["cluster"])
    return found


def initial_parameters(owner: str, **changed: Any) -> tuple[Any, ...]:
    """What the initializer takes: the defaults, changed where named."""
    given = {"owner": owner, "beaconVerifier": NO_ADDRESS, **DEFAULT_PARAMETERS}
    unknown = set(changed) - set(given)
    if unknown:
        raise TypeError(f"no such parameter: {unknown}")
    return tuple({**given, **changed}[name] for name in given)


def deploy_registry(
    anvil: Anvil, governor: str, **parameters: Any
) -> tuple[Contract, Contract, Contract, Receipt]:
    """Registry behind its proxy, core, extension, and the receipt of the proxy's creation."""
    extension, _ = create(anvil, governor, "RegistryExtension")
    core, _ = create(anvil, governor, "Registry", extension.address)
    implementation = Contract(anvil, core.address, entries())
    given = initial_parameters(**{"owner": governor, **parameters})
    call = implementation.encode("initialize", given)
    proxy, initializer = create(anvil, governor, "ERC1967Proxy", core.address, call)
    return Contract(anvil, proxy.address, entries()), implementation, extension, initializer


def create(anvil: Anvil, payer: str, name: str, *arguments: Any) -> tuple[Contract, Receipt]:
    """A new contract of ours by name, and its creation's receipt."""
    artifact = artifacts()[name]
    inputs = [
        entry["inputs"][at]["type"]
        for entry in artifact.abi
        if entry["type"] == "constructor"
        for at in range(len(entry["inputs"]))
    ]
    receipt = anvil.transact(payer, None, artifact.bytecode + encode(inputs, arguments))
    return Contract(anvil, receipt.contract, artifact.abi), receipt
