"""Operator RSA keys: spellings, signatures, share encryption and what must look alike."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sdk.crypto import bls
from sdk.crypto.operator_keys import (
    OperatorPrivateKey,
    decrypt_share,
    encrypt_share,
    parse_public_key,
)
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import InputError, KeysharesError

OWN = OperatorPrivateKey.generate()
OTHER = OperatorPrivateKey.generate()
SHARE = SecretKey(0xABCDEF)
SHARE_PUBLIC_KEY = bls.public_key(SHARE)


def raw_key(key: OperatorPrivateKey) -> rsa.RSAPrivateKey:
    loaded = load_pem_private_key(key.reveal_pem(), password=None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


RAW = raw_key(OWN)
SPKI_DER = RAW.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PKCS1_DER = RAW.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
SPKI_PEM = RAW.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PKCS1_PEM = RAW.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
NETWORK_PEM = SPKI_PEM.replace(b"PUBLIC KEY", b"RSA PUBLIC KEY")
TEXT = base64.b64encode(NETWORK_PEM).decode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_canonical_form_is_base64_of_pem_with_a_pkcs1_header_and_spki_inside() -> None:
    assert OWN.public_key.text == TEXT
    assert len(TEXT) == 612
    lines = base64.b64decode(TEXT).decode().split("\n")
    assert lines[0] == "-----BEGIN RSA PUBLIC KEY-----"
    assert lines[-2:] == ["-----END RSA PUBLIC KEY-----", ""]
    assert {len(line) for line in lines[1:-3]} == {64}
    assert base64.b64decode("".join(lines[1:-2])) == SPKI_DER


@pytest.mark.parametrize(
    "spelling",
    [
        TEXT,
        TEXT.encode(),
        f"  {TEXT}\n",
        "\n".join(re.findall(".{1,76}", TEXT)),
        NETWORK_PEM,
        NETWORK_PEM.decode(),
        NETWORK_PEM.replace(b"\n", b"\r\n"),
        NETWORK_PEM.rstrip(),
        SPKI_PEM,
        PKCS1_PEM,
        SPKI_DER,
        PKCS1_DER,
        b64(SPKI_PEM),
        b64(PKCS1_PEM),
        b64(NETWORK_PEM.rstrip()),
        b64(SPKI_DER),
        b64(PKCS1_DER),
    ],
)
def test_every_spelling_is_read_and_one_is_written(spelling: str | bytes) -> None:
    assert parse_public_key(spelling).text == TEXT
    assert parse_public_key(spelling) == OWN.public_key


def other_size(bits: int, exponent: int = 65537) -> bytes:
    key = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


CURVE_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
# The algorithm of the key: rsaEncryption and NULL. A key without the NULL, and one restricted to
# PSS, hold the same numbers but are other bytes, so neither may pass for the key.
ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
NO_PARAMETERS_DER = SPKI_DER.replace(ALGORITHM, bytes.fromhex("300b06092a864886f70d010101"))
NO_PARAMETERS_DER = NO_PARAMETERS_DER.replace(b"\x30\x82\x01\x22", b"\x30\x82\x01\x20", 1)
PSS_DER = SPKI_DER.replace(ALGORITHM, bytes.fromhex("300b06092a864886f70d01010a"))
PSS_DER = PSS_DER.replace(b"\x30\x82\x01\x22", b"\x30\x82\x01\x20", 1)


@pytest.mark.parametrize(
    "spelling",
    [
        b"",
        b"\x00" * 64,
        "\ud800",
        "no key",
        "0x" + SPKI_DER.hex(),
        TEXT[:-8],
        TEXT + "AAAA",
        b64(TEXT.encode()),
        SPKI_DER + b"\x00",
        SPKI_DER[:-1],
        b64(SPKI_DER + b"\x00"),
        NETWORK_PEM + b"x",
        b"x" + NETWORK_PEM,
        NETWORK_PEM + NETWORK_PEM,
        SPKI_PEM.replace(b"END PUBLIC", b"END RSA PUBLIC"),
        SPKI_PEM.replace(b"PUBLIC", b"PRIVATE"),
        SPKI_PEM.replace(b"\nMIIB", b"\nMI!B"),
        b" " * 2000 + SPKI_PEM,
        CURVE_PEM,
        NO_PARAMETERS_DER,
        PSS_DER,
        other_size(1024),
        other_size(3072),
        other_size(2048, exponent=3),
        OWN.reveal_base64(),
    ],
)
def test_what_is_no_operator_key_is_refused(spelling: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_public_key(spelling)
    assert caught.value.code == "operator_key_malformed"
    assert len(str(caught.value)) < 300


def test_a_wrong_size_or_exponent_is_told() -> None:
    with pytest.raises(InputError, match="1024 bits and exponent 65537"):
        parse_public_key(other_size(1024))
    with pytest.raises(InputError, match="2048 bits and exponent 3"):
        parse_public_key(other_size(2048, exponent=3))


def test_keys_are_equal_by_key() -> None:
    assert {parse_public_key(TEXT), parse_public_key(PKCS1_DER)} == {OWN.public_key}
    assert OWN.public_key != OTHER.public_key


def test_the_fingerprint_tells_keys_apart() -> None:
    assert re.fullmatch("[0-9a-f]{16}", OWN.public_key.fingerprint)
    assert parse_public_key(PKCS1_DER).fingerprint == OWN.public_key.fingerprint
    assert OTHER.public_key.fingerprint != OWN.public_key.fingerprint


PKCS8_PEM = RAW.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "text",
    [
        OWN.reveal_pem(),
        OWN.reveal_pem().decode(),
        OWN.reveal_pem() + b"\n",
        PKCS8_PEM,
        OWN.reveal_base64(),
        OWN.reveal_base64() + "\n",
        b64(PKCS8_PEM),
    ],
)
def test_private_keys_are_read_from_pem_and_base64_of_it(text: str | bytes) -> None:
    assert OperatorPrivateKey.from_text(text).reveal_pem() == OWN.reveal_pem()


def test_private_keys_are_written_as_pkcs1() -> None:
    assert OWN.reveal_pem().startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    assert base64.b64decode(OWN.reveal_base64()) == OWN.reveal_pem()


LARGE = rsa.generate_private_key(public_exponent=65537, key_size=3072)
CURVE = ec.generate_private_key(ec.SECP256R1())
LOCKED = RAW.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
LOCKED_OLD = RAW.private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x")
)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        "\ud800",
        b"no key",
        TEXT,
        SPKI_PEM,
        OWN.reveal_pem()[:-40],
        OWN.reveal_pem() + b"x",
        OWN.reveal_pem() * 2,
        OWN.reveal_pem().replace(b"\nMII", b"\nNII"),
        OWN.reveal_pem() + b" " * 8192,
        LOCKED,
        LOCKED_OLD,
        LARGE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        CURVE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_what_is_no_private_key_is_refused_without_quoting_it(text: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        OperatorPrivateKey.from_text(text)
    assert caught.value.code == "operator_key_malformed"
    assert caught.value.__cause__ is None
    assert "MII" not in str(caught.value)


def test_a_private_key_does_not_show_itself() -> None:
    assert repr(OWN) == str(OWN) == f"{OWN}" == "<redacted>"


def test_signatures_are_pkcs1_v15_over_sha256() -> None:
    signature = OWN.sign(b"message")
    RAW.public_key().verify(signature, b"message", padding.PKCS1v15(), SHA256())
    assert OWN.public_key.verify(b"message", signature)
    assert not OWN.public_key.verify(b"other", signature)
    assert not OTHER.public_key.verify(b"message", signature)
    assert not OWN.public_key.verify(b"message", signature[:-1])
    assert not OWN.public_key.verify(b"message", b"")


@pytest.mark.parametrize("salt_bytes", [0, 20, 32, 222])
def test_pss_signatures_of_any_salt_length_verify(salt_bytes: int) -> None:
    scheme = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=salt_bytes)
    signature = RAW.sign(b"message", scheme, SHA256())
    assert OWN.public_key.verify_pss(b"message", signature)
    assert not OWN.public_key.verify_pss(b"other", signature)
    assert not OTHER.public_key.verify_pss(b"message", signature)
    assert not OWN.public_key.verify(b"message", signature)
    assert not OWN.public_key.verify_pss(b"message", OWN.sign(b"message"))


def test_a_share_is_encrypted_as_66_characters_of_text() -> None:
    ciphertext = encrypt_share(OWN.public_key, SHARE)
    assert len(ciphertext) == 256
    assert RAW.decrypt(ciphertext, padding.PKCS1v15()) == b"0x" + f"{0xABCDEF:064x}".encode()
    assert ciphertext != encrypt_share(OWN.public_key, SHARE)
    assert decrypt_share(OWN, ciphertext, SHARE_PUBLIC_KEY) == SHARE


@pytest.mark.parametrize("form", ["0x{:064x}", "{:064x}", "0x{:064X}", "{:064X}"])
def test_a_share_is_read_with_and_without_prefix_in_any_case(form: str) -> None:
    ciphertext = OWN.public_key.encrypt(form.format(SHARE.reveal()).encode())
    assert decrypt_share(OWN, ciphertext, SHARE_PUBLIC_KEY) == SHARE


def oaep(plaintext: bytes) -> bytes:
    scheme = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
    return RAW.public_key().encrypt(plaintext, scheme)


GOOD_TEXT = b"0x" + SHARE.to_bytes().hex().encode()


def test_every_failure_to_decrypt_looks_the_same() -> None:
    good = encrypt_share(OWN.public_key, SHARE)
    own = OWN.public_key
    failures = [
        (good[:-1], SHARE_PUBLIC_KEY),
        (good + b"\x00", SHARE_PUBLIC_KEY),
        (b"", SHARE_PUBLIC_KEY),
        (b"\xff" * 256, SHARE_PUBLIC_KEY),
        (bytes(256), SHARE_PUBLIC_KEY),
        (encrypt_share(OTHER.public_key, SHARE), SHARE_PUBLIC_KEY),
        (oaep(GOOD_TEXT), SHARE_PUBLIC_KEY),
        (own.encrypt(b""), SHARE_PUBLIC_KEY),
        (own.encrypt(SHARE.to_bytes()), SHARE_PUBLIC_KEY),
        (own.encrypt(GOOD_TEXT + b"\n"), SHARE_PUBLIC_KEY),
        (own.encrypt(b" " + GOOD_TEXT), SHARE_PUBLIC_KEY),
        (own.encrypt(GOOD_TEXT[:-1]), SHARE_PUBLIC_KEY),
        (own.encrypt(b"0X" + GOOD_TEXT[2:]), SHARE_PUBLIC_KEY),
        (own.encrypt(b"0x" + b"0" * 64), SHARE_PUBLIC_KEY),
        (own.encrypt(b"0x" + f"{CURVE_ORDER:064x}".encode()), SHARE_PUBLIC_KEY),
        (own.encrypt(b"0x" + f"{SHARE.reveal() + CURVE_ORDER:064x}".encode()), SHARE_PUBLIC_KEY),
        (good, bls.public_key(SecretKey(2))),
        (good, b""),
    ]
    seen = set()
    for ciphertext, share_public_key in failures:
        with pytest.raises(KeysharesError) as caught:
            decrypt_share(OWN, ciphertext, share_public_key)
        error = caught.value
        assert error.__cause__ is None
        assert error.__suppress_context__
        seen.add((error.code, str(error), tuple(error.data.items())))
    assert len(seen) == 1
    assert next(iter(seen))[0] == "share_undecryptable"
