"""The pure parts of a deployment: parameters, layout, journal, operations, words."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.contracts_parts import governance, human, layout, parameters, plan, timelock
from deploy.contracts_parts.journal import Journal
from sdk.errors import ConfigError, InputError, UsageError
from sdk.networks import HOODI, MAINNET
from sdk.units import FEE_UNIT_WEI

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy" / "parameters"
SAFE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def local() -> parameters.Parameters:
    return parameters.load(FILES / "local.toml")


def changed(section: str, **values: Any) -> parameters.Parameters:
    """The local values with some replaced."""
    given = local()
    part = msgspec.structs.replace(getattr(given, section), **values)
    return msgspec.structs.replace(given, **{section: part})


@pytest.mark.parametrize(("name", "network"), [("testnet", HOODI), ("mainnet", MAINNET)])
def test_public_files_lack_nothing_but_a_safe(tmp_path: Path, name: str, network: Any) -> None:
    with pytest.raises(ConfigError, match=r"proposers is empty"):
        parameters.load(FILES / f"{name}.toml")
    text = (FILES / f"{name}.toml").read_text().replace("proposers = []", f'proposers = ["{SAFE}"]')
    (tmp_path / "filled.toml").write_text(text)
    filled = parameters.load(tmp_path / "filled.toml")
    assert filled.network.chain_id == network.chain_id
    assert filled.timelock.min_delay_s == 7 * 86_400
    assert filled.registry == local().registry


def test_caps_are_those_of_the_contracts() -> None:
    source = (ROOT / "contracts/parts/Governance.sol").read_text()

    def number(name: str) -> int:
        (text,) = re.findall(rf"constant {name} = ([^;]+);", source)
        if text == "type(uint16).max":
            return 2**16 - 1
        return (
            human.parse_amount_wei(text.replace(" ether", "eth"))
            if "ether" in text
            else int(text.replace("_", ""))
        )

    assert number("HIGHEST_NETWORK_FEE") == parameters.HIGHEST_NETWORK_FEE_WEI
    assert number("HIGHEST_COLLATERAL") == parameters.HIGHEST_COLLATERAL_WEI
    assert number("SHORTEST_LIQUIDATION_PERIOD") == parameters.SHORTEST_LIQUIDATION_PERIOD_BLOCKS
    assert number("LONGEST_LIQUIDATION_PERIOD") == parameters.LONGEST_LIQUIDATION_PERIOD_BLOCKS
    assert number("HIGHEST_INCREASE_LIMIT") == parameters.HIGHEST_INCREASE_LIMIT
    assert number("HIGHEST_VALIDATOR_LIMIT") == parameters.HIGHEST_VALIDATOR_LIMIT
    assert "_requireRange(timeInSeconds, 1 days, 30 days)" in source
    assert "_requireRange(timeInSeconds, 1 hours, 30 days)" in source
    units = (ROOT / "contracts/ledger/Units.sol").read_text()
    assert "MAX_FEE_UNITS = 2 ** 30 - 1;" in units
    assert parameters.HIGHEST_FEE_WEI == (2**30 - 1) * FEE_UNIT_WEI


@pytest.mark.parametrize(
    ("section", "values", "fault"),
    [
        ("registry", {"network_fee_wei": 38_000_100_000}, "network_fee_wei"),
        ("registry", {"network_fee_wei": 50_000}, "no multiple"),
        ("registry", {"liquidation_threshold_period_blocks": 21_479}, "outside 21480"),
        ("registry", {"minimum_liquidation_collateral_wei": 0}, "collateral"),
        ("registry", {"maximum_operator_fee_wei": 2**30 * 100_000}, "maximum_operator_fee_wei"),
        ("registry", {"minimum_operator_fee_wei": 2 * 10**13}, "is above"),
        ("registry", {"declare_operator_fee_period_s": 86_399}, "declare"),
        ("registry", {"execute_operator_fee_period_s": 31 * 86_400}, "execute"),
        ("timelock", {"min_delay_s": 0}, "min_delay_s"),
        ("timelock", {"proposers": ()}, "proposers is empty"),
        ("timelock", {"proposers": (SAFE, SAFE.lower())}, "twice"),
        ("timelock", {"proposers": (parameters.NO_ADDRESS,)}, "anybody could propose"),
        ("timelock", {"executors": ("0x1234",)}, "20 bytes"),
        ("verifier", {"valid_from_s": 0}, "valid_from_s"),
        ("verifier", {"seconds_per_slot": 0}, "seconds_per_slot"),
    ],
)
def test_each_wrong_value_is_named(section: str, values: dict[str, Any], fault: str) -> None:
    assert parameters.faults(local()) == []
    (found,) = parameters.faults(changed(section, **values))
    assert fault in found


def test_a_public_delay_is_at_least_a_week() -> None:
    public = changed("network", kind="public")
    (found,) = parameters.faults(public)
    assert "outside 604800" in found


def test_the_verifiers_window_must_be_open_and_short() -> None:
    public = changed("network", kind="public")
    assert public.verifier is not None
    until = public.verifier.valid_until_s
    assert "over since 2100-01-01" in parameters.window_fault(public, now_s=until)
    assert "180 days ahead" in parameters.window_fault(public, now_s=until - 181 * 86_400)
    assert parameters.window_fault(public, now_s=until - 1) == ""
    assert parameters.window_fault(local(), now_s=until) == ""


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "local.toml"
    file.write_text((FILES / "local.toml").read_text() + "\nnetwork_fee = 1\n")
    with pytest.raises(ConfigError, match="network_fee"):
        parameters.load(file)


def test_a_created_address_is_the_known_one() -> None:
    # The first contract of anvil's first account.
    deployer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert plan.created_address(deployer, 0) == "0x5FbDB2315678afecb367f032d93F642f64180aa3"


OLD = {
    "namespace": "phalanx.registry",
    "structs": {"t_struct(S)": [["a", 0, 0, "t_uint64"], ["b", 0, 8, "t_bool"]]},
    "sizes_bytes": {"t_uint64": 8, "t_bool": 1, "t_userDefinedValueType(W)": 32},
}


def with_members(*members: list[Any]) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    new["structs"]["t_struct(S)"] = list(members)  # type: ignore[index]
    return new


def test_members_may_be_added_at_the_end() -> None:
    new = with_members(["a", 0, 0, "t_uint64"], ["b", 0, 8, "t_bool"], ["c", 1, 0, "t_uint64"])
    assert layout.conflicts(OLD, new) == []
    assert layout.additions(OLD, new) == ["t_struct(S).c"]


@pytest.mark.parametrize(
    ("members", "conflict"),
    [
        ([["a", 0, 0, "t_uint64"]], "t_struct(S).b is gone"),
        ([["a", 0, 0, "t_uint32"], ["b", 0, 8, "t_bool"]], "became a (slot 0, byte 0, uint32)"),
        ([["b", 0, 0, "t_bool"], ["a", 0, 8, "t_uint64"]], "a (slot 0, byte 0, uint64) became b"),
        ([["a", 0, 0, "t_uint64"], ["b", 1, 0, "t_bool"]], "became b (slot 1"),
    ],
)
def test_what_exists_stays_where_it_is(members: list[Any], conflict: str) -> None:
    assert any(conflict in found for found in layout.conflicts(OLD, with_members(*members)))


def test_namespace_and_width_of_packed_words_stay() -> None:
    new = copy.deepcopy(OLD)
    new["namespace"] = "phalanx.other"
    new["sizes_bytes"]["t_userDefinedValueType(W)"] = 16  # type: ignore[index]
    assert len(layout.conflicts(OLD, new)) == 2


def test_build_numbers_are_no_part_of_a_layout() -> None:
    member = {"label": "a", "slot": "0", "offset": 0, "type": "t_struct(T)7_storage"}
    compiled = {
        "namespace": "n",
        "types": {"t_struct(S)31_storage": {"members": [member], "numberOfBytes": "32"}},
    }
    assert layout.describe(compiled)["structs"] == {
        "t_struct(S)": [["a", 0, 0, "t_struct(T)"]],
    }


def test_a_journal_survives_and_knows_its_run(tmp_path: Path) -> None:
    path = tmp_path / "there" / "journal.json"
    header: dict[str, str | int] = {"chain_id": 1, "deployer": "0xaa"}
    journal = Journal(path, header)
    assert not path.exists()
    journal.record("timelock", nonce=3)
    journal.record("timelock", block=9)
    assert Journal(path, header).steps == {"timelock": {"nonce": 3, "block": 9}}
    with pytest.raises(ConfigError, match="another deployer"):
        Journal(path, {**header, "deployer": "0xbb"})
    journal.forget("timelock")
    assert Journal(path, header).steps == {}
    path.write_text("{")
    with pytest.raises(ConfigError, match="no journal"):
        Journal(path, header)


def test_states_of_an_operation() -> None:
    words = [
        timelock.status_words(timelock.status(timestamp, now_s=1_000), now_s=1_000)
        for timestamp in (0, 1, 1_000, 1_000 + 6 * 86_400 + 3 * 3_600)
    ]
    assert words[:3] == ["cancelled or never proposed", "done", "ready"]
    assert words[3].startswith("waiting, 6 days 3 h left (ready at 1970-01-07 03:16:40 UTC)")


def test_every_governance_function_of_the_contracts_is_known() -> None:
    folder = ROOT / "contracts/interfaces"
    text = "".join((folder / f"{name}.sol").read_text() for name in ("IGovernance", "IFeeCeiling"))
    functions = re.findall(r"function (\w+)\(([^)]*)\) external", text)
    signatures = {
        f"{name}({','.join(each.split()[0] for each in arguments.split(',') if each)})"
        for name, arguments in functions
    }
    assert {function.signature for function in governance.FUNCTIONS.values()} == signatures


def words_of(made: governance.GovernanceCall) -> str:
    call = timelock.Call(SAFE, made.value_wei, made.data)
    return governance.in_words(call, registry=SAFE, timelock="")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("updateNetworkFee 4gwei", "updateNetworkFee 4 gwei per block and 32 ETH, about"),
        ("updateOperatorFeeIncreaseLimit 12.5%", "updateOperatorFeeIncreaseLimit 12.5 %"),
        ("updateLiquidationThresholdPeriod 7days", "50,400 blocks, about 7 days"),
        ("updateMinimumLiquidationCollateral 0.001eth", "0.001 ETH"),
        ("updateValidatorsPerOperatorLimit 4000", "4,000"),
        (f"updateBeaconVerifier {SAFE.lower()}", SAFE),
        ("renounceUpgrades", "renounceUpgrades"),
    ],
)
def test_calls_read_back_as_they_were_written(call: str, words: str) -> None:
    name, *arguments = call.split()
    made = governance.governance_call(name, arguments)
    assert words in made.words
    assert words_of(made) == made.words


def test_covering_debt_sends_its_amount_along() -> None:
    made = governance.governance_call("coverDebt", ["2eth"])
    assert made.value_wei == 2 * 10**18
    assert words_of(made) == "coverDebt 2 ETH"


@pytest.mark.parametrize(
    "call",
    [
        "updateNetworkFee 4",
        "updateNetworkFee -4gwei",
        "updateNetworkFee 4days",
        "updateOperatorFeeIncreaseLimit 10",
        "updateDeclareOperatorFeePeriod 7",
        "updateValidatorsPerOperatorLimit 4294967296",
        "updateBeaconVerifier 0x1234",
    ],
)
def test_values_without_their_unit_or_range_are_refused(call: str) -> None:
    name, *arguments = call.split()
    with pytest.raises(InputError):
        governance.governance_call(name, arguments)


@pytest.mark.parametrize("call", ["pause", "renounceUpgrades now", "updateNetworkFee"])
def test_unknown_functions_and_wrong_counts_are_usage_errors(call: str) -> None:
    name, *arguments = call.split()
    with pytest.raises(UsageError):
        governance.governance_call(name, arguments)
