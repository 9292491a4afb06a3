"""Whether new code can live on old storage. Pure.

The registry keeps everything in one namespaced struct. An upgrade may add members at its end and
nothing else: what exists keeps its name, place and type, in nested structs, too. What the packed
words hold inside is not in the compiler's description; reviews and the invariant tests watch that.
"""

from __future__ import annotations

import re
from typing import Any

_AST_ID = re.compile(r"\)\d+(?=_storage|\b)")


def describe(compiled: dict[str, Any]) -> dict[str, Any]:
    """The registry's storage without what changes from build to build.

    Args:
        compiled: `build.storage_layout()`.

    Returns:
        `namespace`; `structs`: for each struct its members, in order, each as
        `[label, slot, offset, type]`, slots counted from the struct's first.
    """
    structs = {}
    for key, entry in compiled["types"].items():
        if "members" in entry:
            structs[_plain(key)] = [
                [member["label"], int(member["slot"]), member["offset"], _plain(member["type"])]
                for member in entry["members"]
            ]
    sizes = {_plain(key): int(entry["numberOfBytes"]) for key, entry in compiled["types"].items()}
    return {"namespace": compiled["namespace"], "structs": structs, "sizes_bytes": sizes}


def conflicts(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What the new code would read wrongly, none if it may replace the old."""
    found = []
    if old["namespace"] != new["namespace"]:
        found.append(f"the namespace {old['namespace']!r} became {new['namespace']!r}")
    for name, before in old["structs"].items():
        after = new["structs"].get(name)
        if after is None:
            found.append(f"{name} is gone")
            continue
        for number, member in enumerate(before):
            if number >= len(after):
                found.append(f"{name}.{member[0]} is gone")
            elif after[number] != member:
                found.append(f"{name}: {_shown(member)} became {_shown(after[number])}")
    for name, size in old["sizes_bytes"].items():
        changed = new["sizes_bytes"].get(name, size)
        if name not in old["structs"] and changed != size:
            found.append(f"{name} had {size} bytes and has {changed}")
    return found


def additions(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What the new code adds, for the reader of a plan."""
    return [
        f"{name}.{member[0]}"
        for name, after in new["structs"].items()
        for member in after[len(old["structs"].get(name, [])) :]
    ]


def _plain(type_name: str) -> str:
    """`t_struct(Rights)` of `t_struct(Rights)123_storage`."""
    return _AST_ID.sub(")", type_name).replace("_storage", "")


def _shown(member: list[Any]) -> str:
    label, slot, offset, type_name = member
    return f"{label} (slot {slot}, byte {offset}, {type_name.removeprefix('t_')})"
