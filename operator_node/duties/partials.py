"""Partial signatures of one phase of one duty: what came, what crossed a quorum, what was bad.

Pure. Nothing is verified on arrival: a signature is stored for its (validator, root, signer), and
the quorum over a (validator, root) triggers one recovery, at the crossing. If the recovered
signature does not hold, the culprits' partials are dropped and the next valid ones cross again.
A signer that sent two for the same pair has its second one kept as a spare: it counts once a
recovery found that the first does not hold, so that here no signature is ever looked at.

Source: docs/protocol.md, "Duties" (partial signatures).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from operator_node.duties.types import Recovered, RecoveryRequest
from operator_node.wire.committee import Committee
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.messages import PartialSignature, PartialSignatures
from operator_node.wire.records import Share
from sdk.types import OperatorId, PublicKey

_NOTHING: Final[Mapping[OperatorId, bytes]] = {}
_Place: TypeAlias = tuple[int, bytes, OperatorId]
"""Validator index, root and signer."""


class Pair(NamedTuple):
    """One signature of a validator in the making."""

    validator_index: int
    root: bytes


class Partials:
    """The partial signatures of one phase.

    A pair is in one of three states: collecting, under recovery (its request was handed out and
    `apply` has not been called), or complete. While a recovery is under way further signatures are
    stored and cross nothing; `apply` asks again itself when enough unquestioned ones are left.

    Pairs that this node has no duty for are stored too, since operators may see different
    validators. What one signer can make this store hold is what one message may hold, and a spare
    for each of that.
    """

    def __init__(
        self,
        *,
        committee: Committee,
        shares: Mapping[int, Share],
        generation: Generation,
    ) -> None:
        """A store for one phase.

        Args:
            committee: its quorum is what a recovery needs.
            shares: by validator index; pairs of other validators are never recovered.
            generation: bounds the entries of one signer by those of one message.
        """
        self._quorum = committee.quorum
        self._shares = shares
        self._share_keys = _KeyBook(shares)
        self._entries_per_signer = generation.limits.partial_signatures
        self._stored: dict[tuple[int, bytes], dict[OperatorId, bytes]] = {}
        self._spares: dict[tuple[int, bytes], dict[OperatorId, bytes | None]] = {}
        self._entries: dict[OperatorId, int] = {}
        self._under_recovery: set[tuple[int, bytes]] = set()
        self._complete: set[tuple[int, bytes]] = set()

    def add(
        self, items: Iterable[PartialSignature], due: Container[Pair] | None = None
    ) -> list[Pair]:
        """Stores what is new; the pairs whose quorum this very call completed, in order, once each.

        Pairs under recovery or complete never cross.

        Args:
            items: of one message; of two by the same signer for one pair only the first counts.
            due: pairs that may be recovered at all; if not given, those of validators with a share.
        """
        crossed = []
        items = tuple(items)
        firsts: Mapping[_Place, PartialSignature] = {}
        for item in items:
            key = (item.validator_index, item.root)
            stored = self._stored.get(key)
            if stored is None:
                stored = self._stored[key] = {}
            before = len(stored)
            if item.signer in stored:
                firsts = firsts or _first_of_each(items)
                is_news = stored[item.signer] != item.signature and firsts[_place(item)] is item
                if is_news and (due is None or key in due):
                    self._keep_spare(item)
            elif self._has_room(item.signer):
                stored[item.signer] = item.signature
            if not stored:
                self._stored.pop(key, None)
            if (
                before < self._quorum <= len(stored)
                and key not in self._under_recovery
                and key not in self._complete
            ):
                crossed.append(Pair(*key))
        return crossed

    def recovery(self, validator_index: int, root: bytes) -> RecoveryRequest:
        """The request for a pair with a quorum of a validator with a share here.

        The pair is under recovery from now on, until `apply` is given the answer.
        """
        pair = (validator_index, root)
        share_keys = self._share_keys.of(validator_index)
        partials = self._stored[pair].copy()
        for stranger in partials.keys() - share_keys.keys():
            del partials[stranger]
        self._under_recovery.add(pair)
        return RecoveryRequest(
            validator_index=validator_index,
            validator_key=self._shares[validator_index].validator_key,
            root=root,
            partials=partials,
            share_keys=share_keys,
            threshold=self._quorum,
        )

    def apply(self, result: Recovered) -> RecoveryRequest | None:
        """Takes the answer to a request: completes its pair, or drops the culprits' partials.

        Returns:
            The next request for the same pair, when a quorum is left without the culprits because
            more came in while the first was under way; otherwise None.
        """
        request = result.request
        pair = (request.validator_index, request.root)
        self._under_recovery.discard(pair)
        stored = self._stored.get(pair, {})
        for operator in result.culprits:
            # A duplicate may have replaced what was judged.
            if stored.get(operator) == request.partials.get(operator):
                self._drop(pair, stored, operator)
        if result.signature is not None:
            self._complete.add(pair)
            return None
        if result.culprits and len(stored) >= self._quorum:
            return self.recovery(*pair)
        return None

    def awaits(self, result: Recovered) -> bool:
        """Whether that answers a request that was handed out and not answered yet."""
        request = result.request
        return (request.validator_index, request.root) in self._under_recovery

    @property
    def is_recovering(self) -> bool:
        """Whether a request was handed out and not answered."""
        return bool(self._under_recovery)

    def has_quorum(self, validator_index: int, root: bytes) -> bool:
        """Whether a quorum of unquestioned signatures is stored."""
        return len(self._stored.get((validator_index, root), _NOTHING)) >= self._quorum

    def is_complete(self, validator_index: int, root: bytes) -> bool:
        """Whether the validator's signature was recovered."""
        return (validator_index, root) in self._complete

    def signers(self, validator_index: int, root: bytes) -> frozenset[OperatorId]:
        """Who is stored for a pair."""
        return frozenset(self._stored.get((validator_index, root), _NOTHING))

    def stored(self) -> Iterator[PartialSignature]:
        """Everything stored, pair by pair."""
        for (validator_index, root), signatures in self._stored.items():
            for signer, signature in signatures.items():
                yield PartialSignature(signature, root, signer, validator_index)

    def was_doubted(self, result: Recovered) -> bool:
        """Whether there are culprits and each sent two signatures for the pair.

        The protocol settles these in silence: the first if it holds, else the second, else neither.
        """
        spares = self._spares.get((result.request.validator_index, result.request.root), {})
        return bool(result.culprits) and all(each in spares for each in result.culprits)

    def _keep_spare(self, item: PartialSignature) -> None:
        """Keeps one more signature of a signer, for when the first turns out not to hold.

        Looking at both at once would be two pairings per entry of a liar's message, in the middle
        of the message path.
        """
        pair = (item.validator_index, item.root)
        if pair not in self._complete and item.validator_index in self._shares:
            self._spares.setdefault(pair, {}).setdefault(item.signer, item.signature)

    def _has_room(self, signer: OperatorId) -> bool:
        entries = self._entries.get(signer, 0)
        if entries >= self._entries_per_signer:
            return False
        self._entries[signer] = entries + 1
        return True

    def _drop(
        self, pair: tuple[int, bytes], stored: dict[OperatorId, bytes], signer: OperatorId
    ) -> None:
        """Removes what does not hold; the signer's spare, used once, takes its place."""
        del stored[signer]
        spares = self._spares.get(pair, {})
        if (spare := spares.get(signer)) is not None:
            stored[signer], spares[signer] = spare, None
            return
        self._entries[signer] -= 1
        if not stored:
            self._stored.pop(pair, None)


