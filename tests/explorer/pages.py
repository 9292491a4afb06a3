"""Addresses of the explorer's pages over the grown history, in all their states."""

from __future__ import annotations

from typing import Final

from sdk.testing.model_registry import ModelRegistry
from sdk.types import checksum_address
from tests.explorer.history import BLOCKS, OWNERS, Group, Grown
from tests.indexer.chain import Chain

LISTS: Final = {
    "overview": "/",
    "operators": "/operators",
    "validators": "/validators",
    "clusters": "/clusters",
    "liquidations": "/liquidations",
    "events": "/events",
    "parameters": "/parameters",
    "status": "/status",
    "tools": "/tools",
    "keyshares": "/tools/keyshares",
    "calculator": "/tools/calculator",
    "builder": "/tools/builder",
}
"""Pages that need nothing to exist."""


def cluster_path(group: Group) -> str:
    """A cluster's page."""
    return f"/clusters/{cluster_name(group)}"


def cluster_name(group: Group) -> str:
    """Owner and operators, as people write it."""
    return "-".join([checksum_address(group.owner), *map(str, group.ids)])


def groups(chain: Chain, demand: str) -> list[Group]:
    """Clusters to which that happened, see `tests.explorer.history`."""
    assert isinstance(chain, Grown)
    return [each for each in chain.groups if each.demand == demand]


def group(chain: Chain, demand: str) -> Group:
    """The first of them."""
    return groups(chain, demand)[0]


def model_of(chain: Chain) -> ModelRegistry:
    """The registry that the pages tell of."""
    return chain._model


def paths(chain: Chain) -> dict[str, str]:
    """All pages by name."""
    rich, dry, ended = (group(chain, demand) for demand in ("long", "dry", "ended"))
    owner, key = checksum_address(OWNERS[0]), f"0x{rich.keys[0].hex()}"
    return LISTS | {
        "operator": "/operators/5",
        "operator-private": "/operators/9",
        "validator": f"/validators/{key}",
        "cluster": cluster_path(rich),
        "cluster-soon": cluster_path(group(chain, "soon")),
        "cluster-dry": cluster_path(dry),
        "cluster-ended": cluster_path(ended),
        "clusters-filtered": f"/clusters?liquidatable=yes&owner={checksum_address(dry.owner)}",
        "clusters-none": "/clusters?owner=0x" + "11" * 20,
        "account": f"/accounts/{owner}",
        "account-unknown": "/accounts/0x" + "11" * 20,
        "liquidations-year": "/liquidations?within=365",
        "calculator-quote": "/tools/calculator?operators=3,5,7,9&validators=4&days=90",
        "calculator-refused": "/tools/calculator?operators=1,2,3",
        "builder-deposit": f"/tools/builder?cluster={cluster_name(rich)}&action=deposit&days=720",
        "builder-refused": f"/tools/builder?cluster={cluster_name(rich)}&action=withdraw&amount=99",
        "search": f"/search?q={key[:3]}",
        "past": f"/clusters?at={BLOCKS // 2}",
        "missing": "/operators/4711",
    }
