"""`phalanx node keys`: whether key, registration and shares fit together.

Reads the key's files and what the node has stored of the registry; asks nobody and changes nothing,
so it may be used beside a running node. Source: docs/run-a-node.md, "The operator key".
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from operator_node.cli.configuration import config_option, load_settings
from operator_node.config import Settings
from operator_node.registry import Assignment, Identity
from operator_node.registry.binding import Binding
from operator_node.registry.keeping import recombines
from operator_node.registry.record import Record
from operator_node.signer.operator_key import OperatorKey
from sdk.cli.output import HELP_NAMES, Output, counted, json_option
from sdk.crypto.operator_keys import OperatorPublicKey
from sdk.errors import KeysharesError, StorageError, UsageError
from sdk.types import OperatorId

UNHEALTHY: Final = 3
SAMPLE: Final = 16
"""Enough to tell a wrong key; each takes about two milliseconds."""
COPY_TRIES: Final = 5
"""A copy that a running node wrote into meanwhile is damaged, and taken again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the stored registry says of a key."""

    operator_id: OperatorId | None
    own: tuple[Assignment, ...]


@click.group("keys", context_settings=HELP_NAMES)
def keys() -> None:
    """Look after the operator's key."""


@keys.command("verify")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=SAMPLE,
    show_default=True,
    help="Shares to decrypt.",
)
@click.option("--all", "takes_all", is_flag=True, help="Decrypt every share.")
@click.option("--chain-id", type=int, help="Of the registry's chain, if the settings lack it.")
@config_option
@json_option
def verify(
    sample: int, takes_all: bool, chain_id: int | None, config_path: Path | None, as_json: bool
) -> None:
    """Proves that the key opens, is registered, and decrypts the shares; exit code 3 if not.

    Also beside a running node. Shares are checked against their public keys, and these against the
    validator's.
    """
    output = Output(as_json=as_json)
    _, built = load_settings(config_path, output)
    settings = built.settings
    where = settings.operator_key
    key = OperatorKey.named(file=where.file, password_file=where.password_file, raw=where.raw)
    output.step(f"the operator key opens; its fingerprint is {key.public_key.fingerprint}")
    found = stored(settings, key.public_key, chain_id)
    taken = found.own if takes_all else spread(found.own, sample)
    failures = {each.validator_key: why for each in taken if (why := fault_of(each, key))}
    is_registered = found.operator_id is not None
    told = {
        "fingerprint": key.public_key.fingerprint,
        "operator": found.operator_id,
        "validators": len(found.own),
        "decrypted": len(taken) - len(failures),
        "failures": {f"0x{each.hex()}": why for each, why in failures.items()},
    }
    lines = [f"validator 0x{each.hex()}: {why}" for each, why in failures.items()]
    if is_registered:
        lines.append(f"it is registered as operator {found.operator_id}")
        lines.append(
            f"{len(taken) - len(failures)} of {counted(len(taken), 'share')} decrypted, of "
            f"{counted(len(found.own), 'validator')}"
        )
    else:
        lines.append("no operator is registered with it, as far as the registry was read")
    output.result(told, "\n".join(lines))
    if failures or not is_registered:
        raise click.exceptions.Exit(UNHEALTHY)


def stored(settings: Settings, key: OperatorPublicKey, chain_id: int | None) -> Found:
    """What the node has stored of the registry for this key.

    Raises:
        UsageError: `chain_id_missing`.
        ConfigError: `store_foreign`, the store is another key's or network's.
        StorageError: `state_missing`, the node never ran; `state_changing`.
    """
    network, path = settings.network, settings.registry_store
    number = network.chain_id or chain_id
    if number is None:
        raise UsageError(
            f"the chain id of network {network.name} is not known",
            code="chain_id_missing",
            hint="Give --chain-id, or set ChainID in the network's section.",
        )
    if not path.exists():
        raise StorageError(
            f"there is no stored registry at {path}",
            code="state_missing",
            hint="Run the node once until it has read the registry, or check db.Path.",
        )
    identity = Identity(number, network.registry, key.fingerprint)
    for _ in range(COPY_TRIES):
        with TemporaryDirectory() as folder:
            for part in path.parent.glob(f"{path.name}*"):
                shutil.copyfile(part, Path(folder) / part.name)
            record = Record(Path(folder) / path.name, identity, Binding(key))
            try:
                if record.was_damaged:
                    continue
                progress = record.load()
            finally:
                record.close()
        own = (each for each in progress.own.values() if each is not None)
        return Found(progress.me, tuple(sorted(own, key=lambda each: each.validator_key)))
    raise StorageError(
        f"{path} changed each time that it was copied, or is damaged",
        code="state_changing",
        hint="Stop the node and try again.",
    )


def spread(own: Sequence[Assignment], most: int) -> tuple[Assignment, ...]:
    """So many of them, evenly over all."""
    if len(own) <= most:
        return tuple(own)
    return tuple(own[place * len(own) // most] for place in range(most))


def fault_of(assignment: Assignment, key: OperatorKey) -> str:
    """Why this validator cannot be signed for with the key; empty if it can."""
    if not recombines(assignment):
        return "its share public keys do not recombine to its key"
    try:
        key.decrypt(assignment.encrypted_share, assignment.share_key)
    except KeysharesError as problem:
        return problem.message
    return ""


__all__ = ["keys"]
