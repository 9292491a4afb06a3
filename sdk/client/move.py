"""Moving validators to other operators without two committees ever signing for one of them.

Remove, wait until the removal is final on the execution chain, wait until a beacon node has seen
no sign of life of the validators in several whole epochs, register anew. Whoever registers before
the old operators are silent risks two different signatures for one duty, and slashing. Every step
is in a journal first; killed at any point, the move goes on where it stopped.

Shell around `silence`, `bulk` and `tracking`; see docs/moving-validators.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eth_typing import ChecksumAddress

from sdk.client import sending, tracking
from sdk.client.addresses import to_operator_ids
from sdk.client.beacon import BeaconNode
from sdk.client.bulk import BulkRegistration, BulkStep, bulk_journal_file
from sdk.client.bulk_journal import BulkJournal, keys_of
from sdk.client.bulk_plan import BulkPlan, is_registered
from sdk.client.calls import block_header
from sdk.client.client import Client
from sdk.client.draft import Plan
from sdk.client.exits import require_same_chain
from sdk.client.journal_file import JournalFile
from sdk.client.listening import MOST_WAIT_S, Heard, Listener
from sdk.client.move_journal import FORMAT, VERSION, MoveJournal
from sdk.client.prepared import PreparedCall
from sdk.client.silence import DEFAULT_QUIET_EPOCHS, Silence
from sdk.client.tracking import Mined, Missing, SentTransaction
from sdk.errors import BeaconError, ChainError, InputError, UsageError
from sdk.shares.keyshares_file import KeyShare
from sdk.types import PublicKey


@dataclass(frozen=True, slots=True)
class MoveStep:
    """What a run tells: `kind` is one word, `text` for people, `facts` for programs."""

    kind: str
    text: str
    facts: dict[str, object]


def move_journal_file(path: Path) -> JournalFile[MoveJournal]:
    """The journal of a move, to be opened by `with`."""
    return JournalFile(path, MoveJournal, format=FORMAT, version=VERSION)


class Move:
    """One move by one client.

    Args:
        client: with a signer that signs in this process or another, not the node.
        beacon: what proves the silence; None only if the risk of not waiting is accepted.
        shares: keyshares of the validators for their new operators.
        file: the journal, opened; the registration's own stands beside it.
        tell: called with every step.
        tell_registration: called with every step of the registration.
        pause: waits so many seconds.

    Raises:
        UsageError: `journal_of_another_run`.
    """

    def __init__(
        self,
        client: Client,
        beacon: BeaconNode | None,
        shares: Sequence[KeyShare],
        file: JournalFile[MoveJournal],
        *,
        tell: Callable[[MoveStep], None] = lambda step: None,
        tell_registration: Callable[[BulkStep], None] = lambda step: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._beacon = beacon
        self._shares = tuple(shares)
        self._keys = tuple(PublicKey(bytes(share.public_key)) for share in shares)
        self._file = file
        self._tell = tell
        self._tell_registration = tell_registration
        self._pause = pause
        self._listener: Listener | None = None
        self.journal = file.load()
        if self.journal is not None:
            self._require_own(self.journal)

    @property
    def registration_path(self) -> Path:
        """The journal of the registration."""
        return self._file.path.with_name(self._file.path.name + ".registration")

    def plan(
        self,
        old_operator_ids: Sequence[int],
        *,
        deposit_wei: int | None = None,
        runway_days: int | None = None,
        quiet_epochs: int = DEFAULT_QUIET_EPOCHS,
        accept_slashing_risk: bool = False,
    ) -> tuple[MoveJournal, Plan | None, BulkPlan]:
        """What will be done, with every check that can be made before the removal.

        Returns:
            The journal to begin with, the plan of the removal (None if the validators are removed
            already), and the plan of the registration.

        Raises:
            ChainError: as `validators.remove` and `validators.register`; `same_operators`,
                `removed_in_part`.
            BeaconError: the beacon node cannot prove the silence.
        """
        old = to_operator_ids(old_operator_ids)
        new = self._shares[0].operator_ids if self._shares else ()
        if tuple(old) == tuple(new):
            raise ChainError(
                f"the keyshares are for operators {', '.join(map(str, new))}, which the validators "
                "have already",
                code="same_operators",
                hint="Split the validators for the operators they shall move to.",
            )
        Silence(first_epoch=0, needed=quiet_epochs)
        is_there = self._are_registered()
        if not accept_slashing_risk:
            self._require_listener(hears=is_there)
        with bulk_journal_file(self.registration_path) as file:
            registration = self._registration(file).plan(
                deposit_wei=deposit_wei, runway_days=runway_days, are_registered=True
            )
        removal = self._client.validators.remove(old, list(self._keys)).plan() if is_there else None
        begun = MoveJournal(
            chain_id=self._client.perform(sending.require_chain(self._client.context.deployment)),
            registry=self._client.registry,
            owner=self._owner,
            old_operator_ids=old,
            new_operator_ids=new,
            keys=keys_of(self._shares),
            quiet_epochs=quiet_epochs,
            is_waived=accept_slashing_risk,
        )
        return begun, removal, registration

    @property
    def unheard_active(self) -> int:
        """See `Listener.unheard_active`; 0 without a beacon node."""
        return 0 if self._listener is None else self._listener.unheard_active

    def begin(self, journal: MoveJournal) -> None:
        """Writes the plan down; nothing is sent before."""
        self._save(journal)

    def waive(self) -> None:
        """From now on the risk of not waiting is accepted."""
        self._save(replace(self._known, is_waived=True))

    def run(self, *, deposit_wei: int | None = None, runway_days: int | None = None) -> MoveJournal:
        """Does what is left.

        Raises:
            BeaconError: `not_silent`, `not_final`, `beacon_not_synced`, `liveness_not_tracked`,
                `beacon_liveness_unsupported`; the same move can be started again.
            PhalanxError: as `validators.remove` and `BulkRegistration.run`.
        """
        while not self._known.may_register:
            if self._known.removal_block is None:
                self._remove()
            elif self._known.silence is None:
                self._await_finality(self._known.removal_block)
            else:
                self._await_silence(self._known.silence)
        with bulk_journal_file(self.registration_path) as file:
            bulk = self._registration(file)
            if bulk.journal is None:
                bulk.begin(bulk.plan(deposit_wei=deposit_wei, runway_days=runway_days))
            bulk.run()
        return self._known

    def _remove(self) -> None:
        sent = self._known.removal
        if sent is not None:
            patience = self._client.context.patience
            fate = self._client.perform(
                tracking.await_fate(sent, sender=self._owner, patience=patience)
            )
            if isinstance(fate, Mined) and fate.succeeded:
                self._removed(fate.block_number)
                return
            if not isinstance(fate, Missing):
                sent = None
                self._save(replace(self._known, removal=None))
        if not self._are_registered():
            # Removed by somebody's own hand, at the newest block at the latest, and not by a lost
            # transaction, which must not be waited for.
            self._save(replace(self._known, removal=None))
            self._removed(self._client.perform(block_header()).number)
            return
        if not self._known.is_waived:
            self._require_listener(hears=True)
        prepared = self._client.validators.remove(self._known.old_operator_ids, list(self._keys))
        self._send(prepared, sent)

    def _send(self, prepared: PreparedCall, lost: SentTransaction | None) -> None:
        # A lost transaction is sent again only under its old account nonce.
        nonce = (
            self._client.perform(tracking.account_nonce(self._owner))
            if lost is None
            else lost.account_nonce
        )
        signed = prepared.sign(nonce=nonce)
        sent = SentTransaction(signed.hash.to_0x_hex(), nonce)
        self._save(replace(self._known, removal=sent))
        prepared.send(signed)
        self._say(
            "removing", f"removing them in transaction {sent.hash}", transaction_hash=sent.hash
        )
        self._removed(prepared.wait(signed.hash).block_number)

    def _removed(self, block: int) -> None:
        self._save(replace(self._known, removal_block=block))
        self._say("removed", f"removed in block {block}", block=block)

    def _await_finality(self, removal_block: int) -> None:
        """Waits until both chains have finalised the removal, and sets the silence's start."""
        listener = self._require_listener()
        self._say("awaiting_finality", f"waiting until block {removal_block} is final")
        for _ in listener.looks():
            if self._client.perform(block_header("finalized")).number < removal_block:
                continue
            if not self._is_still_removed():
                self._save(replace(self._known, removal_block=None))
                return
            header = self._client.perform(block_header(removal_block))
            epoch = listener.chain.epoch_at(header.timestamp_s)
            if listener.finalized_epoch() < epoch:
                continue
            silence = Silence(first_epoch=epoch + 1, needed=self._known.quiet_epochs)
            self._save(replace(self._known, silence=silence))
            self._say("final", f"block {removal_block} of epoch {epoch} is final", epoch=epoch)
            return
        raise BeaconError(
            f"block {removal_block} did not become final within {MOST_WAIT_S // 3600} hours",
            code="not_final",
            hint="Check that the chain finalises, then give the same command again.",
        )

    def _is_still_removed(self) -> bool:
        """Whether the removal is in the block where it was seen; that one may have been dropped."""
        sent = self._known.removal
        if sent is None:
            return not self._are_registered()
        fate = self._client.perform(tracking.find_fate(sent, sender=self._owner))
        return (
            isinstance(fate, Mined)
            and fate.succeeded
            and fate.block_number == self._known.removal_block
        )

    def _await_silence(self, silence: Silence) -> None:
        listener = self._require_listener()
        self._say(
            "awaiting_silence",
            f"waiting for {silence.needed} epochs in a row, from epoch {silence.first_epoch} on, "
            "without a sign of life of the validators",
            first_epoch=silence.first_epoch,
            needed=silence.needed,
        )
        for _ in listener.looks():
            before, heard = silence, listener.look(silence)
            silence = heard.silence
            self._save(replace(self._known, silence=silence))
            if heard.live:
                self._say_alive(heard)
            elif silence.quiet != before.quiet:
                told = f"{len(silence.quiet)} of {silence.needed}"
                epoch = silence.quiet[-1]
                self._say("quiet", f"no sign of life in epoch {epoch} ({told})", epoch=epoch)
            if silence.is_proven:
                return
        raise BeaconError(
            f"the validators were not silent for {silence.needed} epochs in a row within "
            f"{MOST_WAIT_S // 3600} hours",
            code="not_silent",
            hint="Their old operators may not follow the chain: ask them to stop. Do not register "
            "before they have.",
        )

    def _say_alive(self, heard: Heard) -> None:
        shown = ", ".join(map(str, heard.live[:5]))
        self._say(
            "alive",
            f"{len(heard.live)} validators still sign, in epoch {heard.epoch} (index {shown}); "
            "counting begins anew",
            epoch=heard.epoch,
            indices=list(heard.live),
        )

    def _require_listener(self, *, hears: bool = False) -> Listener:
        """What listens, asked everything once; `hears`: it must have heard all active validators.

        Raises:
            UsageError: `beacon_missing`.
            ConfigError: `other_beacon_chain`.
            BeaconError: `beacon_not_synced`, `beacon_liveness_unsupported`, `liveness_not_tracked`.
        """
        if self._beacon is None:
            raise UsageError(
                "without a beacon node nobody can tell when the old operators are silent, and "
                "registering before that can get the validators slashed",
                code="beacon_missing",
                hint="Give --beacon, or say --accept-slashing-risk-of-not-waiting.",
            )
        if self._listener is None:
            listener = Listener(self._beacon, self._keys, pause=self._pause)
            require_same_chain(self._client, listener.chain)
            self._listener = listener
        if hears and (unheard := self.unheard_active):
            raise BeaconError(
                f"the beacon node saw no sign of life of {unheard} active validators in the last "
                "epoch; so its silence after the removal would prove nothing",
                code="liveness_not_tracked",
                hint="If they are online, switch its tracking of liveness on (Teku: "
                "--beacon-liveness-tracking-enabled) or use another node. If they surely cannot "
                "sign, say --accept-slashing-risk-of-not-waiting.",
                data={"unheard_active": unheard},
            )
        return self._listener

    def _are_registered(self) -> bool:
        """Whether the validators are registered, all of them or none.

        Raises:
            ChainError: `removed_in_part`.
        """
        deployment = self._client.context.deployment
        there = [
            share
            for share in self._shares
            if self._client.perform(is_registered(deployment, self._owner, share))
        ]
        if 0 < len(there) < len(self._shares):
            raise ChainError(
                f"{len(there)} of the {len(self._shares)} validators are registered, the rest not",
                code="removed_in_part",
                hint="Move those that are registered, and register the others by themselves.",
            )
        return bool(there)

    def _require_own(self, journal: MoveJournal) -> None:
        found = (journal.chain_id, journal.registry, journal.owner)
        chain = self._client.perform(sending.require_chain(self._client.context.deployment))
        new = tuple(self._shares[0].operator_ids)
        same = found == (chain, self._client.registry, self._owner)
        if not same or set(journal.keys) != set(keys_of(self._shares)):
            raise UsageError(
                f"{self._file.path} is of another move: chain {found[0]}, registry {found[1]}, "
                f"owner {found[2]}, {len(journal.keys)} validators, 0x{journal.keys[0][2:]} first",
                code="journal_of_another_run",
                hint="Give the options it was begun with, or another --journal.",
            )
        if new != journal.new_operator_ids:
            raise InputError(
                f"{self._file.path} moves the validators to operators "
                f"{', '.join(map(str, journal.new_operator_ids))}, the keyshares are for "
                f"{', '.join(map(str, new))}",
                code="journal_of_another_file",
                hint="Give keyshares for the operators it was begun with.",
            )

    @property
    def _known(self) -> MoveJournal:
        if self.journal is None:
            raise UsageError("nothing is planned", code="not_planned", hint="Plan and begin first.")
        return self.journal

    @property
    def _owner(self) -> ChecksumAddress:
        if self._client.account is None:
            raise UsageError("nobody is named as owner", code="account_missing")
        return self._client.account

    def _save(self, journal: MoveJournal) -> None:
        if journal != self.journal:
            self._file.save(journal)
        self.journal = journal

    def _say(self, kind: str, text: str, **facts: object) -> None:
        self._tell(MoveStep(kind, text, facts))

    def _registration(self, file: JournalFile[BulkJournal]) -> BulkRegistration:
        return BulkRegistration(self._client, self._shares, file, tell=self._tell_registration)
