"""These tests need pyrevm, which lives in .venv-contracts; elsewhere nothing is collected here."""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("pyrevm") is None:
    collect_ignore_glob = ["test_*.py"]
