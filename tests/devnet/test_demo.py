"""The demo's command: what it refuses before anything starts, and who runs which validators."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.devnet.demo import MOST_VALIDATORS, main
from deploy.devnet.network import VALIDATORS, share_genesis


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--kill", "5@16", "--slots", "20"], "there is no operator 5"),
        (["--kill", "4@16"], "Nothing was started"),
        (["--kill", "4"], "OPERATOR@SLOT"),
        (["--stop-beacon", "1@9-8", "--slots", "20"], "ends before it begins"),
        (["--stop-beacon", "1@9-10", "--slots", "20", "--fork", "fulu"], "no beacon node would"),
        (["--ports", "80"], "Take a base from"),
    ],
)
def test_impossible_demo_is_refused_before_it_starts(
    tmp_path: Path, words: list[str], why: str
) -> None:
    folder = tmp_path / "network"
    slots = [] if "--slots" in words else ["--slots", "16"]
    ran = CliRunner().invoke(main, [*words, *slots, "--folder", str(folder)])
    assert ran.exit_code == 2
    assert why in ran.output
    assert not folder.exists()


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize("held", [1, 8, 32, MOST_VALIDATORS])
def test_beacon_nodes_run_at_least_as_many_validators_as_the_operators(
    held: int, spare: int
) -> None:
    shares = share_genesis(held, spare=spare)
    assert shares.inside >= held
    assert (len(shares.held), len(shares.spare)) == (held, spare)
    assert [*range(shares.inside), *shares.held, *shares.spare] == list(range(shares.genesis))
    assert shares.genesis >= VALIDATORS


def test_demos_own_network_cannot_finalize_without_its_operators() -> None:
    shares = share_genesis(32)
    assert (shares.genesis, shares.inside, shares.held) == (64, 32, tuple(range(32, 64)))
    assert 3 * shares.inside < 2 * shares.genesis
