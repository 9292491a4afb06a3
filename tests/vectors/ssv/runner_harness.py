"""A node for the runner cases: sessions, and a driver that carries out every effect at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import assert_never

from operator_node.duties.proposal_rules import BlockCheck, ProposalRules, RecipientCheck
from operator_node.duties.reasons import Reason
from operator_node.duties.recover import recover_all
from operator_node.duties.types import (
    CheckpointView,
    Fetch,
    Finish,
    Reached,
    Recover,
    Setting,
    Sign,
    Signed,
    SignItem,
    Submit,
    Submitted,
    ValueCheck,
    Withheld,
)
from operator_node.qbft import StartTimer
from operator_node.session import Effect, Send, SendSigned, Session
from operator_node.signer.rules import BlockGuard, Guard
from operator_node.wire.codec import decode_partials, encode_envelope, signs_over
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.ids import DomainType
from operator_node.wire.messages import EnvelopeKind, PartialSignatures, SignedMessage
from operator_node.wire.records import Share, ShareMember
from sdk.crypto import bls
from sdk.crypto.secret import SecretKey
from sdk.types import Address, OperatorId, PublicKey, Signature
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.pretend_beacon import PretendBeacon, PretendSelection, chain_of, vote_of
from tests.vectors.ssv.qbft_harness import operator_key

ME = OperatorId(1)
VOTE_CHECK_SLOT = 12
"""The slot that the cases' value check of votes looks up among the slashable ones."""
_FIRST_OWN_NUMBER = 1000
"""Faults above it have no number in the specification, so no case names them."""
NETWORK_RULES = ProposalRules(frozenset(), block=BlockCheck.NETWORK, recipient=RecipientCheck.OFF)
"""A node that asks no more of a block than the network does."""


