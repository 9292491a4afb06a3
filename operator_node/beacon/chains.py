"""Whether two beacon nodes are on one chain, and which of them is behind the times.

Pure. Forks that have begun belong to the chain: objects are signed under them. Those to come only
tell that a client wants an update.

Source: Ethereum Beacon APIs, beacon/genesis and config/spec; BN-2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from operator_node.spec.chain import ChainSpec, Fork

_SHOWN: Final = 60
"""Characters of an address and a chain id; more than both have."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a node says of its chain; `deposit_contract` is empty if it names none."""

    chain: ChainSpec
    deposit_contract: str = ""


def most_agreed(accounts: Sequence[Account], *, now_s: int) -> int:
    """Place of the account of the chain that most accounts are of; the first of equals.

    Args:
        accounts: at least one, of preferred nodes first.
        now_s: unix seconds.
    """

    def support(place: int) -> int:
        chain = accounts[place].chain
        epoch = chain.epoch_of((now_s - chain.genesis_time) // chain.seconds_per_slot)
        return sum(not mismatch(accounts[place], each, epoch=epoch) for each in accounts)

    return max(range(len(accounts)), key=support)


def mismatch(ours: Account, theirs: Account, *, epoch: int) -> str:
    """As `difference`, and whether both name the same deposit contract, if both name one."""
    if wrong := difference(ours.chain, theirs.chain, epoch=epoch):
        return wrong
    named = {ours.deposit_contract, theirs.deposit_contract} - {""}
    return f"deposit contract {theirs.deposit_contract}" if len(named) > 1 else ""


def deposit_contract_of(config: Mapping[str, object]) -> str:
    """The deposit contract that a node's configuration names, empty if it names none."""
    address = config.get("DEPOSIT_CONTRACT_ADDRESS")
    if not isinstance(address, str):
        return ""
    chain_id = config.get("DEPOSIT_CHAIN_ID", "unknown")
    return f"{address.lower()[:_SHOWN]} of chain {str(chain_id)[:_SHOWN]}"


def difference(ours: ChainSpec, theirs: ChainSpec, *, epoch: int) -> str:
    """Why the other account is not of the same chain; empty if it is.

    Args:
        ours: the chain that was agreed on.
        theirs: another node's account.
        epoch: the running one.
    """
    if ours.genesis_validators_root != theirs.genesis_validators_root:
        return f"genesis validators root 0x{theirs.genesis_validators_root.hex()}"
    if ours.genesis_time != theirs.genesis_time:
        return f"genesis time {theirs.genesis_time}"
    if (ours.preset, ours.seconds_per_slot) != (theirs.preset, theirs.seconds_per_slot):
        return f"preset {theirs.preset.value} with slots of {theirs.seconds_per_slot} s"
    begun = [
        {_facts(fork) for fork in chain.forks if fork.epoch <= epoch} for chain in (ours, theirs)
    ]
    if missing := begun[0] - begun[1]:
        return f"it does not know {_told(missing)}"
    if added := begun[1] - begun[0]:
        return f"only it knows {_told(added)}"
    return ""


def outdated(ours: ChainSpec, theirs: ChainSpec) -> str:
    """How a schedule of coming forks differs; empty if it does not."""
    known = [{_facts(fork) for fork in chain.forks} for chain in (ours, theirs)]
    if missing := known[0] - known[1]:
        return f"does not know {_told(missing)}; update it"
    if added := known[1] - known[0]:
        return f"knows {_told(added)}, and the first beacon node does not: update that one"
    return ""


def _facts(fork: Fork) -> tuple[int, bytes]:
    return fork.epoch, fork.fork_version


def _told(forks: set[tuple[int, bytes]]) -> str:
    epoch, version = min(forks)
    return f"the fork of epoch {epoch} with version 0x{version.hex()}"
