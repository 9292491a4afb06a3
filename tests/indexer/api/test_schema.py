"""Schemathesis asks a real server everything that its OpenAPI document allows, and what it forbids.

The same questions in every run: examples, the edges of every parameter, and some at random. Every
answer has a documented status, form and type, nothing is a fault of ours, and what the document
allows is refused only for reasons that no schema can express.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.slow
ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = 3
"""Per route, beside those at the edges of every parameter."""
LEAST_CASES: Final = 2_000
PATIENCE_S: Final = 900


def test_routes_answer_as_their_document_says(served: str, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{served}/openapi.json"),
        *("--include-path-regex", "^/(v1|healthz|readyz)"),
        *("--exclude-path", "/v1/stream"),  # it never ends, and has tests of its own
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
        *("--generation-deterministic", "--no-shrink", "--continue-on-failure"),
        # Ours takes its place, because it knows what no schema can say.
        *("--exclude-checks", "positive_data_acceptance"),
        *("--request-timeout", "60", "--no-color"),
    ]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ
        | {"SCHEMATHESIS_HOOKS": "tests.indexer.api.schema_checks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr
    found = re.search(r"(\d+) generated", ran.stdout)
    assert found is not None
    assert int(found[1]) > LEAST_CASES
