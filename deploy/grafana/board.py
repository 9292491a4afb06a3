"""A Grafana dashboard from rows of panels: what a dashboard says is a table, the JSON is computed.

Never asks Grafana or Prometheus; a test holds every query to the metrics in the code.
Source: Grafana's published JSON model of dashboards, schema version 39 (Grafana 11).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SCHEMA_VERSION: Final = 39
COLUMNS: Final = 24
"""Grafana's grid."""
HEIGHT: Final = 8
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


class Kind(StrEnum):
    """How a panel shows its values."""

    LINES = "timeseries"
    NUMBER = "stat"


@dataclass(frozen=True, slots=True)
class Query:
    """One line of a panel; `legend` takes labels as `{{label}}`."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        says: what it means and when to worry, shown behind the title's mark.
        unit: Grafana's name of it.
        width: of 24 columns.
        is_stacked: lines are parts of a whole.
        words: what a number is shown as instead.
    """

    title: str
    queries: tuple[Query, ...]
    says: str
    unit: str = "short"
    kind: Kind = Kind.LINES
    width: int = 12
    is_stacked: bool = False
    words: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard; `job` is the one of deploy/prometheus that its instances belong to."""

    uid: str
    title: str
    says: str
    instances_of: str
    rows: tuple[tuple[Panel, ...], ...]

    def text(self) -> str:
        """The dashboard's file."""
        return json.dumps(self._tree(), indent=1, ensure_ascii=False) + "\n"

    def _tree(self) -> dict[str, Any]:
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": ["phalanx"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "utc",
            "templating": {"list": [_source(), _instance(self.instances_of)]},
            "panels": list(_placed(self.rows)),
        }


def _source() -> dict[str, Any]:
    return {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": "phalanx"},
    }


def _instance(metric: str) -> dict[str, Any]:
    return {
        "name": "instance",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({metric}, instance)", "refId": "instances"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(rows: Sequence[Sequence[Panel]]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        column = 0
        for panel in row:
            position = {"x": column, "y": number * HEIGHT, "w": panel.width, "h": HEIGHT}
            placed.append({"id": len(placed) + 1, "gridPos": position, **_panel(panel)})
            column += panel.width
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "{{instance}}",
            }
            for number, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind is Kind.LINES:
        stacking = {"mode": "normal" if panel.is_stacked else "none"}
        fill = 40 if panel.is_stacked else 0
        defaults |= {"custom": {"fillOpacity": fill, "stacking": stacking}, "min": 0}
    if panel.words:
        options = {str(value): {"text": word} for value, word in panel.words}
        defaults["mappings"] = [{"type": "value", "options": options}]
    return defaults


def _options(kind: Kind) -> dict[str, Any]:
    match kind:
        case Kind.LINES:
            return {
                "legend": {"displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case Kind.NUMBER:
            return {
                "colorMode": "none",
                "graphMode": "none",
                "textMode": "value_and_name",
                "reduceOptions": {"calcs": ["lastNotNull"]},
            }