def _first_of_each(items: Iterable[PartialSignature]) -> Mapping[_Place, PartialSignature]:
    firsts: dict[_Place, PartialSignature] = {}
    for item in items:
        firsts.setdefault(_place(item), item)
    return firsts


def _place(item: PartialSignature) -> _Place:
    return item.validator_index, item.root, item.signer


class _KeyBook:
    """Share keys by operator, per validator, looked up once each."""

    def __init__(self, shares: Mapping[int, Share]) -> None:
        self._shares = shares
        self._keys: dict[int, dict[OperatorId, PublicKey]] = {}

    def of(self, validator_index: int) -> Mapping[OperatorId, PublicKey]:
        """Empty for a validator without a share here."""
        keys = self._keys.get(validator_index)
        if keys is None:
            share = self._shares.get(validator_index)
            if share is None:
                return {}
            keys = {member.signer: member.share_key for member in share.committee}
            self._keys[validator_index] = keys
        return keys


def check_slot(body: PartialSignatures, slot: int) -> None:
    """The message is for the duty's slot.

    Raises:
        ProtocolFault: of an older or a newer slot.
    """
    if body.slot < slot:
        raise ProtocolFault(Fault.PAST_SLOT, f"partial signatures of slot {body.slot}, duty {slot}")
    if body.slot > slot:
        raise ProtocolFault(
            Fault.FUTURE_SLOT, f"partial signatures of slot {body.slot}, duty {slot}"
        )


def check_signer(body: PartialSignatures, committee: Committee) -> None:
    """The one signer of the message sits in the committee.

    Raises:
        ProtocolFault: it does not.
    """
    signer = body.items[0].signer
    if signer not in committee.members:
        raise ProtocolFault(
            Fault.PARTIAL_SIGNER_NOT_IN_COMMITTEE,
            f"operator {signer} signed, the committee is {committee.operators}",
        )


def check_known_roots(
    body: PartialSignatures, validator_index: int, roots: Iterable[bytes]
) -> None:
    """A single validator's message signs exactly the roots that are known in advance, in any order.

    Raises:
        ProtocolFault: another validator, another number of roots, or another root, in this order.
    """
    for item in body.items:
        if item.validator_index != validator_index:
            raise ProtocolFault(
                Fault.UNKNOWN_VALIDATOR,
                f"signed for validator {item.validator_index}, the duty is of {validator_index}",
            )
    expected = sorted(roots)
    if len(body.items) == 1 and [body.items[0].root] == expected:
        return
    if len(body.items) != len(expected):
        raise ProtocolFault(
            Fault.ROOT_COUNT, f"{len(body.items)} roots signed, expected {len(expected)}"
        )
    for signed, wanted in zip(sorted(item.root for item in body.items), expected, strict=True):
        if signed != wanted:
            raise ProtocolFault(
                Fault.WRONG_SIGNING_ROOT, f"signed {signed.hex()}, expected {wanted.hex()}"
            )


def complain(result: Recovered, fault: Fault) -> Complain:
    """Says that a quorum's signature did not verify, and who sent what did not."""
    request, culprits = result.request, sorted(result.culprits)
    return Complain(
        fault,
        f"validator {request.validator_index}, root {request.root.hex()}: partial signatures of "
        f"operators {culprits} do not verify",
        blame=culprits[0] if len(culprits) == 1 else None,
    )
