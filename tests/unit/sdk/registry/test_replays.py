from __future__ import annotations

import copy
from typing import Any

import pytest

from sdk.errors import InputError
from sdk.events import abi_arguments, encode
from sdk.events.types import OperatorRemoved, ValidatorExited
from sdk.testing import builders
from sdk.testing.accounting_replay import replay_accounting
from sdk.testing.event_replay import replay_events
from sdk.types import OperatorId, checksum_address

OWNER = checksum_address(builders.address(1))
IDS = [1, 2, 3, 4]


def struct(validators: int, network: int, index: int, balance: int) -> dict[str, Any]:
    return {
        "validatorCount": validators,
        "networkFeeIndex": str(network),
        "index": str(index),
        "active": index > 0,
        "balance": str(balance),
    }


def step(text: str, block: int, **recorded: Any) -> dict[str, Any]:
    return {"step": text, "block": block, "owner": OWNER, "operatorIds": IDS, **recorded}


# Operators take 1 unit and the network 2 per block; the indexes started before block 10.
RECORDING: dict[str, Any] = {
    "operatorFee": "100000",
    "networkFee": "200000",
    "firstBlock": 10,
    "steps": [
        step("register 2 validators with 10000000 wei", 11, cluster=struct(2, 52, 104, 10**7)),
        step(
            "owner withdraws 0.000000000001 ETH",
            13,
            cluster=struct(2, 56, 112, 10**7 - 24 * 10**5 - 10**6),
            operatorEarnings=["400000"] * 4,
            networkEarnings="800000",
            registryEth="9000000",
        ),
        {"step": "operator 1 withdraws 1e5 wei", "block": 14, "registryEth": "8900000"},
        {"step": "operator 2 raises its fee to 200000", "block": 15},
        {"step": "network fee halved", "block": 15},
        {"step": "network fee set to 0", "block": 15, "networkEarnings": "1600000"},
        {"step": "operator 3 removed", "block": 15, "registryEth": "8100000"},
        step("remove 1 validator", 16, cluster=struct(1, 60, 124, 66 * 10**5 - 32 * 10**5)),
        step("third party deposits 0.000000000001 ETH", 16, registryEth="9100000"),
        step(
            "owner liquidates itself",
            17,
            cluster=struct(1, 0, 0, 0),
            operatorEarnings=["1000000", "1400000", "0", "1100000"],
        ),
        step("reactivate with 1 ETH", 20, cluster=struct(1, 60, 140, 10**18)),
        {"step": "network fee doubled", "block": 21},
    ],
}


@pytest.mark.parametrize("settle_every_block", [False, True])
def test_recording_worked_out_by_hand_is_reproduced(settle_every_block: bool) -> None:
    assert replay_accounting(RECORDING, settle_every_block=settle_every_block) == []


def test_every_kind_of_figure_is_compared() -> None:
    wrong = copy.deepcopy(RECORDING)
    wrong["steps"][1]["cluster"]["index"] = "113"
    wrong["steps"][1]["operatorEarnings"][0] = "1"
    wrong["steps"][1]["networkEarnings"] = "1"
    wrong["steps"][1]["registryEth"] = "1"
    mismatches = replay_accounting(wrong)
    assert [text.split(": ")[1] for text in mismatches] == [
        "cluster",
        "operatorEarnings",
        "networkEarnings",
        "registryEth",
    ]


def test_unknown_step_is_an_error_and_never_skipped() -> None:
    recording = {**RECORDING, "steps": [{"step": "operator 1 dances", "block": 11}]}
    with pytest.raises(InputError) as failure:
        replay_accounting(recording)
    assert failure.value.code == "unknown_step"


def recorded_logs() -> list[dict[str, Any]]:
    logs = []
    for event in (
        OperatorRemoved(OperatorId(3)),
        ValidatorExited(builders.address(1), builders.operator_ids(), builders.public_key(1)),
        builders.validator_added(builders.snapshot()),
    ):
        topics, data = encode(event)
        args: dict[str, Any] = {}
        for name, value in abi_arguments(event).items():
            match value:
                case bytes():
                    args[name] = "0x" + value.hex()
                case tuple():
                    args[name] = [str(item) for item in value]
                case int():
                    args[name] = str(value)
                case _:
                    args[name] = {
                        "validatorCount": "1",
                        "networkFeeIndex": "0",
                        "index": "0",
                        "active": True,
                        "balance": "1000000000000000000",
                    }
        logs.append(
            {
                "event": type(event).__name__,
                "topics": ["0x" + topic.hex() for topic in topics],
                "data": "0x" + data.hex(),
                "args": args,
            }
        )
    return logs


def test_recorded_logs_decode_to_their_arguments_and_back() -> None:
    logs = recorded_logs()
    logs[1]["args"]["owner"] = OWNER
    assert replay_events({"logs": logs}) == []


def test_log_that_differs_in_name_arguments_or_bytes_is_a_mismatch() -> None:
    logs = recorded_logs()
    logs[0]["event"] = "OperatorAdded"
    logs[1]["args"]["operatorIds"] = ["9"]
    logs[2]["data"] += "00"
    mismatches = replay_events({"logs": logs})
    assert [text.split(":")[0] for text in mismatches] == [
        "log 0 (OperatorAdded)",
        "log 1 (ValidatorExited)",
        "log 2 (ValidatorAdded)",
    ]
