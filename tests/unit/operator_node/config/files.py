"""Short builders for configurations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from operator_node.config import Built, build, read_sources

BASE = """
eth2:
  BeaconNodeAddr: http://one:5052;http://two:5052
eth1:
  ETH1Addr: http://one:8545
KeyStore:
  PrivateKeyFile: ./key.json
"""


def built(
    folder: Path, text: str = "", variables: Mapping[str, str] | None = None, base: str = BASE
) -> Built:
    """What a file with the necessary keys and this text comes to."""
    path = folder / "config.yaml"
    path.write_text(base + text)
    return build(read_sources(path, variables or {}))
