"""Arguments of events as people read them: each with what it is, so that it is shown with a unit.

Pure. Names and values are those of the API's events (`indexer.api.schemas.EventOut.args`); one that
is not in the table is shown as it is, so a new event never breaks a page. Source: docs/fees.md for
units, the registry's ABI for names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from indexer.explorer.words import event_words
from sdk.types import checksum_address

_ADDRESS_CHARACTERS: Final = 42
_FEES: Final = ("fee", "oldFee", "newFee", "maxFee", "minFee")
"""Wei per block and 32 ETH."""
_KINDS: Final = {
    **dict.fromkeys(_FEES, "fee"),
    "amount": "wei",
    "effectiveBalance": "eth",
}
"""By the argument's name, whatever the event is."""
_VALUES: Final = {
    "ClusterDeposited": "wei",
    "ClusterWithdrawn": "wei",
    "DeclareOperatorFeePeriodUpdated": "seconds",
    "ExecuteOperatorFeePeriodUpdated": "seconds",
    "LiquidationThresholdPeriodUpdated": "blocks",
    "MinimumLiquidationCollateralUpdated": "wei",
    "NetworkEarningsWithdrawn": "wei",
    "OperatorFeeIncreaseLimitUpdated": "share",
    "OperatorWithdrawn": "wei",
    "ValidatorsPerOperatorLimitUpdated": "count",
}
"""What `value` is in an event."""
_CODE: Final = frozenset({"verifier", "implementation", "whitelistingContract"})
"""Addresses of contracts, of which no page tells."""
_BEFORE: Final = frozenset({"oldFee", "previousOwner"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an event.

    Attributes:
        name: as in the ABI.
        kind: how to show it: fee, wei, eth, seconds, blocks, share, count, account, contract, flag
            or plain.
        value: as the API tells it; checksummed if it is an address.
        is_before: what held before the event.
    """

    name: str
    kind: str
    value: Any
    is_before: bool


def arguments(event: str | None, args: Mapping[str, Any]) -> list[Argument]:
    """All arguments of an event, in the order of the ABI; structs by their parts."""
    found = []
    for name, value in args.items():
        if isinstance(value, Mapping):
            parts = (f"{part} {inner}" for part, inner in value.items())
            found.append(Argument(name, "plain", ", ".join(parts), is_before=False))
            continue
        kind = _kind(event, name, value)
        shown = value
        if kind in ("account", "contract"):
            shown = checksum_address(bytes.fromhex(value[2:]))
        found.append(Argument(name, kind, shown, is_before=name in _BEFORE))
    return found


def title(event: str | None, args: Mapping[str, Any]) -> str:
    """An event in words; if its name leaves open what became of something, with that."""
    if event == "OperatorPrivacyStatusUpdated" and isinstance(args.get("toPrivate"), bool):
        ids = args.get("operatorIds", ())
        who = "Operators" if isinstance(ids, Sequence) and len(ids) > 1 else "Operator"
        return f"{who} made {'private' if args['toPrivate'] else 'public'}"
    return event_words(event)


def _kind(event: str | None, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if not isinstance(value, str):
        return "plain"
    if value.startswith("0x"):
        if len(value) != _ADDRESS_CHARACTERS:
            return "plain"
        return "contract" if name in _CODE else "account"
    if not (value.isascii() and value.isdecimal()):
        return "plain"
    if name == "value":
        return _VALUES.get(event or "", "plain")
    return _KINDS.get(name, "plain")
