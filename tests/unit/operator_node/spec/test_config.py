"""What a beacon node says of its chain is taken, and refused when it cannot be right."""

from __future__ import annotations

import pytest

from operator_node.spec import MAINNET, ChainSpec, Preset, from_config
from sdk.errors import BeaconError

FORKS = ("ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU")
FAR_FUTURE = str(2**64 - 1)


def answer(**changes: str | None) -> dict[str, object]:
    """Mainnet's answer; None leaves a key out."""
    config: dict[str, str | None] = {
        "PRESET_BASE": "mainnet",
        "CONFIG_NAME": "mainnet",
        "SECONDS_PER_SLOT": "12",
        "SLOT_DURATION_MS": "12000",
        "SLOTS_PER_EPOCH": "32",
        "SYNC_COMMITTEE_SIZE": "512",
        "GENESIS_FORK_VERSION": "0x00000000",
        "DEPOSIT_CONTRACT_ADDRESS": "0x00000000219ab540356cBB839Cbe05303d7705Fa",
        "TERMINAL_BLOCK_HASH_ACTIVATION_EPOCH": FAR_FUTURE,
    }
    for fork in MAINNET.forks[1:]:
        name = FORKS[fork.version - 2]
        config[f"{name}_FORK_EPOCH"] = str(fork.epoch)
        config[f"{name}_FORK_VERSION"] = "0x" + fork.fork_version.hex()
    config |= changes
    return {key: value for key, value in config.items() if value is not None}


def read(config: dict[str, object]) -> ChainSpec:
    return from_config(
        config,
        genesis_time=MAINNET.genesis_time,
        genesis_validators_root=MAINNET.genesis_validators_root,
    )


def test_the_answer_of_a_mainnet_node_is_mainnet() -> None:
    assert read(answer()) == MAINNET


def test_a_small_local_network_is_read() -> None:
    chain = read(
        answer(
            PRESET_BASE="minimal",
            SLOTS_PER_EPOCH="8",
            SYNC_COMMITTEE_SIZE="32",
            SECONDS_PER_SLOT="2",
            SLOT_DURATION_MS="2000",
        )
    )
    assert (chain.preset, chain.slots_per_epoch, chain.seconds_per_slot) == (Preset.MINIMAL, 8, 2)


def test_the_slot_length_may_come_in_milliseconds_alone() -> None:
    assert read(answer(SECONDS_PER_SLOT=None)).seconds_per_slot == 12


def test_an_unscheduled_fork_is_left_out() -> None:
    for unscheduled in (FAR_FUTURE, None):
        chain = read(answer(FULU_FORK_EPOCH=unscheduled))
        assert chain.forks == MAINNET.forks[:6]


def test_forks_we_do_not_know_follow_in_the_order_of_their_epochs() -> None:
    chain = read(
        answer(
            HEZE_FORK_EPOCH="600000",
            HEZE_FORK_VERSION="0x08000000",
            GLOAS_FORK_EPOCH="500000",
            GLOAS_FORK_VERSION="0x07000000",
            OTHER_FORK_EPOCH=FAR_FUTURE,
        )
    )
    assert chain.version_at(500_000 * 32) == 8
    assert chain.fork_version_at(500_000).hex() == "07000000"
    assert chain.version_at(600_000 * 32) == 9
    assert len(chain.forks) == 9


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"PRESET_BASE": None}, "PRESET_BASE is missing"),
        ({"PRESET_BASE": "gnosis"}, "PRESET_BASE is 'gnosis'"),
        ({"SLOTS_PER_EPOCH": "16"}, "SLOTS_PER_EPOCH is 16"),
        ({"SYNC_COMMITTEE_SIZE": "32"}, "SYNC_COMMITTEE_SIZE is 32"),
        ({"SECONDS_PER_SLOT": "0"}, "slots of 0 s"),
        ({"SECONDS_PER_SLOT": "-1"}, "not a number"),
        ({"SECONDS_PER_SLOT": "²"}, "not a number"),
        ({"SECONDS_PER_SLOT": "1" * 5000}, "not a number"),
        ({"SECONDS_PER_SLOT": None, "SLOT_DURATION_MS": "1500"}, "500 ms"),
        ({"SECONDS_PER_SLOT": None, "SLOT_DURATION_MS": None}, "SLOT_DURATION_MS is missing"),
        ({"GENESIS_FORK_VERSION": "0x00"}, "GENESIS_FORK_VERSION must have 4 bytes"),
        ({"ALTAIR_FORK_VERSION": None}, "ALTAIR_FORK_VERSION is missing"),
        ({"ALTAIR_FORK_EPOCH": None}, "gaps"),
        ({"CAPELLA_FORK_EPOCH": FAR_FUTURE}, "gaps"),
        ({"CAPELLA_FORK_EPOCH": "400000"}, "forks at epochs"),
        (
            {"FULU_FORK_EPOCH": None, "GLOAS_FORK_EPOCH": "500000"},
            "GLOAS is scheduled but FULU is not",
        ),
    ],
)
def test_an_answer_that_cannot_be_is_refused(changes: dict[str, str | None], problem: str) -> None:
    with pytest.raises(BeaconError, match=problem) as refused:
        read(answer(**changes))
    assert refused.value.code == "beacon_spec_malformed"


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(BeaconError, match="SECONDS_PER_SLOT is no text"):
        read(answer() | {"SECONDS_PER_SLOT": 12})


def test_a_validators_root_of_another_length_is_refused() -> None:
    with pytest.raises(BeaconError, match="root of 31 bytes"):
        from_config(answer(), genesis_time=0, genesis_validators_root=bytes(31))
