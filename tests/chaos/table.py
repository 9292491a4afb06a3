"""What trials found, for people: a row each, what did not hold, and the last line.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tests.chaos.fault import Result

_WIDTHS: Final = (28, 6, 6, 7, 6, 9, 9)
_HEADS: Final = ("fault", "due", "done", "missed", "pairs", "recovery", "memory")


def table(results: Sequence[Result]) -> Iterator[str]:
    """The rows, under their heading."""
    yield _line(_HEADS) + "  reasons"
    for each in results:
        judged = each.judgement
        growth = "-" if each.growth_mib is None else f"{each.growth_mib:+.0f} MiB"
        cells = (
            each.fault,
            str(judged.due),
            str(judged.done),
            str(len(judged.misses)),
            str(len(each.slashable)),
            f"{each.recovery_slots} slots",
            growth,
        )
        reasons = ", ".join(f"{word} {count}" for word, count in judged.reasons.most_common())
        yield f"{_line(cells)}  {reasons}".rstrip()


def complaints(results: Sequence[Result]) -> Iterator[str]:
    """What did not hold, fault by fault."""
    for each in results:
        for text in (*each.slashable, *each.broken):
            yield f"{each.fault}: {text}"


def closing_line(results: Sequence[Result]) -> str:
    """The last line."""
    due = sum(each.judgement.due for each in results)
    missed = sum(len(each.judgement.misses) for each in results)
    pairs = sum(len(each.slashable) for each in results)
    return (
        f"chaos: {len(results)} faults, {due} duties due, {missed} missed, {pairs} slashable pairs"
    )


def has_held(results: Sequence[Result]) -> bool:
    """Whether no pair was signed and no bar is broken."""
    return not any(each.slashable or each.broken for each in results)


def _line(cells: Sequence[str]) -> str:
    first, *others = zip(cells, _WIDTHS, strict=True)
    texts = [f"{first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in others)]
    return " ".join(texts)
