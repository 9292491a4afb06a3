"""What the signing process does when it is asked: the only code that ever has a share's secret.

Opens the operator's key and the slashing record once, decrypts shares, signs. Each request is
answered, also one that fails; nothing here starts tasks or opens sockets. Safe to use from several
threads.

Source: docs/security.md, "The signing process"; docs/slashing.md.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final, assert_never

from operator_node.clock import SlotClock
from operator_node.duties.types import Signed, SignItem
from operator_node.lease import LeasedRecord
from operator_node.shares import ShareSigner
from operator_node.signer.operator_key import OperatorKey
from operator_node.signer.record import Intent
from operator_node.signer.record_file import OnDamage, Owner
from operator_node.signer.rules import Safe, may_sign
from operator_node.signer.store import SlashingStore
from operator_node.signing import words
from operator_node.signing.leasing import answer_lease
from operator_node.signing.words import (
    Answer,
    Arm,
    BindOperator,
    Check,
    Checked,
    CopyRecord,
    Done,
    DropShares,
    EndPermit,
    Failed,
    GetStanding,
    GivePermit,
    Item,
    KeyOpened,
    MessagesSigned,
    OpenKey,
    OpenRecord,
    OpenShares,
    PartsSigned,
    Ping,
    RecordOpened,
    Request,
    SealedShare,
    SharesOpened,
    SignMessages,
    SignShares,
    TakeShares,
    TakeTerm,
    Withheld,
)
from operator_node.wire.ids import DomainType
from operator_node.wire.records import Share
from sdk.crypto.secret import Password, SecretKey
from sdk.errors import InvariantBroken, KeysharesError, PhalanxError, StorageError
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

OPENED_MOST: Final = words.ITEMS_MOST
"""Shares that were decrypted and not yet taken into use; one request's."""
PREDECESSOR_TRIES: Final = 40
PREDECESSOR_PAUSE_S: Final = 0.25
"""A signing process whose node was killed ends as soon as it has answered; it is waited for."""
_NOBODY: Final = Address(bytes(20))
_NO_DOMAIN: Final = DomainType(bytes(4))
_NO_GRAFFITI: Final = bytes(32)

_log = logging.getLogger(__name__)


