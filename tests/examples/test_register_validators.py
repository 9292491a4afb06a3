"""The example registers validators on a real local chain and tells what it does."""

from __future__ import annotations

import pytest

from examples import register_validators

pytestmark = pytest.mark.toolchain


def test_example_tells_the_whole_story(anvil: str, capsys: pytest.CaptureFixture[str]) -> None:
    register_validators.main(anvil)
    told = capsys.readouterr().out
    assert "operators: 1, 2, 3, 4" in told
    assert "registration nonces used up: 0 to 1" in told
    assert "runway 648000 blocks (at least 90 days)" in told
    assert "again: nonce_too_low" in told
    assert "cluster: 2 validators" in told
    assert (
        "refused: cancel the declared fee of operator 1: the operator has no declared fee" in told
    )
