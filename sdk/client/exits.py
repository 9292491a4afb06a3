"""Exits by the withdrawal address, which no committee of operators can refuse (EIP-7002).

The request goes to a contract of the protocol and not to the registry: the public key, then the
amount, 0 for a full exit. The beacon chain ignores a request that is not in order, without a word
and without giving the fee back, so everything is checked against a beacon node first. What the
node cannot tell is said in the plan.

Source: EIP-7002; consensus-specs, electra/beacon-chain.md, process_withdrawal_request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hexbytes import HexBytes

from sdk.client.addresses import to_checksum
from sdk.client.beacon import (
    FAR_FUTURE_EPOCH,
    BeaconChain,
    BeaconNode,
    BeaconValidator,
    PendingWithdrawals,
)
from sdk.client.calls import call_with
from sdk.client.client import Client
from sdk.client.contract_errors import RegistryError
from sdk.client.draft import Draft
from sdk.client.fitness import to_public_key
from sdk.client.operation import Operation
from sdk.client.prepared import PreparedCall
from sdk.client.sending import require_chain
from sdk.errors import ChainError, ConfigError, UsageError
from sdk.types import PublicKey, checksum_address

WITHDRAWAL_REQUESTS: Final = to_checksum("0x00000961ef480eb55e80d19ad83579a64c007002")
"""The predeploy that takes requests."""
FULL_EXIT_GWEI: Final = 0
"""The amount that stands for all, and for the end of the validator."""
MOST_FEE_WEI: Final = 10**16
"""0.01 ETH: a higher fee means a queue of hundreds of requests; it sinks again within hours."""
_ADDRESS_CREDENTIALS: Final = (0x01, 0x02)
_ACTIVE: Final = "active_ongoing"
_UNCHECKED: Final = (
    " (NOT CHECKED: the beacon node has no route for pending partial withdrawals; while one of the "
    "validator is pending, the beacon chain ignores the request and keeps the fee)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequest(Draft):
    """A call of the predeploy, whose data is no ABI encoding."""

    request: bytes

    @property
    def call_data(self) -> HexBytes:
        """Public key and amount."""
        return HexBytes(self.request)

    @property
    def presents_snapshot(self) -> bool:
        """Never: no cluster is involved."""
        return False


def encode_request(public_key: PublicKey, *, amount_gwei: int = FULL_EXIT_GWEI) -> bytes:
    """The 56 bytes of a request."""
    return bytes(public_key) + amount_gwei.to_bytes(8, "big")


def request_fee_wei() -> Operation[int]:
    """What one request costs in the next block, besides gas.

    Raises:
        ChainError: `withdrawal_requests_unavailable`, the chain does not take requests.
    """
    try:
        data = yield from call_with(
            {"to": WITHDRAWAL_REQUESTS, "data": "0x"}, block="latest", subject="fee of an exit"
        )
    except RegistryError:
        data = b""
    if len(data) != 32:
        raise ChainError(
            f"this chain takes no withdrawal requests: {WITHDRAWAL_REQUESTS} answers no fee",
            code="withdrawal_requests_unavailable",
            hint="They exist since the Prague fork. Check the network.",
        )
    return int.from_bytes(data, "big")


def prepare_exits(
    client: Client, beacon: BeaconNode, public_keys: Sequence[bytes | str]
) -> list[PreparedCall]:
    """One prepared call for each validator, to be sent by its withdrawal address.

    The action of a call, the first line of its plan, says if pending partial withdrawals could not
    be checked, because the beacon node has no route for them.

    Raises:
        UsageError: `account_missing`.
        ChainError: the validator cannot exit this way now: `validator_not_on_beacon_chain`,
            `validator_not_active`, `validator_exiting`, `validator_too_young`,
            `withdrawal_credentials`, `other_withdrawal_address`, `pending_partial_withdrawal`;
            `withdrawal_requests_unavailable`, `exit_fee_too_high`.
        ConfigError: `other_beacon_chain`.
        BeaconError: the beacon node does not answer, or is behind.
    """
    keys = [to_public_key(each) for each in public_keys]
    if client.account is None:
        raise UsageError(
            "nobody is named as the calling account",
            code="account_missing",
            hint="The validators' withdrawal address has to send the request.",
        )
    chain = beacon.chain()
    require_same_chain(client, chain)
    epoch = chain.epoch_of_slot(beacon.synced_head())
    known = beacon.validators(keys)
    for key in keys:
        require_exitable(key, known.get(key), account=client.account, chain=chain, epoch=epoch)
    pending = beacon.pending_partial_withdrawals([each.index for each in known.values()])
    for key in keys:
        waiting = None if pending is None else pending.get(known[key].index)
        require_nothing_pending(key, waiting, chain=chain, epoch=epoch)
    fee_wei = client.perform(request_fee_wei())
    if fee_wei > MOST_FEE_WEI:
        raise ChainError(
            f"an exit request costs {fee_wei} wei now, because many are waiting",
            code="exit_fee_too_high",
            hint=f"Wait until the fee is below {MOST_FEE_WEI} wei again.",
            data={"fee_wei": fee_wei},
        )
    # The same verbs as for calls of the registry, only that another contract is called.
    context = replace(
        client.context, deployment=replace(client.context.deployment, registry=WITHDRAWAL_REQUESTS)
    )
    return [
        PreparedCall(
            client.driver,
            context,
            _request(key, client=client, fee_wei=fee_wei, is_checked=pending is not None),
        )
        for key in keys
    ]


def _request(
    key: PublicKey, *, client: Client, fee_wei: int, is_checked: bool
) -> WithdrawalRequest:
    return WithdrawalRequest(
        function="withdrawal request",
        arguments=(),
        action=f"exit validator 0x{key.hex()} from the beacon chain for good, by its withdrawal "
        "address" + ("" if is_checked else _UNCHECKED),
        sender=client.account,
        value_wei=fee_wei,
        request=encode_request(key),
    )


def require_same_chain(client: Client, chain: BeaconChain) -> None:
    """Return if the beacon node follows the chain of the execution node.

    Raises:
        ConfigError: `other_beacon_chain`.
    """
    found = client.perform(require_chain(client.context.deployment))
    if found != chain.execution_chain_id:
        raise ConfigError(
            f"the execution node follows chain {found}, the beacon node chain "
            f"{chain.execution_chain_id}",
            code="other_beacon_chain",
            hint="Use two nodes of one network.",
        )


def require_exitable(
    key: PublicKey,
    found: BeaconValidator | None,
    *,
    account: str,
    chain: BeaconChain,
    epoch: int,
) -> None:
    """Return if the beacon chain would act on a full exit of this validator by this account."""
    name = f"validator 0x{key.hex()}"
    if found is None:
        raise _problem(
            f"{name} is not on the beacon chain",
            code="validator_not_on_beacon_chain",
            hint="Its deposit may not be processed yet. Check the key and the network.",
        )
    if found.exit_epoch != FAR_FUTURE_EPOCH:
        raise _problem(
            f"{name} is exiting or has exited already ({found.status}, epoch {found.exit_epoch})",
            code="validator_exiting",
            hint="Nothing more is to be done; the balance goes to its withdrawal address.",
        )
    if found.status != _ACTIVE:
        raise _problem(
            f"{name} is not active ({found.status})",
            code="validator_not_active",
            hint="Wait until it is; the beacon chain ignores the request before.",
        )
    credentials = found.withdrawal_credentials
    if credentials[0] not in _ADDRESS_CREDENTIALS:
        raise _problem(
            f"{name} has withdrawal credentials of type 0x{credentials[0]:02x}, which name no "
            "address",
            code="withdrawal_credentials",
            hint="Change them to an address first (BLS to execution change).",
        )
    address = checksum_address(credentials[12:])
    if address != account:
        raise _problem(
            f"{name} has the withdrawal address {address}, the calling account is {account}",
            code="other_withdrawal_address",
            hint="The request must come from the withdrawal address itself.",
        )
    ready = found.activation_epoch + chain.shard_committee_period_epochs
    if epoch < ready:
        raise _problem(
            f"{name} is active since epoch {found.activation_epoch} only and may exit from epoch "
            f"{ready} on; now is epoch {epoch}",
            code="validator_too_young",
            hint="Wait; the beacon chain ignores the request before.",
        )


def require_nothing_pending(
    key: PublicKey, pending: PendingWithdrawals | None, *, chain: BeaconChain, epoch: int
) -> None:
    """Return if the validator waits for no partial withdrawal."""
    if pending is None or pending.amount_gwei == 0:
        return
    ready = pending.withdrawable_epoch
    seconds = max(0, ready - epoch) * chain.slots_per_epoch * chain.seconds_per_slot
    raise _problem(
        f"validator 0x{key.hex()} waits for partial withdrawals of {pending.amount_gwei} gwei, "
        f"the last withdrawable from epoch {ready} on; now is epoch {epoch}",
        code="pending_partial_withdrawal",
        hint=f"Wait until epoch {ready}, about {-(-seconds // 3600)} hours, and until they are "
        "paid; the beacon chain ignores the request before.",
    )


def _problem(message: str, *, code: str, hint: str) -> ChainError:
    return ChainError(message, code=code, hint=hint)
