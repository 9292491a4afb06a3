"""Secrets have no business here: found by the names under which people send them.

Pure. Only names are looked at and only a name is told; what stands under it goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

MOST_DEPTH: Final = 32
"""No document of ours is nested deeper."""
_EXACT: Final = frozenset(
    {
        *("secret", "secrets", "seed", "seeds", "pwd", "passwd", "keystore", "keystores"),
        *("crypto", "ciphertext", "kdf", "privkey", "signingkey", "withdrawalkey"),
    }
)
_ENDINGS: Final = (
    *("password", "passphrase", "privatekey", "secretkey", "mnemonic", "mnemonics"),
    *("seedphrase", "recoveryphrase"),
)
_DROPPED: Final = str.maketrans("", "", "_-. ")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds what must stay with its owner."""
    plain = name.lower().translate(_DROPPED)
    return plain in _EXACT or plain.endswith(_ENDINGS)


def secret_in(names: Iterable[str]) -> str | None:
    """The first of some names that is a secret's."""
    return next((name for name in names if is_secret_name(name)), None)


def find_secret(document: Any) -> str | None:
    """The name of the first secret anywhere in a JSON value, None if there is none.

    Raises:
        RecursionError: the value is nested deeper than `MOST_DEPTH`.
    """
    pending = [(document, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MOST_DEPTH:
            raise RecursionError
        if isinstance(value, dict):
            found = secret_in(map(str, value))
            if found is not None:
                return found
            pending += [(each, depth + 1) for each in value.values()]
        elif isinstance(value, list):
            pending += [(each, depth + 1) for each in value if isinstance(each, dict | list)]
    return None
