"""Owners of validators: nonce, fee recipient, clusters."""

from __future__ import annotations

from eth_typing import ChecksumAddress

from sdk.client import reads
from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.calls import BlockTag, block_header, call_one
from sdk.client.draft import Draft
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.search import clusters_of
from sdk.client.values import ClusterSummary
from sdk.client.verbs import verb


class OwnerVerbs(Part):
    """`owner` is the calling account unless given."""

    @verb
    def nonce(
        self, owner: AddressLike | None = None, *, block: BlockTag = "latest"
    ) -> Operation[int]:
        """Nonce that the owner's next registration uses up.

        Args:
            owner: whose.
            block: `pending` also sees registrations that are not mined yet.
        """
        return (yield from reads.owner_nonce(self._deployment, self._owner(owner), block=block))

    @verb
    def clusters(self, owner: AddressLike | None = None) -> Operation[list[ClusterSummary]]:
        """All clusters the owner ever had, liquidated and empty ones included."""
        head = yield from block_header()
        return (
            yield from clusters_of(self._deployment, self._owner(owner), last_block=head.number)
        )

    @verb
    def fee_recipient(
        self, owner: AddressLike | None = None, *, block: BlockTag = "latest"
    ) -> Operation[ChecksumAddress]:
        """Where proposal rewards go: as set, else the owner itself."""
        account = self._owner(owner)
        found = yield from call_one(self._deployment, "getFeeRecipient", account, block=block)
        return account if int(found, 16) == 0 else to_checksum(found.lower())

    @preparing
    def set_fee_recipient(self, recipient: AddressLike) -> Operation[Draft]:
        """Sets where proposal rewards of all validators of the calling account go."""
        yield from ()
        address = to_checksum(recipient, what="fee recipient")
        return Draft(
            function="setFeeRecipientAddress",
            arguments=(address,),
            action=f"send proposal rewards to {address}",
        )


class Owners(OwnerVerbs, BlockingPart):
    """`client.owners`."""

    __slots__ = ()


class AsyncOwners(OwnerVerbs, AwaitingPart):
    """`client.owners` of the async client."""

    __slots__ = ()
