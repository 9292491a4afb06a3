"""Effective-balance proofs for a cluster: from a beacon node's state to prepared calls.

Shell around `sdk.beacon_proofs`; see docs/beacon-proofs.md. It chooses the newest root whose state
the node still serves, proves only what changes a record, and tops the cluster up so that the proof
does not liquidate it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_typing import ChecksumAddress

from sdk.beacon_proofs import BeaconProofs, ValidatorProof, build_proofs, find_validators
from sdk.beacon_proofs.source import MAX_CANDIDATES, BeaconSource, RootCandidate, ServedState
from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.bulk_plan import SPARE_BLOCKS
from sdk.client.calls import call, call_with
from sdk.client.client import Client
from sdk.client.contract_errors import RegistryError
from sdk.client.funds import cluster_name
from sdk.client.listing import validators_of
from sdk.client.operation import Operation, Rpc, result_of
from sdk.client.prepared import PreparedCall
from sdk.client.transaction import ENVELOPE_BYTES, MAX_TRANSACTION_BYTES
from sdk.client.values import ClusterState
from sdk.errors import ChainError, NetworkError
from sdk.registry import BASELINE_ETH, effects, runway
from sdk.types import PublicKey, Wei, keccak256

GWEI_PER_ETH: Final = 10**9
MAX_EFFECTIVE_BALANCE_ETH: Final = 2048
"""Consensus-specs, MAX_EFFECTIVE_BALANCE_ELECTRA; the registry counts no more."""
CALL_BYTES: Final = 1024
"""Room for everything of a call that is not a validator's proof."""
PROOF_BYTES: Final = 2048
"""A validator's proof: eleven words of fields, two for the key, 49 for the branch, its offset."""
MOST_PROOFS: Final = (MAX_TRANSACTION_BYTES - ENVELOPE_BYTES - CALL_BYTES) // PROOF_BYTES
_ENDLESS: Final = 2**64


@dataclass(frozen=True, slots=True)
class Change:
    """A validator whose record a proof changes; whole ETH as the registry counts it."""

    public_key: PublicKey
    recorded_eth: int
    proven_eth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPlan:
    """Everything known before a proof is sent.

    Attributes:
        served: the state and the timestamp of the root it is proven against.
        changes: at most as many as one call can carry.
        left: validators that a further run has to prove.
        unknown: validators that the state does not have yet.
    """

    cluster: ClusterState
    served: ServedState
    changes: tuple[Change, ...]
    left: int
    unknown: tuple[PublicKey, ...]
    proofs: BeaconProofs

    @property
    def difference_eth(self) -> int:
        """What the proof adds to the cluster's effective balance."""
        return sum(change.proven_eth - change.recorded_eth for change in self.changes)

    def top_up_wei(self, *, for_blocks: int = SPARE_BLOCKS) -> int:
        """Deposit with which the cluster has a runway of `for_blocks` after the proof."""
        at = self.cluster.next_block
        if not self.cluster.snapshot.active:
            return 0
        after = effects.prove(
            self.cluster.parties, deposit_wei=Wei(0), difference_eth=self.difference_eth, at=at
        )
        return runway.deposit_needed_wei(after, for_blocks=for_blocks, at=at)


def plan_proof(
    client: Client,
    source: BeaconSource,
    owner: AddressLike,
    operator_ids: Sequence[int],
    *,
    run: Any = map,
) -> ProofPlan:
    """Proofs of all validators of the cluster whose recorded balance is not the present one.

    Args:
        client: of the registry.
        source: the beacon node.
        owner: of the cluster.
        operator_ids: of the cluster.
        run: see `build_proofs`.

    Raises:
        ChainError: `nothing_to_prove`, `verifier_not_set`, `cluster_unknown`.
        BeaconError: `beacon_state_unavailable`, and others of `BeaconSource`.
    """
    cluster = client.clusters.get(owner, operator_ids)
    deployment = client.context.deployment
    keys = [
        each.public_key
        for each in client.perform(validators_of(deployment, to_checksum(owner)))
        if each.operator_ids == cluster.operator_ids
    ]
    served = newest_provable_state(client, source)
    indices = find_validators(served.state, keys)
    known = [key for key in keys if key in indices]
    every = build_proofs(served.state, served.header, [indices[key] for key in known], run=run)
    changes, proofs = _changed(client, owner, every.validators)
    if not changes:
        raise ChainError(
            f"every validator of {cluster_name(cluster)} is recorded with its effective balance "
            f"already, as of slot {served.header.slot}",
            code="nothing_to_prove",
            hint="Balances move with deposits, withdrawals and consolidations only.",
        )
    return ProofPlan(
        cluster=cluster,
        served=served,
        changes=tuple(changes[:MOST_PROOFS]),
        left=len(changes[MOST_PROOFS:]),
        unknown=tuple(key for key in keys if key not in indices),
        proofs=replace(every, validators=tuple(proofs[:MOST_PROOFS])),
    )


