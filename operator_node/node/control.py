"""What a node's operator can have it do while it runs, by API or signal; each order is logged.

Nothing here can make it sign anything.

Source: docs/run-a-node.md, "Control"; docs/node-api.md, "Control".
"""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import trio

from operator_node.api.control import NotNow
from operator_node.node.fences import Cause
from operator_node.node.parts import Working
from operator_node.node.reload import Reload, Reloaded
from sdk.errors import PhalanxError

if TYPE_CHECKING:
    from operator_node.node.telling import Life

_log = logging.getLogger(__name__)

FENCED = "its operator told this node to sign nothing (phalanx node fence)"


class Control:
    """The orders."""

    def __init__(self, life: Life, reload: Reload | None) -> None:
        """Nothing is ordered.

        Args:
            life: of the node.
            reload: reads the settings again; None if they cannot be.
        """
        self._life = life
        self._reload = reload

    def drain(self) -> str:
        """No duty is begun any more."""
        self._working().drain.is_on = True
        return self._told("no duty is begun any more; running ones go on to their end")

    def resume(self) -> str:
        """Ends a drain."""
        self._working().drain.is_on = False
        return self._told("duties are begun again")

    def fence(self) -> str:
        """Nothing is signed until the next start."""
        self._working().base.fences.set(Cause.OPERATOR, FENCED)
        return self._told("nothing is signed from now on, until this node is started again")

    async def reload(self) -> Reloaded:
        """Takes over what changed in the settings.

        Raises:
            NotNow: the node does not work yet.
            ConfigError: they cannot be used; nothing has changed.
        """
        working = self._working()
        if self._reload is None:
            raise NotNow("this node was started without a way to read its settings again")
        sources, built = await trio.to_thread.run_sync(self._reload.read)
        found = self._reload.take(sources, built, working)
        self._told(f"settings read again: {found}")
        return found

    async def follow_signals(self) -> None:
        """Reloads at every SIGHUP, for good."""
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                try:
                    await self.reload()
                except (NotNow, PhalanxError) as problem:
                    _log.error("settings were not read again, nothing changed: %s", problem)

    def _working(self) -> Working:
        if self._life.working is None:
            raise NotNow("this node is still starting; look at its status")
        return self._life.working

    def _told(self, text: str) -> str:
        _log.warning("control: %s", text)
        return text
