"""The settings of a node as values: whoever has one need not check it again.

Pure. Units are in the names. Secrets are in types that never show themselves; an address shows
only its host, because an access key is often part of the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from operator_node.wire.generations import NEVER
from operator_node.wire.ids import DomainType
from sdk.crypto.secret import Password
from sdk.types import Address, BlockNumber, Epoch


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """An upstream's address.

    Attributes:
        url: as it was given; may hold a password or an access key.
    """

    url: str

    @property
    def shown(self) -> str:
        """Scheme, host and port, and whether there was more."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        where = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        has_more = parts.username or parts.path.strip("/") or parts.query
        return f"{where}/…" if has_more else where

    def __repr__(self) -> str:
        return self.shown

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where and how the node tells what it does."""

    level: str
    is_json: bool
    is_coloured: bool
    file: Path | None
    file_bytes: int
    file_backups: int


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """One network of operators.

    Attributes:
        name: also part of Boole's topics.
        registry: the contract.
        registry_block: nothing of the registry is older.
        domain: of Alan.
        boole_domain: of Boole.
        boole_epoch: when Boole begins.
        bootnodes: the network's own, besides those of the operator.
        chain_id: of the execution chain, None if unknown.
        genesis_validators_root: 32 bytes, None if unknown; then the beacon node's is taken.
    """

    name: str
    registry: Address
    registry_block: BlockNumber
    domain: DomainType
    boole_domain: DomainType
    boole_epoch: Epoch = NEVER
    bootnodes: tuple[str, ...] = ()
    chain_id: int | None = None
    genesis_validators_root: bytes | None = None


@dataclass(frozen=True, slots=True)
class BeaconSettings:
    """Beacon nodes, the first answer of any counts."""

    nodes: tuple[Endpoint, ...]
    sync_tolerance_slots: int
    has_weighted_attestation_data: bool
    has_parallel_submissions: bool


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """Execution nodes and how the registry is followed.

    Attributes:
        sync_tolerance_blocks: how far behind the others a node may be and still be asked.
        verify_rate: questions per second that compare the registry with its contract.
    """

    nodes: tuple[Endpoint, ...]
    connection_timeout_ms: int
    sync_tolerance_blocks: int
    verify_rate: int
    follow_distance_blocks: int
    rollback_depth_blocks: int


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """The network between operators.

    Attributes:
        host: the address or name that others reach this node by, None to let them find out.
        bootnodes: the network's and the operator's, in this order.
        max_peers: places without any subnet.
        limits_addresses: False behind a proxy, where all peers have one address.
    """

    tcp_port: int
    udp_port: int
    host: str | None
    bootnodes: tuple[str, ...]
    trusted: tuple[str, ...]
    max_peers: int
    limits_addresses: bool
    identity_key: Password | None


@dataclass(frozen=True, slots=True)
class OperatorKeySettings:
    """Where the operator's key is; exactly one of `file` and `raw` is set."""

    file: Path | None
    password_file: Path | None
    raw: Password | None


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What is served; a port of None is not opened."""

    bind: str
    port: int | None
    metrics_port: int | None
    tokens_file: Path | None


@dataclass(frozen=True, slots=True)
class DutySettings:
    """How duties are done."""

    graffiti: bytes
    gas_limit: int
    proposer_delay_ms: int
    signature_collection_timeout_ms: int
    metadata_update_interval_ms: int
    late_block_grace_ms: int
    head_settle_ms: int
    proposal_soft_timeout_ms: int
    compares_checkpoint_roots: bool
    has_strict_fee_recipient: bool
    takes_builder_blocks: bool
    has_inclusion_check: bool


@dataclass(frozen=True, slots=True)
class SafetySettings:
    """What guards the stake.

    Attributes:
        sets_damage_aside: begin a new slashing record if the old one is damaged; else stop.
        start_watch_slots: how long to look for a twin at the start, None for as long as needed.
        has_doppelganger_watch: look for other users of validators' keys.
        lease_file: on a disk that all instances of the operator share, None without a lease.
    """

    sets_damage_aside: bool
    start_watch_slots: int | None
    has_doppelganger_watch: bool
    lease_file: Path | None = None


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How much is kept of duties past."""

    days: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a node is told before it starts.

    Attributes:
        data_folder: holds every store.
        has_signing_process: keys and slashing record are in a process of their own.
    """

    data_folder: Path
    network: NetworkSettings
    beacon: BeaconSettings
    execution: ExecutionSettings
    peers: PeerSettings
    operator_key: OperatorKeySettings
    api: ApiSettings
    duties: DutySettings
    safety: SafetySettings
    history: HistorySettings
    log: LogSettings
    stop_grace_ms: int
    has_signing_process: bool = True

    @property
    def registry_store(self) -> Path:
        """What is stored of the registry."""
        return self.data_folder / "state.sqlite"

    @property
    def slashing_record(self) -> Path:
        """The safety store."""
        return self.data_folder / "safety.sqlite"
