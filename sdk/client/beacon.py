"""Questions to a beacon node over the standard REST API: a validator's status, liveness, finality.

Shell. Unanswered questions are repeated a few times, answers are bounded in bytes. A node's address
may carry a secret, so errors name only its host. States and proofs are in `sdk.beacon_proofs`.

Source: ethereum/beacon-APIs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import msgspec

from sdk.errors import BeaconError, ConfigError, InputError
from sdk.json_documents import read_hex, read_json
from sdk.types import Epoch, PublicKey, Slot

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""Far above the liveness of all validators one account could have."""
INDICES_IN_ADDRESS: Final = 100
"""Of one request; an address of 2,000 characters or so passes everywhere."""
MAX_QUEUE_BYTES: Final = 32 * 1024 * 1024
"""Pending partial withdrawals of all validators: some 400,000, a month at two a block."""
ATTEMPTS: Final = 4
FIRST_PAUSE_S: Final = 0.5
REQUEST_TIMEOUT_S: Final = 30.0
FAR_FUTURE_EPOCH: Final = 2**64 - 1
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNSUPPORTED: Final = frozenset({404, 405, 501})
_CODE: Final = "beacon_answer_malformed"
_SPEC_FIELDS: Final = (
    "SECONDS_PER_SLOT",
    "SLOTS_PER_EPOCH",
    "SHARD_COMMITTEE_PERIOD",
    "DEPOSIT_CHAIN_ID",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BeaconChain:
    """What does not change on a chain.

    Attributes:
        genesis_time_s: UNIX seconds.
        shard_committee_period_epochs: how long a validator must be active before it may exit.
        execution_chain_id: chain id of the execution layer.
    """

    genesis_time_s: int
    seconds_per_slot: int
    slots_per_epoch: int
    shard_committee_period_epochs: int
    execution_chain_id: int

    def epoch_of_slot(self, slot: int) -> Epoch:
        """The epoch a slot belongs to."""
        return Epoch(slot // self.slots_per_epoch)

    def epoch_at(self, timestamp_s: int) -> Epoch:
        """The epoch of a UNIX time."""
        return self.epoch_of_slot((timestamp_s - self.genesis_time_s) // self.seconds_per_slot)


@dataclass(frozen=True, slots=True)
class BeaconValidator:
    """A validator as the head state has it; `status` in the API's words."""

    public_key: PublicKey
    index: int
    status: str
    withdrawal_credentials: bytes
    activation_epoch: int
    exit_epoch: int


@dataclass(frozen=True, slots=True)
class PendingWithdrawals:
    """Partial withdrawals that one validator waits for.

    Attributes:
        amount_gwei: their sum.
        withdrawable_epoch: from which on the last of them is paid.
    """

    amount_gwei: int
    withdrawable_epoch: int


class _Data(msgspec.Struct):
    data: Any


class BeaconNode:
    """One beacon node.

    Args:
        url: http or https, without credentials.
        attempts: how often a question is asked before it counts as unanswered.
        timeout_s: for each attempt.
        pause: waits so many seconds between two attempts.
        transport: for tests of the network's faults; the network itself if None.

    Raises:
        ConfigError: `beacon_url`.
    """

    def __init__(
        self,
        url: str,
        *,
        attempts: int = ATTEMPTS,
        timeout_s: float = REQUEST_TIMEOUT_S,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ConfigError(
                "the beacon node's address is no http or https URL", code="beacon_url"
            )
        self._client = httpx.Client(
            base_url=parsed, timeout=timeout_s, transport=transport, trust_env=False
        )
        self._attempts = attempts
        self._pause = pause
        self._host = parsed.host

    def __repr__(self) -> str:
        return f"BeaconNode({self._host})"

    @property
    def http(self) -> httpx.Client:
        """The connection, for `sdk.beacon_proofs`."""
        return self._client

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def chain(self) -> BeaconChain:
        """Genesis and settings.

        Raises:
            BeaconError: no answer, or one without them.
        """
        genesis = self._object("GET", "/eth/v1/beacon/genesis")
        spec = self._object("GET", "/eth/v1/config/spec")
        seconds, slots, period, chain_id = (
            self._number(spec.get(name), what=name) for name in _SPEC_FIELDS
        )
        if not seconds or not slots:
            raise self._problem("gives an epoch no slots or a slot no time")
        return BeaconChain(
            genesis_time_s=self._number(genesis.get("genesis_time"), what="genesis_time"),
            seconds_per_slot=seconds,
            slots_per_epoch=slots,
            shard_committee_period_epochs=period,
            execution_chain_id=chain_id,
        )

    def synced_head(self) -> Slot:
        """The head slot of a node that follows the chain and has verified it.

        Raises:
            BeaconError: `beacon_not_synced`.
        """
        found = self._object("GET", "/eth/v1/node/syncing")
        # The last two came later; a node that does not know them leaves them out.
        faults = ["is_syncing"] if found.get("is_syncing") is not False else []
        faults += [name for name in ("is_optimistic", "el_offline") if found.get(name, False)]
        if faults:
            raise self._problem(
                f"is not synchronised ({', '.join(faults)})",
                code="beacon_not_synced",
                hint="Wait until it follows the chain, or use another node.",
            )
        return Slot(self._number(found.get("head_slot"), what="head_slot"))

    def finalized_epoch(self) -> Epoch:
        """The newest finalised epoch."""
        found = self._object("GET", "/eth/v1/beacon/states/head/finality_checkpoints")
        checkpoint = found.get("finalized")
        epoch = checkpoint.get("epoch") if isinstance(checkpoint, dict) else None
        return Epoch(self._number(epoch, what="finalized.epoch"))

    def validators(self, keys: Sequence[PublicKey]) -> dict[PublicKey, BeaconValidator]:
        """Those of the validators that the head state has."""
        found = {}
        for key in keys:
            path = f"/eth/v1/beacon/states/head/validators/0x{key.hex()}"
            answer = self._ask("GET", path)
            if answer.status_code == httpx.codes.NOT_FOUND:
                continue
            found[key] = self._validator(key, self._data(answer, path))
        return found

    def pending_partial_withdrawals(
        self, indices: Sequence[int]
    ) -> dict[int, PendingWithdrawals] | None:
        """Those of the validators that wait for some; None if the node has no such route."""
        path = "/eth/v1/beacon/states/head/pending_partial_withdrawals"
        answer = self._ask("GET", path, limit_bytes=MAX_QUEUE_BYTES)
        if answer.status_code in _UNSUPPORTED:
            return None
        wanted, found = set(indices), dict[int, PendingWithdrawals]()
        for row in self._rows(answer, path, limit_bytes=MAX_QUEUE_BYTES):
            index = self._number(row.get("validator_index"), what="validator_index")
            if index not in wanted:
                continue
            before = found.get(index, PendingWithdrawals(0, 0))
            epoch = self._number(row.get("withdrawable_epoch"), what="withdrawable_epoch")
            found[index] = PendingWithdrawals(
                before.amount_gwei + self._number(row.get("amount"), what="amount"),
                max(before.withdrawable_epoch, epoch),
            )
        return found

    def liveness(self, epoch: int, indices: Sequence[int]) -> dict[int, bool]:
        """Whether the node has seen each of the validators sign anything in the epoch.

        Nodes answer for the current epoch and the one before. Of a node without the standard's
        route the older form is asked, which Lodestar 1.5.1 has.

        Raises:
            BeaconError: `beacon_liveness_unsupported`, the node has neither route or refuses.
        """
        path = f"/eth/v1/validator/liveness/{epoch}"
        answer = self._ask("POST", path, content=[str(index) for index in indices])
        if answer.status_code not in _UNSUPPORTED:
            return self._live(answer, path, indices)
        live: dict[int, bool] = {}
        for start in range(0, len(indices), INDICES_IN_ADDRESS):
            chunk = indices[start : start + INDICES_IN_ADDRESS]
            named = "".join(f"&indices={index}" for index in chunk)
            older = f"/eth/v1/validator/liveness?epoch={epoch}{named}"
            live |= self._live(self._ask("GET", older), path, chunk)
        return live

    def _live(self, answer: httpx.Response, path: str, indices: Sequence[int]) -> dict[int, bool]:
        if answer.status_code != httpx.codes.OK:
            missing = answer.status_code in _UNSUPPORTED
            raise self._problem(
                f"{'has no route for' if missing else 'refuses to tell'} the liveness of "
                f"validators (status {answer.status_code})",
                code="beacon_liveness_unsupported",
                hint="Use another beacon node, or switch its tracking of liveness on.",
            )
        live = {}
        for row in self._rows(answer, path):
            is_live = row.get("is_live")
            if not isinstance(is_live, bool):
                raise self._problem(f"answered {path} without is_live")
            # The older form has numbers where the standard has text.
            live[self._number(str(row.get("index")), what="index")] = is_live
        if set(live) != set(indices):
            raise self._problem(f"answered {path} for other validators than it was asked for")
        return live

    def _validator(self, key: PublicKey, found: Any) -> BeaconValidator:
        record = found.get("validator") if isinstance(found, dict) else None
        if not isinstance(record, Mapping):
            raise self._problem("answered without a validator")
        try:
            named = read_hex(str(record.get("pubkey")), field="pubkey", length=48, code=_CODE)
            credentials = read_hex(
                str(record.get("withdrawal_credentials")),
                field="withdrawal_credentials",
                length=32,
                code=_CODE,
            )
        except InputError as problem:
            raise self._problem(f"answered badly: {problem.message}") from None
        if named != key:
            raise self._problem("answered with another validator than it was asked for")
        return BeaconValidator(
            public_key=key,
            index=self._number(found.get("index"), what="index"),
            status=str(found.get("status"))[:40],
            withdrawal_credentials=credentials,
            activation_epoch=self._number(record.get("activation_epoch"), what="activation_epoch"),
            exit_epoch=self._number(record.get("exit_epoch"), what="exit_epoch"),
        )

    def _object(self, method: str, path: str) -> dict[str, Any]:
        found = self._data(self._ask(method, path), path)
        if not isinstance(found, dict):
            raise self._problem(f"answered {path} with no object")
        return found

    def _rows(
        self, answer: httpx.Response, path: str, *, limit_bytes: int = MAX_ANSWER_BYTES
    ) -> list[dict[str, Any]]:
        rows = self._data(answer, path, limit_bytes=limit_bytes)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._problem(f"answered {path} with no list")
        return rows

    def _data(
        self, answer: httpx.Response, path: str, *, limit_bytes: int = MAX_ANSWER_BYTES
    ) -> Any:
        if answer.status_code != httpx.codes.OK:
            raise self._problem(
                f"answered {path} with status {answer.status_code}",
                code="beacon_refused",
                hint="Check that the address is that of a beacon node's REST API.",
            )
        try:
            return read_json(
                answer.content,
                _Data,
                source=f"{self._host}{path}",
                limit_bytes=limit_bytes,
                code=_CODE,
            ).data
        except InputError as problem:
            raise self._problem(f"answered badly: {problem.message}") from None

    def _ask(
        self, method: str, path: str, *, content: Any = None, limit_bytes: int = MAX_ANSWER_BYTES
    ) -> httpx.Response:
        """The answer, whatever its status; transient faults are waited out."""
        reason = ""
        for attempt in range(self._attempts):
            if attempt:
                self._pause(FIRST_PAUSE_S * 2 ** (attempt - 1))
            try:
                answer = self._request(method, path, content, limit_bytes)
            except httpx.HTTPError as failed:
                # The library's text may hold the address, and with it a secret.
                reason = type(failed).__name__
                continue
            if answer.status_code not in _TRANSIENT:
                return answer
            reason = f"status {answer.status_code}"
        raise self._problem(
            f"did not answer {path}, attempts: {self._attempts} ({reason})",
            code="beacon_unreachable",
            hint="Check the address, and that the node runs.",
        )

    def _request(self, method: str, path: str, content: Any, limit_bytes: int) -> httpx.Response:
        headers = {"Accept": "application/json"}
        with self._client.stream(method, path, headers=headers, json=content) as answer:
            data = bytearray()
            for part in answer.iter_bytes():
                data += part
                if len(data) > limit_bytes:
                    raise self._problem(f"answered {path} with more than {limit_bytes} bytes")
            return httpx.Response(answer.status_code, content=bytes(data))

    def _number(self, found: object, *, what: str) -> int:
        text = found if isinstance(found, str) else ""
        if text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) < 2**64:
            return int(text)
        raise self._problem(f"gave {str(found)[:40]!r} as {what}")

    def _problem(
        self, what: str, *, code: str = _CODE, hint: str = "Try again, or use another node."
    ) -> BeaconError:
        return BeaconError(
            f"beacon node {self._host} {what}", code=code, hint=hint, data={"host": self._host}
        )
