"""Keystores under any input: round trips hold, and hostile files end in a KeystoreError."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sdk.crypto.keystore import decrypt, encrypt, looks_like_keystore, parse_keystore
from sdk.crypto.operator_key_text import read_public_key
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.operator_keystore import parse_operator_keystore
from sdk.crypto.password_box import (
    PasswordForm,
    Pbkdf2,
    Scrypt,
    check_cost,
    memory_bytes,
    standard_password,
)
from sdk.crypto.secret import CURVE_ORDER, Password, SecretKey
from sdk.errors import InputError, KeystoreError

CHEAP = Pbkdf2(c=1)
KEYSTORE: dict[str, Any] = json.loads(
    encrypt(
        SecretKey(7),
        Password(b"password"),
        kdf=CHEAP,
        salt=bytes(32),
        iv=bytes(16),
        uuid=UUID(int=1),
    )
)
KEY_TEXT = OperatorPrivateKey.generate().public_key.text.encode()

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.text("\x00\x1b\x9b\u202e0a", max_size=300)
    | st.sampled_from(["scrypt", "pbkdf2", "sha256", "aes-128-ctr", "00", 10**400, -(2**63)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["params", "message", "n", "salt"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths(document: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every field of a document, at every depth."""
    found = []
    for name, value in document.items():
        found.append((*prefix, name))
        if isinstance(value, dict):
            found += paths(value, (*prefix, name))
    return found


def refusal(parse: Callable[[bytes], object], data: bytes) -> InputError | None:
    """How a parser refused, None if it did not; any other exception fails the test."""
    try:
        parse(data)
    except InputError as error:
        return error
    return None


def check_both_parsers(data: bytes) -> None:
    """Reads a file as both kinds of keystore."""
    looks_like_keystore(data)
    for parse in (parse_keystore, parse_operator_keystore):
        error = refusal(parse, data)
        if error is not None:
            assert isinstance(error, KeystoreError)
            assert len(str(error)) < 1000
            assert str(error).isprintable()


@given(
    st.integers(1, CURVE_ORDER - 1),
    st.text(min_size=1).filter(lambda text: standard_password(text.encode()) != b""),
    st.sampled_from([CHEAP, Scrypt(n=2, r=1, p=1), Scrypt(n=16, r=8, p=2)]),
    st.binary(min_size=1, max_size=64),
    st.binary(min_size=16, max_size=16),
    st.text(max_size=50),
)
def test_what_is_encrypted_decrypts(
    scalar: int, password: str, kdf: Scrypt | Pbkdf2, salt: bytes, iv: bytes, description: str
) -> None:
    secret = SecretKey(scalar)
    data = encrypt(
        secret,
        Password.from_text(password),
        kdf=kdf,
        salt=salt,
        iv=iv,
        uuid=UUID(int=5),
        path="m/12381/3600/0/0/0",
        description=description,
    )
    assert looks_like_keystore(data)
    keystore = parse_keystore(data)
    assert (keystore.sealed.kdf, keystore.description) == (kdf, description)
    opened = decrypt(keystore, Password.from_text(password))
    assert opened.secret == secret
    assert opened.public_key == keystore.public_key
    assert opened.form is PasswordForm.STANDARD


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    check_both_parsers(data)


@given(st.sampled_from(paths(KEYSTORE)), json_values)
def test_any_value_in_any_field_is_accepted_or_refused_in_one_way(
    path: tuple[str, ...], value: object
) -> None:
    document = copy.deepcopy(KEYSTORE)
    target = document
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    check_both_parsers(json.dumps(document).encode(errors="surrogatepass"))
    check_both_parsers(json.dumps(document["crypto"]).encode(errors="surrogatepass"))


@given(st.integers(0, len(json.dumps(KEYSTORE))), st.binary(max_size=4), st.integers(0, 8))
def test_any_damage_to_the_text_is_accepted_or_refused_in_one_way(
    at: int, inserted: bytes, dropped: int
) -> None:
    data = json.dumps(KEYSTORE).encode()
    check_both_parsers(data[:at] + inserted + data[at + dropped :])


@given(
    n=st.integers(-4, 2**40) | st.integers(0, 40).map(lambda bits: 2**bits),
    r=st.integers(-4, 2**32) | st.integers(1, 16),
    p=st.integers(-4, 2**32) | st.integers(1, 16),
)
def test_an_allowed_scrypt_cost_needs_at_most_1_gib(n: int, r: int, p: int) -> None:
    kdf = Scrypt(n=n, r=r, p=p)
    try:
        check_cost(kdf)
    except KeystoreError:
        return
    assert memory_bytes(kdf) <= 2**30
    assert 2 <= n <= 2**20
    assert n.bit_count() == 1
    assert 1 <= p <= 16
    assert r >= 1


@given(st.text())
def test_the_standard_form_of_a_password_has_no_control_characters(text: str) -> None:
    standard = standard_password(text.encode()).decode()
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in standard)


@given(st.binary(max_size=900))
def test_any_bytes_are_an_operator_key_or_refused_in_one_way(data: bytes) -> None:
    error = refusal(read_public_key, data)
    assert error is None or error.code == "operator_key_malformed"


@given(st.integers(0, len(KEY_TEXT)), st.binary(max_size=4), st.integers(0, 8))
def test_any_damage_to_an_operator_key_is_accepted_or_refused_in_one_way(
    at: int, inserted: bytes, dropped: int
) -> None:
    error = refusal(read_public_key, KEY_TEXT[:at] + inserted + KEY_TEXT[at + dropped :])
    assert error is None or error.code == "operator_key_malformed"
