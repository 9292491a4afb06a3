"""EIP-2333 key tree and EIP-2334 paths."""

from __future__ import annotations

import pytest

from sdk.crypto.derivation import (
    child_key,
    derive_path,
    master_key,
    validator_path,
    withdrawal_path,
)
from sdk.crypto.secret import SecretKey
from sdk.errors import InputError, UsageError

# EIP-2333, test cases 0 to 3: seed, master key, child index, child key.
CASES = [
    (
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
        "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        6083874454709270928345386274498605044986640685124978867557563392430687146096,
        0,
        20397789859736650942317412262472558107875392172444076792671091975210932703118,
    ),
    (
        "3141592653589793238462643383279502884197169399375105820974944592",
        29757020647961307431480504535336562678282505419141012933316116377660817309383,
        3141592653,
        25457201688850691947727629385191704516744796114925897962676248250929345014287,
    ),
    (
        "0099ff991111002299dd7744ee3355bbdd8844115566cc55663355668888cc00",
        27580842291869792442942448775674722299803720648445448686099262467207037398656,
        4294967295,
        29358610794459428860402234341874281240803786294062035874021252734817515685787,
    ),
    (
        "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
        19022158461524446591288038168518313374041767046816487870552872741050760015818,
        42,
        31372231650479070279774297061823572166496564838472787488249775572789064611981,
    ),
]
SEED = bytes.fromhex(CASES[0][0])


@pytest.mark.parametrize(("seed", "master", "index", "child"), CASES)
def test_keys_equal_the_published_ones(seed: str, master: int, index: int, child: int) -> None:
    root = master_key(bytes.fromhex(seed))
    assert root.reveal() == master
    assert child_key(root, index).reveal() == child
    assert derive_path(bytes.fromhex(seed), f"m/{index}") == SecretKey(child)


def test_a_path_is_walked_level_by_level() -> None:
    key = master_key(SEED)
    for index in (12381, 3600, 7, 0, 0):
        key = child_key(key, index)
    assert derive_path(SEED, "m/12381/3600/7/0/0") == key
    assert derive_path(SEED, validator_path(7)) == key


def test_the_empty_path_is_the_master_key() -> None:
    assert derive_path(SEED, "m") == master_key(SEED)


def test_withdrawal_key_is_the_parent_of_the_signing_key() -> None:
    parent = derive_path(SEED, withdrawal_path(3))
    assert child_key(parent, 0) == derive_path(SEED, validator_path(3))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "12381/3600/0/0/0",
        "m/",
        "m//0",
        "m/-1",
        "m/01",
        "m/0'",
        "m/0 ",
        "m/0\n",
        "m/٣",
        "m/4294967296",
        "m" + "/0" * 17,
        "m" + "/0" * 1000,
    ],
)
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(InputError) as caught:
        derive_path(SEED, path)
    assert caught.value.code == "derivation_path"


def test_a_short_seed_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        master_key(bytes(31))
    assert caught.value.code == "seed_length"


@pytest.mark.parametrize("index", [-1, 2**32])
def test_an_index_outside_32_bits_is_refused(index: int) -> None:
    with pytest.raises(InputError):
        child_key(SecretKey(1), index)
    with pytest.raises(UsageError):
        validator_path(index)
