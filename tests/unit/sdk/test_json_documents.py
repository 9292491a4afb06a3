"""JSON of strangers: bounded in size and depth, whatever the interpreter's own limits are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.errors import InputError
from sdk.json_documents import MAX_DEPTH, is_too_deep, read_json


def nested(depth: int, inner: str = "") -> bytes:
    return ("[" * depth + inner + "]" * depth).encode()


@pytest.mark.parametrize(
    ("data", "too_deep"),
    [
        (nested(MAX_DEPTH), False),
        (nested(MAX_DEPTH + 1), True),
        (b"[" * (MAX_DEPTH + 1), True),
        (b'{"a":' * (MAX_DEPTH + 1), True),
        (b"[" + b"[],{}," * 1000 + b"[]]", False),
        (b'["' + b"[" * 1000 + b'"]', False),
        (b'["' + b'\\"[' * 1000 + b'"]', False),
        (b'["\\\\",' + nested(MAX_DEPTH) + b"]", True),
        (b'"' + b"[" * 1000, False),
        (b"[" * 33 + b'"' + b'\\"' * 1_000_000, True),
    ],
)
def test_depth_is_counted_outside_strings(data: bytes, too_deep: bool) -> None:
    assert is_too_deep(data) is too_deep


trees = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=30,
)


def depth_of(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 0


@given(trees, st.integers(0, MAX_DEPTH + 4))
def test_depth_check_agrees_with_the_parsed_document(tree: object, more: int) -> None:
    text = "[" * more + json.dumps(tree) + "]" * more
    assert is_too_deep(text.encode()) == (depth_of(tree) + more > MAX_DEPTH)


def test_too_deep_document_is_an_error_that_names_the_file() -> None:
    with pytest.raises(InputError, match=r"box\.json is nested deeper than 32") as caught:
        read_json(nested(100), list[Any], source="box.json", limit_bytes=1000, code="bad")
    assert caught.value.code == "bad"


def test_nested_file_cannot_end_a_process_whose_recursion_limit_was_raised() -> None:
    code = (
        "import sys; sys.setrecursionlimit(10**6)\n"
        "from sdk.shares import read_keyshares\n"
        "from sdk.errors import KeysharesError\n"
        "for data in (b'[' * 10**6, b'{\"a\":' * 10**6, b'[' * 10**6 + b']' * 10**6):\n"
        "    try: read_keyshares(data)\n"
        "    except KeysharesError: pass\n"
        "    else: sys.exit(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
