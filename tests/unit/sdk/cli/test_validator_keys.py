"""`phalanx validator-keys`: new keystores, and deposit data for known and own networks."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sdk.crypto import bls
from sdk.crypto.derivation import derive_path
from sdk.crypto.keystore import decrypt
from sdk.crypto.keystore_files import load_keystore
from sdk.deposit_checks import verify_deposits
from sdk.deposits import parse_deposits
from sdk.networks import HOODI, Network
from sdk.testing.keys import KEYSTORE_PASSWORD, OWNER, keystore
from tests.unit.sdk.cli.running import OWNER_TEXT, PASSWORD_TEXT, Phalanx, Stake

SEED = "5eed" * 16


def new(stake: Stake, *more: object) -> tuple[object, ...]:
    return (
        *("validator-keys", "new", "--out", stake.folder / "new", "--kdf", "pbkdf2"),
        *("--password-file", stake.password, *more),
    )


def deposit(stake: Stake, *more: object, network: str = "hoodi") -> tuple[object, ...]:
    return (
        *("validator-keys", "deposit-data", stake.keystores, "--out", stake.out),
        *("--withdrawal-address", OWNER_TEXT, "--network", network),
        *("--password-file", stake.password, *more),
    )


def test_new_keys_are_random_private_and_open_with_the_password(
    phalanx: Phalanx, stake: Stake
) -> None:
    ran = phalanx(*new(stake, "--count", 2, "--json"))
    assert ran.code == 0, ran.err
    written = ran.json()["written"]
    assert ran.json()["count"] == len(written) == 2
    assert len({row["public_key"] for row in written}) == 2
    assert stat.S_IMODE((stake.folder / "new").stat().st_mode) == 0o700
    for row in written:
        path = Path(row["file"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        opened = decrypt(load_keystore(path), KEYSTORE_PASSWORD)
        assert f"0x{opened.public_key.hex()}" == row["public_key"]
        assert opened.secret.to_bytes().hex() not in ran.out + ran.err
    assert len(list((stake.folder / "new").iterdir())) == 2


def test_new_keys_are_scrypt_unless_asked_otherwise(phalanx: Phalanx, stake: Stake) -> None:
    words = [word for word in new(stake) if word not in ("--kdf", "pbkdf2")]
    assert phalanx(*words).code == 0
    (path,) = (stake.folder / "new").iterdir()
    assert json.loads(path.read_bytes())["crypto"]["kdf"]["function"] == "scrypt"


def test_seed_gives_the_keys_of_its_path(phalanx: Phalanx, stake: Stake) -> None:
    seed = stake.folder / "seed"
    seed.write_text(f"0x{SEED}\n")
    ran = phalanx(*new(stake, "--seed-file", seed, "--start-index", 7, "--count", 2))
    assert ran.code == 0, ran.err
    assert SEED not in ran.out + ran.err
    paths = sorted((stake.folder / "new").iterdir())
    for index, path in zip((7, 8), paths, strict=True):
        where = f"m/12381/3600/{index}/0/0"
        assert load_keystore(path).path == where
        assert f"_3600_{index}_0_0-" in path.name
        opened = decrypt(load_keystore(path), KEYSTORE_PASSWORD)
        assert opened.secret == derive_path(bytes.fromhex(SEED), where)


@pytest.mark.parametrize("content", ["", "zz", SEED[:-1], "\xff", SEED[:62], SEED * 100])
def test_malformed_seed_is_refused_without_quoting_it(
    phalanx: Phalanx, stake: Stake, content: str
) -> None:
    seed = stake.folder / "seed"
    seed.write_text(content)
    ran = phalanx(*new(stake, "--seed-file", seed, "--json"))
    assert ran.code == 3
    assert len(content) < 10 or content[:10] not in ran.err


def test_dry_run_makes_no_folder(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    words = new(stake, "--dry-run", "--count", 5)
    assert phalanx(*words, "--json").json() == {"count": 5, "written": []}
    assert "5 keystores not written" in phalanx(*words).out
    assert stake.names() == before
    assert not (stake.folder / "new").exists()


@pytest.mark.parametrize(
    ("out", "code", "word"),
    [
        ("password", 2, "folder_missing"),
        ("password/below", 5, "storage"),
        ("x" * 300, 5, "storage"),
    ],
)
def test_folder_that_cannot_be_is_refused(
    phalanx: Phalanx, stake: Stake, out: str, code: int, word: str
) -> None:
    ran = phalanx(*new(stake, "--out", stake.folder / out, "--json"))
    assert (ran.code, ran.error()["code"]) == (code, word)


@pytest.mark.parametrize("count", ["0", "1001", "x"])
def test_number_of_new_keys_is_bounded(phalanx: Phalanx, stake: Stake, count: str) -> None:
    assert phalanx(*new(stake, "--count", count)).code == 2


@pytest.mark.parametrize(
    ("more", "prefix", "gwei"),
    [
        ((), "01", 32 * 10**9),
        (("--compounding",), "02", 32 * 10**9),
        (("--compounding", "--amount-eth", 2048), "02", 2048 * 10**9),
    ],
)
def test_deposit_data_is_signed_for_the_keystores_and_terms(
    phalanx: Phalanx, stake: Stake, more: tuple[object, ...], prefix: str, gwei: int
) -> None:
    ran = phalanx(*deposit(stake, "--json", *more))
    assert ran.code == 0, ran.err
    credentials = bytes.fromhex(prefix) + bytes(11) + OWNER
    deposits = parse_deposits(stake.out.read_bytes())
    keys = [bytes.fromhex(json.loads(keystore(number))["pubkey"]) for number in (1, 2, 3)]
    assert verify_deposits(deposits, network=HOODI, credentials=credentials, public_keys=keys) == []
    assert {each.amount_gwei for each in deposits} == {gwei}
    assert ran.json() == {
        "network": "hoodi",
        "deposits": [f"0x{key.hex()}" for key in keys],
        "withdrawal_credentials": f"0x{credentials.hex()}",
        "written": str(stake.out),
    }


def test_deposit_data_for_a_network_of_ones_own(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx(*deposit(stake, network="local-net:1337:0x20000089"))
    assert ran.code == 0, ran.err
    network = Network("local-net", 1337, bytes.fromhex("20000089"))
    deposits = parse_deposits(stake.out.read_bytes())
    assert verify_deposits(deposits, network=network, networks=[network]) == []


def test_password_of_each_keystore_may_stand_in_a_folder(phalanx: Phalanx, stake: Stake) -> None:
    passwords = stake.folder / "passwords"
    passwords.mkdir()
    for number in (1, 2, 3):
        (passwords / f"keystore-{number}.txt").write_text(PASSWORD_TEXT)
    words = deposit(stake)
    words = words[: words.index("--password-file")]
    assert phalanx(*words, "--password-dir", passwords).code == 0
    (passwords / "keystore-2.txt").unlink()
    ran = phalanx(*words, "--password-dir", passwords, "--overwrite", "--json")
    assert (ran.code, ran.error()["code"]) == (3, "file_unreadable")
    assert "keystore-2.txt" in ran.error()["message"]


def test_dry_run_signs_and_writes_nothing(phalanx: Phalanx, stake: Stake) -> None:
    before = stake.names()
    ran = phalanx(*deposit(stake, "--dry-run", "--json"))
    assert (ran.code, ran.json()["written"]) == (0, None)
    assert stake.names() == before


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        (("--network", "nowhere"), 2, "network_unknown"),
        (("--network", "a:b"), 2, "usage"),
        (("--network", "a:1:2:3"), 2, "usage"),
        (("--network", "local:x:00000000"), 2, "usage"),
        (("--network", "local:" + "9" * 5000 + ":00000000"), 2, "usage"),
        (("--network", "local:0:00000000"), 2, "config"),
        (("--network", "local:1:000000"), 3, "malformed_hex"),
        (("--network", "Local:1:00000000"), 2, "config"),
        (("--amount-eth", 31), 2, "usage"),
        (("--amount-eth", 33), 3, "deposit_amount_excess"),
        (("--compounding", "--amount-eth", 2049), 2, "usage"),
        (("--withdrawal-address", OWNER_TEXT[:-1]), 3, "address_malformed"),
        (("--password-dir", "."), 2, "password_source"),
        (("--out", "nowhere/deposit.json"), 2, "folder_missing"),
    ],
)
def test_bad_terms_are_refused(
    phalanx: Phalanx, stake: Stake, more: tuple[object, ...], code: int, word: str
) -> None:
    ran = phalanx(*deposit(stake, "--json", *more))
    assert (ran.code, ran.out) == (code, "")
    assert ran.error()["code"] == word
    assert not stake.out.exists()


def test_same_key_twice_is_refused(phalanx: Phalanx, stake: Stake) -> None:
    (stake.keystores / "keystore-4.json").write_bytes(keystore(1))
    ran = phalanx(*deposit(stake, "--json"))
    assert (ran.code, ran.error()["code"]) == (3, "duplicate_validator")


def test_wrong_password_names_the_keystore(phalanx: Phalanx, stake: Stake) -> None:
    stake.password.write_text("wrong")
    ran = phalanx(*deposit(stake, "--json"))
    assert (ran.code, ran.error()["code"]) == (3, "keystore_password")
    assert "keystore-1.json" in ran.error()["message"]


def test_folder_without_keystores_is_an_input_error(phalanx: Phalanx, stake: Stake) -> None:
    for path in stake.keystores.iterdir():
        path.unlink()
    ran = phalanx(*deposit(stake, "--json"))
    assert (ran.code, ran.error()["code"]) == (3, "empty")


def test_public_keys_shown_are_those_of_the_secrets(phalanx: Phalanx, stake: Stake) -> None:
    assert phalanx(*new(stake)).code == 0
    (path,) = (stake.folder / "new").iterdir()
    opened = decrypt(load_keystore(path), KEYSTORE_PASSWORD)
    assert bls.public_key(opened.secret) == load_keystore(path).public_key
