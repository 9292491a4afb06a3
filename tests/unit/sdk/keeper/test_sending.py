"""One transaction per nonce and cluster, whatever the node answers or forgets to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from eth_account import Account
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from sdk.client import Client, LocalSigner, Patience
from sdk.client.draft import Draft
from sdk.errors import ChainError, NetworkError
from sdk.keeper.bidding import Bid, Refrain, Why
from sdk.keeper.sending import MOST_IN_FLIGHT, Flight, Outcome, Sender
from sdk.types import BlockNumber, ClusterId, checksum_address, keccak256

GWEI = 10**9
REGISTRY = checksum_address(b"\xcc" * 20)
OWNER = checksum_address(b"\x11" * 20)
BID = Bid(gas_limit=96_000, max_fee_wei=10 * GWEI, tip_wei=GWEI, reward_wei=10**15, profit_wei=1)
NOW = BlockNumber(100)
IMPATIENT = Patience(attempts=1, first_pause_s=0.0, longest_pause_s=0.0)


@dataclass
class PretendNode(BaseProvider):
    """Counts nonces, keeps a pool, mines what it is told to.

    Attributes:
        fate: of the next transaction: taken, refused, or taken without an answer.
        foreign: transactions of the account that this process did not send.
    """

    fate: str = "taken"
    mined: int = 0
    foreign: int = 0
    pool: list[str] = field(default_factory=list)
    receipts: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method == "eth_sendRawTransaction" and self.fate == "refused":
            return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no"}}
        result = self._result(str(method), list(params))
        if method == "eth_sendRawTransaction" and self.fate == "unanswered":
            raise requests.ConnectionError
        return {"jsonrpc": "2.0", "id": 1, "result": result}

    def mine(self, name: str, *, block: int, succeeds: bool = True) -> None:
        self.pool.remove(name)
        self.mined += 1
        self.receipts[name] = {
            "blockNumber": hex(block),
            "gasUsed": hex(50_000),
            "effectiveGasPrice": hex(GWEI),
            "status": hex(succeeds),
        }

    def _result(self, method: str, params: list[Any]) -> Any:
        match method, params:
            case "eth_chainId", _:
                return "0x1"
            case "eth_getTransactionCount", [_, "latest"]:
                return hex(self.mined)
            case "eth_getTransactionCount", _:
                return hex(self.mined + self.foreign)
            case "eth_getBalance", _:
                return hex(10**18)
            case "eth_sendRawTransaction", [raw]:
                self.pool.append("0x" + keccak256(bytes.fromhex(raw[2:])).hex())
                return self.pool[-1]
            case "eth_getTransactionByHash", [name]:
                return {"hash": name} if name in self.pool else None
            case "eth_getTransactionReceipt", [name]:
                return self.receipts.get(name)
        raise AssertionError(method)


@pytest.fixture
def node() -> PretendNode:
    return PretendNode()


@pytest.fixture
def sender(node: PretendNode) -> Sender:
    signer = LocalSigner(Account.from_key((1).to_bytes(32, "big")))
    return Sender(Client(Web3(node), registry=REGISTRY, signer=signer, patience=IMPATIENT))


def cluster(number: int) -> ClusterId:
    return ClusterId(number.to_bytes(32, "big"))


def draft() -> Draft:
    arguments = (OWNER, (1, 2, 3, 4), (1, 0, 0, True, 10**15))
    return Draft(function="liquidate", arguments=arguments, action="liquidate a cluster")


def launch(sender: Sender, number: int) -> Flight:
    sent = sender.send(cluster(number), draft(), BID, at=NOW)
    assert isinstance(sent, Flight), sent
    return sent


def names(flight: Flight) -> list[str]:
    return [attempt.signed.hash.to_0x_hex() for attempt in flight.attempts]


def test_several_take_one_nonce_each_and_a_gap_is_filled_first(sender: Sender) -> None:
    assert [launch(sender, number).nonce for number in range(3)] == [0, 1, 2]
    first = sender.of(cluster(0))
    assert first is not None
    sender.drop(first)
    assert launch(sender, 7).nonce == 0
    assert sender.of(cluster(0)) is None
    assert sender.committed_wei == 3 * BID.most_cost_wei
    assert sender.funds_wei() == 10**18 - sender.committed_wei


def test_no_more_than_the_bound_are_on_their_way(sender: Sender) -> None:
    for number in range(MOST_IN_FLIGHT):
        launch(sender, number)
    one_more = sender.send(cluster(99), draft(), BID, at=NOW)
    assert isinstance(one_more, Refrain)
    assert one_more.why is Why.TOO_MANY


def test_a_pending_transaction_of_others_holds_ours_up(node: PretendNode, sender: Sender) -> None:
    node.foreign = 1
    held = sender.send(cluster(1), draft(), BID, at=NOW)
    assert isinstance(held, Refrain)
    assert held.why is Why.ACCOUNT_BUSY
    assert node.pool == []


def test_a_lost_answer_counts_as_on_its_way(node: PretendNode, sender: Sender) -> None:
    node.fate = "unanswered"
    with pytest.raises(NetworkError):
        sender.send(cluster(1), draft(), BID, at=NOW)
    flight = sender.of(cluster(1))
    assert flight is not None
    assert names(flight) == node.pool
    assert sender.is_known(flight)
    node.mine(node.pool[0], block=101)
    [ended] = sender.survey(at=BlockNumber(101))
    assert (ended.outcome, ended.gas_cost_wei) == (Outcome.WON, 50_000 * GWEI)


def test_what_the_node_refuses_is_not_on_its_way(node: PretendNode, sender: Sender) -> None:
    node.fate = "refused"
    with pytest.raises(ChainError):
        sender.send(cluster(1), draft(), BID, at=NOW)
    assert sender.flights == {}
    node.fate = "taken"
    flight = launch(sender, 1)
    node.fate = "refused"
    with pytest.raises(ChainError):
        sender.replace(flight, None, BID, at=NOW)
    assert (len(flight.attempts), flight.draft) == (1, draft())


@pytest.mark.parametrize(("attempt", "outcome"), [(0, Outcome.LOST), (1, Outcome.WITHDRAWN)])
def test_whichever_attempt_is_mined_decides(
    node: PretendNode, sender: Sender, attempt: int, outcome: Outcome
) -> None:
    flight = launch(sender, 1)
    sender.replace(flight, None, BID, at=NOW)
    assert flight.nonce == 0
    node.mine(names(flight)[attempt], block=101, succeeds=attempt == 1)
    [ended] = sender.survey(at=BlockNumber(101))
    assert ended.outcome is outcome
    assert sender.flights == {}


def test_another_transaction_with_the_nonce_ends_the_flight(
    node: PretendNode, sender: Sender
) -> None:
    launch(sender, 1)
    node.mined = 1
    [ended] = sender.survey(at=BlockNumber(101))
    assert ended.outcome is Outcome.DISPLACED
    assert sender.roll_back(NOW) == []


def test_an_undone_block_puts_its_transaction_on_its_way_again(
    node: PretendNode, sender: Sender
) -> None:
    flight = launch(sender, 1)
    node.mine(node.pool[0], block=105)
    sender.survey(at=BlockNumber(105))
    assert sender.roll_back(BlockNumber(105)) == []
    assert sender.roll_back(BlockNumber(104)) == [flight]
    assert sender.of(cluster(1)) is flight
    node.mined = 0
    assert sender.survey(at=BlockNumber(105)) == []
    sender.again(flight)
    assert node.pool == names(flight)


def test_what_is_deeper_than_any_reorganisation_is_forgotten(
    node: PretendNode, sender: Sender
) -> None:
    launch(sender, 1)
    node.mine(node.pool[0], block=105)
    sender.survey(at=BlockNumber(105))
    sender.survey(at=BlockNumber(105 + 128))
    assert sender.roll_back(BlockNumber(104)) == []
