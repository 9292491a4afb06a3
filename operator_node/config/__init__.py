"""The settings of a node, from a YAML file and the environment, all checked before anything opens.

`read_sources` reads both; `build` gives `Built`: settings with types, notices of keys without
effect, and warnings; `check_named_files` looks at the files that they name. Files of the existing
nodes are read as they are. Everything wrong is told at once, and a secret is never shown.
"""

from __future__ import annotations

from operator_node.config.build import Built, build
from operator_node.config.describe import Line, describe
from operator_node.config.named_files import check_named_files
from operator_node.config.networks import PUBLIC_NETWORKS
from operator_node.config.settings import (
    ApiSettings,
    BeaconSettings,
    DutySettings,
    Endpoint,
    ExecutionSettings,
    HistorySettings,
    LogSettings,
    NetworkSettings,
    OperatorKeySettings,
    PeerSettings,
    SafetySettings,
    Settings,
)
from operator_node.config.sources import Fault, Sources, read_sources

__all__ = [
    "PUBLIC_NETWORKS",
    "ApiSettings",
    "BeaconSettings",
    "Built",
    "DutySettings",
    "Endpoint",
    "ExecutionSettings",
    "Fault",
    "HistorySettings",
    "Line",
    "LogSettings",
    "NetworkSettings",
    "OperatorKeySettings",
    "PeerSettings",
    "SafetySettings",
    "Settings",
    "Sources",
    "build",
    "check_named_files",
    "describe",
    "read_sources",
]
