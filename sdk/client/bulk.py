"""Registering any number of validators in several transactions, safe to kill and to start again.

Before each transaction is sent its hash and account nonce are in the journal, and after a restart
the chain is asked what became of it. Three things keep a validator from being registered twice: a
lost transaction is sent again under its old account nonce only, the registration nonce is asked
before each one, and each key is looked up before its transaction is signed.

Shell around `bulk_plan` and `tracking`; see docs/bulk-registration.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from eth_typing import ChecksumAddress

from sdk.client import bulk_plan, reads, sending, tracking
from sdk.client.bulk_journal import (
    FORMAT,
    VERSION,
    BulkJournal,
    Chunk,
    keys_of,
    keyshares_digest,
    split_chunk,
)
from sdk.client.bulk_plan import BulkPlan, plan_bulk
from sdk.client.bulk_settle import require_kept, settle
from sdk.client.calls import Deployment
from sdk.client.client import Client
from sdk.client.contract_errors import ERRORS
from sdk.client.draft import Receipt
from sdk.client.funds import Funding
from sdk.client.journal_file import JournalFile
from sdk.client.operation import Operation
from sdk.client.prepared import PreparedCall
from sdk.client.signers import NodeSigner
from sdk.client.tracking import SentTransaction
from sdk.client.values import ClusterState
from sdk.errors import ChainError, InputError, NetworkError, PartialError, PhalanxError, UsageError
from sdk.events import ClusterSnapshot
from sdk.events.types import ValidatorAdded
from sdk.shares.keyshares_file import KeyShare
from sdk.types import OperatorId

T = TypeVar("T")

RACES: Final = 3
"""Times one chunk is prepared in a run; anybody can change a cluster's snapshot by a deposit."""
_RACE_CODES: Final = frozenset({"stale_snapshot", ERRORS["IncorrectClusterState"].default_code})


@dataclass(frozen=True, slots=True)
class BulkStep:
    """What a run tells about one transaction.

    Attributes:
        kind: `sent`, `verified`; `found` if an earlier run's was looked up, `found_unsure` if the
            node cannot tell any more whether it used the nonces it was signed for.
        verified: validators known to be registered, of `total`.
    """

    kind: str
    chunk: Chunk
    verified: int
    total: int


def bulk_journal_file(path: Path) -> JournalFile[BulkJournal]:
    """The journal of a bulk registration, to be opened by `with`."""
    return JournalFile(path, BulkJournal, format=FORMAT, version=VERSION)


