"""The anvil with a registry that the client's tests use."""

from __future__ import annotations

from tests.client.conftest import anvil_url, prepared_world, tools, world

__all__ = ["anvil_url", "prepared_world", "tools", "world"]
