"""The documentation builds as a site with every link and anchor, and fetches nothing elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
LONGEST_S = 300.0
LOADED = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="(https?:[^"]+)"')
"""What a browser would ask for by itself; `rel=canonical` and the like name no other host here."""
EXTERNAL_IMPORT = re.compile(r"@import\s+(?:url\()?[\"']?https?:|url\([\"']?https?:")


def test_site_builds_strictly_and_is_whole_by_itself(tmp_path: Path) -> None:
    site = tmp_path / "site"
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    asked = {url for page in pages for url in LOADED.findall(page.read_text())}
    assert asked == set()
    sheets = sorted(site.rglob("*.css"))
    assert [sheet for sheet in sheets if EXTERNAL_IMPORT.search(sheet.read_text())] == []
    first = (site / "index.html").read_text()
    for picture in ("architecture.svg", "cluster-sizes.svg", "attestation.svg", "explorer.png"):
        assert (site / "pictures" / picture).is_file()
    assert "pictures/architecture.svg" in first
    for heading in ("For whom", "Is it safe", "Stake", "Operate", "Build"):
        assert re.search(rf"<h2[^>]*>{heading}", first)
