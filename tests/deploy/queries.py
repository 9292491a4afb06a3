"""Names, labels and label values in a PromQL query: as much of the language as ours use."""

from __future__ import annotations

import re
from dataclasses import dataclass

FUNCTIONS = {
    *("sum", "max", "rate", "increase", "changes", "histogram_quantile", "topk"),
    *("by", "unless", "offset"),
}
"""Words that are no metric; one that is missing here fails the tests as an unknown metric."""
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPING = re.compile(r"\bby \(([^)]*)\)")
DURATION = re.compile(r"\[[^\]]*\]|\boffset \w+")


@dataclass(frozen=True, slots=True)
class Use:
    """One metric in a query with what it is chosen by."""

    metric: str
    matchers: tuple[tuple[str, tuple[str, ...]], ...]


def uses(query: str) -> list[Use]:
    """Every metric in the query, in its order."""
    bare = GROUPING.sub("", DURATION.sub("", query))
    found = []
    for name, braces in SELECTOR.findall(bare):
        if name in FUNCTIONS:
            continue
        matchers = tuple(
            (label, tuple(value.split("|"))) for label, _, value in MATCHER.findall(braces)
        )
        found.append(Use(name, matchers))
    return found


def grouped_by(query: str) -> set[str]:
    """Labels that survive, of all its groupings."""
    return {label.strip() for found in GROUPING.findall(query) for label in found.split(",")}
