"""Events with units: what `value 3000` means."""

from __future__ import annotations

import re
from typing import Any

import pytest

from indexer.explorer.arguments import arguments, title
from sdk.events import EVENT_ABIS

ADDRESS = "0x52908400098527886e0f7030069857d2e4169ee7"
NO_UNIT = {"operatorId", "blockNumber", "blockNum", "slot", "version"}
"""Ids, places in the chain and versions."""


def one(event: str, **args: Any) -> tuple[str, Any]:
    """Kind and value of an event's only argument."""
    (found,) = arguments(event, args)
    return found.kind, found.value


def test_every_number_of_an_event_has_a_unit() -> None:
    for abi in EVENT_ABIS:
        name, _, rest = abi.signature.partition("(")
        types = re.sub(r"\([^()]*\)", "tuple", rest[:-1]).split(",")
        for argument, type_ in zip(abi.names, types, strict=False):
            if not type_.startswith("uint") or type_.endswith("[]") or argument in NO_UNIT:
                continue
            assert one(name, **{argument: "3000"})[0] != "plain", (name, argument)


@pytest.mark.parametrize(
    ("event", "argument", "value", "kind"),
    [
        ("NetworkFeeUpdated", "newFee", "3550900000", "fee"),
        ("OperatorFeeIncreaseLimitUpdated", "value", "1000", "share"),
        ("LiquidationThresholdPeriodUpdated", "value", "50190", "blocks"),
        ("DeclareOperatorFeePeriodUpdated", "value", "259200", "seconds"),
        ("MinimumLiquidationCollateralUpdated", "value", "940000000000000", "wei"),
        ("ValidatorsPerOperatorLimitUpdated", "value", "3000", "count"),
        ("Somewhat", "value", "3000", "plain"),
        ("Somewhat", "fee", "much", "plain"),
        ("OperatorPrivacyStatusUpdated", "toPrivate", True, "flag"),
        ("ValidatorAdded", "publicKey", "0x" + "ab" * 48, "plain"),
        ("BeaconVerifierUpdated", "verifier", ADDRESS, "contract"),
    ],
)
def test_a_value_is_shown_as_what_it_is(
    event: str, argument: str, value: object, kind: str
) -> None:
    assert one(event, **{argument: value})[0] == kind


def test_addresses_are_checksummed_and_structs_told_by_their_parts() -> None:
    before, after = arguments(
        "OwnershipTransferred", {"previousOwner": ADDRESS, "newOwner": ADDRESS}
    )
    assert (before.kind, before.value) == ("account", "0x52908400098527886E0F7030069857D2E4169EE7")
    assert (before.is_before, after.is_before) == (True, False)
    assert one("ClusterLiquidated", cluster={"index": "1", "active": False}) == (
        "plain",
        "index 1, active False",
    )


def test_a_change_of_privacy_says_to_what() -> None:
    private = {"operatorIds": ["4"], "toPrivate": True}
    assert title("OperatorPrivacyStatusUpdated", private) == "Operator made private"
    public = {"operatorIds": ["4", "5"], "toPrivate": False}
    assert title("OperatorPrivacyStatusUpdated", public) == "Operators made public"
    assert title("OperatorPrivacyStatusUpdated", {}) == "Operator privacy changed"
    assert title(None, {}) == "Unknown log"
