"""The same cases against every backend; py_ecc's own ciphersuite is the oracle."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest
from py_ecc.bls.ciphersuites import G2ProofOfPossession
from py_ecc.bls.point_compression import decompress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed
from py_ecc.optimized_bls12_381.optimized_curve import curve_order, is_inf, multiply

from sdk.crypto import bls
from sdk.crypto.bls import Claim
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import ConfigError, InputError, InvalidPoint, UsageError

INFINITY_G1 = bytes([0xC0]) + bytes(47)
INFINITY_G2 = bytes([0xC0]) + bytes(95)
SECRET = SecretKey(0x263DBD792F5B1BE47ED85F8938C0F29586AF0D3AC7B977F21C278FE1462040E3)
OTHER = SecretKey(0x47B8192D77BF871B62E87859D653922725724A5C031AFEABC60BCEF5FF665138)
MESSAGE = b"\xab" * 32


def g1_outside_subgroup() -> bytes:
    """A point on the curve whose order is not r."""
    for x in range(1, 100):
        data = bytes([0x80]) + x.to_bytes(47, "big")
        try:
            point = decompress_G1(G1Compressed(int.from_bytes(data, "big")))
        except ValueError:
            continue
        if not is_inf(multiply(point, curve_order)):
            return data
    raise AssertionError("no such point among small x")


def g2_outside_subgroup() -> bytes:
    for x in range(1, 100):
        data = bytes([0x80]) + bytes(47) + x.to_bytes(48, "big")
        high, low = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
        try:
            point = decompress_G2(G2Compressed((high, low)))
        except ValueError:
            continue
        if not is_inf(multiply(point, curve_order)):
            return data
    raise AssertionError("no such point among small x")


def off_curve(length: int) -> bytes:
    """Compressed form of an x for which the curve has no y, found by the reference decoder."""
    for x in range(1, 100):
        data = bytes([0x80]) + x.to_bytes(length - 1, "big")
        try:
            if length == 48:
                decompress_G1(G1Compressed(int.from_bytes(data, "big")))
            else:
                halves = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
                decompress_G2(G2Compressed(halves))
        except ValueError:
            return data
    raise AssertionError("every small x is on the curve")


def test_key_and_signature_equal_the_reference_ciphersuite(backend: str) -> None:
    assert bls.public_key(SECRET) == bytes(G2ProofOfPossession.SkToPk(SECRET.reveal()))
    signature = G2ProofOfPossession.Sign(SECRET.reveal(), MESSAGE)
    assert bls.sign(SECRET, MESSAGE) == bytes(signature)


def test_interop_key_zero_has_its_published_public_key(backend: str) -> None:
    digest = sha256(bytes(32)).digest()
    secret = SecretKey(int.from_bytes(digest, "little") % CURVE_ORDER)
    published = (
        "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4"
        "bf2d153f649f7b53359fe8b94a38e44c"
    )
    assert bls.public_key(secret).hex() == published


def test_signature_verifies_only_for_its_key_and_message(backend: str) -> None:
    key, signature = bls.public_key(SECRET), bls.sign(SECRET, MESSAGE)
    assert bls.verify(key, MESSAGE, signature)
    assert not bls.verify(key, b"\xac" * 32, signature)
    assert not bls.verify(bls.public_key(OTHER), MESSAGE, signature)
    assert not bls.verify(key, MESSAGE, bls.sign(OTHER, MESSAGE))


def test_infinity_never_verifies(backend: str) -> None:
    assert not bls.verify(INFINITY_G1, MESSAGE, INFINITY_G2)
    assert not bls.verify(bls.public_key(SECRET), MESSAGE, INFINITY_G2)
    assert not bls.verify(INFINITY_G1, MESSAGE, bls.sign(SECRET, MESSAGE))


BAD_G1 = {
    "infinity": INFINITY_G1,
    "infinity with trailing bytes": INFINITY_G1[:-1] + b"\x01",
    "infinity with the sign flag": bytes([0xE0]) + bytes(47),
    "empty": b"",
    "one byte short": bytes.fromhex("97f1")[:1] + bytes(46),
    "one byte too many": bytes.fromhex(
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    )
    + b"\x00",
    "uncompressed flag": bytes.fromhex(
        "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    ),
    "x not below the field modulus": bytes([0x9F]) + b"\xff" * 47,
    "off the curve": off_curve(48),
    "outside the subgroup": g1_outside_subgroup(),
}
BAD_G2 = {
    "infinity": INFINITY_G2,
    "infinity with trailing bytes": INFINITY_G2[:-1] + b"\x01",
    "empty": b"",
    "one byte short": bytes([0x80]) + bytes(94),
    "one byte too many": bytes([0x80]) + bytes(96),
    "x not below the field modulus": bytes([0x9F]) + b"\xff" * 95,
    "second half not below the field modulus": bytes([0x80]) + bytes(47) + b"\xff" * 48,
    "off the curve": off_curve(96),
    "outside the subgroup": g2_outside_subgroup(),
}


@pytest.mark.parametrize("data", BAD_G1.values(), ids=BAD_G1.keys())
def test_bad_public_key_is_refused(backend: str, data: bytes) -> None:
    with pytest.raises(InvalidPoint):
        bls.parse_public_key(data)
    assert not bls.verify(data, MESSAGE, bls.sign(SECRET, MESSAGE))


@pytest.mark.parametrize("data", BAD_G2.values(), ids=BAD_G2.keys())
def test_bad_signature_is_refused(backend: str, data: bytes) -> None:
    with pytest.raises(InvalidPoint):
        bls.parse_signature(data)
    assert not bls.verify(bls.public_key(SECRET), MESSAGE, data)


def test_points_survive_a_round_trip_and_compare_by_bytes(backend: str) -> None:
    key = bls.public_key(SECRET)
    assert bls.parse_public_key(key).data == key
    assert bls.parse_public_key(key) == bls.parse_public_key(key)
    assert hash(bls.parse_public_key(key)) == hash(bls.parse_public_key(key))
    assert bls.parse_public_key(key) != bls.parse_public_key(bls.public_key(OTHER))


def test_aggregate_over_one_message_verifies_for_all_keys_only(backend: str) -> None:
    keys = [bls.public_key(SECRET), bls.public_key(OTHER)]
    joined = bls.aggregate([bls.sign(SECRET, MESSAGE), bls.sign(OTHER, MESSAGE)])
    assert bls.fast_aggregate_verify(keys, MESSAGE, joined)
    assert not bls.fast_aggregate_verify(keys[:1], MESSAGE, joined)
    assert not bls.fast_aggregate_verify([], MESSAGE, joined)


def test_keys_that_cancel_do_not_verify(backend: str) -> None:
    opposite = SecretKey(CURVE_ORDER - SECRET.reveal())
    keys = [bls.public_key(SECRET), bls.public_key(opposite)]
    assert not bls.fast_aggregate_verify(keys, MESSAGE, bls.sign(SECRET, MESSAGE))


def test_empty_aggregate_is_a_usage_error(backend: str) -> None:
    with pytest.raises(UsageError):
        bls.aggregate([])


def test_batch_names_exactly_the_bad_claims(backend: str) -> None:
    good = Claim(bls.public_key(SECRET), MESSAGE, bls.sign(SECRET, MESSAGE))
    wrong_message = Claim(good.public_key, b"other", good.signature)
    wrong_key = Claim(bls.public_key(OTHER), MESSAGE, good.signature)
    no_point = Claim(INFINITY_G1, MESSAGE, good.signature)
    assert bls.verify_batch([good, wrong_message, good, no_point, wrong_key]) == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert bls.verify_batch([]) == []


def test_batch_holds_as_a_whole_only_if_every_claim_does(backend: str) -> None:
    good = Claim(bls.public_key(SECRET), MESSAGE, bls.sign(SECRET, MESSAGE))
    other = Claim(bls.public_key(OTHER), MESSAGE, bls.sign(OTHER, MESSAGE))
    exchanged = [
        Claim(good.public_key, MESSAGE, other.signature),
        Claim(other.public_key, MESSAGE, good.signature),
    ]
    assert bls.verify_all([good, other])
    assert not bls.verify_all([good, Claim(good.public_key, b"other", good.signature)])
    assert not bls.verify_all([good, Claim(INFINITY_G1, MESSAGE, good.signature)])
    assert not bls.verify_all(exchanged)
    assert bls.verify_all([])


def test_two_wrong_claims_that_cancel_out_are_both_found(backend: str) -> None:
    """Exchanged signatures sum to the right total; only random factors tell them apart."""
    key = bls.public_key(SECRET)
    first, second = bls.sign(SECRET, b"first"), bls.sign(SECRET, b"second")
    swapped = [Claim(key, b"first", second), Claim(key, b"second", first)]
    assert bls.verify_batch(swapped) == [False, False]


def test_batch_over_few_messages_judges_each_claim_as_one_by_one(backend: str) -> None:
    secrets = [SecretKey(scalar) for scalar in (11, 12, 13)]
    claims = [
        Claim(bls.public_key(secret), message, bls.sign(secret, signed))
        for message, signed in ((b"a", b"a"), (b"b", b"b"), (b"a", b"b"))
        for secret in secrets
    ]
    exchanged = Claim(claims[0].public_key, b"a", claims[1].signature)
    claims.insert(4, exchanged)
    one_by_one = [bls.verify(item.public_key, item.message, item.signature) for item in claims]
    assert bls.verify_batch(claims) == one_by_one
    assert one_by_one.count(True) == 6


def test_signatures_exchanged_under_one_message_are_both_found(backend: str) -> None:
    """Both claims are over one message, where a plain sum of keys and signatures would hold."""
    keys = [bls.public_key(SECRET), bls.public_key(OTHER)]
    signatures = [bls.sign(OTHER, MESSAGE), bls.sign(SECRET, MESSAGE)]
    claims = [Claim(*pair) for pair in zip(keys, [MESSAGE] * 2, signatures, strict=True)]
    assert bls.verify_batch(claims) == [False, False]


def test_one_bad_claim_among_many_over_one_message_is_found() -> None:
    """So many that the default backend adds up by buckets."""
    secrets = [SecretKey(scalar) for scalar in range(101, 171)]
    claims = [Claim(bls.public_key(each), MESSAGE, bls.sign(each, MESSAGE)) for each in secrets]
    assert bls.verify_batch(claims) == [True] * 70
    claims[33] = Claim(claims[33].public_key, MESSAGE, claims[34].signature)
    assert bls.verify_batch(claims) == [place != 33 for place in range(70)]


def test_signature_made_as_a_point_is_the_one_that_its_bytes_decode_to(backend: str) -> None:
    made = bls.sign_point(SECRET, MESSAGE)
    assert made.data == bls.sign(SECRET, MESSAGE)
    encode = bls.active().g2_encode
    assert encode(made.point) == encode(bls.parse_signature(made.data).point)


def test_sum_at_infinity_is_no_signature(backend: str) -> None:
    one = bls.sign_point(SECRET, MESSAGE).point
    with pytest.raises(InvalidPoint):
        bls.signature_of_point(bls.active().g2_combine([one, one], [1, -1]))


@pytest.mark.parametrize("scalar", [0, -1, CURVE_ORDER, CURVE_ORDER + 1])
def test_secret_outside_the_field_is_refused(scalar: int) -> None:
    with pytest.raises(InputError):
        SecretKey(scalar)


@pytest.mark.parametrize("data", [b"", bytes(31) + b"\x01" + b"\x00", bytes(32), b"\xff" * 32])
def test_secret_bytes_must_be_32_and_in_range(data: bytes) -> None:
    with pytest.raises(InputError):
        SecretKey.from_bytes(data)


def test_secret_never_shows() -> None:
    scalar = str(SECRET.reveal())
    for text in (repr(SECRET), str(SECRET), f"{SECRET}", f"{[SECRET]}"):
        assert scalar not in text
        assert "<redacted>" in text


def test_reference_backend_leaves_the_recursion_limit_alone() -> None:
    """py_ecc raises it to 100,000, where nested JSON overflows the C stack."""
    code = (
        "import sys; before = sys.getrecursionlimit(); "
        "from sdk.crypto import bls; bls.load_backend('py_ecc'); "
        "assert 'py_ecc' in sys.modules; sys.exit(before != sys.getrecursionlimit())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_backend_that_is_not_installed_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sdk.crypto.backend_pyblst", None)
    bls.load_backend.cache_clear()
    with pytest.raises(ConfigError, match="PHALANX_BLS_BACKEND") as caught:
        bls.load_backend("pyblst")
    assert caught.value.code == "bls_backend"


def test_unknown_backend_is_named() -> None:
    with pytest.raises(ConfigError, match="pyblst, arkworks, py_ecc"):
        bls.load_backend("blst")
