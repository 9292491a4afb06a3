"""A node's own address record: without a signature for now, the network goes on."""

from __future__ import annotations

import pytest
import trio

from operator_node.p2p.network import Network
from operator_node.p2p.scoring import PeerId
from operator_node.p2p.types import Operator
from operator_node.validation.verdict import Verdict
from sdk.errors import StorageError
from sdk.testing.keys import operator_key
from sdk.types import OperatorId
from tests.p2p.nodes import TOPICS, accept
from tests.unit.operator_node.p2p.builders import DOMAIN, NOW_MS, key_of
from tests.unit.operator_node.p2p.upstream.hosts import identity

ME = OperatorId(1)


def judge(data: bytes, _topic: str, _peer: PeerId) -> Verdict:
    return accept(data)


def test_a_record_that_cannot_be_signed_now_is_signed_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_down = [True]

    def sign(data: bytes) -> bytes:
        if is_down.pop():
            raise StorageError("the signing process is not there", code="signer_down")
        return operator_key(ME).sign(data)

    network = Network(
        identity=identity(1),
        listen=["/ip4/127.0.0.1/tcp/0"],
        judge=judge,
        key_of=key_of,
        now_ms=lambda: NOW_MS,
        domain=DOMAIN,
        known_topics=TOPICS,
        operator=Operator(ME, sign),
        announce=["/ip4/192.0.2.1/tcp/13001"],
    )
    trio.run(network._announce_self)
    assert network.operators_known() == frozenset()
    assert "own address record could not be signed" in caplog.text
    is_down.append(False)
    trio.run(network._announce_self)
    assert network.operators_known() == {ME}