class Vault:
    """Key, shares and record of one operator, behind `answer`."""

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Empty.

        Args:
            sleep: pauses between looks whether a predecessor's record is free.
        """
        self._sleep = sleep
        self._lock = Lock()
        self._key: OperatorKey | None = None
        self._record: SlashingStore | None = None
        self._signer: ShareSigner | None = None
        self._leased: LeasedRecord | None = None
        self._opened: OrderedDict[PublicKey, SecretKey] = OrderedDict()

    def close(self) -> None:
        """Gives the record free."""
        with self._lock:
            if self._record is not None:
                self._record.close()
                self._record = None
                self._signer = None

    def answer(self, request: Request) -> Answer:
        """The answer; never raises."""
        try:
            return self._answer(request)
        except PhalanxError as problem:
            return words.failed(problem)
        except Exception as problem:  # the boundary of the process: told, and nothing was signed
            _log.exception("%s failed", type(request).__name__)
            what = f"the signing process failed: {type(problem).__name__}"
            return Failed(InvariantBroken.__name__, InvariantBroken.default_code, what, "")

    def _answer(self, request: Request) -> Answer:
        match request:
            case SignShares():
                return self._sign(request)
            case SignMessages():
                key = self._open_key
                return MessagesSigned(tuple(map(key.sign, request.messages)))
            case Check():
                return self._check(request)
            case OpenShares():
                return self._open_shares(request)
            case TakeShares():
                return self._take_shares(request)
            case DropShares():
                for validator_key, share_key in request.pairs:
                    self._shares.drop_share(PublicKey(validator_key), PublicKey(share_key))
                return Done()
            case Arm():
                self._shares.arm(PublicKey(request.validator_key))
                return Done()
            case OpenKey():
                return self._take_key(request)
            case OpenRecord():
                return self._take_record(request)
            case BindOperator():
                self._open_record.bind_operator(OperatorId(request.operator_id))
                return Done()
            case GetStanding() | TakeTerm() | GivePermit() | EndPermit():
                return answer_lease(request, self._leased_record)
            case CopyRecord():
                self._open_record.copy_to(Path(request.path))
                return Done()
            case Ping():
                return Done()
            case _:
                assert_never(request)

    # --- opening ----------------------------------------------------------------------------

    def _take_key(self, request: OpenKey) -> KeyOpened:
        if self._key is not None:
            raise InvariantBroken("the operator's key is open already")
        file, password_file, raw = request.file, request.password_file, request.raw
        key = self._key = OperatorKey.named(
            file=None if file is None else Path(file),
            password_file=None if password_file is None else Path(password_file),
            raw=None if raw is None else Password(raw),
        )
        return KeyOpened(key.public_key.text)

    def _take_record(self, request: OpenRecord) -> RecordOpened:
        with self._lock:
            if self._record is not None:
                raise InvariantBroken("the slashing record is open already")
            record = self._wait_for_record(request)
            self._record = record
        clock = SlotClock(
            genesis_time=request.genesis_time,
            slot_ms=request.slot_ms,
            slots_per_epoch=request.slots_per_epoch,
        )
        was_old = record.needs_arming
        if was_old:
            # An older copy was put back: what was signed since is unknown (SAF-7).
            record.arm_all(epoch=Epoch(max(clock.epoch(), 0)), slot=Slot(max(clock.slot(), 0)))
        if request.has_lease:
            self._leased = LeasedRecord(record, clock)
        self._signer = ShareSigner(record=record, clock=clock)
        return RecordOpened(record.is_new, was_old)

    def _wait_for_record(self, request: OpenRecord) -> SlashingStore:
        path, on_damage = Path(request.path), OnDamage.STOP
        if request.sets_damage_aside:
            on_damage = OnDamage.REBOUND
        owner = Owner(
            network=request.network,
            genesis_validators_root=request.genesis_validators_root,
            operator_key=self._open_key.public_key.fingerprint,
        )
        for _ in range(PREDECESSOR_TRIES):
            try:
                return SlashingStore.open(path, owner, on_damage=on_damage)
            except StorageError as problem:
                if problem.code != "record_in_use":
                    raise
            self._sleep(PREDECESSOR_PAUSE_S)
        return SlashingStore.open(path, owner, on_damage=on_damage)

    @property
    def _open_key(self) -> OperatorKey:
        if self._key is None:
            raise InvariantBroken("the operator's key is not open")
        return self._key

    @property
    def _open_record(self) -> SlashingStore:
        if self._record is None:
            raise InvariantBroken("the slashing record is not open")
        return self._record

    @property
    def _leased_record(self) -> LeasedRecord:
        if self._leased is None:
            raise InvariantBroken("the slashing record is not under a lease")
        return self._leased

    @property
    def _shares(self) -> ShareSigner:
        if self._signer is None:
            raise InvariantBroken("the slashing record is not open")
        return self._signer

    # --- shares -----------------------------------------------------------------------------

    def _open_shares(self, request: OpenShares) -> SharesOpened:
        problems: dict[int, str] = {}
        for place, sealed in enumerate(request.shares):
            try:
                secret = self._secret(sealed)
            except KeysharesError as problem:
                problems[place] = problem.message
                continue
            with self._lock:
                self._opened[PublicKey(sealed.share_key)] = secret
                if len(self._opened) > OPENED_MOST:
                    self._opened.popitem(last=False)
        return SharesOpened(problems)

    def _take_shares(self, request: TakeShares) -> SharesOpened:
        problems: dict[int, str] = {}
        for place, (validator_key, sealed) in enumerate(request.shares):
            try:
                secret = self._secret(sealed)
            except KeysharesError as problem:
                problems[place] = problem.message
                continue
            self._shares.keep_share(PublicKey(validator_key), secret)
            with self._lock:
                self._opened.pop(PublicKey(sealed.share_key), None)
        return SharesOpened(problems)

    def _secret(self, sealed: SealedShare) -> SecretKey:
        with self._lock:
            secret = self._opened.get(PublicKey(sealed.share_key))
        return secret or self._open_key.decrypt(sealed.ciphertext, sealed.share_key)

    # --- signing ----------------------------------------------------------------------------

    def _sign(self, request: SignShares) -> PartsSigned:
        items = tuple(map(_item, request.items))
        results = self._shares.sign(items, slot=Slot(request.slot))
        return PartsSigned(
            tuple(
                result.signature
                if isinstance(result, Signed)
                else Withheld(result.reason.word, result.detail)
                for result in results
            )
        )

    def _check(self, request: Check) -> Checked:
        intent = Intent(
            PublicKey(request.share_key),
            PublicKey(request.validator_key),
            words.to_guard(request.guard),
        )
        (verdict,) = self._open_record.check((intent,))
        return Checked(may_sign(verdict), isinstance(verdict, Safe))


def _item(item: Item) -> SignItem:
    share = Share(
        validator_index=0,
        validator_key=PublicKey(item.validator_key),
        share_key=PublicKey(item.share_key),
        committee=(),
        domain=_NO_DOMAIN,
        fee_recipient=_NOBODY,
        graffiti=_NO_GRAFFITI,
    )
    guard = None if item.guard is None else words.to_guard(item.guard)
    return SignItem(share, item.root, guard)
