"""From what was written to settings with types, every fault told at once.

Pure: the file and the environment were read before. A value that cannot be used becomes a fault
that names key, value and remedy; a secret or an address is never quoted.

Source: docs/run-a-node.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import combinations, zip_longest
from typing import Final, TypeVar

from operator_node.config import texts
from operator_node.config.keys import CUSTOM_NETWORK, CUSTOM_NETWORK_FIELDS
from operator_node.config.networks import PUBLIC_NETWORKS
from operator_node.config.remarks import notices, warnings
from operator_node.config.settings import (
    ApiSettings,
    BeaconSettings,
    DutySettings,
    Endpoint,
    ExecutionSettings,
    HistorySettings,
    LogSettings,
    NetworkSettings,
    OperatorKeySettings,
    PeerSettings,
    SafetySettings,
    Settings,
)
from operator_node.config.sources import Fault, Sources
from operator_node.config.taking import Taking, refuse
from operator_node.wire.generations import NEVER
from operator_node.wire.ids import DomainType
from sdk.crypto.secret import Password
from sdk.types import BlockNumber, Epoch

T = TypeVar("T")

SAFE_PROPOSER_DELAY_MS: Final = 1000
"""Above, a second round of consensus may miss the slot."""
MOST_PROPOSER_DELAY_MS: Final = 4000
"""Blocks that are decided from here on are lost, measured on mainnet (DUT-5)."""
_LEVELS: Final = {
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARNING",
    "warning": "WARNING",
    "error": "ERROR",
    "fatal": "CRITICAL",
    "dpanic": "CRITICAL",
    "panic": "CRITICAL",
}
"""The existing nodes' names into those of Python."""
_LEVEL_FORMATS: Final = {"capitalcolor": True, "capital": False, "lowercase": False}
_BEACON_NODES: Final = texts.endpoints(
    "Give http://host:port, several separated by semicolons.", most=16, allows_query=False
)
_EXECUTION_NODES: Final = texts.endpoints(
    "Give http://host:port or ws://host:port, several separated by semicolons.",
    most=8,
    allows_query=True,
    schemes=texts.WEB_AND_SOCKETS,
)
"""As many addresses, and of such a form, as the clients of beacon and execution nodes take."""
_MEGABYTE: Final = 1_000_000
_WATCH: Final = {"auto": None, "off": 0}
_MAX_WATCH_SLOTS: Final = 64
_MAX_GAS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Built:
    """Usable settings, and what their owner should hear of.

    Attributes:
        notices: keys without effect.
        warnings: choices that are possible and unwise.
    """

    settings: Settings
    notices: tuple[str, ...]
    warnings: tuple[str, ...]


def build(sources: Sources) -> Built:
    """The settings.

    Raises:
        ConfigError: `config_invalid`; the text has a line per fault, `data["faults"]` the same.
    """
    taking = Taking(sources)
    settings = _settings(taking)
    refuse((*sources.faults, *taking.faults, *_shared_ports(settings)))
    return Built(settings, tuple(notices(sources)), tuple(warnings(sources, settings)))


