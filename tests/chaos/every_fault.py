"""All faults, in the order in which they are tried."""

from __future__ import annotations

from typing import Final

from tests.chaos.attack_faults import ATTACK_FAULTS
from tests.chaos.fault import Fault
from tests.chaos.operator_faults import OPERATOR_FAULTS
from tests.chaos.registry_faults import REGISTRY_FAULTS
from tests.chaos.upstream_faults import UPSTREAM_FAULTS, Calm

FAULTS: Final[tuple[Fault, ...]] = (
    Calm(),
    *OPERATOR_FAULTS,
    *UPSTREAM_FAULTS,
    *REGISTRY_FAULTS,
    *ATTACK_FAULTS,
)
