"""An owner's registered validators, by the registry's logs.

Pure operations over `logs.search`.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from sdk.client.addresses import to_raw
from sdk.client.calls import Deployment, block_header
from sdk.client.logs import search
from sdk.client.operation import Operation
from sdk.events import EVENT_ABIS, Log, decode
from sdk.events.types import ValidatorAdded, ValidatorRemoved
from sdk.types import BlockNumber, OperatorId, PublicKey


@dataclass(frozen=True, slots=True)
class RegisteredValidator:
    """A validator that is registered now.

    Attributes:
        operator_ids: of its cluster.
        block: of its registration.
    """

    public_key: PublicKey
    operator_ids: tuple[OperatorId, ...]
    block: BlockNumber


def validators_of(
    deployment: Deployment, owner: ChecksumAddress
) -> Operation[list[RegisteredValidator]]:
    """The owner's validators at the newest block, in the order of their registration."""
    head = yield from block_header()
    kinds = (ValidatorAdded, ValidatorRemoved)
    topics = ["0x" + abi.topic.hex() for abi in EVENT_ABIS if abi.event_class in kinds]
    newest: dict[bytes, RegisteredValidator | None] = {}

    def visit(page: list[Log]) -> bool:
        for log in reversed(page):
            event = decode(log.topics, log.data)
            if isinstance(event, ValidatorAdded):
                key = PublicKey(event.public_key)
                found = RegisteredValidator(key, event.operator_ids, log.block_number)
                newest.setdefault(key, found)
            elif isinstance(event, ValidatorRemoved):
                newest.setdefault(event.public_key, None)
        return False

    yield from search(
        deployment,
        [topics, "0x" + to_raw(owner).hex().rjust(64, "0")],
        visit,
        last_block=head.number,
        subject=f"validators of {owner}",
    )
    return [found for found in reversed(newest.values()) if found is not None]
