"""A prepared call: look at it, try it, export it, or sign and send it.

Every write of the client returns one. Preparing has read what it needs and made all checks;
nothing is signed or sent before `sign`, `send` or `transact`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, overload

from hexbytes import HexBytes

from sdk.client import export, mining, sending
from sdk.client.abi import decode_answer
from sdk.client.calls import block_header
from sdk.client.draft import Draft, Forecast, Plan, Receipt, forecast
from sdk.client.drivers import Awaiting, AwaitingDriver, Blocking, BlockingDriver
from sdk.client.operation import Operation
from sdk.client.sending import Context
from sdk.client.signers import NodeSigner
from sdk.client.transaction import SignedTransaction, Transaction
from sdk.client.verbs import verb
from sdk.files import write_private

P = ParamSpec("P")


class PreparedVerbs:
    """What can be done with a prepared call."""

    _context: Context
    draft: Draft

    @property
    def call_data(self) -> HexBytes:
        """Selector and encoded arguments."""
        return self.draft.call_data

    @property
    def value_wei(self) -> int:
        """Ether sent with the call."""
        return self.draft.value_wei

    @verb
    def plan(self) -> Operation[Plan]:
        """What the call will do and cost, as known now.

        Raises:
            RegistryError: it would revert.
        """
        draft, context = self.draft, self._context
        gas = yield from sending.estimate_gas(context, draft)
        fees = yield from sending.current_fees()
        before, after = _forecasts(draft)
        return Plan(
            action=draft.action,
            function=draft.function,
            registry=context.deployment.registry,
            sender=sending.sender_of(context, draft),
            value_wei=draft.value_wei,
            calldata_bytes=len(draft.call_data),
            gas=gas,
            gas_cost_wei=gas * (fees.base_fee_wei + fees.priority_fee_wei),
            most_gas_cost_wei=sending.with_margin(gas) * fees.max_fee_wei,
            nonces=draft.nonces,
            before=before,
            after=after,
        )

    @verb
    def check(self) -> Operation[None]:
        """Returns if the call still is what it was prepared as: same snapshot, same nonces.

        Raises:
            ChainError: `stale_snapshot`, `nonce_too_low`, `nonce_too_high`.
        """
        yield from sending.recheck(self._context.deployment, self.draft)

    @verb
    def simulate(self) -> Operation[tuple[Any, ...]]:
        """Values that the call would return if it were mined now.

        Raises:
            RegistryError: it would revert; the class says why.
        """
        data = yield from sending.simulate(self._context, self.draft)
        return decode_answer(self.draft.function, data)

    @verb
    def estimate_gas(self) -> Operation[int]:
        """Gas it needs now, without margin.

        Raises:
            RegistryError: it would revert.
            ChainError: `gas_too_high`, `calldata_too_large`.
        """
        return (yield from sending.estimate_gas(self._context, self.draft))

    @verb
    def build(self, *, gas: int | None = None, nonce: int | None = None) -> Operation[Transaction]:
        """The complete unsigned transaction; `.to_dict()` is web3's form.

        Args:
            gas: limit; estimated, with a margin, if None.
            nonce: of the sending account; the node's pending one if None.
        """
        return (yield from sending.build(self._context, self.draft, gas=gas, nonce=nonce))

    @verb
    def sign(
        self, *, gas: int | None = None, nonce: int | None = None
    ) -> Operation[SignedTransaction]:
        """The signed transaction, checked again but not sent: note its hash, then `send` it."""
        yield from sending.recheck(self._context.deployment, self.draft)
        built = yield from sending.build(self._context, self.draft, gas=gas, nonce=nonce)
        return (yield from sending.sign(self._context, built))

    @verb
    def send(self, signed: SignedTransaction | None = None) -> Operation[HexBytes]:
        """The hash of the transaction, once the node has it.

        Args:
            signed: what `sign` returned; checked and signed now if None.
        """
        return (yield from _send(self._context, self.draft, signed))

    @verb
    def wait(self, transaction_hash: bytes) -> Operation[Receipt]:
        """The receipt of this call's transaction, once it is mined.

        Raises:
            RegistryError: it reverted.
            NetworkError: `receipt_timeout`.
            ChainError: `nonce_shifted`.
        """
        return (yield from mining.wait(self._context, self.draft, HexBytes(transaction_hash)))

    @verb
    def transact(self) -> Operation[Receipt]:
        """Checks, signs, sends and waits.

        Raises:
            RegistryError: it would revert, or was mined and reverted.
            ChainError: a check failed, the code says which.
            UsageError: `signer_missing`.
        """
        sent = yield from _send(self._context, self.draft, None)
        return (yield from mining.wait(self._context, self.draft, sent))

    @verb
    def to_safe_batch(self, path: Path) -> Operation[None]:
        """Writes a batch for the Safe transaction builder; never over an existing file."""
        chain = yield from sending.require_chain(self._context.deployment)
        document = export.safe_batch(
            self.draft,
            chain_id=chain,
            registry=self._context.deployment.registry,
            safe=sending.sender_of(self._context, self.draft),
            created_at_ms=1000 * (yield from block_header()).timestamp_s,
        )
        write_private(path, document)

    @verb
    def to_json(self, path: Path | None = None) -> Operation[str]:
        """The unsigned call as JSON text, also written to `path`, never over an existing file."""
        chain = yield from sending.require_chain(self._context.deployment)
        document = export.unsigned_json(
            self.draft,
            chain_id=chain,
            registry=self._context.deployment.registry,
            sender=sending.sender_of(self._context, self.draft),
        )
        if path is not None:
            write_private(path, document)
        return document.decode()


@dataclass(frozen=True, slots=True, repr=False)
class PreparedCall(PreparedVerbs, Blocking):
    """A call ready to look at, try, export or send."""

    _driver: BlockingDriver
    _context: Context
    draft: Draft

    def __repr__(self) -> str:
        return f"<prepared: {self.draft.action}>"


@dataclass(frozen=True, slots=True, repr=False)
class AsyncPreparedCall(PreparedVerbs, Awaiting):
    """A call ready to look at, try, export or send, for the async client."""

    _driver: AwaitingDriver
    _context: Context
    draft: Draft

    def __repr__(self) -> str:
        return f"<prepared: {self.draft.action}>"


class preparing(Generic[P]):  # noqa: N801 - used as a decorator
    """Like `verb`, for operations that end in a `Draft`: the method returns a prepared call."""

    def __init__(self, operation: Callable[Concatenate[Any, P], Operation[Draft]]) -> None:
        self._operation = operation
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, PreparedCall]: ...

    @overload
    def __get__(
        self, instance: Awaiting, owner: type
    ) -> Callable[P, Awaitable[AsyncPreparedCall]]: ...

    @overload
    def __get__(self, instance: None, owner: type) -> preparing[P]: ...

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        def prepare(*args: P.args, **kwargs: P.kwargs) -> PreparedCall:
            draft = instance._driver.run(self._operation(instance, *args, **kwargs))
            return PreparedCall(instance._driver, instance._context, draft)

        async def prepare_async(*args: P.args, **kwargs: P.kwargs) -> AsyncPreparedCall:
            draft = await instance._driver.run(self._operation(instance, *args, **kwargs))
            return AsyncPreparedCall(instance._driver, instance._context, draft)

        return prepare if isinstance(instance, Blocking) else prepare_async


def _send(context: Context, draft: Draft, signed: SignedTransaction | None) -> Operation[HexBytes]:
    if signed is None:
        yield from sending.recheck(context.deployment, draft)
        built = yield from sending.build(context, draft)
        if isinstance(context.signer, NodeSigner):
            return (yield from sending.send_unsigned(built))
        signed = yield from sending.sign(context, built)
    return (yield from sending.send_signed(signed))


def _forecasts(draft: Draft) -> tuple[Forecast | None, Forecast | None]:
    cluster = draft.cluster
    if cluster is None:
        return None, None
    before = forecast(cluster.parties, at=cluster.block.number) if cluster.exists else None
    after = forecast(draft.after, at=cluster.next_block) if draft.after is not None else None
    return before, after
