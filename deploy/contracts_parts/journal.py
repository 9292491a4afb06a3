"""What a run has done so far: one JSON file, always whole, written before each thing it records.

A step is written down with its hash before it is sent, so a killed run finds its transaction
again. The chain has the last word: what the journal says is checked there. It holds no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdk.errors import ConfigError
from sdk.files import make_private_folder, write_private

VERSION = 1
_MEANINGS = {
    "chain_id": "another chain",
    "genesis": "another chain with the same id (a development chain that was restarted, perhaps)",
    "deployer": "another deployer",
    "parameters": "other parameters",
    "code": "other contract code",
}


class Journal:
    """The steps of one run.

    Args:
        path: the file; made at the first entry.
        header: what the steps depend on; an existing journal must have the same.

    Raises:
        ConfigError: `journal_mismatch`, or the file is damaged.
    """

    def __init__(self, path: Path, header: Mapping[str, str | int]) -> None:
        self.path = path
        self._header = dict(header)
        self._steps: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._read()

    @property
    def steps(self) -> Mapping[str, Mapping[str, Any]]:
        """Entries by step: `nonce`, `address`, `transaction`, and `block` once it was mined."""
        return self._steps

    def record(self, step: str, **facts: str | int) -> None:
        """Add facts to a step and write the file."""
        self._steps[step] = {**self._steps.get(step, {}), **facts}
        self._write()

    def forget(self, step: str) -> None:
        """Drop a step whose transaction can never take effect any more."""
        self._steps.pop(step, None)
        self._write()

    def remove(self) -> None:
        """End of a finished run."""
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        document = {"version": VERSION, **self._header, "steps": self._steps}
        make_private_folder(self.path.parent)
        data = json.dumps(document, indent=2).encode() + b"\n"
        write_private(self.path, data, overwrite=True)

    def _read(self) -> None:
        try:
            document = json.loads(self.path.read_text())
            steps = document["steps"]
            found = {name: document[name] for name in ("version", *self._header)}
        except (OSError, ValueError, KeyError, TypeError):
            raise ConfigError(
                f"{self.path} is no journal of a deployment",
                code="journal_damaged",
                hint="Move it away; the addresses it names are still on the chain.",
            ) from None
        for name, value in {"version": VERSION, **self._header}.items():
            if found[name] != value:
                raise ConfigError(
                    f"{self.path} records a run with {_MEANINGS.get(name, f'another {name}')}: "
                    f"{found[name]}, now {value}",
                    code="journal_mismatch",
                    hint="Go on with the old values, or move the journal away to begin anew.",
                )
        self._steps = steps
