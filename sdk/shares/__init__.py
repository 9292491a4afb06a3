"""Splitting validator keys, keyshares files, and every offline check of them. See docs/sdk.md."""

from __future__ import annotations

from sdk.shares.bulk import Failure, Job, Outcome, Step, split_keystores, worker_count
from sdk.shares.consistency import Expected
from sdk.shares.journal import Journal
from sdk.shares.keyshares_file import KeyShare, KeysharesFile, OperatorEntry, write_keyshares
from sdk.shares.keyshares_reader import Reading, load_keyshares, read_keyshares
from sdk.shares.layout import SharesData, pack, unpack
from sdk.shares.proofs import open_shares
from sdk.shares.split import Operator, check_operators, split_key
from sdk.shares.verify import is_sound, verify_keyshares

__all__ = [
    "Expected",
    "Failure",
    "Job",
    "Journal",
    "KeyShare",
    "KeysharesFile",
    "Operator",
    "OperatorEntry",
    "Outcome",
    "Reading",
    "SharesData",
    "Step",
    "check_operators",
    "is_sound",
    "load_keyshares",
    "open_shares",
    "pack",
    "read_keyshares",
    "split_key",
    "split_keystores",
    "unpack",
    "verify_keyshares",
    "worker_count",
    "write_keyshares",
]
