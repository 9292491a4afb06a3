"""API keys: found by their digest, read from a file that gives nobody a key."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from indexer.api.keys import MOST_KEY_BYTES, Allotment, read_keys
from sdk.errors import ConfigError

DIGEST = sha256(b"one key").hexdigest()
OTHER = sha256(b"another").hexdigest()


def written(folder: Path, *lines: str) -> Path:
    path = folder / "keys"
    path.write_text("\n".join(lines))
    return path


def test_a_key_finds_its_allotment_and_another_none(tmp_path: Path) -> None:
    path = written(tmp_path, "# ours", "", f"wallet {DIGEST} 50.5 2000", f"desk {OTHER} 1 60")
    found = read_keys(path)
    assert found.find(b"one key") == Allotment("wallet", 50.5, 2000)
    assert found.find(b"another") == Allotment("desk", 1.0, 60)
    assert found.find(b"one  key") is None
    assert found.find(b"") is None
    assert found.find(b"k" * (MOST_KEY_BYTES + 1)) is None
    assert len(found.allotments) == 2


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["# nothing"],
        ["wallet one-key 50 2000"],
        [f"wallet {DIGEST.upper()} 50 2000"],
        [f"wallet {DIGEST} 0 2000"],
        [f"wallet {DIGEST} 50 0"],
        [f"wallet {DIGEST} -1 20"],
        [f"wallet {DIGEST} 50"],
        [f"wallet {DIGEST} 50 20", f"other {DIGEST} 50 20"],
        [f"wallet {DIGEST} 50 20", f"wallet {OTHER} 50 20"],
        ["wället x 1 1"],
    ],
)
def test_a_file_that_is_wrong_says_where_and_not_what(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(ConfigError) as failure:
        read_keys(written(tmp_path, *lines))
    assert failure.value.code == "keys_file"
    assert "one-key" not in str(failure.value)
    assert DIGEST not in str(failure.value)


def test_a_file_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        read_keys(tmp_path / "absent")
