"""How a network ends: by Ctrl-C, by another signal, or because a part of it ended unasked."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import trio

from deploy.devnet.process import ProcessEnded


async def interrupt_at_signals() -> None:
    """Never returns: SIGTERM, and the end of the terminal, end what Ctrl-C ends, as orderly.

    Raises:
        KeyboardInterrupt: at one of them.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            raise KeyboardInterrupt


def why_it_ended(error: BaseException) -> BaseException:
    """What ended a network, out of the groups that nurseries make: a part's own end if any did."""
    parts = [each for each in _leaves(error) if isinstance(each, ProcessEnded)]
    return parts[0] if parts else next(_leaves(error))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error
