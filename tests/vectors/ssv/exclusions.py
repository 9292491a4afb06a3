"""What of the cases is not compared, by name, and why. Nothing else is left out."""

from __future__ import annotations

from typing import Final

STATE_NOT_COMPARED: Final = frozenset({"aggregator_committee_runner_duty_with_different_slots"})
"""The end state shows a runner although the reference refuses the duty (82) before it makes one.
Error and outputs are compared."""
