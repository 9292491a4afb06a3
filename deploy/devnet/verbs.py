"""What can be done to a local network while it lives; each act says what it did.

Nothing here waits for the effect on duties: that is for whoever looks on.
"""

from __future__ import annotations

from typing import Final

from deploy.devnet.network import LocalNetwork
from deploy.devnet.node import BeaconNode
from deploy.devnet.operators import LocalNode
from sdk.errors import UsageError

REORGANISED: Final = 3
"""Blocks: fewer than nodes wait for, so that the indexer goes back and operators need not."""


class NetworkVerbs:
    """Acts on one network.

    Attributes:
        held: validators registered with the operators, in the order of their registration.
        spare: genesis validators that nobody runs yet.
        exiting: those whose exit was asked for.
    """

    def __init__(self, network: LocalNetwork) -> None:
        self._network = network
        self.held = list(network.options.validators)
        self.spare = list(network.options.spare)
        self.exiting: list[int] = []

    async def kill_operator(self, number: int) -> str:
        """End an operator's node as a crash would.

        Raises:
            UsageError: `part_unknown`, `part_down`.
        """
        node = self._operator(number)
        if not node.child.is_running:
            raise UsageError(f"{node.child.name} is down already", code="part_down")
        await node.child.kill()
        return f"killed {node.child.name}"

    async def start_operator(self, number: int) -> str:
        """Start it again; it catches up by itself.

        Raises:
            UsageError: `part_unknown`.
            NetworkError: `already_running`.
        """
        node = self._operator(number)
        node.child.start()
        return f"started {node.child.name}"

    async def stop_beacon(self, number: int) -> str:
        """End a beacon node as a crash would.

        Raises:
            UsageError: `part_unknown`, `part_down`, or `last_beacon`.
        """
        beacon = self._beacon(number)
        running = [each for each in self._network.beacons if each.child.is_running]
        if beacon not in running:
            raise UsageError(f"{beacon.child.name} is down already", code="part_down")
        if len(running) == 1:
            raise UsageError(
                f"{beacon.child.name} is the only beacon node that runs",
                code="last_beacon",
                hint="A chain that stands still for an epoch does not recover by itself.",
            )
        await beacon.child.kill()
        return f"stopped {beacon.child.name}"

    async def start_beacon(self, number: int) -> str:
        """Start it again; returns when it serves and has a peer.

        Raises:
            UsageError: `part_unknown`.
            NetworkError: `already_running`, it ended, or does not serve in time.
        """
        beacon = self._beacon(number)
        peered = self._network.peered
        if peered is None:
            beacon.child.start()
            await beacon.ready()
        else:
            await peered.restart(peered.nodes[number - 1])
        return f"started {beacon.child.name}"

    async def turn_beacon(self, number: int) -> str:
        """Stop a beacon node that runs, start one that does not.

        Raises:
            PhalanxError: as these.
        """
        if self._beacon(number).child.is_running:
            return await self.stop_beacon(number)
        return await self.start_beacon(number)

    async def add_validator(self) -> str:
        """Split and register the next spare validator; operators see it some blocks later.

        Raises:
            UsageError: `no_spare`.
            PhalanxError: the registration fails.
        """
        if not self.spare:
            raise UsageError("no spare validator is left", code="no_spare")
        index = self.spare.pop(0)
        try:
            await self._network.registry.register([index])
        except BaseException:
            self.spare.insert(0, index)
            raise
        self.held.append(index)
        return f"registered validator {index}; operators watch it for two epochs, then it votes"

    async def exit_validator(self) -> str:
        """Ask the operators to exit the validator that was registered last.

        Raises:
            UsageError: `none_left`.
            PhalanxError: the request fails.
        """
        left = [index for index in self.held if index not in self.exiting]
        if not left:
            raise UsageError("no validator is left to exit", code="none_left")
        index = left[-1]
        self.exiting.append(index)
        try:
            await self._network.registry.request_exits([index])
        except BaseException:
            self.exiting.remove(index)
            raise
        return f"asked for the exit of validator {index}"

    async def reorganise(self) -> str:
        """Replace the newest blocks of the registry's chain.

        Raises:
            ChainError: the chain refuses.
        """
        first = await self._network.registry.chain.reorganise(REORGANISED)
        return f"replaced blocks {first} to {first + REORGANISED - 1} of the registry's chain"

    def _operator(self, number: int) -> LocalNode:
        for node in self._network.nodes:
            if node.operator.id == number:
                return node
        raise UsageError(f"there is no operator {number}", code="part_unknown")

    def _beacon(self, number: int) -> BeaconNode:
        if not 1 <= number <= len(self._network.beacons):
            raise UsageError(f"there is no beacon node {number}", code="part_unknown")
        return self._network.beacons[number - 1]