def newest_provable_state(client: Client, source: BeaconSource) -> ServedState:
    """The newest state that the beacon node serves and the registry's verifier answers for.

    Raises:
        ChainError: `verifier_not_set`.
        BeaconError: `beacon_state_unavailable`, and others of `BeaconSource`.
    """
    begin, end = client.perform(_window(client))
    preset = source.settings().preset
    return source.newest_state(_candidates(client, begin=begin, end=end), preset=preset)


def prepare_proof(client: Client, plan: ProofPlan, *, deposit_wei: int) -> PreparedCall:
    """The call that records the proof; its plan tells the runway after it."""
    state_root, branch, proofs = plan.proofs.as_abi()
    cluster = plan.cluster
    prepared = client.clusters.prove(
        cluster.owner,
        cluster.operator_ids,
        beacon_timestamp=plan.served.timestamp,
        state_root=state_root,
        state_root_branch=branch,
        proofs=proofs,
        deposit_wei=deposit_wei,
        snapshot=cluster.snapshot,
    )
    after = effects.prove(
        cluster.parties,
        deposit_wei=Wei(deposit_wei),
        difference_eth=plan.difference_eth,
        at=cluster.next_block,
    )
    return PreparedCall(client.driver, client.context, replace(prepared.draft, after=after))


def counted_eth(effective_balance_gwei: int) -> int:
    """An effective balance as the registry counts it: whole ETH, within its bounds."""
    eth = effective_balance_gwei // GWEI_PER_ETH
    return min(max(eth, BASELINE_ETH), MAX_EFFECTIVE_BALANCE_ETH)


def _changed(
    client: Client, owner: AddressLike, proofs: Sequence[ValidatorProof]
) -> tuple[list[Change], list[ValidatorProof]]:
    changes, changed = [], []
    for proof in proofs:
        record = client.validators.get(proof.public_key, owner=owner)
        if record is None:
            continue  # removed meanwhile
        eth = counted_eth(proof.effective_balance_gwei)
        if eth != record.effective_balance_eth:
            changes.append(Change(proof.public_key, record.effective_balance_eth, eth))
            changed.append(proof)
    return changes, changed


def _candidates(client: Client, *, begin: int, end: int) -> Iterator[RootCandidate]:
    """Roots that the chain keeps, newest first, within the verifier's window."""
    number: int | None = None
    for _ in range(MAX_CANDIDATES):
        found = client.perform(_root_of_block(number))
        if found is None:
            return
        number, candidate = found
        if candidate.timestamp < begin:
            return
        if candidate.timestamp < end:
            yield candidate
        number -= 1
        if number < 0:
            return


def _root_of_block(number: int | None) -> Operation[tuple[int, RootCandidate] | None]:
    tag = "latest" if number is None else hex(number)
    found = yield from result_of(Rpc("eth_getBlockByNumber", (tag, False), f"block {tag}"))
    try:
        root = bytes.fromhex(found["parentBeaconBlockRoot"].removeprefix("0x"))
        return int(found["number"], 16), RootCandidate(int(found["timestamp"], 16), root)
    except (TypeError, KeyError, ValueError, AttributeError):
        if found is None:
            return None
        raise NetworkError(
            f"block {tag} names no beacon root",
            code="rpc_answer",
            hint="The chain needs the rules of Cancun or later.",
        ) from None


def _window(client: Client) -> Operation[tuple[int, int]]:
    """First timestamp that the verifier answers for, and the first that it does not any more."""
    verifier, _ = yield from call(client.context.deployment, "getBeaconVerifier")
    address = to_checksum(verifier.lower())
    if int(address, 16) == 0:
        raise ChainError(
            "the registry has no verifier of effective balances",
            code="verifier_not_set",
            hint="Governance has to set one; until then every validator counts as recorded.",
        )
    begin = yield from _bound(address, "VALID_FROM", default=0)
    end = yield from _bound(address, "VALID_UNTIL", default=_ENDLESS)
    return begin, end


def _bound(verifier: ChecksumAddress, name: str, *, default: int) -> Operation[int]:
    """A bound of the verifier's window; a verifier of another make may not tell any."""
    data = "0x" + keccak256(f"{name}()".encode())[:4].hex()
    try:
        found = yield from call_with({"to": verifier, "data": data}, block="latest", subject=name)
    except RegistryError:
        return default
    return int.from_bytes(found, "big") if len(found) == 32 else default
