"""The HTTP API: what the tables tell, to whoever asks. `make_app` puts it together."""

from __future__ import annotations

from indexer.api.app import Manners, Parts, make_app

__all__ = ["Manners", "Parts", "make_app"]
