"""The network as a whole: its parameters, and what governance may change.

Calls of governance must come from the registry's owner, usually a timelock: export them.
"""

from __future__ import annotations

from typing import Any

from sdk.client.accounts import read_parameters
from sdk.client.addresses import AddressLike, to_checksum
from sdk.client.calls import BlockTag, block_header, call_one
from sdk.client.draft import Draft
from sdk.client.operation import Operation
from sdk.client.part import AwaitingPart, BlockingPart, Part
from sdk.client.prepared import preparing
from sdk.client.values import NetworkParameters
from sdk.client.verbs import verb
from sdk.types import Wei
from sdk.units import format_ether


class NetworkVerbs(Part):
    """Amounts are wei; fees are wei per block and 32 ETH."""

    @verb
    def parameters(self, *, block: BlockTag = "latest") -> Operation[NetworkParameters]:
        """What governance has set."""
        head = yield from block_header(block)
        return (yield from read_parameters(self._deployment, block=head.number))

    @verb
    def earnings_wei(self, *, block: BlockTag = "latest") -> Operation[Wei]:
        """What the network has earned and governance can withdraw."""
        return Wei((yield from call_one(self._deployment, "getNetworkEarnings", block=block)))

    @preparing
    def update_network_fee(self, *, fee_wei: int) -> Operation[Draft]:
        """Sets the network fee, never backwards."""
        return (yield from self._set("updateNetworkFee", fee_wei, "network fee", "wei"))

    @preparing
    def update_fee_increase_limit(self, *, per_10000: int) -> Operation[Draft]:
        """Sets how much an operator may raise its fee at once."""
        function, what = "updateOperatorFeeIncreaseLimit", "limit of fee increases"
        return (yield from self._set(function, per_10000, what, "of 10,000"))

    @preparing
    def update_declare_period(self, *, seconds: int) -> Operation[Draft]:
        """Sets the wait between declaring and executing a fee."""
        function, what = "updateDeclareOperatorFeePeriod", "declare period"
        return (yield from self._set(function, seconds, what, "seconds"))

    @preparing
    def update_execute_period(self, *, seconds: int) -> Operation[Draft]:
        """Sets how long a declared fee can be executed."""
        function, what = "updateExecuteOperatorFeePeriod", "execute period"
        return (yield from self._set(function, seconds, what, "seconds"))

    @preparing
    def update_liquidation_period(self, *, blocks: int) -> Operation[Draft]:
        """Sets for how many blocks a cluster must be able to pay; raising it endangers clusters."""
        function, what = "updateLiquidationThresholdPeriod", "liquidation period"
        return (yield from self._set(function, blocks, what, "blocks"))

    @preparing
    def update_minimum_collateral(self, *, amount_wei: int) -> Operation[Draft]:
        """Sets the least balance of a cluster; raising it endangers clusters."""
        function, what = "updateMinimumLiquidationCollateral", "minimum collateral"
        return (yield from self._set(function, amount_wei, what, "wei"))

    @preparing
    def update_maximum_operator_fee(self, *, fee_wei: int) -> Operation[Draft]:
        """Sets the upper bound of operator fees; existing ones stay."""
        function, what = "updateMaximumOperatorFee", "maximum operator fee"
        return (yield from self._set(function, fee_wei, what, "wei"))

    @preparing
    def update_minimum_operator_fee(self, *, fee_wei: int) -> Operation[Draft]:
        """Sets the lower bound of operator fees; existing ones stay."""
        function, what = "updateMinimumOperatorEthFee", "minimum operator fee"
        return (yield from self._set(function, fee_wei, what, "wei"))

    @preparing
    def update_validators_per_operator_limit(self, *, validators: int) -> Operation[Draft]:
        """Sets how many validators an operator may have."""
        function, what = "updateValidatorsPerOperatorLimit", "limit of validators per operator"
        return (yield from self._set(function, validators, what, "validators"))

    @preparing
    def update_beacon_verifier(self, verifier: AddressLike) -> Operation[Draft]:
        """Sets the contract that checks effective-balance proofs."""
        address = to_checksum(verifier, what="verifier")
        action = f"let {address} verify effective balances"
        return (yield from self._govern("updateBeaconVerifier", address, action=action))

    @preparing
    def freeze_verifier(self) -> Operation[Draft]:
        """Fixes the verifier for good."""
        action = "fix the verifier of effective balances for good"
        return (yield from self._govern("freezeVerifier", action=action))

    @preparing
    def renounce_upgrades(self) -> Operation[Draft]:
        """Gives up the right to upgrade the registry, for good."""
        action = "give up the right to upgrade the registry, for good"
        return (yield from self._govern("renounceUpgrades", action=action))

    @preparing
    def transfer_ownership(self, new_owner: AddressLike) -> Operation[Draft]:
        """Offers the registry to another owner, who has to accept."""
        address = to_checksum(new_owner, what="new owner")
        action = f"offer the ownership of the registry to {address}"
        return (yield from self._govern("transferOwnership", address, action=action))

    @preparing
    def accept_ownership(self) -> Operation[Draft]:
        """Accepts the registry from its present owner."""
        pending = yield from call_one(self._deployment, "pendingOwner")
        return Draft(
            function="acceptOwnership",
            arguments=(),
            action="accept the ownership of the registry",
            sender=None if int(pending, 16) == 0 else to_checksum(pending.lower()),
        )

    @preparing
    def withdraw_earnings(self, *, amount_wei: int) -> Operation[Draft]:
        """Pays network earnings to the registry's owner."""
        action = f"withdraw {format_ether(amount_wei)} ETH of network earnings"
        return (yield from self._govern("withdrawNetworkEarnings", amount_wei, action=action))

    @preparing
    def cover_debt(self, *, amount_wei: int) -> Operation[Draft]:
        """Gives ether to reduce the uncovered debt; anyone may."""
        yield from ()
        return Draft(
            function="coverDebt",
            arguments=(),
            action=f"give {format_ether(amount_wei)} ETH to cover debt",
            value_wei=amount_wei,
        )

    def _set(self, function: str, value: int, what: str, unit: str) -> Operation[Draft]:
        return (
            yield from self._govern(function, value, action=f"set the {what} to {value} {unit}")
        )

    def _govern(self, function: str, *arguments: Any, action: str) -> Operation[Draft]:
        owner = yield from call_one(self._deployment, "owner")
        return Draft(
            function=function,
            arguments=arguments,
            action=action,
            sender=to_checksum(owner.lower()),
        )


class Network(NetworkVerbs, BlockingPart):
    """`client.network`."""

    __slots__ = ()


class AsyncNetwork(NetworkVerbs, AwaitingPart):
    """`client.network` of the async client."""

    __slots__ = ()
