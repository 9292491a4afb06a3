"""The compiled registry has the interface existing clients use, entry by entry, and ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdk.toolchain.abi import FILE, registry_abi, signature, text
from sdk.toolchain.compile import ROOT

pytestmark = pytest.mark.toolchain

TARGET = json.loads((ROOT / "tests/contracts/data/target_abi.json").read_text())
# The target names both an argument and a result `owner`, which Solidity does not allow.
RENAMED_RESULTS = {"function getValidatorRecord(address,bytes)"}
OURS = {
    "error InvalidWindow(uint64,uint64,uint64,uint64)",  # of the verifier's constructor
    "error NotAContract(address)",
    "error TooFewOperators(uint256,uint256)",
    "error TooManyValidators(uint256)",
    "error UnknownFunction(bytes4)",
    "error UpgradesRenounced()",
    "error VerifierFrozen()",
    "error VerifierNotSet()",
    "event BeaconVerifierFrozen(address)",
    "event DebtCovered(address,uint256)",
    "event UpgradeRightRenounced()",
    "function getBeaconVerifier()",
    "function getNetworkWord()",
    "function getOwnerWords(address[])",
    "function getUpgradesRenounced()",
    "function initialize((address,address,uint256,uint64,uint256,uint256,uint256,uint32,uint64,"
    "uint64,uint64))",
}
FROM_THE_PROXY_LIBRARY = {
    "error AddressEmptyCode(address)",
    "error ERC1967InvalidImplementation(address)",
    "error ERC1967NonPayable()",
    "error FailedCall()",
    "error InvalidInitialization()",
    "error NotInitializing()",
    "error UUPSUnauthorizedCallContext()",
    "error UUPSUnsupportedProxiableUUID(bytes32)",
    "event Initialized(uint64)",
    "event Upgraded(address)",
    "function UPGRADE_INTERFACE_VERSION()",
    "function proxiableUUID()",
    "function upgradeToAndCall(address,bytes)",
}


def by_signature(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {signature(entry): entry for entry in entries}


def test_every_entry_of_the_target_is_there_exactly() -> None:
    ours = by_signature(registry_abi())
    target = by_signature(TARGET["compatibility"] + TARGET["extensions"])
    assert set(target) <= set(ours)
    for name, entry in target.items():
        if name in RENAMED_RESULTS:
            for found in (ours[name], entry):
                assert found["outputs"][0]["type"] == "address"
            entry["outputs"][0]["name"] = ours[name]["outputs"][0]["name"]
        assert ours[name] == entry, name


def test_nothing_is_there_that_is_not_accounted_for() -> None:
    target = by_signature(TARGET["compatibility"] + TARGET["extensions"])
    assert set(by_signature(registry_abi())) - set(target) == OURS | FROM_THE_PROXY_LIBRARY


def test_no_event_is_anonymous_because_existing_nodes_read_the_first_topic() -> None:
    events = [entry for entry in registry_abi() if entry["type"] == "event"]
    assert events
    assert not any(entry["anonymous"] for entry in events)


def test_file_of_the_sdk_is_what_the_contracts_say() -> None:
    assert FILE.read_text() == text(), "run: deploy/toolchain/run python -m sdk.toolchain.abi"
