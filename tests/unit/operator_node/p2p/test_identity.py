"""The network key: made once, private, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.p2p.identity import Identity, identity_from_hex, load_identity
from sdk.errors import ConfigError


def test_the_first_start_makes_a_key_and_the_next_ones_use_it(tmp_path: Path) -> None:
    path = tmp_path / "network-key"
    first = load_identity(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_identity(path).peer == first.peer
    assert first.peer.startswith("16Uiu2HA")  # a secp256k1 peer id


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network-key"
    load_identity(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError) as caught:
        load_identity(path)
    assert caught.value.code == "network_key_exposed"


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32])
def test_a_malformed_key_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        identity_from_hex(text)
    assert caught.value.code == "network_key_malformed"
    assert not text or text not in str(caught.value)


def test_a_key_of_another_node_can_be_brought_along() -> None:
    assert identity_from_hex("0x" + "11" * 32 + "\n").peer == Identity.of(b"\x11" * 32).peer


def test_an_identity_does_not_show_its_key() -> None:
    assert "key" not in repr(Identity.of(b"\x11" * 32))
