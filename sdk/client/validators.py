"""Validators: registering them from keyshares, removing them, asking for their exit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from sdk.client import reads
from sdk.client.addresses import AddressLike, to_operator_ids
from sdk.client.calls import BlockTag, call, call_one
from sdk.client.draft import Draft
from sdk.client.fitness import keyshares_problems, operator_problems, to_public_key
from sdk.client.funds import Funding, cluster_name, funded, require_active, require_funds
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.search import operator_keys
from sdk.client.sending import require_nonce
from sdk.client.transaction import check_calldata
from sdk.client.values import ClusterState
from sdk.client.verbs import verb
from sdk.errors import ChainError, InputError
from sdk.events import ClusterSnapshot
from sdk.registry import effects
from sdk.shares.keyshares_file import KeyShare, KeysharesFile
from sdk.types import PublicKey, Slot, Wei
from sdk.units import format_ether


@dataclass(frozen=True, slots=True)
class ValidatorRecord:
    """A registration as the registry knows it.

    Attributes:
        cluster_sequence: which cluster it is in.
        effective_balance_eth: as last proven, else 32.
        last_proof_slot: 0 until the first proof.
    """

    owner: ChecksumAddress
    public_key: PublicKey
    cluster_sequence: int
    effective_balance_eth: int
    last_proof_slot: Slot


class ValidatorVerbs(Part):
    """Public keys are 48 bytes or their hex text. Clusters belong to the calling account.

    Each call touches validators of one cluster; see `clusters` for `snapshot`.
    """

    @verb
    def get(
        self,
        public_key: bytes | str,
        *,
        owner: AddressLike | None = None,
        block: BlockTag = "latest",
    ) -> Operation[ValidatorRecord | None]:
        """The owner's registration of this key, None if there is none."""
        return (yield from self._record(self._owner(owner), to_public_key(public_key), block))

    @preparing
    def register(
        self,
        keyshares: KeysharesFile | Sequence[KeyShare],
        *,
        deposit_wei: int | None = None,
        runway_days: int | None = None,
        owner: AddressLike | None = None,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Registers validators, in the order of their entries, with one set of operators.

        Everything the nodes will judge is judged first: signatures over owner and nonce, share
        keys, operator keys; and everything the registry will: operators, capacity, funds.

        Args:
            keyshares: a file or some of its entries; all for the same operators.
            deposit_wei: paid into the cluster, 0 unless given; or
            runway_days: for how many days of 7,200 blocks its balance shall last.
            owner: account that registers, the calling one unless given.
            snapshot: of the cluster, see `clusters`.

        Raises:
            KeysharesError: an entry is not sound; the code is that of its first finding.
            ChainError: `nonce_too_low`, `nonce_too_high`, `already_registered`,
                `operator_not_found`, `operator_removed`, `operator_private`, `operator_full`,
                `cluster_liquidated`, `underfunded`, `calldata_too_large`, `stale_snapshot`.
        """
        shares = keyshares.shares if isinstance(keyshares, KeysharesFile) else tuple(keyshares)
        account = self._owner(owner)
        ids = to_operator_ids(common_operators(shares))
        funding = Funding.of(amount_wei=deposit_wei, runway_days=runway_days, default_wei=0)
        nonce = yield from reads.owner_nonce(self._deployment, account, block="pending")
        if shares[0].nonce is not None:
            require_nonce(shares[0].nonce, expected=nonce, owner=account)
        cluster = yield from reads.find_cluster(
            self._deployment, account, ids, snapshot=snapshot, may_be_new=True
        )
        require_active(cluster)
        yield from operator_problems(
            self._deployment, account, ids, added=len(shares), block=cluster.block.number
        )
        keys = yield from operator_keys(self._deployment, ids, last_block=cluster.block.number)
        keyshares_problems(shares, owner=account, nonce=nonce, operator_keys=keys)
        yield from self._require_new(account, shares)
        amount = funded(cluster, funding, new_validators=len(shares))
        draft = _registration(shares, account, cluster, nonce=nonce, deposit_wei=amount)
        check_calldata(draft.call_data, items=len(shares))
        require_funds(cluster, amount, new_validators=len(shares))
        return draft

    @preparing
    def remove(
        self,
        operator_ids: Sequence[int],
        public_keys: Sequence[bytes | str],
        *,
        owner: AddressLike | None = None,
        snapshot: ClusterSnapshot | None = None,
    ) -> Operation[Draft]:
        """Removes validators from their cluster; operators stop at once, which costs penalties.

        A validator that shall end has to exit first.

        Raises:
            ChainError: `validator_unknown`, `stale_snapshot`.
        """
        keys = _distinct(public_keys)
        account = self._owner(owner)
        ids = to_operator_ids(operator_ids)
        cluster = yield from reads.find_cluster(self._deployment, account, ids, snapshot=snapshot)
        eth = yield from self._require_members(cluster, keys)
        return Draft(
            function="bulkRemoveValidator",
            arguments=(keys, ids, cluster.snapshot_tuple),
            action=f"remove {_count(keys)} from {cluster_name(cluster)}",
            sender=account,
            cluster=cluster,
            after=effects.remove(
                cluster.parties,
                validators=len(keys),
                effective_balance_eth=eth,
                at=cluster.next_block,
            ),
            items=len(keys),
        )

    @preparing
    def exit(
        self,
        operator_ids: Sequence[int],
        public_keys: Sequence[bytes | str],
        *,
        owner: AddressLike | None = None,
    ) -> Operation[Draft]:
        """Asks the operators to sign the voluntary exits of these validators.

        Raises:
            ChainError: `validator_unknown`.
        """
        keys = _distinct(public_keys)
        account = self._owner(owner)
        ids = to_operator_ids(operator_ids)
        cluster = yield from reads.find_cluster(self._deployment, account, ids)
        yield from self._require_members(cluster, keys)
        return Draft(
            function="bulkExitValidator",
            arguments=(keys, ids),
            action=f"ask for the exit of {_count(keys)} of {cluster_name(cluster)}",
            sender=account,
            cluster=cluster,
            items=len(keys),
        )

    def _record(
        self, owner: ChecksumAddress, key: PublicKey, block: BlockTag
    ) -> Operation[ValidatorRecord | None]:
        holder, sequence, eth, slot = yield from call(
            self._deployment, "getValidatorRecord", owner, bytes(key), block=block
        )
        if int(holder, 16) == 0:
            return None
        return ValidatorRecord(owner, key, sequence, eth, Slot(slot))

    def _require_members(self, cluster: ClusterState, keys: tuple[bytes, ...]) -> Operation[int]:
        """Effective balance of the named validators, all of which are in the cluster.

        Raises:
            ChainError: `validator_unknown`.
        """
        total_eth = 0
        for key in keys:
            record = yield from self._record(cluster.owner, PublicKey(key), cluster.block.number)
            if record is None or record.cluster_sequence != cluster.parties.cluster.sequence:
                where = "not registered" if record is None else "registered in another cluster"
                raise ChainError(
                    f"validator 0x{key.hex()} of {cluster.owner} is {where}",
                    code="validator_unknown",
                    hint="Check owner, operator ids and key.",
                    data={"public_key": "0x" + key.hex()},
                )
            total_eth += record.effective_balance_eth
        return total_eth

    def _require_new(self, owner: ChecksumAddress, shares: Sequence[KeyShare]) -> Operation[None]:
        for share in shares:
            key = bytes(share.public_key)
            is_there = yield from call_one(self._deployment, "getValidator", owner, key)
            if is_there:
                raise ChainError(
                    f"validator 0x{key.hex()} is registered by {owner} already",
                    code="already_registered",
                    hint="Leave it out; entries after it need keyshares for lower nonces then.",
                    data={"public_key": "0x" + key.hex(), "position": share.position},
                )


def _registration(
    shares: Sequence[KeyShare],
    owner: ChecksumAddress,
    cluster: ClusterState,
    *,
    nonce: int,
    deposit_wei: int,
) -> Draft:
    keys = tuple(bytes(share.public_key) for share in shares)
    data = tuple(share.shares_data for share in shares)
    verb_text = f"register {_count(keys)} in {cluster_name(cluster)}"
    return Draft(
        function="bulkRegisterValidator",
        arguments=(keys, cluster.operator_ids, data, cluster.snapshot_tuple),
        action=f"{verb_text} with a deposit of {format_ether(deposit_wei)} ETH",
        sender=owner,
        value_wei=deposit_wei,
        cluster=cluster,
        after=effects.register(
            cluster.parties,
            validators=len(keys),
            deposit_wei=Wei(deposit_wei),
            at=cluster.next_block,
        ),
        nonces=tuple(range(nonce, nonce + len(keys))),
        items=len(keys),
    )


def common_operators(shares: Sequence[KeyShare]) -> tuple[int, ...]:
    """The operators that all of the entries are for.

    Raises:
        InputError: `empty`, `operator_ids_mismatch`.
    """
    if not shares:
        raise InputError("the keyshares hold no validator", code="empty")
    first = shares[0].operator_ids
    for share in shares:
        if share.operator_ids != first:
            raise InputError(
                f"shares[{share.position}] is for operators {_ids(share.operator_ids)}, "
                f"shares[{shares[0].position}] for {_ids(first)}",
                code="operator_ids_mismatch",
                hint="One call registers validators of one cluster; make one call for each set.",
            )
    return first


def _distinct(public_keys: Sequence[bytes | str]) -> tuple[bytes, ...]:
    keys = tuple(bytes(to_public_key(each)) for each in public_keys)
    if not keys:
        raise InputError("no validator is named", code="empty")
    if len(set(keys)) != len(keys):
        raise InputError("a validator is named twice", code="duplicate_validator")
    return keys


def _count(keys: Sequence[bytes]) -> str:
    if len(keys) == 1:
        return f"validator 0x{keys[0].hex()}"
    return f"{len(keys)} validators, 0x{keys[0].hex()} first"


def _ids(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))


class Validators(ValidatorVerbs, BlockingPart):
    """`client.validators`."""

    __slots__ = ()


class AsyncValidators(ValidatorVerbs, AwaitingPart):
    """`client.validators` of the async client."""

    __slots__ = ()
