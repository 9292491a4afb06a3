"""What every part of a client (`.operators`, `.clusters`, …) has: a driver and the context."""

from __future__ import annotations

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.calls import Deployment
from sdk.client.drivers import Awaiting, AwaitingDriver, Blocking, BlockingDriver
from sdk.client.sending import Context
from sdk.errors import UsageError


class Part:
    """Shortcuts for verbs; the driver comes with `BlockingPart` or `AwaitingPart`."""

    _context: Context

    @property
    def _deployment(self) -> Deployment:
        return self._context.deployment

    def _owner(self, owner: AddressLike | None = None) -> ChecksumAddress:
        """The given owner, or the account that calls.

        Raises:
            UsageError: `account_missing`.
        """
        if owner is not None:
            return to_checksum(owner, what="owner")
        if self._context.account is None:
            raise UsageError(
                "nobody is named as owner",
                code="account_missing",
                hint="Name the owner, or give the client a signer or an account.",
            )
        return self._context.account


@dataclass(frozen=True, slots=True)
class BlockingPart(Blocking):
    """A part of the blocking client."""

    _driver: BlockingDriver
    _context: Context


@dataclass(frozen=True, slots=True)
class AwaitingPart(Awaiting):
    """A part of the async client."""

    _driver: AwaitingDriver
    _context: Context
