"""Reads a Dockerfile into its steps: as much of the format as ours use; more is refused."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/docker"
WORDS = {
    *("FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"),
    *("STOPSIGNAL", "ENTRYPOINT", "CMD"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction; `stage` counts the FROM lines, from 0."""

    stage: int
    word: str
    text: str

    @property
    def listed(self) -> list[str]:
        """The words of an instruction in JSON form."""
        words: list[str] = json.loads(self.text)
        return words

    @property
    def commands(self) -> list[str]:
        """The commands that a RUN joins by `&&`."""
        return [" ".join(part.split()) for part in self.text.split("&&")]


def read(path: Path) -> list[Step]:
    """All steps, comments left out and continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not re.match(r"\s*#", line)]
    steps: list[Step] = []
    stage = -1
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, text = line.split(maxsplit=1)
        assert word in WORDS, f"{path.name}: {word} is not read here"
        stage += word == "FROM"
        steps.append(Step(stage, word, text.strip()))
    return steps


def variables(steps: list[Step]) -> dict[str, str]:
    """What ENV steps set."""
    pairs = [pair for step in steps if step.word == "ENV" for pair in step.text.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def only(steps: list[Step], word: str) -> Step:
    """The one step of a kind."""
    (step,) = [each for each in steps if each.word == word]
    return step


def health_command(steps: list[Step]) -> list[str]:
    """What HEALTHCHECK runs."""
    words: list[str] = json.loads(only(steps, "HEALTHCHECK").text.split("CMD", 1)[1])
    return words
