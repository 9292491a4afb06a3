"""One run: compile, deploy on a fresh chain, measure every row."""

from __future__ import annotations

import json

from sdk.toolchain.compile import ROOT, Artifact, compile_contracts
from tests.gas.bench import Bench, deploy_registry
from tests.gas.chain import local_chain
from tests.gas.report import CONTRACTS, Cost, Snapshot
from tests.gas.scenarios import run_all

ABI = ROOT / "sdk" / "abi" / "registry.json"


def measured(*, to_trace: frozenset[str] = frozenset()) -> Bench:
    """The bench after all scenarios.

    Raises:
        ConfigError: the contracts do not compile, or a tool is missing.
        InvariantBroken: a transaction of a scenario reverted.
    """
    artifacts = compile_contracts()
    with local_chain(tracing=bool(to_trace)) as chain:
        bench = deploy_registry(chain, artifacts, json.loads(ABI.read_text()))
        bench.to_trace = to_trace
        run_all(bench)
        return bench


def snapshot_of(bench: Bench) -> Snapshot:
    """What the run found, without anything that belongs to one machine."""
    rows = {name: Cost(receipt.gas, receipt.floor) for name, receipt in bench.rows.items()}
    return Snapshot(rows, code_sizes(bench.artifacts))


def code_sizes(artifacts: dict[str, Artifact]) -> dict[str, int]:
    """Bytes of deployed code of the contracts that a network deploys."""
    return {name: len(artifacts[name].deployed_bytecode) for name in CONTRACTS}
