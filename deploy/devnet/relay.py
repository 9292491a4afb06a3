"""A stand-in for a builder relay: takes validator registrations, and verifies their signatures.

It never offers a payload, so proposers build their own. What it took is there to be compared with
what the validators' owners asked for.

Source: builder-specs, apis/builder and specs/bellatrix/builder.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import trio
from fastapi import FastAPI, Request, Response
from hypercorn.config import Config
from hypercorn.trio import serve

from deploy.devnet.ports import free_ports
from operator_node.spec.containers import ValidatorRegistration
from operator_node.spec.signing import (
    SigningDomain,
    compute_domain,
    signing_root,
    validator_registration_root,
)
from sdk.crypto import bls
from sdk.errors import InputError
from sdk.types import PublicKey, parse_hex

MAX_VALIDATORS: Final = 4_096
"""Registrations kept, one per validator."""
MAX_DIGITS: Final = 20
"""Of 2**64 - 1; what is above it is taken for it, and verifies under no signature."""
NO_CONTENT: Final = 204
BAD_REQUEST: Final = 400


class _Message(msgspec.Struct):
    fee_recipient: str
    gas_limit: str
    timestamp: str
    pubkey: str


class _Signed(msgspec.Struct):
    message: _Message
    signature: str


class Relay:
    """What validators told it.

    Args:
        genesis_fork_version: of the chain, 4 bytes; registrations are signed under it.

    Attributes:
        registrations: the latest valid one by validator key.
        refused: reasons, and how often.
    """

    def __init__(self, *, genesis_fork_version: bytes) -> None:
        self.registrations: dict[PublicKey, ValidatorRegistration] = {}
        self.refused: Counter[str] = Counter()
        self.url = ""
        self._domain = compute_domain(
            SigningDomain.APPLICATION_BUILDER, fork_version=genesis_fork_version
        )

    def register(self, body: bytes) -> None:
        """Take the registrations of a request, all or none.

        Raises:
            InputError: `relay_malformed`, `relay_signature` or `relay_full`.
        """
        try:
            found = [_read(signed) for signed in msgspec.json.decode(body, type=list[_Signed])]
        except (msgspec.MsgspecError, InputError) as problem:
            raise self._refusal("relay_malformed", f"no registrations: {problem}") from problem
        for registration, signature in found:
            root = signing_root(validator_registration_root(registration), self._domain)
            if not _verifies(registration.public_key, root, signature):
                key = registration.public_key.hex()
                raise self._refusal("relay_signature", f"the signature of 0x{key} does not verify")
        for registration, _ in found:
            known = self.registrations.get(PublicKey(registration.public_key))
            if known is None and len(self.registrations) >= MAX_VALIDATORS:
                raise self._refusal("relay_full", f"{MAX_VALIDATORS} validators are registered")
            if known is None or known.timestamp <= registration.timestamp:
                self.registrations[PublicKey(registration.public_key)] = registration

    def _refusal(self, code: str, text: str) -> InputError:
        self.refused[code] += 1
        return InputError(text, code=code)


@asynccontextmanager
async def running_relay(*, genesis_fork_version: bytes) -> AsyncIterator[Relay]:
    """A relay serving on loopback, at its `url`, until the block is left."""
    relay = Relay(genesis_fork_version=genesis_fork_version)
    port = free_ports(1)[0]
    relay.url = f"http://127.0.0.1:{port}"
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.errorlog = None
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, _application(relay), config)
        yield relay
        nursery.cancel_scope.cancel()


def _application(relay: Relay) -> FastAPI:
    application = FastAPI()

    @application.get("/eth/v1/builder/status")
    async def status() -> Response:
        return Response()

    @application.post("/eth/v1/builder/validators")
    async def validators(request: Request) -> Response:
        try:
            relay.register(await request.body())
        except InputError as problem:
            text = msgspec.json.encode({"code": BAD_REQUEST, "message": problem.message})
            return Response(text, status_code=BAD_REQUEST, media_type="application/json")
        return Response()

    @application.get("/eth/v1/builder/header/{slot}/{parent_hash}/{pubkey}")
    async def header(slot: int, parent_hash: str, pubkey: str) -> Response:
        return Response(status_code=NO_CONTENT)

    return application


def _read(signed: _Signed) -> tuple[ValidatorRegistration, bytes]:
    message = signed.message
    registration = ValidatorRegistration(
        fee_recipient=parse_hex(message.fee_recipient, what="fee_recipient", length=20),
        gas_limit=_uint64(message.gas_limit),
        timestamp=_uint64(message.timestamp),
        public_key=parse_hex(message.pubkey, what="pubkey", length=48),
    )
    return registration, parse_hex(signed.signature, what="signature", length=96)


def _uint64(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        raise InputError("a number is no decimal of 64 bits", code="relay_malformed")
    return min(int(text), 2**64 - 1)


def _verifies(public_key: bytes, root: bytes, signature: bytes) -> bool:
    try:
        return bls.verify(bls.parse_public_key(public_key), root, bls.parse_signature(signature))
    except InputError:  # not even points
        return False
