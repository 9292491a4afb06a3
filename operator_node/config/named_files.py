"""Whether the files that settings name can be used; nothing in them is decrypted or shown.

Source: docs/run-a-node.md, "Settings".
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from operator_node.config.settings import Settings
from operator_node.config.sources import Fault
from operator_node.config.taking import refuse
from sdk.errors import InputError
from sdk.files import read_bounded

_LOOK_BYTES: Final = 65_536
"""A file with so much white space before its first character is as good as blank."""
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def check_named_files(settings: Settings) -> None:
    """Every named file is there, readable and not blank; keys and passwords are the owner's alone.

    Raises:
        ConfigError: `config_invalid`, with setting and path of every file that is not.
    """
    key = settings.operator_key
    private = {"KeyStore.PrivateKeyFile": key.file, "KeyStore.PasswordFile": key.password_file}
    named = {**private, "node.api_tokens_file": settings.api.tokens_file}
    found = [
        _fault(setting, path, is_private=setting in private)
        for setting, path in named.items()
        if path is not None
    ]
    refuse([fault for fault in found if fault is not None])


def _fault(setting: str, path: Path, *, is_private: bool) -> Fault | None:
    try:
        mode = path.stat().st_mode
        # Before it is read: a pipe would be waited for.
        if not stat.S_ISREG(mode):
            return Fault(setting, f"{path} is no file", "Name a file.")
        if is_private and mode & _FOR_OTHERS:
            shown = f"{stat.S_IMODE(mode):04o}"
            problem = f"{path} has mode {shown}: others than its owner may use it"
            return Fault(setting, problem, f"Say: chmod 600 {path}")
        if not read_bounded(path, limit_bytes=_LOOK_BYTES).strip():
            return Fault(setting, f"{path} is empty", "Name the file that holds it.")
    except OSError as problem:
        return Fault(
            setting,
            f"cannot read {path}: {problem.strerror}",
            "Check the path and its permissions.",
        )
    except InputError as problem:
        return Fault(setting, problem.message, "Check the path and its permissions.")
    return None
