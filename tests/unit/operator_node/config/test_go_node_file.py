"""A configuration of the network's existing Go node starts this node as it is (CFG-2)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import yaml

from operator_node.config import build, read_sources
from operator_node.config.keys import BY_PATH, IGNORED_SECTIONS, KEYS, Effect
from tests.unit.operator_node.config.files import BASE, built

EVERYTHING: Final = """
global:
  LogLevel: warn
  LogFormat: json
  LogLevelFormat: lowercase
  LogFilePath: ./data/here.log
  LogFileSize: 20
  LogFileBackups: 7
db:
  Path: ./data/there
  Reporting: false
  GCInterval: 6m
ssv:
  Network: hoodi
  CustomDomainType: "0x00000601"
  ValidatorOptions:
    SignatureCollectionTimeout: 5s
    MetadataUpdateInterval: 12m
    HistorySyncBatchSize: 25
    MinimumPeers: 2
    FullNode: false
    Exporter: false
    BuilderProposals: true
    MsgWorkersCount: 256
    MsgWorkerBufferSize: 65536
    ExperimentalGasLimit: 45000000
eth2:
  BeaconNodeAddr: http://one:5052;https://me:hush@two:5053/hush
  SyncDistanceTolerance: 6
  WithWeightedAttestationData: true
  WithParallelSubmissions: true
  CommonTimeout: 5s
  LongTimeout: 60s
  ProposalSoftTimeout: 1800ms
  ProposalSoftDeadline: 0
  ValidatorOptions:
eth1:
  ETH1Addr: ws://one:8546/ws;ws://two:8546/hush
  ETH1QueryAddr: http://one:8545;http://two:8545/hush
  ETH1ConnectionTimeout: 10s
  ETH1SyncDistanceTolerance: 5
p2p:
  TcpPort: 13101
  UdpPort: 12101
  HostAddress: 203.0.113.7
  HostDNS: node.example.org
  Bootnodes: enr:-abc;enr:-def
  Discovery: discv5
  TrustedPeers: [/ip4/10.0.0.1/tcp/13001/p2p/one, 16Uiu2]
  MaxPeers: 60
  DynamicMaxPeers: true
  DynamicMaxPeersLimit: 150
  TopicMaxPeers: 10
  Subnets: "0x0000000000000000000000000000ffff"
  PubSubScoring: true
  PubSubTrace: false
  DiscoveryTrace: false
  Libp2pTrace: false
  RequestTimeout: 10s
  MaxBatchResponse: 25
  PubsubMsgCacheTTL: 0s
  PubsubOutQueueSize: 0
  PubsubValidationQueueSize: 0
  PubsubValidateThrottle: 0
  DisableIPRateLimit: false
KeyStore:
  PrivateKeyFile: ./encrypted_private_key.json
  PasswordFile: ./password
OperatorPrivateKey:
NetworkPrivateKey:
Graffiti: there
ProposerDelay: 300ms
AllowDangerousProposerDelay: false
ProposerDelayEPBS: 0
ProposerQuickTimeout: 1500ms
MetricsAPIPort: 15000
EnableProfile: false
EnableTraces: false
WebSocketAPIPort: 0
WithPing: false
SSVAPIAddress: 127.0.0.1
SSVAPIPort: 16000
LocalEventsPath:
EnableDoppelgangerProtection: true
exporter:
  Enabled: false
  Mode: standard
  RetainSlots: 50400
Builders:
  Entries: []
