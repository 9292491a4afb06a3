"""Records with everything that their v4 shapes want, looked up for a whole page at once.

Source: docs/compatibility.md, "/api/v4".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from indexer.compat.asking import Asked
from indexer.compat.shapes import (
    Dates,
    Operators,
    cluster_shape,
    operator_shape,
    validator_shape,
)
from indexer.project.records import OPERATOR
from indexer.queries.clusters import by_cluster_ids
from indexer.queries.v4 import (
    MOST_PER_PAGE,
    Dated,
    Part,
    born,
    page_of,
    times,
    whitelists,
)
from indexer.store.tables import cluster_version, operator_version
from sdk.registry import Cluster, Operator, Validator
from sdk.types import OperatorId


def show_operators(asked: Asked, found: Sequence[Dated[Operator]]) -> list[dict[str, Any]]:
    """Operators in full."""
    ids = [each.record.operator_id for each in found]
    first = born(asked.view, operator_version.c.operator_id, ids)
    dates = Dates(times(asked.view, {*first.values(), *(each.changed for each in found)}))
    listed = whitelists(asked.view, ids)
    return [
        operator_shape(
            each.record,
            listed=listed.get(each.record.operator_id, []),
            born=first.get(each.record.operator_id),
            changed=each.changed,
            dates=dates,
            network=asked.network,
        )
        for each in found
    ]


def operators_for(asked: Asked, ids: Iterable[OperatorId], detail: str) -> Operators:
    """Operators to be shown beside others; none if only ids are asked."""
    wanted = sorted(set(ids))
    if detail == "false":
        return Operators()
    shown: dict[OperatorId, dict[str, Any]] = {}
    for start in range(0, len(wanted), MOST_PER_PAGE):
        some = wanted[start : start + MOST_PER_PAGE]
        found = page_of(
            asked.view,
            OPERATOR,
            [operator_version.c.operator_id.in_(some)],
            order=[operator_version.c.operator_id],
            part=Part(per_page=MOST_PER_PAGE),
        )
        shown |= {each["id"]: each for each in show_operators(asked, found.entries)}
    return Operators(shown)


def show_clusters(
    asked: Asked, found: Sequence[Dated[Cluster]], detail: str
) -> list[dict[str, Any]]:
    """Clusters with their operators."""
    ids = [each.record.cluster_id for each in found]
    first = born(asked.view, cluster_version.c.cluster_id, ids)
    dates = Dates(times(asked.view, {*first.values(), *(each.changed for each in found)}))
    members = chain.from_iterable(each.record.operator_ids for each in found)
    operators = operators_for(asked, members, detail)
    return [
        cluster_shape(
            each.record,
            operators=operators.of(each.record.operator_ids, detail),
            born=first.get(each.record.cluster_id),
            changed=each.changed,
            dates=dates,
            network=asked.network,
        )
        for each in found
    ]


def show_validators(
    asked: Asked, found: Sequence[Dated[Validator]], detail: str
) -> list[dict[str, Any]]:
    """Registrations with the operators of their clusters."""
    homes = by_cluster_ids(asked.view, [each.record.cluster_id for each in found])
    members = chain.from_iterable(each.operator_ids for each in homes.values())
    operators = operators_for(asked, members, detail)
    numbers = {each.changed for each in found} | {each.record.registered_at for each in found}
    dates = Dates(times(asked.view, numbers))
    shown = []
    for each in found:
        home = homes.get(each.record.cluster_id)
        ids = () if home is None else home.operator_ids
        shown.append(
            validator_shape(
                each.record,
                home,
                operators=operators.of(ids, detail),
                changed=each.changed,
                dates=dates,
                network=asked.network,
            )
        )
    return shown
