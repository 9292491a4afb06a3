"""A validator beside those of a tier B node: it knows the chain by the REST routes alone.

Speaks electra's and fulu's formats, one duty at a time; signs with a whole interop key.
"""

from __future__ import annotations

from typing import Any

import httpx

from deploy.devnet.keys import interop_secret
from deploy.devnet.rest import NO_TLS, ask
from operator_node.spec.blocks import find_block, signed_block
from operator_node.spec.chain import ChainSpec
from operator_node.spec.config import from_config
from operator_node.spec.containers import (
    AggregateAndProof,
    AttestationData,
    SyncAggregatorSelectionData,
    VoluntaryExit,
)
from operator_node.spec.operations import contribution_and_proof_shape
from operator_node.spec.signing import (
    SigningDomain,
    aggregate_and_proof_root,
    attestation_data_root,
    signing_root,
    sync_selection_data_root,
    uint64_root,
    voluntary_exit_root,
)
from operator_node.spec.ssz import hash_tree_root
from sdk.crypto import bls
from sdk.types import parse_hex

SSZ = "application/octet-stream"
VALIDATOR = "/eth/v1/validator"
POOL = "/eth/v1/beacon/pool"


async def read_spec(url: str) -> ChainSpec:
    """The chain as the node describes it."""
    config = (await ask(url, "/eth/v1/config/spec"))["data"]
    genesis = (await ask(url, "/eth/v1/beacon/genesis"))["data"]
    return from_config(
        config,
        genesis_time=int(genesis["genesis_time"]),
        genesis_validators_root=parse_hex(genesis["genesis_validators_root"], what="root"),
    )


