"""What the project can do so far, with real parts: `make demo`.

Makes keys, splits them, proves the file, deploys the registry on a local chain, registers operators
and validators, lets any three operators sign, shows that two cannot, takes the cluster through
liquidation and back, has a damaged file refused, and lets the operators attest together. Every
transaction's cost is printed beside SSV's. Everything happens in a temporary folder and on a chain
of its own, with the commands and the client a staker uses.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import traceback
from pathlib import Path

from examples import demo_duty, demo_keys, demo_registry
from examples.demo_chain import LocalChain, Stopped, end_children, local_chain, stop_signals
from examples.demo_costs import Costs
from examples.demo_show import DemoFailed, say, title
from sdk.errors import PhalanxError


def main() -> int:
    """Runs every step; returns the exit code: 0, 1 if one failed, 128 + signal if stopped."""
    costs = Costs()
    try:
        with stop_signals():
            run(costs)
    except (DemoFailed, PhalanxError) as problem:
        print(f"\ndemo: FAILED: {problem}", flush=True)
        return 1
    except Stopped as stopped:
        end_children()
        print(f"\ndemo: {stopped}, not finished; chain and files are gone", flush=True)
        return stopped.exit_code
    except Exception as unexpected:
        traceback.print_exc()
        print(f"\ndemo: FAILED: {unexpected!r}", flush=True)
        return 1
    total = costs.total
    print(
        f"demo: all steps did what they should; {len(costs.spent)} transactions cost "
        f"{total.ours:,} gas, SSV's cost {total.ssv:,}; nothing is left running or on disk"
    )
    return 0


def run(costs: Costs) -> None:
    """Every step, in a folder and on a chain that are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="phalanx-demo-") as name,
        contextlib.chdir(name),
        local_chain() as chain,
    ):
        journey_from_key_to_reactivation(Path(), chain=chain, costs=costs)
    title("What was real")
    say("Real: keys, shares, proofs and signatures; contracts, logs, fees and gas, on anvil.")
    say("Not real: the chain (one node, throwaway accounts with free ether, blocks on demand).")
    say("SSV's figures: recorded from its v2 contracts under the same rules, not run here;")
    say("`make gas` compares every operation under equal conditions (docs/benchmarks.md).")
    say("Not shown: balance proofs, which need beacon states; tests/contracts_proofs has them.")
    say("Real too: the operators' consensus, slashing records and signatures, in one process.")
    say("Made up: what a beacon node would tell them.")
    say("Whole operator nodes on a real beacon chain: `make demo` shows them next.")


def journey_from_key_to_reactivation(folder: Path, *, chain: LocalChain, costs: Costs) -> None:
    """The steps in order."""
    texts = demo_keys.make_keys(folder)
    journey = demo_registry.deploy(chain, costs)
    demo_keys.write_operators(folder, demo_registry.register_operators(journey, texts))
    demo_registry.come_second(journey, folder)
    nonce = journey.client(demo_registry.STAKER).owners.nonce(block="pending")
    file = demo_keys.split_and_verify(folder, "validators", owner=journey.staker, nonce=nonce)
    on_chain = demo_registry.register_validators(journey, file)
    demo_keys.sign_together(folder, "validators", on_chain)
    demo_registry.use_funds(journey)
    demo_registry.liquidate(journey)
    demo_registry.reactivate(journey)
    demo_keys.refuse_damage(folder, "validators")
    title("What it cost, beside SSV's contracts")
    costs.show()
    demo_duty.attest_together(folder, on_chain)


if __name__ == "__main__":
    sys.exit(main())
