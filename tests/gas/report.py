"""From measured rows to the report: JSON, table, Markdown, last line; and the committed snapshot.

A snapshot holds what this code base decides: gas and calldata floor of each row, and code sizes.
Everything else follows from it, from `baseline.json` and from `tests.gas.targets`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gas.targets import WITHOUT_COUNTERPART, Target, target_of

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
SNAPSHOT = HERE / "snapshot.json"
DOCS = HERE.parents[1] / "docs" / "benchmarks.md"
FIRST_MARK, LAST_MARK = "<!-- gas: first line -->", "<!-- gas: last line -->"
NOT_APPLICABLE = "n/a"
CODE_LIMIT_BYTES = 24_576  # EIP-170
CONTRACTS = ("Registry", "RegistryExtension", "BeaconVerifier", "ERC1967Proxy")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one of our rows costs, in gas, and the least its calldata allows."""

    gas: int
    floor: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One run: rows by name, bytes of deployed code by contract."""

    rows: Mapping[str, Cost]
    code_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report; None where there is no such operation or no bound."""

    name: str
    ours: int | None
    v1_2: int | None
    v2: int | None
    is_floor: bool
    target: Target

    @property
    def ratio_to_v2(self) -> float | None:
        return self.ours / self.v2 if self.ours is not None and self.v2 is not None else None

    @property
    def ratio_to_v1_2(self) -> float | None:
        return self.ours / self.v1_2 if self.ours is not None and self.v1_2 is not None else None

    @property
    def is_over_target(self) -> bool:
        return (
            self.ours is not None and self.target.most is not None and self.ours > self.target.most
        )


def rows_of(snapshot: Snapshot) -> list[Row]:
    """The report's rows in the order of the baseline, which names every one of them.

    Raises:
        ValueError: a row was not measured, or one that the baseline does not know was.
    """
    baseline: dict[str, dict[str, int | None]] = json.loads(BASELINE.read_text())
    expected = baseline.keys() - WITHOUT_COUNTERPART.keys()
    if expected != snapshot.rows.keys():
        raise ValueError(
            f"rows differ from the baseline: {sorted(expected ^ snapshot.rows.keys())}"
        )
    return [_row(name, figures, snapshot.rows.get(name)) for name, figures in baseline.items()]


def _row(name: str, figures: Mapping[str, int | None], cost: Cost | None) -> Row:
    v1_2, v2 = figures["v1_2"], figures["v2"]
    if cost is None:
        return Row(name, None, v1_2, v2, False, Target(None, None, WITHOUT_COUNTERPART[name]))
    is_floor = cost.gas == cost.floor
    target = target_of(name, v2=v2, floor=cost.floor if is_floor else None)
    return Row(name, cost.gas, v1_2, v2, is_floor, target)


def last_line(rows: list[Row]) -> str:
    """The worst row that no exception covers, and how many of all rows cost more than they may."""
    ruled = [row for row in rows if row.ratio_to_v2 is not None and row.target.exception is None]
    worst = max(ruled, key=lambda row: row.ratio_to_v2 or 0)
    over = sum(row.is_over_target for row in rows)
    return (
        f"gas: worst ratio to v2 {worst.ratio_to_v2:.2f} on {worst.name}; rows over target: {over}"
    )


def as_json(rows: list[Row]) -> str:
    """Row name → figures, `n/a` where there is none."""
    return _one_entry_per_line(
        {
            row.name: {
                "ours": _or_not_applicable(row.ours),
                "v1_2": _or_not_applicable(row.v1_2),
                "v2": _or_not_applicable(row.v2),
                "target": _or_not_applicable(row.target.gas),
                "floor": row.is_floor,
                "exception": row.target.exception,
            }
            for row in rows
        }
    )


