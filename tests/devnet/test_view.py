"""The view of a network: everything that is known, in the space that there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.devnet.duty_rows import Row
from deploy.devnet.view import KEYS, BeaconSeen, OperatorSeen, ValidatorSeen, View, lines_of

VIEW = View(
    slot=23,
    last_slot=39,
    seconds_to_genesis=0.0,
    head=22,
    finalized=1,
    operators=(
        OperatorSeen(1, "ready", 4),
        OperatorSeen(2, "degraded", 4, "beacon_node: lodestar-1 is unreachable"),
        OperatorSeen(3, "down"),
        OperatorSeen(4, "silent"),
    ),
    beacons=(BeaconSeen(1, "synced", 22), BeaconSeen(2, "down")),
    validators=(
        ValidatorSeen(40, duties=("done", "partly", "missed", "running")),
        ValidatorSeen(41, is_exiting=True, duties=("done",) * 12),
        ValidatorSeen(42),
    ),
    runway_blocks=215_998,
    spare=(62, 63),
    troubles=(Row(21, "committee", (40, 41), 3, 4, "done", "operator 3 silent", 1400),),
    addresses=(("explorer, API", "http://127.0.0.1:2/"), ("metrics", "http://127.0.0.1:3/metrics")),
    messages=("killed node 3",),
    question="restart the node of operator: ",
)


def test_view_tells_all_of_it() -> None:
    assert lines_of(VIEW, width=80, height=40) == [
        "slot 23 of 39, epoch 2",
        "head slot 22, finalized epoch 1, runway 215,998 blocks (30.0 days)",
        "",
        "operator  state             validators  trouble",
        "       1  ready                      4",
        "       2  degraded                   4  beacon_node: lodestar-1 is unreachable",
        "       3  down",
        "       4  silent",
        "",
        "beacon    state                   head",
        "     1    synced                    22",
        "     2    down",
        "",
        "validators, last duties, newest right (+ done, ~ partly, . running, x missed)",
        "  40     +~x.    41!++++++++    42",
        "spare: 62, 63",
        "",
        "not done by all",
        "  slot 21 votes done, done by 3 of 4: operator 3 silent; validators 40, 41",
        "",
        "explorer, API  http://127.0.0.1:2/",
        "metrics        http://127.0.0.1:3/metrics",
        "",
        "killed node 3",
        KEYS,
        "> restart the node of operator: ",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (20, 3), (5, 1), (200, 60)])
def test_view_fits_into_any_terminal_and_keeps_its_keys(width: int, height: int) -> None:
    many = replace(VIEW, validators=tuple(ValidatorSeen(index) for index in range(128)))
    lines = lines_of(many, width=width, height=height)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    if height >= 2:
        assert lines[-2:] == [KEYS[:width], f"> {many.question}"[:width]]


def test_before_genesis_there_is_a_countdown() -> None:
    early = replace(VIEW, seconds_to_genesis=7.6, head=None, finalized=None, runway_blocks=None)
    assert lines_of(early, width=80, height=40)[:2] == [
        "genesis in 8 s",
        "no beacon node answers yet",
    ]
