"""The page on running a node names every setting and state, as the code has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from operator_node.api import NodeState
from operator_node.config.keys import (
    CUSTOM_NETWORK_FIELDS,
    IGNORED_SECTIONS,
    KEYS,
    Effect,
)
from tests.unit.docs.pages import DOCS, table

PAGE: Final = "run-a-node.md"
SETTINGS: Final = "Every setting"
NODE: Final = Path(__file__).parents[3] / "operator_node"
NOT_ACTED_ON: Final = {
    "ssv.ValidatorOptions.SignatureCollectionTimeout": "signature_collection_timeout_ms",
    "ssv.ValidatorOptions.MetadataUpdateInterval": "metadata_update_interval_ms",
    "eth2.WithWeightedAttestationData": "has_weighted_attestation_data",
    "eth2.WithParallelSubmissions": "has_parallel_submissions",
    "p2p.UdpPort": "udp_port",
    "node.rollback_depth": "rollback_depth_blocks",
    "node.inclusion_check": "has_inclusion_check",
}
"""Settings that are read and that nothing uses, with their attribute."""


def text() -> str:
    return (DOCS / PAGE).read_text()


def test_every_setting_has_its_row_with_variable_and_default() -> None:
    rows = [(path, variable, default) for path, variable, default, _ in table(PAGE, SETTINGS)]
    assert rows == [
        (key.path, key.variable, key.default) for key in KEYS if key.effect is not Effect.NONE
    ]


def test_every_field_of_a_custom_network_has_its_row() -> None:
    rows = {name for name, _ in table(PAGE, SETTINGS, number=1)}
    assert rows == {
        key.path.rsplit(".", 1)[1] for key in CUSTOM_NETWORK_FIELDS if key.effect is not Effect.NONE
    }


def test_every_key_without_effect_is_named_as_such() -> None:
    found = re.search(r"^Taken from files .*?\n\n", text(), re.M | re.S)
    assert found
    quiet = [key.path for key in (*KEYS, *CUSTOM_NETWORK_FIELDS) if key.effect is Effect.NONE]
    sections = [f"{section}.*" for section in IGNORED_SECTIONS]
    assert re.findall(r"`(.+?)`", found[0]) == [*quiet, *sections]


def test_settings_that_nothing_uses_are_told() -> None:
    meanings = {path: meaning for path, _, _, meaning in table(PAGE, SETTINGS)}
    told = {path for path, meaning in meanings.items() if meaning.startswith("not acted on")}
    assert told == set(NOT_ACTED_ON) == {key.path for key in KEYS if key.effect is Effect.CHECKED}


@pytest.mark.parametrize("path", NOT_ACTED_ON)
def test_what_is_told_as_not_acted_on_is_used_nowhere(path: str) -> None:
    """Once it is used, its row has to say what for."""
    sources = [each for each in NODE.rglob("*.py") if "config" not in each.relative_to(NODE).parts]
    assert len(sources) > 100
    attribute = re.compile(rf"\.{re.escape(NOT_ACTED_ON[path])}\b")
    assert [each for each in sources if attribute.search(each.read_text())] == []


def test_refused_settings_say_so() -> None:
    meanings = {path: meaning for path, _, _, meaning in table(PAGE, SETTINGS)}
    told = {path for path, meaning in meanings.items() if meaning.startswith("refused")}
    assert told == {key.path for key in KEYS if key.effect is Effect.REFUSED}


def test_every_state_has_its_row() -> None:
    rows = [state for state, *_ in table(PAGE, "States")]
    assert sorted(rows) == sorted(NodeState)


def test_every_shell_block_is_one_that_the_walk_through_runs() -> None:
    """tests/devnet/test_run_a_node.py runs blocks marked as shell, and no other form is used."""
    fences = re.findall(r"^```(.*)$", text(), re.M)
    assert set(fences[::2]) == {"sh", "yaml"}
    assert set(fences[1::2]) == {""}
    assert (
        re.findall(r"^(?: {4}|\t)\S.*", re.sub(r"^```.*?^```", "", text(), flags=re.M | re.S), re.M)
        == []
    )