"""
"""Every key that the Go node documents, but for its remote signer."""


def paths(tree: object, prefix: str = "") -> list[str]:
    """The keys of the file that have a value."""
    if not isinstance(tree, dict):
        return [prefix] if tree is not None and tree != "" else []
    return [
        path
        for name, value in tree.items()
        for path in paths(value, f"{prefix}.{name}" if prefix else name)
    ]


def test_every_documented_key_is_taken_or_named_as_without_effect(tmp_path: Path) -> None:
    result = built(tmp_path, EVERYTHING, base="")
    named = {notice.split(" ")[0].rstrip(":") for notice in result.notices}
    for path in paths(yaml.safe_load(EVERYTHING)):
        if path.startswith(IGNORED_SECTIONS):
            assert path.rsplit(".", 1)[0] in named
        else:
            assert (path in named) == (
                BY_PATH[path].effect is not Effect.FULL
                or path in ("p2p.Bootnodes", "p2p.TrustedPeers")
            ), path


def test_its_values_mean_the_same_here(tmp_path: Path) -> None:
    settings = built(tmp_path, EVERYTHING, base="").settings
    assert settings.log.level == "WARNING"
    assert settings.log.is_json
    assert (settings.log.file, settings.log.file_bytes, settings.log.file_backups) == (
        Path("data/here.log"),
        20_000_000,
        7,
    )
    assert settings.data_folder == Path("data/there")
    assert settings.network.name == "hoodi"
    assert settings.network.domain.hex() == "00000602"
    assert settings.duties.gas_limit == 45_000_000
    assert [str(node) for node in settings.beacon.nodes] == [
        "http://one:5052",
        "https://two:5053/…",
    ]
    assert [node.url for node in settings.execution.nodes] == [
        "http://one:8545",
        "http://two:8545/hush",
    ]
    assert settings.peers.host == "node.example.org"
    assert settings.peers.trusted == ("/ip4/10.0.0.1/tcp/13001/p2p/one",)
    assert settings.operator_key.file == Path("encrypted_private_key.json")
    assert settings.duties.graffiti.rstrip(b"\0") == b"there"
    assert settings.duties.proposer_delay_ms == 300
    assert (settings.api.port, settings.api.metrics_port) == (16000, 15000)


def test_peers_in_other_forms_are_left_out_by_name(tmp_path: Path) -> None:
    result = built(tmp_path, EVERYTHING, base="")
    told = [notice for notice in result.notices if "are left out" in notice]
    assert [notice.split(" left")[0] for notice in told] == [
        "p2p.Bootnodes: 2 of 2 are",
        "p2p.TrustedPeers: 1 of 2 are",
    ]
    assert "enr:" not in "".join(told)


def test_a_second_address_for_questions_stands_in_by_place(tmp_path: Path) -> None:
    def asked(addresses: str, queries: str) -> list[str]:
        variables = {"ETH_1_ADDR": addresses, "ETH_1_QUERY_ADDR": queries}
        return [node.url for node in built(tmp_path, "", variables).settings.execution.nodes]

    assert asked("http://a;http://b", "") == ["http://a", "http://b"]
    assert asked("http://a;http://b", "http://x") == ["http://x", "http://b"]
    assert asked("http://a;ws://b", ";http://y") == ["http://a", "http://y"]
    assert asked("http://a", "http://x;http://y") == ["http://x"]


def test_its_environment_means_the_same_as_its_file(tmp_path: Path) -> None:
    """Every key as a variable, nothing in a file."""
    texts = {path: value for path, value in read_sources_of(tmp_path).items() if path in VARIABLES}
    variables = {VARIABLES[path]: text for path, text in texts.items()}
    assert len(variables) > 60
    from_file = built(tmp_path, EVERYTHING, base="").settings
    assert build(read_sources(None, variables)).settings == from_file


def test_raw_key_serves_where_no_file_is_named(tmp_path: Path) -> None:
    base = BASE.replace("KeyStore:\n  PrivateKeyFile: ./key.json", "OperatorPrivateKey: aHVzaA==")
    raw = built(tmp_path, "", base=base).settings.operator_key.raw
    assert raw is not None
    assert raw.reveal() == b"aHVzaA=="


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"])
def test_its_log_levels_are_known(tmp_path: Path, level: str) -> None:
    assert built(tmp_path, f"global:\n  LogLevel: {level}\n").settings.log.level.isupper()


VARIABLES: Final = {key.path: key.variable for key in KEYS}


def read_sources_of(folder: Path) -> dict[str, str]:
    path = folder / "go.yaml"
    path.write_text(EVERYTHING)
    return {name: written.text for name, written in read_sources(path, {}).written.items()}