@dataclass(slots=True)
class World:
    """What surrounds the sessions of one case.

    Attributes:
        slashable: slots by share key; anything of such a slot may not be signed.
        fault: the number of the last refusal that has one.
        sent: own partial signatures, in order.
    """

    vectors: Vectors
    committee: Committee
    shares: Mapping[int, Share]
    selection: PretendSelection = field(default_factory=PretendSelection)
    slashable: dict[PublicKey, set[int]] = field(default_factory=dict)
    fault: int = 0
    sent: list[PartialSignatures] = field(default_factory=list)
    beacon: PretendBeacon = field(init=False)

    def __post_init__(self) -> None:
        self.beacon = PretendBeacon(self.vectors)

    @property
    def domain(self) -> bytes:
        """The network of all cases."""
        return bytes.fromhex(self.vectors.fixtures["constants"]["ssv_domain"])

    @property
    def setting(self) -> Setting:
        """What the duties of the case stand on."""
        return Setting(
            committee=self.committee,
            me=ME,
            chain=chain_of(self.vectors),
            generation=self.vectors.generation,
            is_slashable=self._is_slashable,
            selection=self.selection,
            value_check=ValueCheck.NETWORK,
        )

    @property
    def view(self) -> CheckpointView:
        """The cases expect these epochs whatever the slot."""
        vote = vote_of(self.vectors)
        return CheckpointView(vote.source, vote.target)

    def verify(self, signed: SignedMessage) -> bool:
        """Whether all operator signatures hold, by operators of the committee."""
        covered = signs_over(signed)
        size = len(self.committee)
        return all(
            signer in self.committee
            and operator_key(self.vectors, size, signer).public_key.verify(covered, signature)
            for signer, signature in zip(signed.signers, signed.signatures, strict=True)
        )

    def mark_slashable(self, slot: int) -> None:
        """From now on no share signs anything of this slot."""
        for share in self.shares.values():
            self.slashable.setdefault(share.share_key, set()).add(slot)

    def forget(self) -> None:
        """Drops what has been noted so far."""
        self.fault = 0
        self.sent.clear()
        self.beacon.submitted.clear()

    def refuse(self, refusal: ProtocolFault | Complain) -> None:
        """Remembers the number of what was refused."""
        if refusal.fault < _FIRST_OWN_NUMBER:
            self.fault = int(refusal.fault)

    def run(self, session: Session | None, effects: Iterable[Effect]) -> None:
        """Carries out effects, and those of the answers, before the next one."""
        for effect in effects:
            match effect:
                case Complain():
                    self.refuse(effect)
                case Send():
                    self._send(effect)
                case StartTimer() | SendSigned() | Reached() | Finish():
                    pass
                case _ if session is None:
                    raise AssertionError(f"{effect} belongs to no session")
                case Fetch():
                    answer = self.beacon.answer(effect.query)
                    self.run(session, session.provide(effect.query, answer))
                case Sign():
                    results = tuple(self._sign(item, session.slot) for item in effect.items)
                    self.run(session, session.signed(results))
                case Recover():
                    self.run(session, session.recovered(recover_all(effect.requests)))
                case Submit():
                    self.beacon.take(effect.items)
                    taken = tuple(Submitted(item) for item in effect.items)
                    self.run(session, session.submitted(taken))
                case _:
                    assert_never(effect)

    def _send(self, effect: Send) -> None:
        """Own messages come back as messages of the case, so that they only need recording."""
        message = effect.envelope
        key = operator_key(self.vectors, len(self.committee), ME)
        signed = SignedMessage((key.sign(encode_envelope(message)),), (ME,), message)
        if not self.verify(signed):
            raise AssertionError("own message does not verify")
        if message.kind == EnvelopeKind.PARTIAL_SIGNATURES:
            self.sent.append(decode_partials(message.data, self.vectors.generation))

    def _sign(self, item: SignItem, slot: int) -> Signed | Withheld:
        if item.guard is not None and slot in self.slashable.get(item.share.share_key, ()):
            self.refuse(Complain(Fault.SLASHABLE_ATTESTATION, "the signer refuses"))
            return Withheld(item, Reason.SLASHING_REFUSED)
        return Signed(item, sign(self.vectors, item.share, item.root))

    def _is_slashable(self, share: Share, guard: Guard) -> bool:
        slot = guard.slot if isinstance(guard, BlockGuard) else VOTE_CHECK_SLOT
        return slot in self.slashable.get(share.share_key, ())


@cache
def secret_of(vectors: Vectors, share: Share) -> SecretKey:
    """The local share's secret, found by its public key."""
    keys = vectors.keys
    texts = [each["shares"][str(ME)] for each in keys["sets"].values()]
    many = keys["validators4"].get(str(share.validator_index))
    texts += [many[2][0]] if many else []
    for text in texts:
        secret = SecretKey.from_bytes(bytes.fromhex(text))
        if bls.public_key(secret) == share.share_key:
            return secret
    raise AssertionError(f"no secret of share {share.share_key.hex()}")


@cache
def share_of_set(vectors: Vectors, size: int = 4) -> Share:
    """The local operator's share of a key set's validator."""
    keys = vectors.keys["sets"][str(size)]
    constants = vectors.fixtures["constants"]
    members = tuple(
        ShareMember(
            OperatorId(int(operator)),
            bls.public_key(SecretKey.from_bytes(bytes.fromhex(secret))),
        )
        for operator, secret in keys["shares"].items()
    )
    return Share(
        validator_index=constants["validator_index"],
        validator_key=PublicKey(bytes.fromhex(keys["validator_pk"])),
        share_key=next(each.share_key for each in members if each.signer == ME),
        committee=members,
        domain=DomainType(bytes.fromhex(constants["ssv_domain"])),
        fee_recipient=Address(bytes.fromhex(constants["fee_recipient"])),
        graffiti=bytes(32),
    )


@lru_cache(maxsize=100_000)
def sign(vectors: Vectors, share: Share, root: bytes) -> Signature:
    """The local share's signature."""
    return bls.sign(secret_of(vectors, share), root)
