"""The invariants over a few seeds; the recorded run of 200,000 steps uses the same code."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode

from sdk.events import ClusterSnapshot
from sdk.testing import builders
from sdk.types import Wei
from tests.contracts import abi
from tests.contracts.anvil import anvil_chain
from tests.contracts.evm import Evm, with_settable_base_fee
from tests.contracts.invariants.runner import COALITION, OPEN, Report, Scenario, run

pytestmark = [pytest.mark.toolchain, pytest.mark.slow]


def _is_clean(report: Report, steps: int) -> None:
    assert not report.failure, report.failure
    assert report.steps == steps


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_invariants_hold_after_every_step(seed: int) -> None:
    _is_clean(run(seed=seed, steps=600, scenario=OPEN), 600)


def test_no_coalition_profits_while_a_liquidator_is_diligent() -> None:
    _is_clean(run(seed=101, steps=400, scenario=COALITION), 400)


def test_invariants_hold_on_a_real_node() -> None:
    _is_clean(run(seed=101, steps=500, new_chain=anvil_chain), 500)


@pytest.mark.parametrize("scenario", [OPEN, COALITION])
def test_one_seed_gives_one_run(scenario: Scenario) -> None:
    first = run(seed=7, steps=120, scenario=scenario)
    again = run(seed=7, steps=120, scenario=scenario)
    assert first.outcomes == again.outcomes
    assert first.failure == again.failure == ""


def test_a_broken_rule_is_reported_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.contracts.invariants import accounts

    monkeypatch.setattr(accounts, "UNIT_WEI", 0)
    report = run(seed=5, steps=50)
    assert "i01" in report.failure
    assert "--seed 5 --world 0" in report.failure


def test_the_small_codec_writes_what_the_library_writes() -> None:
    proofs = "(bytes,uint64,bytes32,uint64,bool,bytes32[])[]"
    types = [proofs, "uint64[]", "bytes[]", "(uint32,uint64,uint64,bool,uint256)", "string"]
    proof = (b"k" * 48, 7, b"a" * 32, 5, True, (b"b" * 32,))
    values = [(proof, proof), (1, 2, 3), (b"x" * 50, b""), (1, 2, 3, True, 5), "text"]
    written = encode(types, values)
    assert abi.encode(types, values) == written
    assert abi.decode(types, written) == tuple(values) == decode(types, written)
    snapshot = ClusterSnapshot(1, 2, 3, True, Wei(5))
    assert abi.encode(types[3:4], [snapshot]) == encode(types[3:4], values[3:4])


def test_contracts_in_memory_see_the_base_fee_that_was_set() -> None:
    # BASEFEE, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN; then two bytes for no metadata.
    runtime = bytes.fromhex("4860005260206000f30000")
    creation = bytes.fromhex("600b600c600039600b6000f3") + runtime
    chain = Evm()
    chain.advance(blocks=1, seconds=12, base_fee_wei=1234)
    code = with_settable_base_fee(creation=creation, runtime=runtime)
    address, _ = chain.deploy(code, sender=builders.address(1))
    assert int.from_bytes(chain.call(builders.address(1), address, b"").output, "big") == 1234


def test_only_instructions_are_changed_never_constants() -> None:
    # PUSH2 0x4848, BASEFEE, then no metadata: the constant stays.
    runtime = bytes.fromhex("614848480000")
    assert with_settable_base_fee(creation=b"\x01" + runtime, runtime=runtime) == bytes.fromhex(
        "01614848440000"
    )
