"""Every setting by its name in the file and in the environment, with its default.

A table. The names are those of the existing nodes, so that their files work here; what is ours
alone stands under `node`. `build` gives the values their types.

Source: docs/run-a-node.md; the published configuration of the existing nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Effect(Enum):
    """What a key does here."""

    FULL = "full"
    CHECKED = "checked"
    """Read and checked, and nothing acts on it: said once, if it is set."""
    NONE = "none"
    """Known and without effect: said once, if it is set."""
    REFUSED = "refused"
    """Known, not built, and not safe to overlook: an error if it is set."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting.

    Attributes:
        path: in the file, parts joined by dots.
        variable: in the environment.
        default: as it would be written in the file; empty for none.
        is_secret: its value is never shown.
        has_address: it holds addresses that may carry a password or an access key.
        why: it has no effect, in a few words; empty where there is nothing to add.
    """

    path: str
    variable: str
    default: str = ""
    effect: Effect = Effect.FULL
    is_secret: bool = False
    has_address: bool = False
    why: str = ""


def _checked(path: str, variable: str, default: str, why: str) -> Key:
    return Key(path, variable, default, Effect.CHECKED, why=why)


def _quiet(path: str, variable: str, default: str = "", why: str = "") -> Key:
    return Key(path, variable, default, Effect.NONE, why=why)


CUSTOM_NETWORK: Final = "ssv.CustomNetwork"

KEYS: Final = (
    Key("global.LogLevel", "LOG_LEVEL", "info"),
    Key("global.LogFormat", "LOG_FORMAT", "console"),
    Key("global.LogLevelFormat", "LOG_LEVEL_FORMAT", "capitalColor"),
    Key("global.LogFilePath", "LOG_FILE_PATH", "./data/debug.log"),
    Key("global.LogFileSize", "LOG_FILE_SIZE", "500"),
    Key("global.LogFileBackups", "LOG_FILE_BACKUPS", "3"),
    Key("db.Path", "DB_PATH", "./data/db"),
    _quiet("db.Type", "DB_TYPE"),
    _quiet("db.Reporting", "DB_REPORTING", "false"),
    _quiet("db.GCInterval", "DB_GC_INTERVAL", "6m"),
    Key("ssv.Network", "NETWORK", "mainnet"),
    Key(CUSTOM_NETWORK, "CUSTOM_NETWORK"),
    Key("ssv.CustomDomainType", "CUSTOM_DOMAIN_TYPE"),
    _checked(
        "ssv.ValidatorOptions.SignatureCollectionTimeout",
        "SIGNATURE_COLLECTION_TIMEOUT",
        "5s",
        "duties end with their own deadlines",
    ),
    _checked(
        "ssv.ValidatorOptions.MetadataUpdateInterval",
        "METADATA_UPDATE_INTERVAL",
        "12m",
        "states are refreshed every 12 minutes, of pending validators every epoch",
    ),
    _quiet("ssv.ValidatorOptions.MsgWorkersCount", "MSG_WORKERS_COUNT"),
    _quiet("ssv.ValidatorOptions.MsgWorkerBufferSize", "MSG_WORKER_BUFFER_SIZE", "65536"),
    Key("ssv.ValidatorOptions.ExperimentalGasLimit", "EXPERIMENTAL_GAS_LIMIT", "36000000"),
    _quiet("ssv.ValidatorOptions.FullNode", "FULLNODE"),
    _quiet("ssv.ValidatorOptions.Exporter", "VALIDATOR_OPTIONS_EXPORTER"),
    _quiet("ssv.ValidatorOptions.BuilderProposals", "BUILDER_PROPOSALS", why="see node.builder"),
    _quiet("ssv.ValidatorOptions.MinimumPeers", "MINIMUM_PEERS"),
    _quiet("ssv.ValidatorOptions.HistorySyncBatchSize", "HISTORY_SYNC_BATCH_SIZE"),
    Key("eth2.BeaconNodeAddr", "BEACON_NODE_ADDR", has_address=True),
    Key("eth2.SyncDistanceTolerance", "BEACON_SYNC_DISTANCE_TOLERANCE", "4"),
    _checked(
        "eth2.WithWeightedAttestationData",
        "WITH_WEIGHTED_ATTESTATION_DATA",
        "true",
        "attestation data is always weighed",
    ),
    _checked(
        "eth2.WithParallelSubmissions",
        "WITH_PARALLEL_SUBMISSIONS",
        "true",
        "submissions always go to all nodes",
    ),
    _quiet("eth2.CommonTimeout", "WITH_COMMON_TIMEOUT", why="time limits follow the question"),
    _quiet("eth2.LongTimeout", "WITH_LONG_TIMEOUT", why="time limits follow the question"),
    _quiet(
        "eth2.ProposalSoftTimeout",
        "WITH_PROPOSAL_SOFT_TIMEOUT",
        why="see node.proposal_soft_timeout",
    ),
    _quiet(
        "eth2.ProposalSoftDeadline",
        "WITH_PROPOSAL_SOFT_DEADLINE",
        why="see node.proposal_soft_timeout",
    ),
    Key("eth1.ETH1Addr", "ETH_1_ADDR", has_address=True),
    Key("eth1.ETH1QueryAddr", "ETH_1_QUERY_ADDR", has_address=True),
    Key("eth1.ETH1ConnectionTimeout", "ETH_1_CONNECTION_TIMEOUT", "10s"),
    Key("eth1.ETH1SyncDistanceTolerance", "ETH_1_SYNC_DISTANCE_TOLERANCE", "5"),
    Key("p2p.TcpPort", "TCP_PORT", "13001"),
    _checked("p2p.UdpPort", "UDP_PORT", "12001", "nothing listens on UDP"),
    Key("p2p.HostAddress", "HOST_ADDRESS"),
    Key("p2p.HostDNS", "HOST_DNS"),
    Key("p2p.Bootnodes", "BOOTNODES"),
    _quiet(
        "p2p.Discovery",
        "P2P_DISCOVERY",
        "discv5",
        why="peers are found by signed address records, not by discv5",
    ),
    Key("p2p.TrustedPeers", "TRUSTED_PEERS"),
    Key("p2p.MaxPeers", "P2P_MAX_PEERS", "60"),
    _quiet("p2p.DynamicMaxPeers", "P2P_DYNAMIC_MAX_PEERS", "true"),
    _quiet("p2p.DynamicMaxPeersLimit", "P2P_DYNAMIC_MAX_PEERS_LIMIT", "150"),
    _quiet("p2p.TopicMaxPeers", "P2P_TOPIC_MAX_PEERS", "10"),
    _quiet("p2p.Subnets", "SUBNETS"),
    _quiet("p2p.PubSubScoring", "PUBSUB_SCORING", "true"),
    Key("p2p.DisableIPRateLimit", "DISABLE_IP_RATE_LIMIT", "false"),
    _quiet("p2p.RequestTimeout", "P2P_REQUEST_TIMEOUT", "10s"),
    _quiet("p2p.MaxBatchResponse", "P2P_MAX_BATCH_RESPONSE", "25"),
    _quiet("p2p.PubsubMsgCacheTTL", "PUBSUB_MSG_CACHE_TTL"),
    _quiet("p2p.PubsubOutQueueSize", "PUBSUB_OUT_Q_SIZE"),
    _quiet("p2p.PubsubValidationQueueSize", "PUBSUB_VAL_Q_SIZE"),
    _quiet("p2p.PubsubValidateThrottle", "PUBSUB_VAL_THROTTLE"),
    _quiet("p2p.PubSubTrace", "PUBSUB_TRACE"),
    _quiet("p2p.DiscoveryTrace", "DISCOVERY_TRACE"),
    _quiet("p2p.Libp2pTrace", "LIBP2P_TRACE"),
    Key("KeyStore.PrivateKeyFile", "PRIVATE_KEY_FILE"),
    Key("KeyStore.PasswordFile", "PASSWORD_FILE"),
    Key("OperatorPrivateKey", "OPERATOR_KEY", is_secret=True),
    Key("NetworkPrivateKey", "NETWORK_PRIVATE_KEY", is_secret=True),
    Key("SSVSigner.Endpoint", "SSV_SIGNER_ENDPOINT", effect=Effect.REFUSED, has_address=True),
    _quiet("SSVSigner.RequestTimeout", "SSV_SIGNER_REQUEST_TIMEOUT", "10s"),
    _quiet("SSVSigner.KeystoreFile", "SSV_SIGNER_KEYSTORE_FILE"),
    _quiet("SSVSigner.KeystorePasswordFile", "SSV_SIGNER_KEYSTORE_PASSWORD_FILE"),
    _quiet("SSVSigner.ServerCertFile", "SSV_SIGNER_SERVER_CERT_FILE"),
    Key("MetricsAPIPort", "METRICS_API_PORT", "0"),
    Key("SSVAPIPort", "SSV_API_PORT", "0"),
    Key("SSVAPIAddress", "SSV_API_ADDRESS"),
    _quiet("WebSocketAPIPort", "WS_API_PORT", why="the API is HTTP; see SSVAPIPort"),
    _quiet("WithPing", "WITH_PING"),
    _quiet("EnableTraces", "ENABLE_TRACES", why="times of every duty are in its record"),
    _quiet("EnableProfile", "ENABLE_PROFILE"),
    Key("Graffiti", "GRAFFITI"),
    Key("ProposerDelay", "PROPOSER_DELAY", "0"),
    Key("AllowDangerousProposerDelay", "ALLOW_DANGEROUS_PROPOSER_DELAY", "false"),
    _quiet("ProposerDelayEPBS", "PROPOSER_DELAY_EPBS"),
    _quiet("ProposerQuickTimeout", "PROPOSER_QUICK_TIMEOUT", why="rounds of a proposal last 2 s"),
    Key("EnableDoppelgangerProtection", "ENABLE_DOPPELGANGER_PROTECTION", "true"),
    _quiet("LocalEventsPath", "EVENTS_PATH", why="events are read from the execution node"),
    _quiet(
        "exporter.Enabled",
        "EXPORTER",
        "false",
        why="this node keeps records of its own duties alone",
    ),
    _quiet("exporter.Mode", "EXPORTER_MODE", "standard"),
    _quiet("exporter.RetainSlots", "EXPORTER_RETAIN_SLOTS", "50400"),
    _quiet("node.state_db", "NODE_STATE_DB"),
    _quiet("node.history_db", "NODE_HISTORY_DB"),
    Key("node.lease", "NODE_LEASE", has_address=True),
    Key("node.signing_process", "NODE_SIGNING_PROCESS", "true"),
    Key("node.start_watch", "NODE_START_WATCH", "auto"),
    Key("node.checkpoint_check", "NODE_CHECKPOINT_CHECK", "roots"),
    Key("node.fee_recipient_policy", "NODE_FEE_RECIPIENT_POLICY", "strict"),
    Key("node.builder", "NODE_BUILDER", "any"),
    Key("node.safety.on_damage", "NODE_SAFETY_ON_DAMAGE", "rebound"),
    Key("node.late_block_grace", "NODE_LATE_BLOCK_GRACE", "400ms"),
    Key("node.head_settle", "NODE_HEAD_SETTLE", "300ms"),
    Key("node.proposal_soft_timeout", "NODE_PROPOSAL_SOFT_TIMEOUT", "1800ms"),
    _quiet("node.proposer_delay_epbs", "NODE_PROPOSER_DELAY_EPBS", "0"),
    Key("node.registry_verify_rate", "NODE_REGISTRY_VERIFY_RATE", "5"),
    Key("node.follow_distance", "NODE_FOLLOW_DISTANCE", "8"),
    _checked("node.rollback_depth", "NODE_ROLLBACK_DEPTH", "128", ""),
    _checked(
        "node.inclusion_check",
        "NODE_INCLUSION_CHECK",
        "true",
        "whether duties got into blocks is not looked up",
    ),
    Key("node.history_days", "NODE_HISTORY_DAYS", "7"),
    Key("node.history_size", "NODE_HISTORY_SIZE", "5GB"),
    Key("node.api_bind", "NODE_API_BIND", "127.0.0.1"),
    Key("node.api_tokens_file", "NODE_API_TOKENS_FILE"),
    _quiet("node.webhook", "NODE_WEBHOOK"),
    Key("node.stop_grace", "NODE_STOP_GRACE", "15s"),
    _quiet("node.quic", "NODE_QUIC", "false"),
)

CUSTOM_NETWORK_FIELDS: Final = tuple(
    Key(f"{CUSTOM_NETWORK}.{name}", "", effect=effect)
    for name, effect in {
        "Name": Effect.FULL,
        "DomainType": Effect.FULL,
        "RegistrySyncOffset": Effect.FULL,
        "RegistryContractAddr": Effect.FULL,
        "Bootnodes": Effect.FULL,
        "BooleDomainType": Effect.FULL,
        "BooleEpoch": Effect.FULL,
        "ChainID": Effect.FULL,
        "GenesisValidatorsRoot": Effect.FULL,
        "DiscoveryProtocolID": Effect.NONE,
        "TotalEthereumValidators": Effect.NONE,
    }.items()
)
"""A network of its own, as a section, or as a file or JSON text under the section's name."""

IGNORED_SECTIONS: Final = ("Builders", "eth2.ValidatorOptions", f"{CUSTOM_NETWORK}.Forks")
"""Whole sections of the existing nodes without effect here."""

BY_PATH: Final = {key.path: key for key in (*KEYS, *CUSTOM_NETWORK_FIELDS)}
