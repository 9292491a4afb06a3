"""Which operator of the registry this node is: the one configured, or the one with its key.

Pure. The key decides in the end: a node that signed for another operator's id would be heard by
nobody, and could decrypt none of its shares.

Source: docs/protocol.md, "Identifiers".
"""

from __future__ import annotations

from collections.abc import Iterable

from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import ConfigError, InputError
from sdk.events import operator_public_key_text
from sdk.events.types import OperatorAdded
from sdk.registry import RegistryState
from sdk.types import OperatorId


def registered_key(registered: bytes) -> OperatorPublicKey | None:
    """The key in `OperatorAdded.public_key`, None if there is none that can be used."""
    text = operator_public_key_text(registered)
    if text is None:
        return None
    try:
        return parse_public_key(text)
    except InputError:
        return None


class Binding:
    """The node's key, and the ids it was registered under so far.

    Attributes:
        key: the operator's public key.
        configured: id given by the operator, None to find it by the key.
    """

    def __init__(self, key: OperatorPublicKey, *, configured: OperatorId | None = None) -> None:
        self.key = key
        self.configured = configured
        self._ids: set[OperatorId] = set() if configured is None else {configured}

    def meet(self, event: OperatorAdded) -> None:
        """Note the id if it is mine. Never forgotten: after a reorganisation it may come again."""
        if self.configured is None and registered_key(event.public_key) == self.key:
            self._ids.add(event.operator_id)

    def concerns(self, operator_ids: Iterable[OperatorId]) -> bool:
        """Whether one of these was ever mine, so that shares for them are worth keeping."""
        return not self._ids.isdisjoint(operator_ids)

    def load(self, state: RegistryState) -> None:
        """Look through operators that were registered before this process began."""
        if self.configured is not None:
            return
        for operator in state.operators.values():
            if operator.removed_at is None and registered_key(operator.public_key) == self.key:
                self._ids.add(operator.operator_id)

    def resolve(self, state: RegistryState) -> OperatorId | None:
        """My id as of this state; None while I am not registered, or not any more.

        Raises:
            ConfigError: `operator_key_mismatch`, another key is registered for the configured id.
        """
        for operator_id in sorted(self._ids):
            operator = state.operators.get(operator_id)
            if operator is None or operator.removed_at is not None:
                continue
            if registered_key(operator.public_key) == self.key:
                return operator_id
            if self.configured is not None:
                raise ConfigError(
                    f"operator {operator_id} is registered with another key than this node's "
                    f"(fingerprint {self.key.fingerprint})",
                    code="operator_key_mismatch",
                    hint="Correct the operator id or the key file; without an id it is found by "
                    "the key.",
                )
        return None
