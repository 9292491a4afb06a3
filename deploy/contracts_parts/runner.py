"""Creates a row of contracts, one step at a time, going on where an earlier run stopped.

Before each transaction the journal learns its nonce, address and hash. A nonce is used once, so
whatever happened in between, no step can be carried out twice: either its code is at its address
(and is compared with what was compiled), or its nonce is still free, or it was spent in vain and
the step gets the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.contracts_parts import human
from deploy.contracts_parts.build import Contract, mismatch
from deploy.contracts_parts.chain import GAS_MARGIN, Chain, Fees
from deploy.contracts_parts.journal import Journal
from deploy.contracts_parts.parameters import Parameters
from deploy.contracts_parts.plan import Step, make_step
from deploy.contracts_parts.signing import Signer
from sdk.errors import ChainError


@dataclass(frozen=True, slots=True)
class Item:
    """A step and where it stands.

    Attributes:
        done: its code is on chain and is what was compiled.
        gas: estimate for what is still to be sent, 0 if done.
        transaction: hash the journal knows, empty if none.
    """

    step: Step
    done: bool
    gas: int
    transaction: str


@dataclass(slots=True)
class Runner:
    """The steps `names`, by one deployer.

    Attributes:
        known: addresses by step, from elsewhere at first; grows as steps are surveyed.
    """

    chain: Chain
    parameters: Parameters
    contracts: Mapping[str, Contract]
    journal: Journal
    deployer: str
    names: Sequence[str]
    known: dict[str, str] = field(default_factory=dict)

    def survey(self) -> list[Item]:
        """Every step with its address and estimate. Reads only.

        Raises:
            ChainError: the journal names code that is not ours, or somebody else's transaction
                of this account is waiting.
        """
        items: list[Item] = []
        absent: dict[str, Any] = {}
        nonce = self.chain.nonce(self.deployer)
        for name in self.names:
            item = self._done(name)
            if item is None:
                item = self._open(name, nonce, absent)
                nonce += 1
            self.known[name] = item.step.address
            items.append(item)
        self._refuse_foreign_transactions(items)
        return items

    def carry_out(self, signer: Signer, say: Callable[[str], None]) -> None:
        """Send what is open, in order, waiting for each.

        Raises:
            ChainError: a transaction failed, or what it left is not what was compiled.
        """
        for name in self.names:
            step = self._next(name, signer, say)
            reason = mismatch(step.contract, self.chain.code(step.address), step.immutables)
            if reason:
                raise ChainError(f"step {name} at {step.address}: {reason}", code="code_mismatch")
            self.known[name] = step.address

    def _next(self, name: str, signer: Signer, say: Callable[[str], None]) -> Step:
        """One step, sent if it has to be, and mined."""
        done = self._done(name)
        if done is not None:
            self._note_block(name, done.transaction)
            say(f"{name}: already at {done.step.address}")
            return done.step
        step = self._make(name, self.chain.nonce(self.deployer))
        sent = self._waiting_transaction(name, step)
        if not sent:
            self.journal.forget(name)

            def on_signed(transaction: str) -> None:
                self.journal.record(
                    name, nonce=step.nonce, address=step.address, transaction=transaction
                )

            sent = self.chain.send(
                signer, None, step.creation, nonce=step.nonce, on_signed=on_signed
            )
        say(f"{name}: sent {sent}, nonce {step.nonce}")
        receipt = self.chain.wait(sent, confirmations=self.parameters.network.confirmations)
        self.journal.record(name, block=int(receipt["blockNumber"], 16))
        say(f"{name}: mined at {step.address}, gas {int(receipt['gasUsed'], 16):,}")
        return step

    def _done(self, name: str) -> Item | None:
        """The step as the journal has it, if its code is on chain."""
        entry = self.journal.steps.get(name)
        if entry is None:
            return None
        step = self._make(name, int(entry["nonce"]))
        code = self.chain.code(step.address)
        if not code:
            return None
        reason = mismatch(step.contract, code, step.immutables)
        if reason:
            raise ChainError(
                f"{self.journal.path} says step {name} is done at {step.address}, but {reason}",
                code="code_mismatch",
                hint="Find out who changed the journal or the sources; move the journal away.",
            )
        return Item(step=step, done=True, gas=0, transaction=str(entry["transaction"]))

    def _open(self, name: str, nonce: int, absent: dict[str, Any]) -> Item:
        """A step to be sent; adds the code that it will leave to `absent`."""
        step = self._make(name, nonce)
        # As if the steps before had been sent: their code is there, their nonces are used.
        assumed = {**absent, self.deployer: {"nonce": hex(nonce)}}
        gas = self.chain.estimate(self.deployer, None, step.creation, overrides=assumed)
        code = self.chain.call(None, step.creation, sender=self.deployer, overrides=assumed)
        reason = mismatch(step.contract, code, step.immutables)
        if reason:
            raise ChainError(f"step {name} would go wrong: {reason}", code="code_mismatch")
        absent[step.address] = {"code": "0x" + code.hex()}
        return Item(
            step=step, done=False, gas=gas, transaction=self._waiting_transaction(name, step)
        )

    def _make(self, name: str, nonce: int) -> Step:
        return make_step(
            name,
            parameters=self.parameters,
            contracts=self.contracts,
            known=self.known,
            deployer=self.deployer,
            nonce=nonce,
        )

    def _waiting_transaction(self, name: str, step: Step) -> str:
        """The journal's transaction for this step, if the node still holds it; else empty."""
        entry = self.journal.steps.get(name)
        if entry is None or entry["nonce"] != step.nonce:
            return ""
        transaction = str(entry["transaction"])
        return transaction if self.chain.is_pending(transaction) else ""

    def _note_block(self, name: str, transaction: str) -> None:
        """The block of a step that was mined after an earlier run had been killed."""
        if "block" in self.journal.steps[name]:
            return
        receipt = self.chain.rpc("eth_getTransactionReceipt", transaction)
        if receipt is None:
            raise ChainError(
                f"step {name} is on chain, but not by transaction {transaction}",
                hint="Its sender was replaced; look the block up and add it to the journal.",
            )
        self.journal.record(name, block=int(receipt["blockNumber"], 16))

    def _refuse_foreign_transactions(self, items: Sequence[Item]) -> None:
        waiting = self.chain.nonce(self.deployer, at="pending") - self.chain.nonce(self.deployer)
        ours = sum(bool(item.transaction) for item in items if not item.done)
        if waiting > ours:
            raise ChainError(
                f"{self.deployer} has {waiting} waiting transactions, {ours} of them from here",
                code="account_busy",
                hint="Use an account for deployments alone, or wait until they are mined.",
            )


