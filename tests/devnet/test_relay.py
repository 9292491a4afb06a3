"""The relay takes what validators signed, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import trio

from deploy.devnet.keys import interop_key, interop_secret
from deploy.devnet.relay import Relay, running_relay
from operator_node.spec.containers import ValidatorRegistration
from operator_node.spec.signing import (
    SigningDomain,
    compute_domain,
    signing_root,
    validator_registration_root,
)
from sdk.crypto import bls
from sdk.errors import InputError

VERSION = bytes.fromhex("00000001")
REGISTRATION = ValidatorRegistration(
    fee_recipient=bytes(20), gas_limit=36_000_000, timestamp=1_700_000_000, public_key=b""
)


def signed(index: int, *, signer: int | None = None, timestamp: int = 1_700_000_000) -> Any:
    """A registration as validators post it."""
    message = replace(REGISTRATION, public_key=interop_key(index), timestamp=timestamp)
    domain = compute_domain(SigningDomain.APPLICATION_BUILDER, fork_version=VERSION)
    root = signing_root(validator_registration_root(message), domain)
    secret = interop_secret(index if signer is None else signer)
    return {
        "message": {
            "fee_recipient": "0x" + message.fee_recipient.hex(),
            "gas_limit": str(message.gas_limit),
            "timestamp": str(message.timestamp),
            "pubkey": "0x" + message.public_key.hex(),
        },
        "signature": "0x" + bls.sign(secret, root).hex(),
    }


def test_valid_registrations_are_kept_the_newest_of_each_validator() -> None:
    relay = Relay(genesis_fork_version=VERSION)
    relay.register(json.dumps([signed(1), signed(2, timestamp=1_700_000_009)]).encode())
    relay.register(json.dumps([signed(2)]).encode())
    assert {key: each.timestamp for key, each in relay.registrations.items()} == {
        interop_key(1): 1_700_000_000,
        interop_key(2): 1_700_000_009,
    }
    assert not relay.refused


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([signed(1, signer=2)], "relay_signature"),
        ([signed(1) | {"signature": "0x" + "00" * 96}], "relay_signature"),
        ([signed(1) | {"signature": "0x00"}], "relay_malformed"),
        ([signed(1) | {"message": signed(1)["message"] | {"gas_limit": "-1"}}], "relay_malformed"),
        ({"message": 1}, "relay_malformed"),
    ],
)
def test_what_does_not_verify_is_refused_and_counted(body: object, code: str) -> None:
    relay = Relay(genesis_fork_version=VERSION)
    with pytest.raises(InputError) as caught:
        relay.register(json.dumps(body).encode())
    assert caught.value.code == code
    assert relay.refused == {code: 1}
    assert relay.registrations == {}


def test_it_serves_the_builder_api() -> None:
    async def main() -> None:
        async with (
            running_relay(genesis_fork_version=VERSION) as relay,
            httpx.AsyncClient(base_url=relay.url) as client,
        ):
            assert (await client.get("/eth/v1/builder/status")).status_code == 200
            path = "/eth/v1/builder/validators"
            assert (await client.post(path, json=[signed(1)])).status_code == 200
            forged = await client.post(path, json=[signed(1, signer=2)])
            assert forged.status_code == 400
            assert "does not verify" in forged.json()["message"]
            bid = await client.get(f"/eth/v1/builder/header/1/0x{'00' * 32}/0x{'00' * 48}")
            assert bid.status_code == 204
            assert set(relay.registrations) == {interop_key(1)}

    trio.run(main)
