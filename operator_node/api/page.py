"""The node's start page: what is wrong, whose doing it is, what to do; then how duties went.

Pure: facts in, one HTML document out, without scripts and without anything from elsewhere. What is
wrong stands first, the worst on top; every text from outside is escaped.

Source: docs/node-api.md, "The start page".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

from operator_node.api.status import NodeState, Part, Severity, Status
from operator_node.beacon.types import NodeState as BeaconState
from operator_node.beacon.types import NodeStatus as BeaconStatus
from operator_node.duties.reasons import Reason, Whose
from operator_node.engine.records import DutyRecord, Ending
from operator_node.wire.ids import RunnerRole

REFRESH_S: Final = 12
"""A slot on the public networks."""
PROPOSALS_SHOWN: Final = 5
OPERATORS_NAMED: Final = 4
_WHOSE: Final = {
    "beacon_node": Whose.UPSTREAM,
    "registry": Whose.UPSTREAM,
    "p2p": Whose.CO_OPERATOR,
}
"""Whose doing a bad part is most often; of all others it is the own node's."""
_COMMAND: Final = re.compile(r"`([^`]+)`")
_BAD_FIRST: Final = (Severity.BAD, Severity.IMPAIRED, Severity.NOT_STARTED)
_WATCHING: Final = (NodeState.READY, NodeState.GUARDING)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is made of.

    Attributes:
        facts: numbers beside the state, as in `/v2/status`.
        recent: duties of the last slots, newest first.
        failed: duties of all time that were missed or done only partly, newest first.
        slots: that `recent` covers.
    """

    version: str
    status: Status
    facts: Mapping[str, Any]
    beacons: Sequence[BeaconStatus]
    recent: Sequence[DutyRecord]
    failed: Sequence[DutyRecord]
    slots: int


def page(shown: Shown) -> str:
    """The document."""
    body = "".join(
        (
            _headline(shown),
            _troubles(shown.status.parts),
            _recent(shown),
            _failed(shown.failed),
            _proposals(shown.recent),
            _co_operators(shown),
            _beacons(shown.beacons),
            _good(shown.status.parts),
        )
    )
    state = shown.status.state.value
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(state)} - operator node</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def _headline(shown: Shown) -> str:
    state, facts = shown.status.state, shown.facts
    wrong = sorted(
        (part for part in shown.status.parts if part.severity in _BAD_FIRST),
        key=lambda part: _BAD_FIRST.index(part.severity),
    )
    kind = wrong[0].severity.value if wrong else Severity.GOOD.value
    if wrong:
        told = f"{wrong[0].problem}."
        told = told[0].upper() + told[1:]
    elif facts.get("validators"):
        told = "All parts are good, and duties are done."
    else:
        told = "All parts are good. There are no validators to work for yet."
    numbers = {
        "operator": facts.get("operator"),
        "slot": facts.get("slot"),
        "validators": facts.get("validators"),
        "peers": facts.get("peers"),
        "registry at block": facts.get("registry_block"),
        "version": shown.version,
    }
    listed = "".join(
        f"<span><b>{escape(name)}</b> {escape(str(value))}</span>"
        for name, value in numbers.items()
        if value is not None
    )
    return (
        f'<header class="{kind}"><h1>{escape(state.value)}</h1><p>{escape(told)}</p></header>'
        f'<p class="numbers">{listed}</p>'
    )


def _troubles(parts: Iterable[Part]) -> str:
    wrong: list[Part] = []
    waiting: dict[str, Part] = {}
    for part in parts:
        if part.severity is Severity.NOT_STARTED:
            # One entry for all that wait for the same, so that it does not hide the cause.
            before = waiting.get(part.problem)
            name = part.name if before is None else f"{before.name}, {part.name}"
            waiting[part.problem] = replace(part, name=name)
        elif part.severity in _BAD_FIRST:
            wrong.append(part)
    wrong += waiting.values()
    if not wrong:
        return ""
    wrong.sort(key=lambda part: _BAD_FIRST.index(part.severity))
    return _section("What is wrong", "".join(map(_trouble, wrong)))


def _trouble(part: Part) -> str:
    word = part.severity.value.replace("_", " ")
    whose = ""
    if part.severity is not Severity.NOT_STARTED:
        doing = _WHOSE.get(part.name, Whose.OWN)
        whose = f"<dt>whose doing, most often</dt><dd>{escape(doing)}</dd>"
    return (
        f'<article class="{part.severity.value}"><h3>{escape(part.name)} '
        f"<small>{escape(word)}</small></h3>"
        f'<p class="advice">{_prose(part.advice)}</p>'
        f"<dl><dt>what</dt><dd>{escape(part.problem)}</dd>"
        f"<dt>effect</dt><dd>{escape(part.effect)}</dd>{whose}</dl></article>"
    )


def _recent(shown: Shown) -> str:
    title = f"Duties of the last {shown.slots} slots"
    if not shown.recent:
        why = (
            "None was due, or none is recorded yet."
            if shown.status.state in _WATCHING
            else "None is recorded; what is wrong above says why."
        )
        return _section(title, f"<p>{why}</p>")
    by_role: dict[RunnerRole, Counter[Ending]] = {}
    for record in shown.recent:
        by_role.setdefault(record.role, Counter())[record.outcome] += 1
    rows = [
        [role.name.lower(), *(str(counts[ending]) for ending in Ending)]
        for role, counts in sorted(by_role.items())
    ]
    return _section(title, _table(["role", *(ending.value for ending in Ending)], rows))


def _failed(records: Sequence[DutyRecord]) -> str:
    title = "Missed duties by reason"
    if not records:
        return _section(title, "<p>None is recorded.</p>")
    by_reason: dict[Reason, list[DutyRecord]] = {}
    for record in records:
        by_reason.setdefault(record.reason or Reason.INTERNAL, []).append(record)
    found = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    return _section(title, "".join(_reason(reason, each) for reason, each in found))


def _reason(reason: Reason, records: Sequence[DutyRecord]) -> str:
    latest = records[0]
    named = _named(records)
    return (
        f"<article><h3>{escape(reason.word)} <small>{len(records)}, {escape(reason.whose)} "
        f'doing</small></h3><p class="advice">{_prose(reason.advice)}</p>'
        f"<p>{escape(reason.cause)}</p>"
        + (f"<p>Named most often: {escape(named)}.</p>" if named else "")
        + f"<p>The last one: slot {latest.slot}, "
        f"<code>phalanx node why {escape(latest.id)}</code></p></article>"
    )


def _named(records: Iterable[DutyRecord]) -> str:
    """Operators that the records name, those named most often first."""
    counts: Counter[int] = Counter()
    for record in records:
        found = record.detail.get("operators")
        if isinstance(found, Collection) and not isinstance(found, str | Mapping):
            counts.update(each for each in found if isinstance(each, int))
    return ", ".join(
        f"operator {operator} ({count})" for operator, count in counts.most_common(OPERATORS_NAMED)
    )


def _proposals(records: Iterable[DutyRecord]) -> str:
    found = [each for each in records if each.role is RunnerRole.PROPOSER][:PROPOSALS_SHOWN]
    if not found:
        return ""
    names = ("slot", "validator", "outcome", "leader", "block", "paid by", "to")
    rows = [
        [
            str(each.slot),
            ", ".join(map(str, each.validators)),
            each.outcome.value,
            "" if each.leader is None else f"operator {each.leader}",
            *(str(each.detail.get(name, "")) for name in ("block", "paid_by", "paid_to")),
        ]
        for each in found
    ]
    return _section("Proposals", _table(names, rows))


def _co_operators(shown: Shown) -> str:
    everybody = shown.facts.get("co_operators") or []
    if not everybody:
        return ""
    connected = set(shown.facts.get("connected") or [])
    heard: dict[int, list[int]] = {}
    for record in shown.recent:
        for each in record.heard:
            heard.setdefault(each.operator, []).append(each.first_ms)
    rows = []
    for operator in everybody:
        firsts = sorted(heard.get(operator, []))
        when = f"{firsts[len(firsts) // 2]} ms" if firsts else ""
        is_connected = "yes" if operator in connected else "no"
        rows.append([str(operator), is_connected, str(len(firsts)), when])
    names = ("operator", "connected", "duties heard of", "first message into slot, median")
    return _section("Co-operators", _table(names, rows))


def _beacons(beacons: Iterable[BeaconStatus]) -> str:
    rows = [
        [
            each.name,
            each.client,
            each.state.value,
            "" if each.head_slot is None else str(each.head_slot),
            f"{each.latency_ms} ms",
            each.last_trouble if each.state is not BeaconState.SYNCED else "",
        ]
        for each in beacons
    ]
    names = ("beacon node", "client", "state", "head", "latency", "last trouble")
    return _section("Beacon nodes", _table(names, rows))


def _good(parts: Iterable[Part]) -> str:
    names = ", ".join(part.name for part in parts if part.severity is Severity.GOOD)
    return _section("Parts that are good", f"<p>{escape(names or 'none')}</p>")


def _prose(text: str) -> str:
    """Our own sentences, with commands set apart."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.45 system-ui,sans-serif;margin:0}"
    "main{max-width:60rem;margin:auto;padding:1rem}h1{margin:0;font-size:1.6rem}"
    "h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{margin:0;font-size:1rem}"
    "header,article{border-left:.5rem solid #888;padding:.6rem .9rem;margin:.5rem 0;"
    "background:#8881}header p{margin:.2rem 0 0}.good{border-color:#2a8a3e}"
    ".impaired{border-color:#c98a00}.bad{border-color:#c62828}.not_started{border-color:#888}"
    ".advice{font-weight:600;margin:.3rem 0}article p{margin:.3rem 0}small{font-weight:400}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.3rem 0 0}"
    "dd{margin:0}dt{opacity:.7}.numbers span{margin-right:1.2rem;white-space:nowrap}"
    "table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}"
    "th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #8884;"
    "vertical-align:top}code{overflow-wrap:anywhere}"
)
