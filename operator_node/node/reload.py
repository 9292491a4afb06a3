"""Settings that a running node takes over from its changed file, and those that need a restart.

The file is read and checked as at the start; if anything in it is wrong, nothing changes.

Source: docs/run-a-node.md, "Control".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from operator_node.config import Built, Sources
from operator_node.log import set_level
from operator_node.node.parts import Working, policy_of

Read: TypeAlias = Callable[[], tuple[Sources, Built]]

_LEVEL: Final = "global.LogLevel"
_DELAYS: Final = frozenset({"ProposerDelay", "AllowDangerousProposerDelay"})
_POLICIES: Final = frozenset(
    {
        "Graffiti",
        "node.builder",
        "node.fee_recipient_policy",
        "ssv.ValidatorOptions.ExperimentalGasLimit",
    }
)
LIVE: Final = frozenset({_LEVEL}) | _DELAYS | _POLICIES
"""By the key in the file; whatever else has changed needs a restart."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Keys whose value is another one than before.

    Attributes:
        applied: in force from now on.
        needs_restart: not in force.
    """

    applied: tuple[str, ...]
    needs_restart: tuple[str, ...]

    def __str__(self) -> str:
        applied = ", ".join(self.applied) or "nothing"
        waiting = ", ".join(self.needs_restart)
        return f"taken over: {applied}" + (f"; needs a restart: {waiting}" if waiting else "")


class Reload:
    """Knows what the node runs with."""

    def __init__(self, read: Read, sources: Sources) -> None:
        """Nothing is read yet.

        Args:
            read: reads and checks the file and the environment; blocks for a moment.
            sources: what the node was started with.
        """
        self.read = read
        self._running = _texts(sources)

    def take(self, sources: Sources, built: Built, working: Working) -> Reloaded:
        """Brings what changed, as far as it can, into the running parts."""
        wanted = _texts(sources)
        changed = sorted(
            path
            for path in {*wanted, *self._running}
            if wanted.get(path) != self._running.get(path)
        )
        applied = tuple(path for path in changed if path in LIVE)
        if _LEVEL in applied:
            set_level(built.settings.log.level)
        if _POLICIES.intersection(applied):
            working.maker.policy = policy_of(built.settings)
        if _DELAYS.intersection(applied):
            working.scheduler.delay_proposals(built.settings.duties.proposer_delay_ms)
        for path in applied:
            self._running.pop(path, None)
            if path in wanted:
                self._running[path] = wanted[path]
        return Reloaded(applied, tuple(path for path in changed if path not in LIVE))


def _texts(sources: Sources) -> dict[str, str]:
    written: Mapping[str, str] = {path: each.text for path, each in sources.written.items()}
    return dict(written)