def as_table(rows: list[Row]) -> str:
    """For a terminal."""
    lines = [f"{'row':<54}{'ours':>11}{'v1.2':>11}{'v2':>11}{'target':>11}{'/v1.2':>7}{'/v2':>7}"]
    for row in rows:
        figures = (_number(n) for n in (row.ours, row.v1_2, row.v2, row.target.gas))
        line = f"{row.name:<54}" + "".join(f"{figure:>11}" for figure in figures)
        line += f"{_ratio(row.ratio_to_v1_2):>7}{_ratio(row.ratio_to_v2):>7}"
        remarks = (["OVER"] if row.is_over_target else []) + [row.target.exception or ""]
        lines.append(f"{line}  {' '.join(remarks)}".rstrip())
    return "\n".join(lines)


def as_markdown(rows: list[Row], code_bytes: Mapping[str, int]) -> str:
    """The tables of docs/benchmarks.md, one per subject."""
    lines: list[str] = []
    for subject in dict.fromkeys(_subject(row.name) for row in rows):
        lines += [
            f"### {subject}\n",
            "| row | ours | v1.2 | v2 | target | of v1.2 | of v2 | remark |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            *(_markdown_line(row) for row in rows if _subject(row.name) == subject),
            "",
        ]
    lines += [f"| contract | bytes of code, limit {CODE_LIMIT_BYTES:,} |", "| --- | ---: |"]
    lines += [f"| {name} | {size:,} |" for name, size in code_bytes.items()]
    return "\n".join([*lines, "", last_line(rows)])


def _markdown_line(row: Row) -> str:
    cells = [row.name, *map(_number, (row.ours, row.v1_2, row.v2, row.target.gas))]
    cells += [_ratio(row.ratio_to_v1_2), _ratio(row.ratio_to_v2), row.target.exception or ""]
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _subject(name: str) -> str:
    if "whitelist" in name or name.startswith("set_operators_"):
        return "Private operators"
    if name.startswith("dao_"):
        return "Governance"
    if name.startswith(("update_cluster_balance_", "oracle_")):
        return "Effective balances"
    size = name.rpartition("_")[2]
    return f"Clusters of {size} operators" if size.isdecimal() else "Operators and owners"


def code_lines(code_bytes: Mapping[str, int]) -> str:
    """For a terminal."""
    over = too_large(code_bytes)
    return "\n".join(
        f"code of {name:<19}{size:>7,} of {CODE_LIMIT_BYTES:,} bytes{' OVER' * (name in over)}"
        for name, size in code_bytes.items()
    )


def too_large(code_bytes: Mapping[str, int]) -> list[str]:
    """Contracts that no chain would accept."""
    return [name for name, size in code_bytes.items() if size > CODE_LIMIT_BYTES]


def read_snapshot() -> Snapshot:
    """The committed one."""
    read: dict[str, Any] = json.loads(SNAPSHOT.read_text())
    rows = {name: Cost(**cost) for name, cost in read["rows"].items()}
    return Snapshot(rows, read["code_bytes"])


def write_snapshot(snapshot: Snapshot) -> None:
    """Makes this run the committed one, in the tests and in the docs."""
    rows = {name: {"gas": cost.gas, "floor": cost.floor} for name, cost in snapshot.rows.items()}
    text = _one_entry_per_line(rows).strip().replace("\n", "\n  ")
    code = json.dumps(dict(snapshot.code_bytes))
    SNAPSHOT.write_text(f'{{\n  "code_bytes": {code},\n  "rows": {text}\n}}\n')
    tables = as_markdown(rows_of(snapshot), snapshot.code_bytes)
    DOCS.write_text(with_tables(DOCS.read_text(), tables))


def with_tables(page: str, tables: str) -> str:
    """The page with these tables between its two marks; without the marks, the page as it is."""
    before, first, rest = page.partition(FIRST_MARK)
    _, last, after = rest.partition(LAST_MARK)
    return f"{before}{first}\n\n{tables}\n\n{last}{after}" if first and last else page


def _one_entry_per_line(entries: Mapping[str, object]) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _or_not_applicable(figure: int | None) -> int | str:
    return NOT_APPLICABLE if figure is None else figure


def _number(figure: int | None) -> str:
    return NOT_APPLICABLE if figure is None else f"{figure:,}"


def _ratio(figure: float | None) -> str:
    return NOT_APPLICABLE if figure is None else f"{figure:.2f}"
