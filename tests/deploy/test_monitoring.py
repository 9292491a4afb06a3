"""Alerts and dashboards ask for metrics, labels and values that the code has, and for no others."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from deploy.grafana import dashboards
from indexer.api.metrics import Metrics as ApiMetrics
from indexer.metrics import Metrics as IndexerMetrics
from operator_node.api import NodeState
from operator_node.api.metrics import Metrics as NodeMetrics
from operator_node.api.status import Severity
from operator_node.beacon.types import NodeState as BeaconState
from operator_node.duties.reasons import Reason
from operator_node.engine.records import Ending
from operator_node.wire.ids import RunnerRole
from tests.deploy import queries
from tests.deploy.dockerfiles import ROOT

FOLDER = ROOT / "deploy/prometheus"
FILES = ("operator", "indexer")
OF_SCRAPING = {"job", "instance"}
"""Labels that Prometheus adds to everything."""
VALUES = {
    ("node_state", "state"): {str(state) for state in NodeState},
    ("node_part_health", "severity"): {str(severity) for severity in Severity},
    ("node_bn_state", "state"): {str(state) for state in BeaconState},
    ("node_duty_total", "outcome"): {str(ending) for ending in Ending},
    ("node_duty_total", "reason"): {reason.word for reason in Reason},
    ("node_duty_total", "role"): {role.name.lower() for role in RunnerRole},
    ("node_duty_step_offset_seconds_bucket", "role"): {role.name.lower() for role in RunnerRole},
    ("api_answers_total", "status"): {"5.."},
}
"""Closed lists, for the labels that queries compare with a text."""


def registered(registry: CollectorRegistry) -> dict[str, set[str]]:
    """Labels by the names that Prometheus sees."""
    found: dict[str, set[str]] = {}
    # There is no public way to a collector's labels; what is served has them only once used.
    for collector in registry._collector_to_names:
        labels = set(getattr(collector, "_labelnames"))  # noqa: B009 - private, and not typed
        kind = type(collector).__name__
        name: str = getattr(collector, "_name")  # noqa: B009
        match kind:
            case "Counter":
                found[f"{name}_total"] = labels
            case "Gauge":
                found[name] = labels
            case "Histogram":
                found[f"{name}_bucket"] = labels | {"le"}
                found[f"{name}_sum"] = found[f"{name}_count"] = labels
            case _:
                raise AssertionError(f"{name} is a {kind}")
    return found


def known() -> dict[str, set[str]]:
    """Every metric of our processes, and the one that Prometheus makes of each."""
    return {
        "up": set(),
        **registered(NodeMetrics()._collected),
        **registered(IndexerMetrics().registry),
        **registered(ApiMetrics()._registry),
    }


def rules(name: str) -> list[dict[str, Any]]:
    tree = yaml.safe_load((FOLDER / f"{name}.rules.yml").read_text())
    return [rule for group in tree["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """All queries of all alerts and panels."""
    of_rules = [rule["expr"] for name in FILES for rule in rules(name)]
    of_panels = [
        query.expression
        for board in dashboards.BOARDS.values()
        for row in board.rows
        for panel in row
        for query in panel.queries
    ]
    return [*of_rules, *of_panels]


@pytest.mark.parametrize("expression", expressions())
def test_query_asks_for_what_the_code_has(expression: str) -> None:
    metrics = known()
    found = queries.uses(expression)
    assert found
    available = set(OF_SCRAPING)
    for use in found:
        assert use.metric in metrics
        labels = metrics[use.metric] | OF_SCRAPING
        available |= labels
        for label, values in use.matchers:
            assert label in labels, f"{use.metric} has no label {label}"
            if label not in OF_SCRAPING:
                assert set(values) <= VALUES[use.metric, label]
    assert queries.grouped_by(expression) <= available


def test_every_metric_of_the_node_is_in_its_dashboard() -> None:
    text = (ROOT / "deploy/grafana/operator.json").read_text()
    names = {collector.name for collector in NodeMetrics().collectors}
    assert {name for name in names if name not in text} == set()


def test_every_metric_of_the_indexer_is_in_its_dashboard() -> None:
    text = (ROOT / "deploy/grafana/indexer.json").read_text()
    names = {**registered(IndexerMetrics().registry), **registered(ApiMetrics()._registry)}
    shown = {name for name in names if not name.endswith(("_sum", "_count"))}
    assert {name for name in shown if name not in text} == set()


@pytest.mark.parametrize("name", FILES)
def test_alert_says_what_is_wrong_and_what_to_do(name: str) -> None:
    found = rules(name)
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
        named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        metrics = known()
        has = {label for use in queries.uses(rule["expr"]) for label in metrics[use.metric]}
        kept = queries.grouped_by(rule["expr"]) or has | OF_SCRAPING
        assert named <= kept, rule["alert"]


@pytest.mark.parametrize("name", FILES)
def test_prometheus_reads_the_rules_and_asks_our_services(name: str) -> None:
    asked = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    assert asked["rule_files"] == [f"/etc/prometheus/{name}.rules.yml"]
    jobs = {job["job_name"] for job in asked["scrape_configs"]}
    named = set(re.findall(r'job="([^"]+)"', (FOLDER / f"{name}.rules.yml").read_text()))
    assert named == jobs
    services = yaml.safe_load((ROOT / f"deploy/compose/{name}.yml").read_text())["services"]
    for job in asked["scrape_configs"]:
        targets = [each for part in job.get("static_configs", []) for each in part["targets"]]
        hosts = [target.split(":")[0] for target in targets]
        hosts += [each for part in job.get("dns_sd_configs", []) for each in part["names"]]
        assert hosts
        assert set(hosts) <= set(services)
        assert all("monitoring" in services[host]["networks"] for host in hosts)


@pytest.mark.parametrize("name", FILES)
def test_dashboard_is_the_one_that_the_table_makes(name: str) -> None:
    file = f"{name}.json"
    text = (ROOT / "deploy/grafana" / file).read_text()
    assert text == dashboards.BOARDS[file].text(), "run python -m deploy.grafana.dashboards"
    board = json.loads(text)
    for row in dashboards.BOARDS[file].rows:
        assert sum(panel.width for panel in row) == 24
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


def test_labels_are_read_as_they_are_served() -> None:
    """What the tests take from inside the library is what a scraper sees."""
    metrics = NodeMetrics()
    metrics.judged("reject", "some_rule", 1)
    served = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }
    assert {name: known()[name] for name in served} == served


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('sum by (a) (rate(one_total{x=~"1|2"}[5m] offset 1h)) > 0.5 * two', ["one_total", "two"]),
        ("histogram_quantile(0.9, sum by (le) (rate(three_bucket[1m])))", ["three_bucket"]),
    ],
)
def test_queries_are_read_rightly(query: str, names: list[str]) -> None:
    assert [use.metric for use in queries.uses(query)] == names
