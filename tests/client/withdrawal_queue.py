"""A stand-in for the contract of EIP-7002, for chains whose genesis does not have it.

Our own few instructions, after the EIP's text: an empty call answers the fee, a call with 56 bytes
and at least the fee as value logs sender, key and amount without padding, anything else reverts.
Its queue and the rise of its fee are not here; slot 0 holds the fee.
"""

from __future__ import annotations

from tests.client.world import World

_ISZERO, _EQ, _LT, _SHL = 0x15, 0x14, 0x10, 0x1B
_CALLER, _CALLVALUE, _CALLDATASIZE, _CALLDATACOPY = 0x33, 0x34, 0x36, 0x37
_MSTORE, _SLOAD, _JUMPI, _JUMPDEST = 0x52, 0x54, 0x57, 0x5B
_PUSH0, _PUSH1, _LOG0, _RETURN, _REVERT, _STOP = 0x5F, 0x60, 0xA0, 0xF3, 0xFD, 0x00
_REFUSE, _TELL_FEE, _TAKE = 12, 16, 29


def _assemble() -> bytes:
    start = [_CALLDATASIZE, _ISZERO, _PUSH1, _TELL_FEE, _JUMPI]
    start += [_CALLDATASIZE, _PUSH1, 56, _EQ, _PUSH1, _TAKE, _JUMPI]
    refuse = [_JUMPDEST, _PUSH0, _PUSH0, _REVERT]
    tell_fee = [_JUMPDEST, _CALLVALUE, _PUSH1, _REFUSE, _JUMPI, _PUSH0, _SLOAD, _PUSH0, _MSTORE]
    tell_fee += [_PUSH1, 32, _PUSH0, _RETURN]
    take = [_JUMPDEST, _PUSH0, _SLOAD, _CALLVALUE, _LT, _PUSH1, _REFUSE, _JUMPI]
    take += [_CALLER, _PUSH1, 96, _SHL, _PUSH0, _MSTORE]
    take += [_PUSH1, 56, _PUSH0, _PUSH1, 20, _CALLDATACOPY, _PUSH1, 76, _PUSH0, _LOG0, _STOP]
    code = [*start, *refuse, *tell_fee, *take]
    places = (len(start), len(start + refuse), len(start + refuse + tell_fee))
    assert places == (_REFUSE, _TELL_FEE, _TAKE), places
    return bytes(code)


def install(world: World, address: str, *, fee_wei: int = 1) -> None:
    """Puts the stand-in where the contract belongs."""
    world.rpc("anvil_setCode", address, "0x" + _assemble().hex())
    set_fee(world, address, fee_wei=fee_wei)


def set_fee(world: World, address: str, *, fee_wei: int) -> None:
    """Sets what a request costs."""
    world.rpc("anvil_setStorageAt", address, hex(0), f"0x{fee_wei:064x}")
