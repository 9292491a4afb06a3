"""`slashing-protection` moves a record between programs and shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from operator_node.cli import slashing_protection as command
from operator_node.cli.slashing_protection import slashing_protection
from operator_node.signer.record import KeyHistory
from operator_node.signer.record_file import Owner
from operator_node.signer.store import SlashingStore
from operator_node.spec.networks import HOODI
from sdk.errors import InputError, PhalanxError, StorageError, UsageError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.guards import (
    GENESIS,
    SHARE,
    VALIDATOR,
    block,
    intent,
    signed,
    vote,
)

ROOT = "0x" + GENESIS.hex()
NETWORK = f"""
  CustomNetwork:
    Name: local
    DomainType: 0x00000402
    RegistryContractAddr: 0xbfff570853d97636b78ebf262af953308924d3d8
    GenesisValidatorsRoot: {ROOT}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"db:\n  Path: {tmp_path}/db\nssv:{NETWORK}"
        "eth2:\n  BeaconNodeAddr: http://a:1;http://b:1\neth1:\n  ETH1Addr: http://a:1\n"
        "KeyStore:\n  PrivateKeyFile: key\n"
    )
    return path


def store(config: Path) -> SlashingStore:
    return SlashingStore.open(config.parent / "db/safety.sqlite", Owner("local", GENESIS))


def filled(config: Path) -> None:
    with store(config) as opened:
        opened.arm(SHARE, VALIDATOR, epoch=Epoch(10), slot=Slot(320))
        opened.check_and_record([intent(vote(10, 11)), intent(block(321))])


def run(*arguments: str | Path) -> str:
    words = [str(each) for each in arguments]
    result = CliRunner().invoke(slashing_protection, words)
    if isinstance(result.exception, PhalanxError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_export_and_import_move_a_record(config: Path, tmp_path: Path) -> None:
    filled(config)
    out = tmp_path / "out.json"
    assert run("export", "--out", out, "-c", config) == f"wrote 1 key to {out}\n"
    (entry,) = json.loads(out.read_bytes())["data"]
    assert entry["validator_pubkey"] == f"0x{VALIDATOR.hex()}"
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.yaml").write_text(config.read_text().replace(f"{tmp_path}/db", f"{other}/db"))
    assert json.loads(run("import", out, "-c", other / "config.yaml", "--json")) == {
        "record": str(other / "db/safety.sqlite"),
        "keys": 1,
        "slashable": 0,
    }
    with store(config) as before, store(other / "config.yaml") as after:
        wanted = [intent(vote(10, 11)), intent(vote(10, 11, 2)), intent(vote(11, 12))]
        for mine, theirs in zip(before.check(wanted), after.check(wanted), strict=True):
            assert type(mine) is type(theirs) or "SameData" in str(mine)


def test_minimal_export_without_our_field(config: Path, tmp_path: Path) -> None:
    filled(config)
    out = tmp_path / "out.json"
    run("export", "--out", out, "--minimal", "--without-validator-keys", "-c", config)
    (entry,) = json.loads(out.read_bytes())["data"]
    assert "validator_pubkey" not in entry
    assert entry["signed_attestations"] == [{"source_epoch": "10", "target_epoch": "11"}]
    with pytest.raises(UsageError, match="exists already"):
        run("export", "--out", out, "-c", config)


def test_slashable_data_in_a_file_is_told(config: Path, tmp_path: Path) -> None:
    filled(config)
    out = tmp_path / "out.json"
    run("export", "--out", out, "-c", config)
    out.write_bytes(
        out.read_bytes().replace(b'_root":"0x' + b"00" * 31, b'_root":"0x01' + b"00" * 30)
    )
    assert json.loads(run("import", out, "-c", config, "--json"))["slashable"] == 4


def test_show_lists_the_highest_values(config: Path) -> None:
    filled(config)
    with store(config) as opened:
        opened.merge([KeyHistory(VALIDATOR, signed(vote(20, 30)))])
    out = run("show", "-c", config)
    assert f"0x{SHARE.hex()}  vote 10→11  block 321  entries 1+1" in out
    assert f"0x{VALIDATOR.hex()}  vote 20→30  block 321  entries 2+1" in out
    assert json.loads(run("show", "-c", config, "--json"))["needs_arming"] is False


def test_record_of_a_running_node_is_left_alone(config: Path, tmp_path: Path) -> None:
    with store(config), pytest.raises(StorageError, match="in use"):
        run("show", "-c", config)
    with store(config), pytest.raises(StorageError, match="in use"):
        run("export", "--out", tmp_path / "out.json", "-c", config)


def test_looking_makes_no_record(config: Path) -> None:
    with pytest.raises(StorageError, match="there is no slashing record"):
        run("show", "-c", config)
    assert not (config.parent / "db").exists()


def test_file_of_another_chain_is_refused(config: Path, tmp_path: Path) -> None:
    filled(config)
    out = tmp_path / "out.json"
    run("export", "--out", out, "-c", config)
    out.write_bytes(out.read_bytes().replace(GENESIS.hex().encode(), b"00" * 32))
    with pytest.raises(InputError) as caught:
        run("import", out, "-c", config)
    assert caught.value.code == "interchange_other_chain"


def interchange(path: Path, root: bytes, *, source: int, target: int, slot: int) -> Path:
    vote_of = {"source_epoch": str(source), "target_epoch": str(target)}
    key = f"0x{SHARE.hex()}"
    entry = {
        "pubkey": key,
        "signed_blocks": [{"slot": str(slot)}],
        "signed_attestations": [vote_of],
    }
    metadata = {"interchange_format_version": "5", "genesis_validators_root": f"0x{root.hex()}"}
    path.write_text(json.dumps({"metadata": metadata, "data": [entry]}))
    return path


def test_a_vote_with_its_source_after_its_target_is_refused(config: Path, tmp_path: Path) -> None:
    file = interchange(tmp_path / "in.json", GENESIS, source=12, target=11, slot=352)
    told = f"0x{SHARE.hex()} has a vote with source epoch 12 after its target epoch 11"
    with pytest.raises(InputError, match=told) as caught:
        run("import", file, "-c", config, "--allow-far-future")
    assert caught.value.code == "interchange_absurd"
    assert not (tmp_path / "db/safety.sqlite").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"target": 2**64 - 1}, "vote of epoch 18446744073709551615"),
        ({"slot": 2**64 - 1}, "block of slot 18446744073709551615"),
    ],
)
def test_bounds_no_chain_can_have_are_taken_only_on_demand(
    config: Path, tmp_path: Path, changes: dict[str, int], told: str
) -> None:
    values = {"source": 10, "target": 11, "slot": 352} | changes
    file = interchange(tmp_path / "in.json", GENESIS, **values)
    with pytest.raises(InputError, match=f"0x{SHARE.hex()} has a {told}") as caught:
        run("import", file, "-c", config)
    assert caught.value.code == "interchange_far_future"
    assert "--allow-far-future" in caught.value.hint
    assert not (tmp_path / "db/safety.sqlite").exists()
    assert "took in 1 key" in run("import", file, "-c", config, "--allow-far-future")