def _settings(taking: Taking) -> Settings:
    take, maybe = taking.take, taking.maybe
    network = _network(taking)
    host = maybe("p2p.HostDNS", str) or maybe("p2p.HostAddress", _ip)
    return Settings(
        data_folder=take("db.Path", texts.path),
        network=network,
        beacon=BeaconSettings(
            nodes=taking.need("eth2.BeaconNodeAddr", _BEACON_NODES, ()),
            sync_tolerance_slots=take("eth2.SyncDistanceTolerance", texts.number(0, 1000)),
            has_weighted_attestation_data=take("eth2.WithWeightedAttestationData", texts.flag),
            has_parallel_submissions=take("eth2.WithParallelSubmissions", texts.flag),
        ),
        execution=ExecutionSettings(
            nodes=_execution_nodes(taking),
            connection_timeout_ms=take("eth1.ETH1ConnectionTimeout", texts.duration_ms),
            sync_tolerance_blocks=take("eth1.ETH1SyncDistanceTolerance", texts.number(0, 1000)),
            verify_rate=take("node.registry_verify_rate", texts.number(1, 1000)),
            follow_distance_blocks=take("node.follow_distance", texts.number(0, 1000)),
            rollback_depth_blocks=take("node.rollback_depth", texts.number(1, 10_000)),
        ),
        peers=PeerSettings(
            tcp_port=take("p2p.TcpPort", texts.port),
            udp_port=take("p2p.UdpPort", texts.port),
            host=host,
            bootnodes=(*network.bootnodes, *(maybe("p2p.Bootnodes", texts.words) or ())),
            trusted=tuple(
                filter(texts.is_multiaddress, maybe("p2p.TrustedPeers", texts.words) or ())
            ),
            max_peers=take("p2p.MaxPeers", texts.number(1, 1000)),
            limits_addresses=not take("p2p.DisableIPRateLimit", texts.flag),
            identity_key=maybe("NetworkPrivateKey", Password.from_text),
        ),
        operator_key=_operator_key(taking),
        api=ApiSettings(
            bind=maybe("SSVAPIAddress", _ip) or take("node.api_bind", _ip),
            port=maybe("SSVAPIPort", texts.optional_port),
            metrics_port=maybe("MetricsAPIPort", texts.optional_port),
            tokens_file=maybe("node.api_tokens_file", texts.path),
        ),
        duties=_duties(taking),
        safety=SafetySettings(
            sets_damage_aside=take(
                "node.safety.on_damage", texts.choice({"rebound": True, "stop": False})
            ),
            start_watch_slots=maybe("node.start_watch", _watch),
            has_doppelganger_watch=take("EnableDoppelgangerProtection", texts.flag),
            lease_file=maybe("node.lease", texts.shared_file),
        ),
        history=HistorySettings(
            days=take("node.history_days", texts.number(0, 10_000)),
            size_bytes=take("node.history_size", texts.size_bytes),
        ),
        log=LogSettings(
            level=take("global.LogLevel", texts.choice(_LEVELS)),
            is_json=take("global.LogFormat", texts.choice({"console": False, "json": True})),
            is_coloured=take("global.LogLevelFormat", texts.choice(_LEVEL_FORMATS)),
            file=maybe("global.LogFilePath", texts.path),
            file_bytes=take("global.LogFileSize", texts.number(1, 100_000)) * _MEGABYTE,
            file_backups=take("global.LogFileBackups", texts.number(0, 1000)),
        ),
        stop_grace_ms=take("node.stop_grace", texts.duration_ms),
        has_signing_process=take("node.signing_process", texts.flag),
    )


def _duties(taking: Taking) -> DutySettings:
    take = taking.take
    options = "ssv.ValidatorOptions"
    return DutySettings(
        graffiti=taking.maybe("Graffiti", texts.graffiti) or texts.graffiti(""),
        gas_limit=take(f"{options}.ExperimentalGasLimit", texts.number(1, _MAX_GAS)),
        proposer_delay_ms=_proposer_delay(taking),
        signature_collection_timeout_ms=take(
            f"{options}.SignatureCollectionTimeout", texts.duration_ms
        ),
        metadata_update_interval_ms=take(f"{options}.MetadataUpdateInterval", texts.duration_ms),
        late_block_grace_ms=take("node.late_block_grace", texts.duration_ms),
        head_settle_ms=take("node.head_settle", texts.duration_ms),
        proposal_soft_timeout_ms=take("node.proposal_soft_timeout", texts.duration_ms),
        compares_checkpoint_roots=take(
            "node.checkpoint_check", texts.choice({"roots": True, "epochs": False})
        ),
        has_strict_fee_recipient=take(
            "node.fee_recipient_policy", texts.choice({"strict": True, "warn": False})
        ),
        takes_builder_blocks=take("node.builder", texts.choice({"any": True, "never": False})),
        has_inclusion_check=take("node.inclusion_check", texts.flag),
    )


def _proposer_delay(taking: Taking) -> int:
    delay = taking.take("ProposerDelay", texts.duration_ms)
    is_allowed = taking.take("AllowDangerousProposerDelay", texts.flag)
    if delay > MOST_PROPOSER_DELAY_MS:
        remedy = "Stay at 1s or below; blocks decided from 4s on are lost."
        taking.faults.append(Fault("ProposerDelay", f"{delay}ms loses the proposals", remedy))
    elif delay > SAFE_PROPOSER_DELAY_MS and not is_allowed:
        remedy = "Stay at 1s or below, or set AllowDangerousProposerDelay as well."
        taking.faults.append(
            Fault("ProposerDelay", f"{delay}ms puts proposals at risk of missing the slot", remedy)
        )
    return delay


