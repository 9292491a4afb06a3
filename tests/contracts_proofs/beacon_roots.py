"""The beacon roots contract on a local chain: its real code, and roots put into its ring."""

from __future__ import annotations

from eth_typing import HexStr
from web3 import Web3
from web3.types import RPCEndpoint

# Address, runtime code, ring size and system address: EIP-4788.
ADDRESS = Web3.to_checksum_address("0x000f3df6d732807ef1319fb7b8bb8522d0beac02")
RUNTIME_CODE = (
    "0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762"
    "001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f3590"
    "62001fff015500"
)
RING_ENTRIES = 8191
SYSTEM_ADDRESS = Web3.to_checksum_address("0xfffffffffffffffffffffffffffffffffffffffe")


def request(chain: Web3, method: str, *arguments: object) -> object:
    """The result of a call that web3 has no method for."""
    answer = chain.provider.make_request(RPCEndpoint(method), list(arguments))
    assert "error" not in answer, answer
    return answer["result"]


def install(chain: Web3, code: str = RUNTIME_CODE) -> None:
    """Put the contract's code at its address."""
    request(chain, "anvil_setCode", ADDRESS, code)


def keep(chain: Web3, timestamp: int, root: bytes) -> None:
    """Write one root into the ring, as the contract itself would at that time."""
    at = timestamp % RING_ENTRIES
    for slot, word in ((at, timestamp.to_bytes(32, "big")), (at + RING_ENTRIES, root)):
        request(chain, "anvil_setStorageAt", ADDRESS, f"0x{slot:064x}", "0x" + word.hex())


def keep_as_system(chain: Web3, timestamp: int, root: bytes) -> None:
    """Mine a block of that time in which the system address stores the root."""
    request(chain, "anvil_impersonateAccount", SYSTEM_ADDRESS)
    request(chain, "anvil_setBalance", SYSTEM_ADDRESS, hex(10**18))
    request(chain, "evm_setNextBlockTimestamp", timestamp)
    sent = chain.eth.send_transaction(
        {"from": SYSTEM_ADDRESS, "to": ADDRESS, "data": HexStr("0x" + root.hex()), "gas": 200_000}
    )
    assert chain.eth.wait_for_transaction_receipt(sent)["status"] == 1
