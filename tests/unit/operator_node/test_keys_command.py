"""`keys verify`: the key opens, is registered, and decrypts the shares made for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from operator_node.cli.keys import keys, spread
from operator_node.registry import Assignment
from operator_node.registry.binding import Binding
from operator_node.registry.record import Record
from sdk.errors import ConfigError, StorageError, UsageError
from sdk.testing.keys import operator_key
from sdk.types import checksum_address
from tests.unit.operator_node.config.files import BASE
from tests.unit.operator_node.registry.world import (
    CHAIN_ID,
    Follow,
    encoded,
    operators,
    registered,
    validator_key,
)
from tests.unit.sdk.chain.pretend_node import CONTRACT, Node

NETWORK = f"""
db:
  Path: ./data
ssv:
  CustomNetwork:
    DomainType: '0x00000502'
    RegistryContractAddr: '{checksum_address(CONTRACT)}'
"""


CHAIN: Final = ("--chain-id", str(CHAIN_ID))


def run(
    folder: Path, *options: str, chain: tuple[str, ...] = CHAIN
) -> tuple[int, dict[str, object]]:
    path = folder / "config.yaml"
    text = (BASE + NETWORK).replace("./", f"{folder}/")
    path.write_text(text)
    command = ["verify", "-c", str(path), "--json", *chain, *options]
    result = CliRunner().invoke(keys, command)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    return result.exit_code, told


def write_key(folder: Path, number: int) -> None:
    path = folder / "key.json"
    path.touch(mode=0o600)
    path.write_text(operator_key(number).reveal_base64())


def follow(folder: Path, me: int) -> Follow:
    """Operator `me` reads a registry with two validators, of whose shares one is number 2's."""
    node = Node()
    node.mine(events=encoded(*operators()))
    node.mine(events=encoded(registered(1, 0, total=2), registered(2, 1)))
    (folder / "data").mkdir(mode=0o700)
    follow = Follow(node, folder / "data" / "state.sqlite", me=me)
    follow.run(follow.caught_up)
    return follow


@pytest.fixture
def node(tmp_path: Path) -> Path:
    follow(tmp_path, 2)
    write_key(tmp_path, 2)
    return tmp_path


def test_a_key_that_fits_is_proven(node: Path) -> None:
    code, told = run(node)
    assert code == 0
    assert told == {
        "fingerprint": operator_key(2).public_key.fingerprint,
        "operator": 2,
        "validators": 2,
        "decrypted": 2,
        "failures": {},
    }
    assert run(node, "--sample", "1")[1]["decrypted"] == 1
    assert run(node, "--sample", "1", "--all")[1]["decrypted"] == 2


def test_it_may_be_asked_beside_a_running_node(node: Path) -> None:
    key = operator_key(2).public_key
    identity = Follow(Node(), node / "data" / "state.sqlite").identity
    running = Record(node / "data" / "state.sqlite", identity, Binding(key))
    try:
        assert run(node)[0] == 0
    finally:
        running.close()


def test_another_operators_key_is_told_at_once(node: Path) -> None:
    write_key(node, 3)
    with pytest.raises(ConfigError) as caught:
        run(node)
    assert caught.value.code == "store_foreign"


def test_a_key_that_nobody_registered_is_unhealthy(tmp_path: Path) -> None:
    follow(tmp_path, 9)
    write_key(tmp_path, 9)
    code, told = run(tmp_path)
    assert (code, told["operator"], told["validators"]) == (3, None, 0)


def test_a_share_that_does_not_decrypt_is_named(
    node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Record.load

    def broken(record: Record) -> object:
        progress = load(record)
        each = progress.own[validator_key(1)]
        assert isinstance(each, Assignment)
        object.__setattr__(each, "encrypted_share", bytes(256))
        return progress

    monkeypatch.setattr(Record, "load", broken)
    code, told = run(node)
    assert (code, told["decrypted"]) == (3, 1)
    failures = told["failures"]
    assert isinstance(failures, dict)
    assert list(failures) == [f"0x{validator_key(1).hex()}"]


def test_a_node_that_never_ran_has_nothing_to_verify(tmp_path: Path) -> None:
    write_key(tmp_path, 2)
    with pytest.raises(StorageError, match="no stored registry"):
        run(tmp_path)


def test_the_chain_must_be_known(node: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run(node, chain=())
    assert caught.value.code == "chain_id_missing"


@pytest.mark.parametrize(("most", "places"), [(1, [0]), (2, [0, 2]), (5, [0, 1, 2, 3, 4])])
def test_a_sample_is_spread_over_all(most: int, places: list[int]) -> None:
    own: Any = tuple(range(5))
    wanted: Any = tuple(places)
    assert spread(own, most) == wanted