@pytest.mark.parametrize(
    ("target_ahead", "slot_ahead", "is_taken"),
    [(2, 64, True), (3, 64, False), (2, 96, False)],
)
def test_on_a_known_chain_bounds_end_two_epochs_ahead(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target_ahead: int,
    slot_ahead: int,
    is_taken: bool,
) -> None:
    """In the middle of epoch 1,000 of Hoodi."""
    now_slot = 1000 * HOODI.slots_per_epoch + 16
    now_ms = (HOODI.genesis_time + now_slot * HOODI.seconds_per_slot) * 1000
    monkeypatch.setattr(command, "wall_ms", lambda: now_ms)
    config.write_text(config.read_text().replace(ROOT, f"0x{HOODI.genesis_validators_root.hex()}"))
    file = interchange(
        tmp_path / "in.json",
        HOODI.genesis_validators_root,
        source=1000,
        target=1000 + target_ahead,
        slot=now_slot + slot_ahead,
    )
    if is_taken:
        assert "took in 1 key" in run("import", file, "-c", config)
        return
    with pytest.raises(InputError, match="the latest possible now is") as caught:
        run("import", file, "-c", config)
    assert caught.value.code == "interchange_far_future"


def test_root_of_an_unknown_chain_is_asked_for(config: Path) -> None:
    filled(config)
    config.write_text(config.read_text().replace(f"    GenesisValidatorsRoot: {ROOT}\n", ""))
    with pytest.raises(UsageError, match="Give --genesis-validators-root"):
        run("show", "-c", config)
    assert "1 key in" in run("show", "-c", config, "--genesis-validators-root", ROOT)
