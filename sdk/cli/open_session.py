"""The one door from a command's options to its session, which imports web3 only when it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdk.cli.chain_options import ChainOptions

if TYPE_CHECKING:
    from sdk.cli.chain_session import Session


def open_session(options: ChainOptions) -> Session:
    """A client as these options say, and the voice of the command."""
    from sdk.cli.chain_session import Session

    return Session(options)