class ExternalValidator:
    """One validator of the chain behind a URL."""

    def __init__(self, url: str, spec: ChainSpec, index: int) -> None:
        self._url = url
        self._spec = spec
        self._index = index
        self._secret = interop_secret(index)

    async def attester_duty(self, epoch: int) -> dict[str, Any]:
        """Its attester duty of the epoch."""
        path = f"{VALIDATOR}/duties/attester/{epoch}"
        found = await ask(self._url, path, method="POST", body=[str(self._index)])
        return dict(found["data"][0])

    async def attest(self, duty: dict[str, Any], *, signer: int | None = None) -> bytes:
        """Attest; the root of the data, for an aggregate. `signer` forges with another's key."""
        slot, committee = int(duty["slot"]), duty["committee_index"]
        path = f"{VALIDATOR}/attestation_data?slot={slot}&committee_index={committee}"
        data = (await ask(self._url, path))["data"]
        root = attestation_data_root(_attestation_data(data))
        domain = self._spec.domain(SigningDomain.ATTESTER, self._spec.epoch_of(slot))
        secret = self._secret if signer is None else interop_secret(signer)
        await self._post(
            "/eth/v2/beacon/pool/attestations",
            {
                "committee_index": committee,
                "attester_index": str(self._index),
                "data": data,
                "signature": _hex(bls.sign(secret, signing_root(root, domain))),
            },
        )
        return root

    async def aggregate(self, duty: dict[str, Any], data_root: bytes) -> None:
        """Publish the aggregate of the committee's attestations."""
        slot = int(duty["slot"])
        path = (
            f"/eth/v2/validator/aggregate_attestation?attestation_data_root={_hex(data_root)}"
            f"&slot={slot}&committee_index={duty['committee_index']}"
        )
        aggregate = (await ask(self._url, path))["data"]
        async with self._ssz_client() as client:
            encoded = (await client.get(path)).content
        proof = self._sign(SigningDomain.SELECTION_PROOF, slot, uint64_root(slot))
        root = aggregate_and_proof_root(
            AggregateAndProof(self._index, encoded, proof),
            version=self._spec.version_at(slot),
            preset=self._spec.preset,
        )
        await self._post(
            "/eth/v2/validator/aggregate_and_proofs",
            {
                "message": {
                    "aggregator_index": str(self._index),
                    "aggregate": aggregate,
                    "selection_proof": _hex(proof),
                },
                "signature": _hex(self._sign(SigningDomain.AGGREGATE_AND_PROOF, slot, root)),
            },
        )

    async def sync_positions(self, epoch: int) -> list[int]:
        """Its positions in the sync committee."""
        path = f"{VALIDATOR}/duties/sync/{epoch}"
        found = (await ask(self._url, path, method="POST", body=[str(self._index)]))["data"]
        return [int(at) for one in found for at in one["validator_sync_committee_indices"]]

    async def sync(self, slot: int, positions: list[int]) -> None:
        """Sign the head, and contribute for each of its subcommittees."""
        head = (await ask(self._url, "/eth/v1/beacon/blocks/head/root"))["data"]["root"]
        root = parse_hex(head, what="root")
        message = {
            "slot": str(slot),
            "beacon_block_root": head,
            "validator_index": str(self._index),
            "signature": _hex(self._sign(SigningDomain.SYNC_COMMITTEE, slot, root)),
        }
        await self._post(f"{POOL}/sync_committees", message)
        members = self._spec.preset.sizes.sync_committee_size // 4
        for subcommittee in {at // members for at in positions}:
            await self._contribute(slot, head, subcommittee)

    async def propose(self, slot: int) -> None:
        """Ask for a block, sign it and publish it, all in SSZ."""
        version = self._spec.version_at(slot)
        randao = self._sign(SigningDomain.RANDAO, slot, uint64_root(self._spec.epoch_of(slot)))
        path = f"/eth/v3/validator/blocks/{slot}?randao_reveal={_hex(randao)}"
        async with self._ssz_client() as client:
            answer = (await client.get(path)).raise_for_status()
            block = find_block(version, answer.content, self._spec.preset)
            signature = self._sign(SigningDomain.PROPOSER, slot, block.root)
            fork = answer.headers["eth-consensus-version"]
            published = await client.post(
                "/eth/v2/beacon/blocks",
                content=signed_block(block, signature),
                headers={"Content-Type": SSZ, "Eth-Consensus-Version": fork},
            )
            published.raise_for_status()

    async def exit(self) -> None:
        """Ask to leave."""
        message = VoluntaryExit(epoch=0, validator_index=self._index)
        root = voluntary_exit_root(message)
        signed = {
            "message": {"epoch": "0", "validator_index": str(self._index)},
            "signature": _hex(self._sign(SigningDomain.VOLUNTARY_EXIT, 0, root)),
        }
        await ask(self._url, f"{POOL}/voluntary_exits", method="POST", body=signed)

    async def _contribute(self, slot: int, head: str, subcommittee: int) -> None:
        selection = SyncAggregatorSelectionData(slot, subcommittee)
        root = sync_selection_data_root(selection)
        proof = self._sign(SigningDomain.SYNC_SELECTION_PROOF, slot, root)
        path = (
            f"{VALIDATOR}/sync_committee_contribution?slot={slot}"
            f"&subcommittee_index={subcommittee}&beacon_block_root={head}"
        )
        contribution = (await ask(self._url, path))["data"]
        message = {
            "aggregator_index": str(self._index),
            "contribution": contribution,
            "selection_proof": _hex(proof),
        }
        shape = contribution_and_proof_shape(self._spec.preset)
        encoded = (
            self._index.to_bytes(8, "little")
            + slot.to_bytes(8, "little")
            + parse_hex(head, what="root")
            + subcommittee.to_bytes(8, "little")
            + parse_hex(contribution["aggregation_bits"], what="bits")
            + parse_hex(contribution["signature"], what="signature")
            + proof
        )
        whole = hash_tree_root(shape, encoded)
        signature = self._sign(SigningDomain.CONTRIBUTION_AND_PROOF, slot, whole)
        await self._post(
            f"{VALIDATOR}/contribution_and_proofs",
            {"message": message, "signature": _hex(signature)},
        )

    def _ssz_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._url, verify=NO_TLS, headers={"Accept": SSZ})

    def _sign(self, kind: SigningDomain, slot: int, root: bytes) -> bytes:
        domain = self._spec.domain(kind, self._spec.epoch_of(slot))
        return bls.sign(self._secret, signing_root(root, domain))

    async def _post(self, path: str, item: object) -> None:
        await ask(self._url, path, method="POST", body=[item])


def _attestation_data(found: dict[str, Any]) -> AttestationData:
    return AttestationData(
        slot=int(found["slot"]),
        index=int(found["index"]),
        beacon_block_root=parse_hex(found["beacon_block_root"], what="root"),
        source_epoch=int(found["source"]["epoch"]),
        source_root=parse_hex(found["source"]["root"], what="root"),
        target_epoch=int(found["target"]["epoch"]),
        target_root=parse_hex(found["target"]["root"], what="root"),
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
