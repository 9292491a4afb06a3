"""Throwaway keys, keystores and keyshares: the same small number always gives the same key.

Pure and deterministic but for the padding that RSA encryption draws. Every secret here is
published with this package, so none of them may ever guard anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from itertools import count
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa

from sdk.crypto.keystore import encrypt
from sdk.crypto.operator_keys import OperatorPrivateKey
from sdk.crypto.password_box import Kdf, Pbkdf2
from sdk.crypto.secret import CURVE_ORDER, Password, SecretKey
from sdk.shares.keyshares_file import KeyShare, KeysharesFile, write_keyshares
from sdk.shares.split import Operator, split_key
from sdk.types import Address, OperatorId

OWNER: Final = Address(bytes.fromhex("81592c3de184a3e2c0dcb5a261bc107bfa91f494"))
KEYSTORE_PASSWORD: Final = Password(b"throwaway password")
CREATED_AT: Final = "2026-01-30T16:39:04.028Z"
MAX_OPERATORS: Final = 13
"""The largest committee."""
CHEAP_KDF: Final = Pbkdf2(c=1)
"""Opens in microseconds; real keystores cost a quarter of a second and more."""

_EXPONENT: Final = 65_537
_PRIME_DIGITS: Final = 256


def operator_key(number: int) -> OperatorPrivateKey:
    """The private key of throwaway operator 1 to 13."""
    return OperatorPrivateKey(_rsa_key(number))


@lru_cache(maxsize=MAX_OPERATORS)
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    digits = "".join(_PRIMES.split())[(number - 1) * 2 * _PRIME_DIGITS :][: 2 * _PRIME_DIGITS]
    p, q = int(digits[:_PRIME_DIGITS], 16), int(digits[_PRIME_DIGITS:], 16)
    d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    ).private_key()


def private_keys(ids: Iterable[int] = (1, 2, 3, 4)) -> dict[OperatorId, OperatorPrivateKey]:
    """Private keys by operator id; the first id has key 1, the second key 2, and so on."""
    return {OperatorId(each): operator_key(at) for at, each in enumerate(ids, 1)}


def operators(ids: Iterable[int] = (1, 2, 3, 4)) -> list[Operator]:
    """Operators with the public halves of `private_keys`."""
    return [Operator(each, key.public_key) for each, key in private_keys(ids).items()]


def validator_secret(number: int) -> SecretKey:
    """A validator key that differs for every number."""
    digest = sha256(b"validator %d" % number).digest()
    return SecretKey(1 + int.from_bytes(digest, "big") % (CURVE_ORDER - 1))


def random_below(seed: int) -> Callable[[int], int]:
    """A source for `split_key`: uniform enough for tests, the same for the same seed."""
    numbers = count()

    def draw(limit: int) -> int:
        digest = sha256(b"draw %d %d" % (seed, next(numbers))).digest()
        return int.from_bytes(digest, "big") % limit

    return draw


def keystore(
    number: int, *, password: Password = KEYSTORE_PASSWORD, kdf: Kdf = CHEAP_KDF, path: str = ""
) -> bytes:
    """The keystore of `validator_secret(number)`."""
    seed = sha256(b"keystore %d" % number).digest()
    return encrypt(
        validator_secret(number),
        password,
        kdf=kdf,
        salt=seed,
        iv=seed[:16],
        uuid=UUID(bytes=seed[:16], version=4),
        path=path,
    )


def key_share(
    number: int = 1,
    *,
    ids: Iterable[int] = (1, 2, 3, 4),
    owner: Address = OWNER,
    nonce: int = 0,
) -> KeyShare:
    """A sound entry of a keyshares file for `validator_secret(number)`."""
    return split_key(
        validator_secret(number),
        operators(ids),
        owner=owner,
        nonce=nonce,
        random_below=random_below(number),
    )


def keyshares(*shares: KeyShare) -> bytes:
    """A keyshares file of the given entries."""
    return write_keyshares(KeysharesFile(shares, created_at=CREATED_AT))


# Two primes of 1024 bits a key, in 2 * 256 hex digits.
_PRIMES: Final = """
ebdee3c92b1ee598eeb0b28915a7b7d3b39fc8a1584455963e1e5921e26a7a6c
39ad27de0b95b3e9762de474a4b941b3b37f89608a975be2892240727d52874d
66ea44becd23d463ef8fe78652fc369ed549d079ec4b29b5b1cc4b4dde66a81e
bbfe6c245521c45e42009bfa35338154e69061d7f94ab0e0faa31898c6a2f6d5
d6f265d7820792d56449c0cd23bae7b32c94be66fc8e91e76d3b96d339cf6424
e58f7af26a6ad82b3a3166a53f4fe877c8aeac0e00b5d885aff3ac9f59c0050e
154e8b600c0de904ad000948349708d4810e1e4a4f744cc37991aedf83127e45
f4e26b914f2833c0bce12b15ca17b809c26025074f001aa8b0fffbf74f3a548f
ee5f32f3df07fb5b51a50f42e0a1237c1a7cdf5ea3038c728a2842e22630bc5a
ea27796d6acadd5a7c1572a14db372be8221cb2f5e09839f5c527da97dd92955
b9a4272f3b2484edfcadaaed2510083ddb90db091162d78edb0fed5db57928e8
e66ff09e538e430865bfcaf67d8b331515bc4cc8d2870fa153afd44a9fcf0afd
d2b963bd9bfbaf916d7a08ce99974840eb42093a2fdb32964e7a244e24a2717b
22a9b906e4a9f133d2788cf722cac9809b70122cceacc00a0aa037e1a1d2c778
60821fa0eb6adbd21961cecc92e00179d3476470c1fb1f2627252460d2cf57f3
d8c0c7e6ba83b39cec08c30281fa8c84cb79d3477edb8bef548620187eba05b1
d663a15ba83559241166f3fbd87547553bb3ae319609f98ef86603e7989373f2
171892e0c798389dde1aa52c8acfe38df210dcc6f725506b2f60ecc3d7a1e0d2
e0523bba830bc11c275e6ea1456d1c9c5d31fb95ab868e8d8eaa68fee7219ac6
1100506aebb3c4b1d48ee00c07369f9343bf6d7f6396218cbe3e260d4220b5a7
b9dc316a2326a609fa53f3694d4b7e348f3392e717c1c9a90200c0fd3a3189cb
9d54ea244dbc0c325022e926a0b49145d896f9a790e3a30e68d3d2ee412edef6
323fdad54c57c4e9a41c2dee6c0610d234b9052d4e4e854535d87f0446cd177d
36bb75887556446ddba2933e7e08a48c5a3b96231fb63b034022bb34f06c3089
d6988b841721afef50648cf3557b83cffb9e469594c4ef64427c14c4b5635fde
08945a0e712f6017528b99a7bcba39b9bc158de6d07e8eca37a8c7b6e5296e07
e94b63763d1b8856e10507042807ebe94de3b8f5567c8d36a75e83933c63fe81
c299b36bb2c64dd6e81c5f7dc8b16213e0c048956139ec8954238a7c3ee2b8af
d4733510ea96e1336ccd7cdcd3183101a1b62b30c2905332efe0b76fde536a3d
a74d64f9903fda2c69679be97495c23f363053127beaa16a50007d3d7b8c3f7d
a3204a840e2bd170b16c4956fc6ed55da5016631e52097ba882a4d7310cbb24e
950f0bb641369a2e2c0703d5fe378b0e8e4a329507e4d1b1e466d4ff648f616d
fc05b84d1b4dc1e61caef87262ca49d47378cf187847ba587c0f602f8a345ab5
df0b2d33070cc0fe824aaf4330293497305e26baad41bfd56d6c5d893e245268
1db4eb375f7b41b43968a487356b6378588accf5e7722915a8c596077fd31f3f
7d6b6a7157eca732c39707ed128967faf586a464b6435bc05dec651760e5ba31
c6fa4e8eb72326c7976a82cf1975223a6bba1a1dded3277c10e3b42612bb6ced
0bb105a18c84d4f0e5647abb5a059e0e1186371eaf3ee4da72d1577a90384fe8
c5eaa451ee8d2c882986049f2b2904fe32ea40c7fc8e62b8ce8e9c765765b18a
3154844b74e21f226c8443e86c23c7bd1ef1d18268866ecf87a6906d071132eb
d71889131b4db6665fac1510e38dd7d5b93f70d404be9559ae21ff973e2df6e4
b8a5cc500ff006c787e6bf252c5e55b7fdaa85c2be59a986f1a932f983d00de7
1d1cec5fa20000b96ba5942322b74eabe1c34bb4aa0e80bd5a9739eab3a4c4e7
fb2abdb859443d22a50ef0ba757f52f884eb72a0df89100ea5393e9e03d9882f
ce0b85126c3bc094bb9d740c69b664bd180359d3a792e32912e7f50b4b0bb26b
b90d5b9690c8a2efb295e702617168018287c2b1e68f0f2599b77866e72ed500
803d59dca724a09843c71d801acabb9e9bd0f75d938894940c1aca6434c97118
b94f98b729d6da84d1fecce20db9d87774cc0cdba018db32467ed4ee32c099b9
d0349b86a1b57d6643fbe5ee4f8385e2f9f591fe7947938132f18728abcad1f3
13c90bc1dbeabedcb2806e8b64ff27684d63635d6e1416b2b98e9e96f47fb0a7
10c47de5aad05f2c745fd11017068386a7ac1de95e9d68b7ea64cf95f3465ce0
7c89e629243a1273e486e60532a5a039d1a059f459939318852d185916d89cef
babc326517df42c4ade84f9522c981ff0bdb77f111ece04db60f6b6b5daecc4f
5a5f7a72e49f109f67813388caaa5a1be0bf33c0c2ca46a5421cf34abcdae184
a5b611c72a01e39de6b6b45d7b25fa5fdbdd92a84a37368c2c630a0486fb378b
c7ee51f9197f8b1794d6fb81d781299d2a884d5972209173f2ce4939fe1b5845
da9569e41c1ffb77afafb5867669d68b349d17b9d0c5c3bd7dafe0084ff67bf6
337eb314454b81d0db70ebe1daa82c2b7e1741989b71bedd1d552ba3587d3228
4c0eccb4c98fcb3a4923b2460148411240204b3f5f6debb4ef581ddf1a8e63bf
17da2f89976b4e4a9a7a2d3342fef633fa3b69e2abc7450d80c98d08004b0493
d3fcd21d8967f34e01b821c78949651fc658b3fcbc50ec136dd75e3e542e3e38
a63c82cbede48b11413bb5f0f9a7fd9eead727c313e7c62e4e793809bba15418
ec6cb53355e7ba1b53283ff2a815ed7db3a22c30da2337bc1f490060e9ae1f49
09828a0735238cd97f1b18383e420322bb26a704b3f67607b01335cc61b77bc9
dedea4000af1be1dd793b6d4583c7468269c7b54b881fad382190be4d8905587
646de73e9a181dce23229e85421e0d68b3a89d9625f8344211cf54960c2b8b04
74ffb1fdc39a3eee4aa81166c669c7ff8b7111997fa188e22e9effbb95cd434a
f394b92bbbbf3264c4374cd00bec7bc679bba1229521686112f687e54740303f
d9663205b250b7ba156eef195418073e8c5848e30ae63dee9b78995e51749f2b
405950084f0393451a2fe5bc01f560453eb81aab3f08e2cdba0b388c632cac63
d4513e7e942ed2c9138b348475864ba27ee44b05cd98120ea16d4bcbe5ab1b9e
fadd0f5236b25bb1d5402139dc4f08515f16a192b97061b0a592f850175d32ad
f04f567e2e25ace968d14e42e6928b62dbe15d3ef30e4c769e11025322c70a94
4eba90d05c6d92582e6acab12acd2b148c9c4ef544a14a5f3bc97bbff54dcc5d
6b79ad49ad469d16ddc510b9f18cc95f6930a2bb428d72ad0593d256a142e606
0d9a0e3d1ec3015e0657db780b8219c73dc4976d5784e96d9e47984de73d7971
b83494d3e2bc59890afe096fe64975deaa114d86d8f3bc0780b2adea5b63c00e
65e5f8c156c52410a8afaaecf13eea25c81b79458449a54962a7decea2029546
7f80b3b1ebe49cef1b86de21f0129153a4f069c58837a5c82342207d39405cb3
29a9c8898063c0021cd1e07ee8be294a8aafe41992092f0973125da06c619f4f
e2f8a1c555e1cfbddea58d68f731ae9d49f344578e32d9a0c4c0d53cb733be65
a6e13328544a4a6bae7964330a3f4bbcaace0c75714726e2905241625add7ea4
626a585e1c2316092376c4983ea57b7c4e71ba1214c913ca39fbf96e84d91b15
d2ba75a7fb46bbfd4d392df8d9de21aec72cf93028f1c8e55afd2d3416e79173
d061652c29ed0ffad650c59e6d6bb3a9170b480750b2539143d06cdfb7dbcb32
f31278734bb68607b2d4e4cfa393d2b14c13ad43d1b4a356a2b357a4167c16a0
91d502df1a03ff78c635072c68a28a527056ea5946da8e5ab49a1fa2bb03d176
a7837e600df5d4c9e941fda3cd38ab40df11c6603ffd3afafc5e77d05484c1ab
ffbab017d7a8cf3fe346d8f922d1f1458807fdd18c8fd6912ff51869cd103ab4
2aef33bac84e3549324670fc011b45b5546d571424eabd55d5f07d59488b1d33
2442693fccdf4084d2dfd332f65198b77dd72c42563b2e40b8aff7300890f495
bc228abcd07536b08d66d6f122d3f5d227567d0d384207c020294084e3fd41d5
fa49712920852c69a39034572adfaec517c38556e0c51cbc1c347f0eec4d67bd
c6aa45949235f316e1d8dd4a26de3da3cf2a8629f7259392a0893ad987c6625f
ffbcc7f32f6dbed0455ad79e6ff9d61bca10f86e4b3ed06631500265c1cfdbc1
4c6fd9460d591c0d297bc4387e725efe86b856e5ef7fddb3b1284cd25a2f583f
e64d7a0500561e1030cd73f4999f6dd9c2ba62ca08018c0805b3d61f8369eba6
b49077ac6b2ba5b27671391ce7d630a06e7e11d3b5e1f64eea8ac7ccc56050f0
5eea0eace269cf774345c4090c4363c0e4cf598586ee17284d444a7d0d6306f6
c35928984f12c233731346c5915da3a4410771cf2e4a39f5d2a7e129590993e3
da87d37c9449f0cf6705d46f5810bab3c1a83da26dded1063066a02717437cfb
7c177611b8649482be233b143370a1c667c1986658cb8d576f95f51a64bc8686
961864de0041286421b4a07feea15d401b691cb56ca8f480e910cd1e1e96a7a4
4e02ca8c00bf42c39ab765b2c410af7909ca316a952ebe3618c8f39d0bd42929
"""
