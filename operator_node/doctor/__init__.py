"""Whether machine, upstreams and surroundings are fit for a node: measured, judged, with advice.

`examine` runs every check of a configuration; it changes nothing, signs nothing, and needs no
running node, though it asks one that runs.
"""

from __future__ import annotations

from operator_node.doctor.checks import Check, Verdict, overall, report
from operator_node.doctor.examination import examine

__all__ = ["Check", "Verdict", "examine", "overall", "report"]
