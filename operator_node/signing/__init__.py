"""The signing process: the operator's key, the shares and the slashing record, behind one door.

The node starts it, speaks with it over sockets that nobody else has, and starts it again when it
ends. After that the node itself holds no secret of a share.

Source: docs/security.md, "The signing process".
"""

from __future__ import annotations

from operator_node.signing.process import SigningProcess
from operator_node.signing.shares import ProcessShares, RemoteKey
from operator_node.signing.words import OpenKey, OpenRecord, SealedShare

__all__ = [
    "OpenKey",
    "OpenRecord",
    "ProcessShares",
    "RemoteKey",
    "SealedShare",
    "SigningProcess",
]
