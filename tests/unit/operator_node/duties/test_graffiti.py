"""Graffiti: 32 bytes, never half a character."""

from __future__ import annotations

from operator_node.duties.graffiti import GRAFFITI_BYTES, choose_graffiti, fit_graffiti


def test_short_text_is_filled_up_with_zeros() -> None:
    assert fit_graffiti("phalanx") == b"phalanx" + bytes(25)
    assert fit_graffiti("") == bytes(GRAFFITI_BYTES)


def test_long_text_is_cut_between_characters() -> None:
    assert fit_graffiti("x" * 40) == b"x" * 32
    assert fit_graffiti("x" * 31 + "é") == b"x" * 31 + b"\0"
    assert fit_graffiti("x" * 30 + "é") == b"x" * 30 + "é".encode()
    assert fit_graffiti("x" * 29 + "🛡") == b"x" * 29 + bytes(3)


def test_validators_graffiti_goes_before_the_nodes() -> None:
    own, node = fit_graffiti("own"), fit_graffiti("node")
    assert choose_graffiti(own, node) == own
    assert choose_graffiti(bytes(32), node) == node
