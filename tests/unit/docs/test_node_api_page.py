"""The page of the node's HTTP API names the routes that there are, no more and no less."""

from __future__ import annotations

import re
from typing import Any, cast

from operator_node.api import Sources, make_app, make_metrics_app
from operator_node.api.answers import status
from operator_node.api.status import NodeState, Part, Severity, Status
from tests.unit.docs.pages import DOCS, table

PAGE = "node-api.md"


class Named:
    """All that making the application asks for."""

    version = "phalanx/test"


def paths(app: Any) -> set[str]:
    return set(app.openapi()["paths"])


def test_every_route_has_its_row() -> None:
    rows = [
        *table(PAGE, "As other nodes of the network have it"),
        *table(PAGE, "Ours"),
        *table(PAGE, "Control"),
    ]
    documented = [route.split(" ")[1].replace("{id}", "{duty_id}") for route, *_ in rows]
    assert sorted(documented) == sorted(paths(make_app(cast(Sources, Named()))))


def test_routes_of_the_metrics_port_are_named() -> None:
    text = (DOCS / PAGE).read_text().split("## The metrics port")[1]
    app = make_metrics_app(lambda: b"", lambda: Status(NodeState.READY, ()))
    assert set(re.findall(r"`GET (/\w+)`", text)) == paths(app)


def test_fields_of_a_status_are_named() -> None:
    answer = status(Status(NodeState.READY, (Part("clock", Severity.GOOD),)), version="", facts={})
    row = next(text for route, text in table(PAGE, "Ours") if route == "GET /v2/status")
    named = set(re.findall(r"\w+", row.split("; see")[0]))
    assert set(answer) | set(answer["parts"][0]) <= named
