"""Gas and code sizes are those of the committed snapshot, and no row costs more than it may."""

from __future__ import annotations

import json

import pytest

from tests.gas import report
from tests.gas.report import Snapshot
from tests.gas.run import measured, snapshot_of
from tests.gas.targets import target_of

REWRITE = "if the change is meant: deploy/toolchain/run .venv/bin/python -m tests.gas --write"


@pytest.fixture(scope="module")
def fresh() -> Snapshot:
    """A run of all rows on the contracts as they are."""
    return snapshot_of(measured())


@pytest.mark.toolchain
@pytest.mark.slow
def test_every_row_costs_what_the_snapshot_says(fresh: Snapshot) -> None:
    committed = report.read_snapshot()
    different = {
        name: (committed.rows.get(name), fresh.rows.get(name))
        for name in committed.rows.keys() | fresh.rows.keys()
        if committed.rows.get(name) != fresh.rows.get(name)
    }
    assert different == {}, REWRITE
    assert fresh.code_bytes == committed.code_bytes, REWRITE


def test_no_row_of_the_snapshot_costs_more_than_it_may() -> None:
    rows = report.rows_of(report.read_snapshot())
    assert [(row.name, row.ours, row.target) for row in rows if row.is_over_target] == []
    assert report.last_line(rows).endswith("; rows over target: 0")


def test_every_contract_fits_the_code_limit() -> None:
    sizes = report.read_snapshot().code_bytes
    assert sizes.keys() == set(report.CONTRACTS)
    assert report.too_large(sizes) == []


def test_tables_in_the_docs_are_those_of_the_snapshot() -> None:
    snapshot = report.read_snapshot()
    tables = report.as_markdown(report.rows_of(snapshot), snapshot.code_bytes)
    assert tables in report.DOCS.read_text(), REWRITE


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{report.FIRST_MARK}\nold\n{report.LAST_MARK}\nafter\n"
    written = report.with_tables(page, "new")
    assert written == f"before\n{report.FIRST_MARK}\n\nnew\n\n{report.LAST_MARK}\nafter\n"
    assert report.with_tables(written, "new") == written
    assert report.with_tables("no marks", "new") == "no marks"


def test_json_names_every_row_of_the_baseline() -> None:
    entries = json.loads(report.as_json(report.rows_of(report.read_snapshot())))
    assert entries.keys() == json.loads(report.BASELINE.read_text()).keys()
    assert entries["oracle_commit_root_vote_1"]["ours"] == "n/a"
    assert entries["update_cluster_balance_first_4"]["v1_2"] == "n/a"
    assert entries["bulk_register_10_new_13"] == {
        "ours": entries["bulk_register_10_new_13"]["target"],
        "v1_2": 1_757_157,
        "v2": 1_881_304,
        "target": entries["bulk_register_10_new_13"]["ours"],
        "floor": True,
        "exception": "calldata floor",
    }


@pytest.mark.parametrize(
    ("row", "v2", "floor", "gas", "most"),
    [
        ("bulk_remove_10_4", 100_000, None, 90_000, 90_000),
        ("bulk_exit_10_7", 100_000, None, 98_000, 98_000),
        ("set_fee_recipient", 100_000, None, 115_000, 115_000),
        ("dao_declare_period", 100_000, None, 100_000, 100_000),
        ("dao_update_network_fee", 100_000, None, 90_000, 90_000),
        # The figure in gas binds, with its tolerance, until a part of v2 is less.
        ("liquidate_self_4", 136_902, None, 79_000, 80_580),
        ("liquidate_self_4", 100_000, None, 60_000, 60_000),
        ("bulk_register_10_new_13", 1_881_304, 1_680_990, 1_680_990, 1_680_990),
        ("update_cluster_balance_first_4", 234_330, None, None, None),
        ("dao_withdraw_network_earnings", None, None, None, None),
    ],
)
def test_strictest_bound_is_the_target(
    row: str, v2: int | None, floor: int | None, gas: int | None, most: int | None
) -> None:
    target = target_of(row, v2=v2, floor=floor)
    assert (target.gas, target.most) == (gas, most)


def test_row_that_is_missing_or_unknown_is_refused() -> None:
    snapshot = report.read_snapshot()
    known = dict(snapshot.rows)
    without_one = Snapshot({name: known[name] for name in list(known)[1:]}, {})
    with_one_more = Snapshot({**known, "another": report.Cost(1, 1)}, {})
    for wrong in (without_one, with_one_more):
        with pytest.raises(ValueError, match="rows differ from the baseline"):
            report.rows_of(wrong)