class BulkRegistration:
    """One bulk registration by one client.

    Args:
        client: with a signer that signs in this process or another, not the node.
        shares: entries in the order of their nonces, for one set of operators.
        file: the journal, opened.
        tell: called after every step.

    Raises:
        InputError: `journal_of_another_file`, the journal belongs to other keyshares.
        UsageError: `journal_of_another_run`, it belongs to another chain, registry or owner.
    """

    def __init__(
        self,
        client: Client,
        shares: Sequence[KeyShare],
        file: JournalFile[BulkJournal],
        *,
        tell: Callable[[BulkStep], None] = lambda step: None,
    ) -> None:
        self._client = client
        self._shares = tuple(shares)
        self._file = file
        self._tell = tell
        self._context = client.context
        self._hint: ClusterSnapshot | None = None
        self._is_kept = False
        self.journal = file.load()
        if self.journal is not None:
            self._require_own(self.journal)

    def plan(
        self,
        *,
        deposit_wei: int | None = None,
        runway_days: int | None = None,
        most_per_transaction: int | None = None,
        are_registered: bool = False,
    ) -> BulkPlan:
        """What will be done; for a run without a journal. Errors as `bulk_plan.plan_bulk`."""
        funding = Funding.of(amount_wei=deposit_wei, runway_days=runway_days, default_wei=0)
        return self._ask(
            plan_bulk(
                self._deployment,
                self._owner,
                self._shares,
                funding=funding,
                most_per_transaction=most_per_transaction,
                are_registered=are_registered,
            )
        )

    def first_call(self, plan: BulkPlan) -> PreparedCall:
        """The first transaction as it would be sent now, for its cost; fewer entries if it must be.

        Errors as `validators.register`.
        """
        chunk = plan.to_send[0]
        count = chunk.count
        while True:
            least = bulk_plan.least_deposit_wei(plan.cluster, validators=count)
            prepared = self._client.validators.register(
                self._shares[chunk.start : chunk.start + count],
                deposit_wei=min(plan.deposit_wei, max(chunk.deposit_wei, least)),
                snapshot=plan.cluster.snapshot,
            )
            if self._fitting_gas(prepared) is not None:
                return prepared
            count //= 2

    def begin(self, plan: BulkPlan) -> BulkJournal:
        """Writes the plan down; nothing is sent before."""
        self._require_signer()
        journal = BulkJournal(
            chain_id=self._ask(sending.require_chain(self._deployment)),
            registry=self._deployment.registry,
            owner=self._owner,
            operator_ids=plan.cluster.operator_ids,
            digest=keyshares_digest(self._shares),
            first_nonce=plan.first_nonce,
            deposit_wei=plan.deposit_wei,
            keys=keys_of(self._shares),
            chunks=plan.chunks,
        )
        self._save(journal)
        return journal

    def require_kept(self) -> None:
        """Returns if what the journal calls registered still is; asked once, by `run` too.

        Raises:
            ChainError: `removed_since`, validators were removed after they were registered.
        """
        if self.journal is not None and not self._is_kept:
            self._ask(require_kept(self._deployment, self._owner, self.journal, self._shares))
            self._is_kept = True

    def run(self) -> BulkJournal:
        """Registers what is left, and returns the journal of the finished registration.

        Raises:
            PartialError: some validators are registered, then something failed; its `data` has the
                cause's code. The same registration can be started again.
            PhalanxError: the cause itself, when nothing is registered yet.
            ChainError: `removed_since`, as `require_kept`.
        """
        self._require_signer()
        self.require_kept()
        try:
            index = 0
            while index < len(self._known.chunks):
                self._finish(index)
                index += 1
        except PhalanxError as cause:
            raise self._in_part(cause) from cause
        return self._known

    def _finish(self, index: int) -> None:
        """Brings one chunk to its end; it may be split on the way."""
        for attempt in range(RACES):
            self._settle(index)
            if self._known.chunks[index].is_verified:
                return
            try:
                self._register(index)
            except ChainError as problem:
                self._hint = None
                if problem.code not in _RACE_CODES or attempt == RACES - 1:
                    raise

    def _settle(self, index: int) -> None:
        """Asks the chain about one chunk, and notes what it says."""
        chunk = self._known.chunks[index]
        settled = self._ask(settle(self._context, self._owner, self._known, self._shares, index))
        self._note(index, *settled.chunks)
        if settled.chunks[0].is_verified and not chunk.is_verified:
            self._say("found" if settled.is_sure else "found_unsure", index)

    def _register(self, index: int) -> None:
        """Signs, notes, sends and waits for one chunk."""
        chunk = self._known.chunks[index]
        prepared, deposit_wei = self._prepare(index)
        gas = self._fitting_gas(prepared)
        if gas is None:
            half, rest = split_chunk(replace(chunk, sent=None), chunk.count // 2)
            # Of a lost transaction the account nonce stays with whatever is sent next.
            self._note(index, replace(half, sent=chunk.sent), rest)
            self._register(index)
            return
        if chunk.sent is not None:  # lost on its way: only under this nonce may it be sent again
            nonce = chunk.sent.account_nonce
        else:
            nonce = self._ask(tracking.account_nonce(self._owner))
        signed = prepared.sign(gas=sending.with_margin(gas), nonce=nonce)
        sent = SentTransaction(signed.hash.to_0x_hex(), nonce)
        self._note(index, replace(chunk, sent=sent, deposit_wei=deposit_wei))
        prepared.send(signed)
        self._say("sent", index)
        try:
            receipt = prepared.wait(signed.hash)
        except ChainError:
            # Mined: reverted, or with other nonces. The next look asks the chain which.
            self._hint = None
            raise
        self._hint = _snapshot_after(receipt, self._shares[chunk.start : chunk.end])
        mined = replace(self._known.chunks[index], block=receipt.block_number, is_verified=True)
        self._note(index, mined)
        self._say("verified", index)

    def _prepare(self, index: int) -> tuple[PreparedCall, int]:
        chunk = self._known.chunks[index]
        shares = self._shares[chunk.start : chunk.end]
        cluster = self._cluster()
        # A lost transaction's deposit is not spent.
        unspent = self._known.unspent_wei + (chunk.deposit_wei if chunk.sent is not None else 0)
        wanted = max(
            chunk.deposit_wei, bulk_plan.least_deposit_wei(cluster, validators=chunk.count)
        )
        is_last = index == len(self._known.chunks) - 1
        deposit_wei = unspent if is_last else min(unspent, wanted)
        prepared = self._client.validators.register(
            shares, deposit_wei=deposit_wei, snapshot=cluster.snapshot
        )
        return prepared, deposit_wei

    def _cluster(self) -> ClusterState:
        """The cluster, by the struct of our own last log if it still is the latest."""
        ids = tuple(OperatorId(each) for each in self._known.operator_ids)
        hint, self._hint = self._hint, None
        try:
            return self._ask(
                reads.find_cluster(
                    self._deployment, self._owner, ids, snapshot=hint, may_be_new=True
                )
            )
        except ChainError as problem:
            if problem.code != "stale_snapshot" or hint is None:
                raise
        return self._cluster()

    def _fitting_gas(self, prepared: PreparedCall) -> int | None:
        """Gas it needs, None if that with its margin is too much for one transaction."""
        try:
            gas = prepared.estimate_gas()
        except ChainError as problem:
            if problem.code != "gas_too_high" or prepared.draft.items == 1:
                raise
            return None
        return gas if gas <= bulk_plan.MOST_GAS or prepared.draft.items == 1 else None

    def _in_part(self, cause: PhalanxError) -> PhalanxError:
        journal = self._known
        if not journal.verified or isinstance(cause, PartialError):
            return cause
        return PartialError(
            f"{journal.verified} of {len(journal.keys)} validators are registered, then: "
            f"{cause.message}",
            code="registered_in_part",
            hint=f"{cause.hint} Then give the same command again; {self._file.path} knows how far "
            "it came.".lstrip(),
            data={**cause.data, "cause": cause.code, "registered": journal.verified},
        )

    def _require_own(self, journal: BulkJournal) -> None:
        if journal.digest != keyshares_digest(self._shares):
            raise InputError(
                f"{self._file.path} belongs to other keyshares than these",
                code="journal_of_another_file",
                hint="Give the keyshares file it was begun with, or another --journal.",
            )
        found = (journal.chain_id, journal.registry, journal.owner)
        mine = (
            self._ask(sending.require_chain(self._deployment)),
            self._deployment.registry,
            self._owner,
        )
        if found != mine:
            raise UsageError(
                f"{self._file.path} is of a run on chain {found[0]}, registry {found[1]}, owner "
                f"{found[2]}; this is chain {mine[0]}, registry {mine[1]}, owner {mine[2]}",
                code="journal_of_another_run",
                hint="Give the options it was begun with, or another --journal.",
            )

    def _require_signer(self) -> None:
        if self._context.signer is None or isinstance(self._context.signer, NodeSigner):
            raise UsageError(
                "a bulk registration notes each transaction's hash before it sends it",
                code="signer_missing",
                hint="Use a key file, a keystore or a remote signer; or register parts of the file "
                "that fit one transaction and export them.",
            )

    @property
    def _known(self) -> BulkJournal:
        if self.journal is None:
            raise UsageError("nothing is planned", code="not_planned", hint="Plan and begin first.")
        return self.journal

    @property
    def _deployment(self) -> Deployment:
        return self._context.deployment

    @property
    def _owner(self) -> ChecksumAddress:
        if self._context.account is None:
            raise UsageError("nobody is named as owner", code="account_missing")
        return self._context.account

    def _note(self, index: int, *chunks: Chunk) -> None:
        self._save(self._known.with_chunk(index, *chunks))

    def _save(self, journal: BulkJournal) -> None:
        if journal != self.journal:
            self._file.save(journal)
        self.journal = journal

    def _say(self, kind: str, index: int) -> None:
        journal = self._known
        step = BulkStep(kind, journal.chunks[index], journal.verified, len(journal.keys))
        self._tell(step)

    def _ask(self, operation: Operation[T]) -> T:
        return self._client.perform(operation)


def _snapshot_after(receipt: Receipt, shares: Sequence[KeyShare]) -> ClusterSnapshot:
    """The cluster's struct after the call, if its logs are of exactly these validators.

    Raises:
        NetworkError: `rpc_answer`.
    """
    added = [event for event in receipt.events if isinstance(event, ValidatorAdded)]
    if [bytes(event.public_key) for event in added] != [bytes(each.public_key) for each in shares]:
        raise NetworkError(
            f"the logs of transaction {receipt.transaction_hash.to_0x_hex()} are not those of its "
            f"{len(shares)} validators",
            code="rpc_answer",
            hint="Use another node, and give the same command again.",
        )
    return added[-1].cluster
