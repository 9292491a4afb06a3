"""Keys: BLS12-381, threshold sharing, keystores, operator RSA keys. See docs/sdk.md."""

from __future__ import annotations

from sdk.crypto import bls, threshold
from sdk.crypto.derivation import derive_path, validator_path
from sdk.crypto.keystore import Decrypted, Keystore, decrypt, parse_keystore
from sdk.crypto.keystore_files import create_keystore, find_keystores, load_keystore
from sdk.crypto.operator_keys import (
    OperatorPrivateKey,
    OperatorPublicKey,
    decrypt_share,
    encrypt_share,
    parse_public_key,
)
from sdk.crypto.operator_keystore import (
    backup_proves,
    decrypt_operator_key,
    encrypt_operator_key,
    parse_operator_keystore,
)
from sdk.crypto.password_box import PasswordForm, Pbkdf2, Scrypt
from sdk.crypto.secret import Password, SecretKey

__all__ = [
    "Decrypted",
    "Keystore",
    "OperatorPrivateKey",
    "OperatorPublicKey",
    "Password",
    "PasswordForm",
    "Pbkdf2",
    "Scrypt",
    "SecretKey",
    "backup_proves",
    "bls",
    "create_keystore",
    "decrypt",
    "decrypt_operator_key",
    "decrypt_share",
    "derive_path",
    "encrypt_operator_key",
    "encrypt_share",
    "find_keystores",
    "load_keystore",
    "parse_keystore",
    "parse_operator_keystore",
    "parse_public_key",
    "threshold",
    "validator_path",
]
