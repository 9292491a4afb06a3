"""A client made from the OpenAPI document by a common tool, used as its users would."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from sdk.types import checksum_address
from tests.indexer.api.conftest import AT
from tests.indexer.api.world import Api, Reference

pytestmark = pytest.mark.slow
NAME = "generated_registry_client"


@pytest.fixture(scope="module")
def generated(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated client, importable."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(json.dumps(api.ask("/openapi.json").json()))
    tools = Path(sys.executable).parent
    made = subprocess.run(
        [
            *(tools / "openapi-python-client", "generate", "--path", document),
            *("--output-path", folder / NAME, "--meta", "none", "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in (made.stdout + made.stderr).lower()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def client(generated: Path, served: str) -> Iterator[Any]:
    """A client of the server."""
    with importlib.import_module(f"{NAME}.client").Client(base_url=served) as made:
        yield made


def call(group: str, name: str, **arguments: Any) -> Any:
    """What a generated function returns."""
    route: ModuleType = importlib.import_module(f"{NAME}.api.{group}.{name}")
    return route.sync(**arguments)


def test_operators_come_as_objects(client: Any, told: Reference) -> None:
    found = call("operators", "list_operators", client=client, limit=3)
    known = told.states[AT[-1]].operators
    assert [each.id for each in found.data] == sorted(known)[:3]
    assert [each.owner for each in found.data] == [
        checksum_address(known[each.id].owner) for each in found.data
    ]
    following = call("operators", "list_operators", client=client, cursor=found.page.next_cursor)
    assert following.data[0].id == sorted(known)[3]


def test_a_cluster_and_its_validators_come_as_objects(client: Any, told: Reference) -> None:
    state = told.states[AT[-1]]
    record = next(each for each in state.clusters.values() if each.validator_count)
    name = "-".join([checksum_address(record.owner), *map(str, record.operator_ids)])
    found = call("clusters", "get_cluster", client=client, cluster=name).data
    assert found.validators == record.validator_count
    assert found.snapshot.balance_wei == str(record.snapshot.balance_wei)
    shown = call("clusters", "list_cluster_validators", client=client, cluster=found.id).data
    assert {each.public_key for each in shown} == {
        "0x" + key.hex() for _, key in state.validators_of_cluster(record.cluster_id)
    }


def test_a_call_is_drafted_from_a_typed_body(client: Any, told: Reference) -> None:
    models = importlib.import_module(f"{NAME}.models")
    record = next(each for each in told.states[AT[-1]].clusters.values() if each.snapshot.active)
    body = models.TransactionIn(cluster="0x" + record.cluster_id.hex(), amount_wei="5")
    found = call("tools", "draft_transaction", client=client, action="deposit", body=body).data
    assert (found.function, found.value_wei, found.gas) == ("deposit", "5", None)
    assert found.not_checked == "this API has no execution node"


def test_what_is_not_there_is_a_problem_with_a_code(client: Any) -> None:
    found = call("operators", "get_operator", client=client, operator_id=4711)
    assert (found.status, found.code) == (404, "operator_unknown")


def test_every_route_has_an_example_of_its_answer_that_fits(api: Api) -> None:
    described = api.ask("/openapi.json").json()
    seen = 0
    for path, methods in described["paths"].items():
        if not path.startswith("/v1"):
            continue
        for operation in methods.values():
            parts = [operation["responses"]["200"], operation.get("requestBody", {})]
            for content in (each.get("content", {}).get("application/json") for each in parts):
                if content:
                    schema = content["schema"] | {"components": described["components"]}
                    jsonschema_rs.validate(schema, content["example"])
                    seen += 1
    assert seen > 60
