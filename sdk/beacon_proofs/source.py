"""Headers and states from a beacon node, over the standard REST API.

Shell. What it hands out was checked as far as that needs no hashing of states: a header has the
root it was asked for. Whether a state is the header's, `build_proofs` finds out. Bounded in bytes
and time; nothing is retried. A node's address may carry a secret, so errors name only its host.

Source: ethereum/beacon-APIs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

import httpx
import msgspec

from sdk.beacon_proofs.build import BeaconState
from sdk.beacon_proofs.state_shape import PRESETS, Fork, Preset, fork_named
from sdk.beacon_proofs.values import BeaconHeader, ValidatorIndex
from sdk.errors import BeaconError, InputError
from sdk.json_documents import read_hex, read_json
from sdk.types import Slot

MAX_STATE_BYTES: Final = 1 << 30
"""Mainnet's states have about 300 MB; four times that is no answer to our question."""
MAX_STATE_SECONDS: Final = 600
"""A state that takes longer belongs to blocks whose proof would soon expire."""
MAX_JSON_BYTES: Final = 1 << 20
"""The largest document, the chain's settings, has about 20 kB."""
MAX_CANDIDATES: Final = 64
"""Nodes serve what is recent; looking through all 8,191 roots would ask a whole day's headers."""

ROOT_BYTES: Final = 32
_ABSENT: Final = frozenset({404, 410})
_DECIMAL_LIMIT: Final = 2**64
_CODE: Final = "beacon_answer_malformed"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RootCandidate:
    """What an execution block's header says: its time, and the root of the beacon block before."""

    timestamp: int
    beacon_root: bytes


@dataclass(frozen=True, slots=True)
class ServedState:
    """A header and its state, and the timestamp under which the chain keeps the header's root."""

    timestamp: int
    header: BeaconHeader
    state: BeaconState = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """What does not change on a chain; times in UNIX seconds."""

    genesis_time: int
    seconds_per_slot: int
    preset: Preset


class _Message(msgspec.Struct):
    slot: str
    proposer_index: str
    parent_root: str
    state_root: str
    body_root: str


class _Signed(msgspec.Struct):
    message: _Message


class _HeaderData(msgspec.Struct):
    header: _Signed


class _HeaderAnswer(msgspec.Struct):
    data: _HeaderData


class _Genesis(msgspec.Struct):
    genesis_time: str


class _GenesisAnswer(msgspec.Struct):
    data: _Genesis


class _Spec(msgspec.Struct, rename="upper"):
    preset_base: str
    seconds_per_slot: str


class _SpecAnswer(msgspec.Struct):
    data: _Spec


