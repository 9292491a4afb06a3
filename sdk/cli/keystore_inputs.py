"""Which keystores a user means by files and folders, all read before the first is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sdk.cli.output import Output
from sdk.crypto.keystore import KEYSTORE_MAX_BYTES, Keystore, looks_like_keystore
from sdk.crypto.keystore_files import find_keystores, load_keystore
from sdk.errors import InputError
from sdk.files import read_bounded


def gather_keystores(paths: Sequence[Path], output: Output) -> list[Path]:
    """The files given, and the keystores of the folders given, by file name.

    Other JSON files of a folder are named in a note: one that should have been a keystore must
    not drop out unnoticed.

    Raises:
        InputError: `empty`, or `file_unreadable` for a folder.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = find_keystores(path)
        files += found
        others = sorted(set(path.glob("*.json")) - set(found))
        if others:
            names = ", ".join(other.name for other in others)
            output.note(f"no keystores, left out: {names}", left_out=[str(each) for each in others])
    if not files:
        raise InputError(
            f"no keystores in {', '.join(map(str, paths))}",
            code="empty",
            hint="Give keystore files, or the folder that holds keystore-*.json.",
        )
    return files


def load_keystores(
    files: Sequence[Path], output: Output, *, skip_invalid: bool = False
) -> list[tuple[Path, Keystore]]:
    """The keystores, so that a bad file is known before the first password is tried.

    Raises:
        InputError: the first that cannot be read, unless `skip_invalid`; `empty`, none can;
            `duplicate_validator`.
    """
    loaded: list[tuple[Path, Keystore]] = []
    for path in files:
        try:
            loaded.append((path, _load(path)))
        except InputError as problem:
            if not skip_invalid:
                raise
            output.note(f"left out: {problem.message}")
    if not loaded:
        raise InputError(
            f"none of {len(files)} keystores can be read",
            code="empty",
            hint="Give keystore files, or the folder that holds keystore-*.json.",
        )
    seen: dict[bytes, Path] = {}
    for path, keystore in loaded:
        if keystore.public_key is None:
            continue
        twin = seen.setdefault(keystore.public_key, path)
        if twin != path:
            raise InputError(
                f"validator 0x{keystore.public_key.hex()} is in two of the keystores: {twin} and "
                f"{path}",
                code="duplicate_validator",
                hint="Remove one of the two: a validator is registered once.",
            )
    return loaded


def _load(path: Path) -> Keystore:
    try:
        return load_keystore(path)
    except InputError as problem:
        if problem.code != "keystore_malformed":
            raise
        if looks_like_keystore(read_bounded(path, limit_bytes=KEYSTORE_MAX_BYTES)):
            raise
        raise InputError(
            f"{path} is no validator keystore: {problem.message}",
            code=problem.code,
            hint="A keystore is JSON with a `crypto` object (EIP-2335), as deposit tools write it.",
        ) from None
