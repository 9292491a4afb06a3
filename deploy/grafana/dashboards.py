"""The dashboards of operator node and indexer: `python -m deploy.grafana.dashboards` writes them.

Tables; the JSON beside this file is computed from them, and a test compares. What is asked of
Prometheus is named as in docs/metrics.md and the modules `metrics` of the indexer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from deploy.grafana.board import Board, Kind, Panel, Query

FOLDER: Final = Path(__file__).parent
OURS: Final = '{instance=~"$instance"}'


def _rate(metric: str, by: str, window: str = "5m") -> str:
    return f"sum by ({by}) (rate({metric}{OURS}[{window}]))"


def _quantile(part: float, metric: str, by: str, window: str = "30m") -> str:
    return f"histogram_quantile({part}, {_rate(f'{metric}_bucket', f'{by}, le', window)})"


def _both(metric: str, by: str, legend: str) -> tuple[Query, ...]:
    return tuple(
        Query(_quantile(part, metric, by), f"{legend} {name}")
        for part, name in ((0.5, "p50"), (0.99, "p99"))
    )


OPERATOR: Final = Board(
    uid="phalanx-operator",
    title="Phalanx: operator node",
    says="Whether duties are done, and if not, what is in their way.",
    instances_of="node_state",
    rows=(
        (
            Panel(
                "State",
                (Query(f"node_state{OURS} == 1", "{{instance}} {{state}}"),),
                "ready is good; the others are explained in docs/run-a-node.md, States.",
                kind=Kind.NUMBER,
                width=8,
                words=((1, "·"),),
            ),
            Panel(
                "Duties done, 24 h",
                (
                    Query(
                        f'sum(increase(node_duty_total{{outcome="done",instance=~"$instance"}}[24h]))'
                        f" / sum(increase(node_duty_total{OURS}[24h]))",
                        "done",
                    ),
                ),
                "Share of the duties that ended whose outcome is done.",
                unit="percentunit",
                kind=Kind.NUMBER,
                width=8,
            ),
            Panel(
                "Validators",
                (
                    Query(
                        f"ssv_validator_validators_per_status{OURS}",
                        "{{instance}} {{ssv_validator_status}}",
                    ),
                ),
                "held: watched for another user of their key, not signed for yet.",
                kind=Kind.NUMBER,
                width=8,
            ),
        ),
        (
            Panel(
                "Duties ended per minute, by outcome",
                (Query(f"60 * {_rate('node_duty_total', 'outcome')}", "{{outcome}}"),),
                "Committee duties come once per slot and committee.",
                is_stacked=True,
            ),
            Panel(
                "Why duties were not done",
                (
                    Query(
                        "sum by (role, reason) (increase("
                        'node_duty_total{outcome=~"missed|partly",instance=~"$instance"}[1h]))',
                        "{{role}} {{reason}}",
                    ),
                ),
                "Per hour; the words are those of docs/failure-reasons.md.",
            ),
        ),
        (
            Panel(
                "When steps of committee duties are reached",
                (
                    Query(
                        "histogram_quantile(0.5, sum by (step, le) (rate("
                        'node_duty_step_offset_seconds_bucket{role="committee",'
                        'instance=~"$instance"}[30m])))',
                        "{{step}}",
                    ),
                ),
                "Seconds into the slot, p50. Votes should leave within the first 4 s.",
                unit="s",
            ),
            Panel(
                "How late co-operators' messages come",
                (
                    Query(
                        _quantile(0.5, "node_operator_message_lateness_seconds", "operator"),
                        "operator {{operator}}",
                    ),
                ),
                "First message of a duty, seconds into the slot, p50. One line far above the "
                "others: that operator is slow or far away.",
                unit="s",
            ),
        ),
        (
            Panel(
                "Parts that are impaired or bad",
                (
                    Query(
                        "max by (instance, part, severity) "
                        '(node_part_health{severity=~"impaired|bad",instance=~"$instance"}) == 1',
                        "{{instance}} {{part}} {{severity}}",
                    ),
                ),
                "Empty is good. phalanx node status says what to do.",
            ),
            Panel(
                "Beacon nodes",
                (Query(f"node_bn_state{OURS} == 1", "{{node}} {{state}}"),),
                "synced is good; duties are done while one of them is.",
            ),
        ),
        (
            Panel(
                "Peers",
                (
                    Query(f"ssv_p2p_peers_connected{OURS}", "{{instance}} connected"),
                    Query(f"ssv_p2p_peers_per_topic{OURS}", "{{ssv_p2p_topic_name}}"),
                ),
                "Connected, and mesh peers of each topic.",
            ),
            Panel(
                "Messages judged per second",
                (
                    Query(_rate("ssv_p2p_message_validations_total", "verdict"), "{{verdict}}"),
                    Query(_rate("node_messages_total", "what"), "own duties: {{what}}"),
                ),
                "reject blames the sender; ignore does not.",
            ),
        ),
        (
            Panel(
                "Registry: last block applied",
                (Query(f"ssv_event_syncer_handler_last_processed_block{OURS}"),),
                "Eight blocks behind the chain by design.",
                width=8,
            ),
            Panel(
                "Registry: what happened",
                (
                    Query(
                        f"sum by (what) (increase(node_registry_total{OURS}[1h]))",
                        "{{what}}",
                    ),
                ),
                "Per hour.",
                width=8,
            ),
            Panel(
                "Event loop, faults, twins",
                (
                    *_both("node_loop_lag_seconds", "instance", "lag, s:"),
                    Query(f"increase(node_faults_total{OURS}[1h])", "faults per hour"),
                    Query(
                        f"increase(node_twin_detected_total{OURS}[1h])", "twin messages per hour"
                    ),
                ),
                "Lag above 0.25 s: too little processor time. Faults and twins should be zero.",
                width=8,
            ),
        ),
        (
            Panel(
                "Registry: proven",
                (
                    Query(f"node_registry_verified_block{OURS}", "{{instance}} proven up to"),
                    Query(
                        f"node_registry_gap_total{OURS}", "wrong answers, repaired: {{repaired}}"
                    ),
                ),
                "docs/metrics.md says when both counters must be alike.",
                width=8,
            ),
            Panel(
                "Clock, lease, payments",
                (
                    Query(f"node_clock_error_seconds{OURS}", "{{instance}} clock ahead, s"),
                    Query(f"node_lease_held{OURS}", "{{instance}} has the lease"),
                    Query(
                        f"increase(node_fee_recipient_mismatch_total{OURS}[24h])",
                        "own proposals that paid somebody else, 24 h",
                    ),
                ),
                "A clock more than 0.2 s off is a fault of the machine.",
                width=8,
            ),
            Panel(
                "What peers sent in vain, per minute",
                (Query(f"60 * {_rate('node_p2p_dropped_total', 'what')}", "{{what}}"),),
                "Floods cost their senders the connection. docs/security.md, Peers.",
                width=8,
            ),
        ),
    ),
)

INDEXER: Final = Board(
    uid="phalanx-indexer",
    title="Phalanx: indexer and API",
    says="How far the tables are, whether they are complete, and how the API answers.",
    instances_of="up",
    rows=(
        (
            Panel(
                "Blocks behind the chain",
                (Query(f"indexer_head_block{OURS} - indexer_indexed_block{OURS}"),),
                "0 or 1 is good once the history is read.",
                kind=Kind.NUMBER,
                width=6,
            ),
            Panel(
                "Caught up",
                (Query(f"indexer_caught_up{OURS}"),),
                "Nothing is left to read.",
                kind=Kind.NUMBER,
                width=6,
                words=((0, "no"), (1, "yes")),
            ),
            Panel(
                "Complete",
                (Query(f"indexer_complete{OURS}"),),
                "The last audit found nothing missing. Only then is anything called final.",
                kind=Kind.NUMBER,
                width=6,
                words=((0, "no"), (1, "yes")),
            ),
            Panel(
                "Open streams",
                (Query(f"api_subscribers{OURS}"),),
                "A process serves up to 500.",
                kind=Kind.NUMBER,
                width=6,
            ),
        ),
        (
            Panel(
                "Blocks",
                (
                    Query(f"indexer_head_block{OURS}", "{{instance}} chain"),
                    Query(f"indexer_indexed_block{OURS}", "{{instance}} tables"),
                    Query(f"api_indexed_block{OURS}", "{{instance}} told"),
                ),
                "All three together is good; told is behind where a replica is.",
            ),
            Panel(
                "Blocks behind, by API process",
                (Query(f"api_lag_blocks{OURS}"),),
                "Above 16 /readyz fails.",
            ),
        ),
        (
            Panel(
                "Logs and steps per second",
                (
                    Query(_rate("indexer_logs_total", "instance"), "{{instance}} logs"),
                    Query(_rate("indexer_steps_total", "instance"), "{{instance}} steps"),
                ),
                "A step is one transaction: a range of history, later one block.",
            ),
            Panel(
                "Time of a transaction",
                _both("indexer_write_seconds", "instance", "{{instance}}"),
                "p50 and p99.",
                unit="s",
            ),
        ),
        (
            Panel(
                "What went back or began anew, per hour",
                tuple(
                    Query(f"increase(indexer_{name}_total{OURS}[1h])", name.replace("_", " "))
                    for name in ("reorgs", "undone_blocks", "failures", "repairs")
                ),
                "Reorganisations are ordinary; repairs mean that a node had lost a log.",
            ),
            Panel(
                "What did not agree, per hour",
                (
                    *(
                        Query(f"increase(indexer_{name}_total{OURS}[1h])", name.replace("_", " "))
                        for name in ("divergences", "disagreements", "corrected_blocks")
                    ),
                    Query(
                        f"sum by (kind) (increase(indexer_mismatches_total{OURS}[1h]))",
                        "mismatch: {{kind}}",
                    ),
                ),
                "Zero is good. docs/run-an-indexer.md, Trust.",
            ),
        ),
        (
            Panel(
                "Checked per minute",
                (
                    Query(f"60 * {_rate('indexer_compared_total', 'kind')}", "compared: {{kind}}"),
                    Query(
                        f"60 * {_rate('indexer_proven_blocks_total', 'instance')}", "blocks proven"
                    ),
                    Query(
                        f"60 * {_rate('indexer_unproven_blocks_total', 'instance')}",
                        "blocks believed",
                    ),
                ),
                "Blocks are believed only if a node serves no receipts.",
            ),
            Panel(
                "Answers per second, by status",
                (Query(_rate("api_answers_total", "status"), "{{status}}"),),
                "5xx are ours, 429 is the rate limit at work.",
                is_stacked=True,
            ),
        ),
        (
            Panel(
                "Time until an answer is complete",
                _both("api_answer_seconds", "instance", "{{instance}}"),
                "p50 and p99 of all routes.",
                unit="s",
            ),
            Panel(
                "The slowest routes",
                (Query(f"topk(8, {_quantile(0.99, 'api_answer_seconds', 'route')})", "{{route}}"),),
                "p99.",
                unit="s",
            ),
        ),
    ),
)

BOARDS: Final = {"operator.json": OPERATOR, "indexer.json": INDEXER}
"""File beside this module, and what is in it."""


def main(folder: Path = FOLDER) -> int:
    """Writes every dashboard; says which of them changed."""
    for name, board in BOARDS.items():
        file, wanted = folder / name, board.text()
        if not file.is_file() or file.read_text() != wanted:
            file.write_text(wanted)
            sys.stdout.write(f"deploy/grafana/{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
