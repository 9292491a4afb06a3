"""SSZ by descriptors: strict checks, roots and fields straight from bytes, and plain values.

A descriptor (`Container`, `List`, …) says what bytes are. `check`, `hash_tree_root` and `field`
work on the bytes without making objects of them; `encode` and `decode` are for what we build
ourselves. Bytes that are no encoding raise `MalformedSsz` and nothing else.
"""

from __future__ import annotations

from operator_node.spec.ssz.cuts import check, count_items, field
from operator_node.spec.ssz.roots import hash_tree_root
from operator_node.spec.ssz.shapes import (
    Bitlist,
    Bitvector,
    Boolean,
    ByteList,
    ByteVector,
    Container,
    List,
    MalformedSsz,
    Shape,
    Uint,
    Vector,
)
from operator_node.spec.ssz.values import Value, decode, encode

__all__ = [
    "Bitlist",
    "Bitvector",
    "Boolean",
    "ByteList",
    "ByteVector",
    "Container",
    "List",
    "MalformedSsz",
    "Shape",
    "Uint",
    "Value",
    "Vector",
    "check",
    "count_items",
    "decode",
    "encode",
    "field",
    "hash_tree_root",
]
