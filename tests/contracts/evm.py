"""An in-process EVM (pyrevm) as a `Chain`: tens of thousands of transactions per second.

Two habits of pyrevm are mended here. It runs every call with a base fee of zero, so the opcode
BASEFEE is replaced by PREVRANDAO in deployed code, which takes the same gas and stack and can be
set; runs against a real node use the code unchanged. And it keeps transient storage between
transactions, so that is cleared after each.
"""

from __future__ import annotations

import re

from pyrevm import EVM, BlockEnv, CfgEnv, Env  # type: ignore[import-not-found,unused-ignore]

from sdk.types import Address
from tests.contracts.chain import Outcome, RawLog

BLOCK_GAS = 60_000_000
TRANSACTION_GAS = 2**24
"""Most gas of one transaction since Osaka (EIP-7825)."""
_BASEFEE, _PREVRANDAO, _PUSH1, _PUSH32 = 0x48, 0x44, 0x60, 0x7F
_OUTPUT = re.compile(r"^Revert \{ gas_used: (\d+), output: 0x([0-9a-f]*) \}$")


class Evm:
    """One chain in memory. It has no transaction fees: balances change by values alone."""

    longest_jump = 10**7
    is_in_memory = True

    def __init__(self, *, block: int = 1_000, timestamp_s: int = 1_700_000_000) -> None:
        self._evm = EVM(env=Env(cfg=CfgEnv(chain_id=1)), spec_id="PRAGUE", gas_limit=BLOCK_GAS)
        self.block = block
        self.timestamp_s = timestamp_s
        self.base_fee_wei = 0
        self._open_block()

    def advance(self, *, blocks: int, seconds: int, base_fee_wei: int) -> None:
        """Let blocks and seconds pass; 0 blocks changes nothing at all."""
        if not blocks:
            return
        self.block += blocks
        self.timestamp_s += seconds
        self.base_fee_wei = base_fee_wei
        self._open_block()

    def deploy(self, code: bytes, *, sender: Address) -> tuple[Address, tuple[RawLog, ...]]:
        """Create a contract."""
        address = _raw(self._evm.deploy(_text(sender), code))
        self._evm.reset_transient_storage()
        return address, tuple(_log(log) for log in self._evm.result.logs)

    def transact(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Run a transaction and keep what it did."""
        evm = self._evm
        try:
            output = evm.message_call(
                _text(sender), _text(to), calldata=data, value=value_wei, gas=TRANSACTION_GAS
            )
        except RuntimeError as failure:
            return _failed(str(failure))
        finally:
            evm.reset_transient_storage()
        result = evm.result
        logs = tuple(_log(log) for log in result.logs)
        return Outcome(True, bytes(output), logs, result.gas_used)

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> Outcome:
        """Run a transaction and undo it."""
        point = self._evm.snapshot()
        outcome = self.transact(sender, to, data, value_wei)
        self._evm.revert(point)
        return outcome

    def balance_wei(self, account: Address) -> int:
        """Ether of an account."""
        return int(self._evm.get_balance(_text(account)))

    def give_ether(self, account: Address, amount_wei: int) -> None:
        """Add ether as a self-destructing contract or a block reward would."""
        self._evm.set_balance(_text(account), self.balance_wei(account) + amount_wei)

    def snapshot(self) -> object:
        """A point to come back to."""
        return self._evm.snapshot(), self.block, self.timestamp_s, self.base_fee_wei

    def revert(self, point: object) -> None:
        """Undo everything since the point."""
        assert isinstance(point, tuple)
        checkpoint, self.block, self.timestamp_s, self.base_fee_wei = point
        self._evm.revert(checkpoint)
        self._open_block()

    def _open_block(self) -> None:
        self._evm.set_block_env(
            BlockEnv(
                number=self.block,
                timestamp=self.timestamp_s,
                basefee=0,
                gas_limit=BLOCK_GAS,
                prevrandao=self.base_fee_wei.to_bytes(32, "big"),
            )
        )


def with_settable_base_fee(*, creation: bytes, runtime: bytes) -> bytes:
    """Creation code whose contract reads the base fee where `Evm` can set it.

    Args:
        creation: code from the compiler, without arguments.
        runtime: the deployed code inside it, with zeros where immutables go.
    """
    mended = bytearray(runtime)
    end = len(runtime) - 2 - int.from_bytes(runtime[-2:], "big")  # before the compiler's metadata
    place = 0
    while place < end:
        opcode = runtime[place]
        if opcode == _BASEFEE:
            mended[place] = _PREVRANDAO
        place += opcode - _PUSH1 + 2 if _PUSH1 <= opcode <= _PUSH32 else 1
    found = creation.count(runtime)
    if found != 1:
        raise ValueError(f"the deployed code occurs {found} times in the creation code, not once")
    return creation.replace(runtime, bytes(mended))


def _failed(text: str) -> Outcome:
    match = _OUTPUT.match(text)
    if match is None:
        return Outcome(False, b"", (), 0, halted=text[:200])
    return Outcome(False, bytes.fromhex(match[2]), (), int(match[1]))


def _log(log: object) -> RawLog:
    topics, data = log.data  # type: ignore[attr-defined]
    return RawLog(_raw(log.address), tuple(topics), data)  # type: ignore[attr-defined]


def _text(address: Address) -> str:
    return "0x" + address.hex()


def _raw(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))