class BeaconSource:
    """One beacon node.

    Args:
        client: with the node's address as `base_url`, and the time-outs of single reads.
        state_seconds: most time for one state.
    """

    def __init__(self, client: httpx.Client, *, state_seconds: float = MAX_STATE_SECONDS) -> None:
        self._client = client
        self._state_seconds = state_seconds
        self._host = client.base_url.host or "the beacon node"

    def settings(self) -> ChainSettings:
        """The chain's genesis time, slot length and preset.

        Raises:
            BeaconError: no such answer, or a preset we know no sizes of.
        """
        genesis = self._ask("/eth/v1/beacon/genesis", _GenesisAnswer)
        spec = self._ask("/eth/v1/config/spec", _SpecAnswer)
        if genesis is None or spec is None:
            raise self._problem(
                "does not tell the chain's genesis and settings",
                hint="Check that the address is that of a beacon node's REST API.",
            )
        preset = PRESETS.get(spec.data.preset_base)
        seconds = self._number(spec.data.seconds_per_slot, what="SECONDS_PER_SLOT")
        if preset is None or seconds == 0:
            raise self._problem(
                f"runs preset {spec.data.preset_base[:40]!r} with slots of {seconds} s",
                code="beacon_preset_unsupported",
                hint=f"Proofs are built for the presets {', '.join(PRESETS)}.",
            )
        return ChainSettings(
            genesis_time=self._number(genesis.data.genesis_time, what="genesis_time"),
            seconds_per_slot=seconds,
            preset=preset,
        )

    def header(self, beacon_root: bytes) -> BeaconHeader | None:
        """The header of the block with this root, None if the node does not have it.

        Raises:
            BeaconError: no answer, a malformed one, or a header that has another root.
        """
        answer = self._ask(f"/eth/v1/beacon/headers/0x{beacon_root.hex()}", _HeaderAnswer)
        if answer is None:
            return None
        message = answer.data.header.message
        header = BeaconHeader(
            slot=Slot(self._number(message.slot, what="slot")),
            proposer_index=ValidatorIndex(
                self._number(message.proposer_index, what="proposer_index")
            ),
            parent_root=self._root(message.parent_root, what="parent_root"),
            state_root=self._root(message.state_root, what="state_root"),
            body_root=self._root(message.body_root, what="body_root"),
        )
        if header.root() != beacon_root:
            raise self._problem(
                f"answered with a header of root 0x{header.root().hex()} when asked for "
                f"0x{beacon_root.hex()}",
                hint="The node is faulty or of another chain; use another one.",
            )
        return header

    def state(self, header: BeaconHeader, *, preset: Preset) -> BeaconState | None:
        """The header's state, None if the node no longer has it.

        Asked for by root, and if the node knows none by that name, by slot: some look up states
        by slot only. Either way `build_proofs` compares the hash.

        Raises:
            BeaconError: no answer, too large or too slow a one, or a fork that is not supported.
        """
        for name in (f"0x{header.state_root.hex()}", str(header.slot)):
            served = self._download(f"/eth/v2/debug/beacon/states/{name}")
            if served is not None:
                fork, data = served
                return BeaconState(fork, preset, data)
        return None

    def newest_state(self, candidates: Iterable[RootCandidate], *, preset: Preset) -> ServedState:
        """The first candidate whose state the node still serves.

        Args:
            candidates: newest first, all within the verifier's window; 64 are tried.
            preset: sizes of the chain's states.

        Raises:
            BeaconError: `beacon_state_unavailable` if it serves none of them.
        """
        headers = tried = 0
        for candidate in islice(candidates, MAX_CANDIDATES):
            tried += 1
            header = self.header(candidate.beacon_root)
            if header is None:
                continue
            headers += 1
            state = self.state(header, preset=preset)
            if state is not None:
                return ServedState(candidate.timestamp, header, state)
        raise self._problem(
            f"has the headers of {headers} and the states of none of the {tried} blocks asked for",
            code="beacon_state_unavailable",
            hint="Check that it is synchronised and serves debug states; otherwise use another one."
            if headers
            else "Check that it follows the same chain as the execution node and is synchronised.",
        )

    def _ask(self, path: str, shape: type[T]) -> T | None:
        """A JSON answer of the shape; None if the node has no such thing."""
        answer = self._read(path, accept="application/json", limit_bytes=MAX_JSON_BYTES)
        if answer is None:
            return None
        _, data = answer
        try:
            return read_json(
                bytes(data),
                shape,
                source=f"{self._host}{path}",
                limit_bytes=MAX_JSON_BYTES,
                code=_CODE,
            )
        except InputError as problem:
            raise self._problem(f"answered badly: {problem.message}") from None

    def _download(self, path: str) -> tuple[Fork, bytearray] | None:
        answer = self._read(path, accept="application/octet-stream", limit_bytes=MAX_STATE_BYTES)
        if answer is None:
            return None
        headers, data = answer
        version = headers.get("Eth-Consensus-Version")
        content = headers.get("Content-Type", "").partition(";")[0].strip()
        if version is None or content != "application/octet-stream":
            raise self._problem(
                f"answered {path} with {content[:60] or 'no content type'} and fork "
                f"{(version or 'not named')[:40]}",
                hint="Use a node that serves states as SSZ and names their fork.",
            )
        return fork_named(version.lower()), data

    def _read(
        self, path: str, *, accept: str, limit_bytes: int
    ) -> tuple[httpx.Headers, bytearray] | None:
        """Headers and body; None if the node says that there is no such thing."""
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        deadline = time.monotonic() + self._state_seconds
        try:
            with self._client.stream("GET", path, headers=headers) as answer:
                if answer.status_code in _ABSENT:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise self._problem(f"answered {path} with status {answer.status_code}")
                data = bytearray()
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > limit_bytes:
                        raise self._problem(f"answered {path} with more than {limit_bytes} bytes")
                    if time.monotonic() > deadline:
                        raise self._problem(
                            f"took longer than {self._state_seconds:.0f} s for {path}",
                            hint="Use a node that is nearer or less busy.",
                        )
                return answer.headers, data
        except httpx.HTTPError as failed:
            # The library's text may hold the address, and with it a secret.
            raise self._problem(
                f"did not answer {path} ({type(failed).__name__})",
                hint="Check the address, and that the node runs.",
            ) from None

    def _number(self, text: str, *, what: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) < _DECIMAL_LIMIT:
            return int(text)
        raise self._problem(f"gave {text[:40]!r} as {what}")

    def _root(self, text: str, *, what: str) -> bytes:
        try:
            return read_hex(text, field=what, length=ROOT_BYTES, code=_CODE)
        except InputError as problem:
            raise self._problem(f"answered badly: {problem.message}") from None

    def _problem(
        self, what: str, *, code: str = _CODE, hint: str = "Try again, or use another node."
    ) -> BeaconError:
        return BeaconError(f"{self._host} {what}", code=code, hint=hint, data={"host": self._host})
