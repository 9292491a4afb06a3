"""Split a keystore and verify the result from Python: `python -m examples.split_and_verify`.

Makes throwaway keys first, so that it runs as it stands; use your own files instead.
"""

from __future__ import annotations

import secrets

from sdk.crypto import (
    OperatorPrivateKey,
    Password,
    Pbkdf2,
    SecretKey,
    create_keystore,
    decrypt,
    parse_keystore,
)
from sdk.shares import (
    Expected,
    KeysharesFile,
    Operator,
    read_keyshares,
    split_key,
    verify_keyshares,
    write_keyshares,
)
from sdk.types import OperatorId, parse_address

# A staker has a keystore and the public keys of four registered operators.
password = Password.from_text("correct horse battery staple")
keystore = parse_keystore(create_keystore(SecretKey(2**200 + 9), password, kdf=Pbkdf2()))
operators = [
    Operator(OperatorId(number), OperatorPrivateKey.generate().public_key)
    for number in (1, 2, 3, 4)
]
owner = parse_address("0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494")

# Split: the whole key is in memory only here.
share = split_key(
    decrypt(keystore, password).secret,
    operators,
    owner=owner,
    nonce=0,
    random_below=secrets.randbelow,
)
data = write_keyshares(KeysharesFile((share,), created_at="2026-01-01T00:00:00Z"))

# Verify the bytes as a stranger would.
expected = Expected(
    owner=owner, nonce=0, operators={operator.id: operator.public_key for operator in operators}
)
findings = verify_keyshares(read_keyshares(data), expected)
print(f"{len(data)} bytes for validator 0x{share.public_key.hex()}")
print("sound" if not findings else "\n".join(f"{f.code}: {f.message}" for f in findings))

# A file for another nonce would be refused by every node; here it is found before it costs.
late = verify_keyshares(read_keyshares(data), Expected(owner=owner, nonce=7))
print(f"for nonce 7: {', '.join(finding.code for finding in late)}")