def require_funds(chain: Chain, deployer: str, items: Sequence[Item], fees: Fees) -> None:
    """Refuses to begin what cannot be paid to the end.

    Raises:
        ChainError: `funds_missing`.
    """
    needed = sum(int(item.gas * GAS_MARGIN) for item in items) * fees.most
    balance = chain.balance_wei(deployer)
    if balance < needed:
        raise ChainError(
            f"{deployer} has {human.amount(balance)}, at most {human.amount(needed)} is needed",
            code="funds_missing",
            hint="Nothing was sent. Fund the account.",
        )


def describe(items: Sequence[Item], fees: Fees) -> list[str]:
    """The plan for people: every transaction, where it leads and what it costs."""
    lines = []
    for item in items:
        step = item.step
        state = (
            "done"
            if item.done
            else f"gas {item.gas:,}, cost {human.amount(item.gas * fees.now)}, nonce {step.nonce}"
        )
        if item.transaction and not item.done:
            state += f", waiting as {item.transaction}"
        lines.append(f"{step.name}: create {step.contract.name} at {step.address} ({state})")
        lines += [f"    {line}" for line in step.shown]
    total = sum(item.gas for item in items)
    lines.append(
        f"total: gas {total:,}, cost {human.amount(total * fees.now)} at the current fee of "
        f"{human.amount(fees.now)}; at most {human.amount(int(total * GAS_MARGIN) * fees.most)}"
    )
    return lines
