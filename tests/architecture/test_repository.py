"""Rules about the repository's files: no machine in them, no download hosts, no loose ends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# Which registry to ask is the machine's choice, so nothing here may name one.
DOWNLOAD_HOSTS = re.compile(
    r'"resolved"\s*:\s*"http|(?<!emit-)index[-]url|registry\.npmjs|registry\.yarnpkg'
    r"|files\.pythonhosted|pypi\.org/simple|binaries\.soliditylang|/releases[/]download/"
)
MACHINE_PATHS = re.compile(r"""(?:^|[\s"'=:(`\[])/(?:work|root|home|Users)/""")
LOOSE_ENDS = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b(?!\(#\d+\))")
DOCUMENT = re.compile(r"\bdocs/[a-z0-9/-]+\.md\b")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)(.*)$", re.MULTILINE)


def lines_matching(files: Iterable[Path], pattern: re.Pattern[str]) -> list[str]:
    """`path:line text` for every line in a text file that matches."""
    found: list[str] = []
    for path in files:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # an image or the like has no lines
        found += [
            f"{path}:{number} {line[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_no_file_names_a_download_host(project_files: list[Path]) -> None:
    assert lines_matching(project_files, DOWNLOAD_HOSTS) == []


def test_no_file_names_a_path_of_one_machine(project_files: list[Path]) -> None:
    assert lines_matching(project_files, MACHINE_PATHS) == []


def test_every_document_that_is_named_exists(project_files: list[Path]) -> None:
    """In prose and in docstrings; a reader must find what a file points to."""
    missing = []
    for path in project_files:
        if path.suffix not in (".py", ".md", ".toml", ".sh") or path.name == "CHANGELOG.md":
            continue
        text = path.read_text()
        missing += [
            f"{path}: {name}" for name in DOCUMENT.findall(text) if not Path(name).is_file()
        ]
        if path.suffix == ".md":
            links = [path.parent / name for name in LINK.findall(text)]
            missing += [f"{path}: {link}" for link in links if not link.exists()]
    assert missing == []


def test_every_open_end_names_its_issue(project_files: list[Path]) -> None:
    assert lines_matching(project_files, LOOSE_ENDS) == []


def test_patterns_find_what_they_are_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    for pattern, line in (
        (DOWNLOAD_HOSTS, "--index-" + "url https://example.org"),
        (DOWNLOAD_HOSTS, '"resolved": "' + 'https://example.org/a.tgz"'),
        (MACHINE_PATHS, "open('/" + "home/someone/key')"),
        (LOOSE_ENDS, "# TO" + "DO later"),
    ):
        bad.write_text(line)
        assert len(lines_matching([bad], pattern)) == 1, line
    bad.write_text("# TO" + "DO(#12) later")
    assert lines_matching([bad], LOOSE_ENDS) == []


def test_no_lock_of_another_tool_is_tracked(project_files: list[Path]) -> None:
    assert [path for path in project_files if path.name in {"uv.lock", "yarn.lock"}] == []


def test_every_make_target_has_a_help_line(root: Path) -> None:
    targets = TARGET.findall((root / "Makefile").read_text())
    assert {"setup", "check", "test", "demo", "help"} <= {name for name, _ in targets}
    assert [name for name, rest in targets if not re.search(r"## \S", rest)] == []