def _execution_nodes(taking: Taking) -> tuple[Endpoint, ...]:
    """The addresses to ask; where a node has a second one for questions, by place, that one."""
    asked = taking.maybe("eth1.ETH1QueryAddr", texts.places) or ()

    def read(text: str) -> tuple[Endpoint, ...]:
        pairs = zip_longest(own := texts.places(text), asked[: len(own)], fillvalue="")
        return _EXECUTION_NODES(";".join(other or one for one, other in pairs))

    return taking.need("eth1.ETH1Addr", read, ())


def _operator_key(taking: Taking) -> OperatorKeySettings:
    file = taking.maybe("KeyStore.PrivateKeyFile", texts.path)
    password_file = taking.maybe("KeyStore.PasswordFile", texts.path)
    raw = taking.maybe("OperatorPrivateKey", Password.from_text)
    if file is None and raw is None:
        taking.faults.append(
            Fault(
                "KeyStore.PrivateKeyFile",
                "no operator key is named",
                "Set it to the keystore or PEM file, or PRIVATE_KEY_FILE in the environment.",
            )
        )
    # As in the existing nodes, the file counts where both are given.
    return OperatorKeySettings(file, password_file, raw if file is None else None)


def _network(taking: Taking) -> NetworkSettings:
    if any(taking.is_set(key.path) for key in CUSTOM_NETWORK_FIELDS):
        network = _custom_network(taking)
    else:
        # Not `take`: a wrong name must not become mainnet, not even beside other faults.
        network = taking.maybe("ssv.Network", texts.choice(PUBLIC_NETWORKS)) or _NO_NETWORK
    if (domain := taking.maybe("ssv.CustomDomainType", texts.fixed_bytes(4))) is not None:
        # The existing nodes take the domain from before the Alan fork here, and count up once.
        after = (int.from_bytes(domain, "big") + 1) % 2**32
        network = replace(network, domain=DomainType(after.to_bytes(4, "big")))
    return network


def _custom_network(taking: Taking) -> NetworkSettings:
    def path(name: str) -> str:
        return f"{CUSTOM_NETWORK}.{name}"

    count = texts.number(0, 2**64 - 1)
    domain = taking.need(path("DomainType"), texts.fixed_bytes(4), bytes(4))
    epoch = taking.maybe(path("BooleEpoch"), count)
    return NetworkSettings(
        name=taking.maybe(path("Name"), _name) or "custom",
        registry=taking.need(path("RegistryContractAddr"), texts.address, _NO_NETWORK.registry),
        registry_block=BlockNumber(taking.maybe(path("RegistrySyncOffset"), count) or 0),
        domain=DomainType(domain),
        boole_domain=DomainType(
            taking.maybe(path("BooleDomainType"), texts.fixed_bytes(4)) or domain
        ),
        boole_epoch=NEVER if epoch is None else Epoch(epoch),
        bootnodes=taking.maybe(path("Bootnodes"), texts.words) or (),
        chain_id=taking.maybe(path("ChainID"), texts.number(1, 2**64 - 1)),
        genesis_validators_root=taking.maybe(path("GenesisValidatorsRoot"), texts.fixed_bytes(32)),
    )


_NO_NETWORK: Final = PUBLIC_NETWORKS["mainnet"]
"""Stands in where a fault was noted; never used."""


def _name(text: str) -> str:
    is_name = len(text) <= 32 and text.replace("-", "").isalnum() and text.isascii()
    if not is_name:
        raise ValueError("up to 32 letters, digits and hyphens")
    return text.lower()


def _ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("an IP address; a name goes into p2p.HostDNS") from None


def _watch(text: str) -> int | None:
    if text in _WATCH:
        return _WATCH[text]
    if text.startswith("slots:"):
        return texts.number(1, _MAX_WATCH_SLOTS)(text.removeprefix("slots:"))
    raise ValueError(f"auto, off, or slots:N with N up to {_MAX_WATCH_SLOTS}")


def _shared_ports(settings: Settings) -> Iterator[Fault]:
    """Two listeners on one port; the second would fail when the node is half started."""
    ports = {
        "p2p.TcpPort": settings.peers.tcp_port,
        "SSVAPIPort": settings.api.port,
        "MetricsAPIPort": settings.api.metrics_port,
    }
    for (one, port), (other, same) in combinations(ports.items(), 2):
        if port is not None and port == same:
            yield Fault(
                other, f"its port {port} is that of {one}, too", "Give each a port of its own."
            )
