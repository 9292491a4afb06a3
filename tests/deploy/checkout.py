"""A second checkout whose contracts differ from ours, as a later version's would."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.deploy.chain import ROOT

NEW_VERSION = "v2.0.1"
_CHANGES = {
    'return "v2.0.0";': f'return "{NEW_VERSION}";',
    "mapping(address owner => OwnerRecord) owners;\n": (
        "mapping(address owner => OwnerRecord) owners;\n    uint256 later;\n"
    ),
}
# The registry needs none of them, and compiling them would take half the time.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "mocks", "proofs", "deployment")


def changed_checkout(folder: Path) -> Path:
    """A checkout with another version and one more member of the storage.

    It shares the folder of what was compiled, so it compiles once per content, as ours does.
    """
    for name in ("contracts", "deploy", "sdk"):
        shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
    shutil.copy(ROOT / "ape-config.yaml", folder)
    for name in (".build", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    sources = sorted((folder / "contracts").rglob("*.sol"))
    for old, new in _CHANGES.items():
        (source,) = (source for source in sources if old in source.read_text())
        source.write_text(source.read_text().replace(old, new))
    return folder
