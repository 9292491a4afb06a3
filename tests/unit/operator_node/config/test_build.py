"""Values, defaults, faults and warnings of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.config import PUBLIC_NETWORKS, Endpoint, build, read_sources
from operator_node.config.keys import BY_PATH, KEYS, Effect
from operator_node.wire.generations import NEVER
from sdk.errors import ConfigError
from tests.unit.operator_node.config.files import BASE, built

OLD_FILE = """
global:
  LogLevel: debug
  LogFilePath: ./data/other.log
db:
  Path: ./data/there
ssv:
  Network: hoodi
  ValidatorOptions:
    BuilderProposals: true
eth2:
  BeaconNodeAddr: http://example.url:5052
  ValidatorOptions:
eth1:
  ETH1Addr: ws://example.url:8546/ws
p2p:
  HostAddress: 192.168.1.1
  Discovery: discv5
  TrustedPeers:
    - /ip4/10.0.0.1/tcp/13001/p2p/peer
OperatorPrivateKey:
KeyStore:
  PrivateKeyFile: ./encrypted_private_key.json
  PasswordFile: ./password
MetricsAPIPort: 15000
EnableTraces: false
Builders:
  Entries:
    - URL: "https://builder.example.com"
"""
"""With the keys and the shape that files of the existing node have."""


EITHER_WAY = "Give http://host:port or ws://host:port, several separated by semicolons."


def faults(folder: Path, text: str = "", base: str = BASE, **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        built(folder, text, variables, base)
    found = caught.value.data["faults"]
    assert isinstance(found, list)
    return found


def test_defaults_suffice_beside_upstreams_and_key(tmp_path: Path) -> None:
    settings = built(tmp_path).settings
    assert settings.network == PUBLIC_NETWORKS["mainnet"]
    assert [node.url for node in settings.beacon.nodes] == ["http://one:5052", "http://two:5052"]
    assert (settings.peers.tcp_port, settings.peers.udp_port) == (13001, 12001)
    assert settings.data_folder == Path("data/db")
    assert settings.slashing_record == Path("data/db/safety.sqlite")
    assert settings.log.level == "INFO"
    assert settings.log.file_bytes == 500_000_000
    assert settings.history.size_bytes == 5_000_000_000
    assert settings.execution.connection_timeout_ms == 10_000
    assert settings.duties.proposal_soft_timeout_ms == 1800
    assert settings.duties.compares_checkpoint_roots
    assert settings.safety.has_doppelganger_watch
    assert settings.safety.start_watch_slots is None
    assert settings.api.port is None
    assert settings.stop_grace_ms == 15_000


def test_file_of_the_existing_node_is_read(tmp_path: Path) -> None:
    result = built(tmp_path, OLD_FILE, base="")
    settings = result.settings
    assert settings.network == PUBLIC_NETWORKS["hoodi"]
    assert settings.log.level == "DEBUG"
    assert settings.operator_key.file == Path("encrypted_private_key.json")
    assert settings.operator_key.raw is None
    assert settings.peers.host == "192.168.1.1"
    assert settings.peers.trusted == ("/ip4/10.0.0.1/tcp/13001/p2p/peer",)
    assert settings.api.metrics_port == 15000
    assert [node.url for node in settings.execution.nodes] == ["ws://example.url:8546/ws"]
    assert result.notices == (
        "ssv.ValidatorOptions.BuilderProposals has no effect here: see node.builder",
        "p2p.Discovery has no effect here: "
        "peers are found by signed address records, not by discv5",
        "EnableTraces has no effect here: times of every duty are in its record",
        "Builders has no effect here",
    )


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    variables = {"TCP_PORT": "14001", "NETWORK": "sepolia", "BEACON_NODE_ADDR": "http://three:1"}
    settings = built(tmp_path, "p2p:\n  TcpPort: 1\n", variables).settings
    assert settings.peers.tcp_port == 14001
    assert settings.network.name == "sepolia"
    assert [node.url for node in settings.beacon.nodes] == ["http://three:1"]


def test_environment_alone_suffices() -> None:
    variables = {
        "BEACON_NODE_ADDR": "http://one:1",
        "ETH_1_ADDR": "http://two:2",
        "PRIVATE_KEY_FILE": "/key",
    }
    assert build(read_sources(None, variables)).settings.operator_key.file == Path("/key")


def test_all_faults_are_told_at_once_with_key_value_and_remedy(tmp_path: Path) -> None:
    text = "p2p:\n  TcpPort: 70000\n  TcpPrt: 1\nssv:\n  Network: mainnett\nnode:\n  lease: x\n"
    assert set(faults(tmp_path, text, base="", STOP="1", ETH_1_ADDR="ftp://u:p@h")) == {
        "p2p.TcpPrt: no such key, in config.yaml. Did you mean p2p.TcpPort?",
        "p2p.TcpPort: '70000', in config.yaml. Expected a whole number from 1 to 65535.",
        "ssv.Network: 'mainnett', in config.yaml. "
        "Expected one of mainnet, hoodi, sepolia, holesky.",
        "node.lease: its value (not shown), in config.yaml. "
        "Expected file:///path of a file on a disk that all instances share.",
        "eth2.BeaconNodeAddr: it is not set. "
        "Set it in the file or BEACON_NODE_ADDR in the environment.",
        "eth1.ETH1Addr: its address (not shown) begins with something else, not http://, "
        f"https://, ws:// or wss://, in ETH_1_ADDR. {EITHER_WAY}",
        "KeyStore.PrivateKeyFile: no operator key is named. "
        "Set it to the keystore or PEM file, or PRIVATE_KEY_FILE in the environment.",
    }


def test_one_fault_reads_as_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        built(tmp_path, "Graffiti: " + 33 * "x" + "\n")
    assert caught.value.code == "config_invalid"
    assert caught.value.message == (
        f"the configuration cannot be used: Graffiti: '{33 * 'x'}', in config.yaml. "
        "Expected at most 32 bytes."
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("eth2:\n  BeconNodeAddr: x\n", "eth2.BeaconNodeAddr"),
        ("graffiti: x\n", "Graffiti"),
        ("node:\n  safety:\n    on_damge: stop\n", "node.safety.on_damage"),
        ("global:\n  loglevel: info\n", "global.LogLevel"),
    ],
)
def test_unknown_key_names_the_nearest_known_one(tmp_path: Path, wrong: str, right: str) -> None:
    found = faults(tmp_path, wrong, base=BASE if "eth2" not in wrong else "")
    assert any(fault.endswith(f"Did you mean {right}?") for fault in found)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ProposerDelay: 5\n", "Expected a duration such as 300ms, 5s or 12m."),
        ("ProposerDelay: 1500ms\n", "set AllowDangerousProposerDelay as well."),
        (
            "ProposerDelay: 4001ms\nAllowDangerousProposerDelay: true\n",
            "4001ms loses the proposals. Stay at 1s or below; blocks decided from 4s on are lost.",
        ),
        ("node:\n  builder: sometimes\n", "Expected one of any, never."),
        ("node:\n  history_size: many\n", "Expected a size such as 500MB or 5GB."),
        ("node:\n  inclusion_check: maybe\n", "Expected true or false."),
        ("node:\n  start_watch: slots:0\n", "Expected a whole number from 1 to 64."),
        ("node:\n  start_watch: never\n", "Expected auto, off, or slots:N with N up to 64."),
        ("node:\n  api_bind: here\n", "Expected an IP address; a name goes into p2p.HostDNS."),
        ("SSVSigner:\n  Endpoint: http://s\n", "this is not built yet, set in config.yaml."),
        ('db:\n  Path: "a\\0b"\n', "Expected a path."),
        ("ssv:\n  CustomDomainType: 0x01\n", "Expected 0x and 8 hex digits."),
        ("p2p:\n  HostAddress: here\n", "Expected an IP address; a name goes into p2p.HostDNS."),
        ("db:\n  Path:\n    - a:\n", "it is a section in config.yaml. Give it a plain value."),
    ],
)
def test_wrong_value_says_what_is_expected(tmp_path: Path, text: str, fault: str) -> None:
    (found,) = faults(tmp_path, text)
    assert fault in found


@pytest.mark.parametrize(
    "addresses", ["", ";", "one:5052", "http://", "http://[", "http://a:0", "http://a;http://a"]
)
def test_wrong_addresses_are_refused(tmp_path: Path, addresses: str) -> None:
    (found,) = faults(tmp_path, base=BASE.replace("http://one:5052;http://two:5052", addresses))
    assert found.startswith("eth2.BeaconNodeAddr: ")


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_websocket_is_for_execution_nodes_alone(tmp_path: Path, scheme: str) -> None:
    addresses = f"http://one:1;{scheme}://me:hush@two:8546/hush"
    nodes = built(tmp_path, "", {"ETH_1_ADDR": addresses}).settings.execution.nodes
    assert [node.url for node in nodes] == addresses.split(";")
    (found,) = faults(tmp_path, BEACON_NODE_ADDR=addresses)
    assert found == (
        f"eth2.BeaconNodeAddr: address 2 of 2 (not shown) begins with {scheme}://, "
        "not http:// or https://, in BEACON_NODE_ADDR. "
        "Give http://host:port, several separated by semicolons."
    )


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("hush:5052", "begins with no http:// or https://"),
        ("hush://one:5052", "begins with something else, not http:// or https://"),
        ("http://hush:99999", "has a wrong port, not 1 to 65535"),
        ("http://hush:0", "has a wrong port, not 1 to 65535"),
        ("http://hush:port", "has a wrong port, not 1 to 65535"),
        ("http://[hush", "has a wrong host"),
        ("http://:5052", "names no host"),
        ("http://hush, http://two", "holds a space or an unprintable character"),
        ("http://hush,http://two", "holds a comma; separate addresses by semicolons"),
        ("http://one:5052?key=hush", "has a part after ?, which cannot be used"),
    ],
)
def test_wrong_address_is_told_by_place_and_problem_alone(
    tmp_path: Path, address: str, problem: str
) -> None:
    (found,) = faults(tmp_path, BEACON_NODE_ADDR=f"http://one:1;{address};http://three:1")
    assert found == (
        f"eth2.BeaconNodeAddr: address 2 of 3 (not shown) {problem}, in BEACON_NODE_ADDR. "
        "Give http://host:port, several separated by semicolons."
    )


@pytest.mark.parametrize(("variable", "most"), [("BEACON_NODE_ADDR", 16), ("ETH_1_ADDR", 8)])
def test_no_more_addresses_than_the_clients_take(tmp_path: Path, variable: str, most: int) -> None:
    addresses = [f"http://host:{port}" for port in range(1, most + 2)]
    built(tmp_path, "", {variable: ";".join(addresses[:most])})
    (found,) = faults(tmp_path, "", BASE, **{variable: ";".join(addresses)})
    assert f"Expected 1 to {most} addresses, and none twice." in found


def test_two_listeners_on_one_port_are_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, "SSVAPIPort: 13001\n") == [
        "SSVAPIPort: its port 13001 is that of p2p.TcpPort, too. Give each a port of its own."
    ]
    assert faults(tmp_path, "SSVAPIPort: 16000\nMetricsAPIPort: 16000\n") == [
        "MetricsAPIPort: its port 16000 is that of SSVAPIPort, too. Give each a port of its own."
    ]
    built(tmp_path, "SSVAPIPort: 0\nMetricsAPIPort: 0\np2p:\n  UdpPort: 13001\n")


def test_mainnet_by_default_is_warned_of(tmp_path: Path) -> None:
    (warning,) = built(tmp_path).warnings
    assert warning.startswith("ssv.Network is not set, so this node runs on MAINNET")
    assert "unaudited" in warning
    fields = '{"DomainType": "0x00000402", "RegistryContractAddr": "0x' + "11" * 20 + '"}'
    assert built(tmp_path, "", {"CUSTOM_NETWORK": fields}).warnings == ()
    assert built(tmp_path, "", {"NETWORK": "mainnet"}).warnings == ()


def test_wrong_checksum_of_the_registry_is_refused(tmp_path: Path) -> None:
    address = "0xDD9BC35aE942eF0cFa76930954a156B3fF30a4E1".replace("DD9BC", "dd9bc")
    text = "ssv:\n  CustomNetwork:\n    DomainType: 0x00000402\n    RegistryContractAddr: "
    (found,) = faults(tmp_path, f"{text}{address}\n")
    assert "with a right checksum if in mixed case" in found


def test_network_name_is_fit_for_a_topic(tmp_path: Path) -> None:
    fields = '"DomainType": "0x00000402", "RegistryContractAddr": "0x' + "11" * 20 + '"'
    (found,) = faults(tmp_path, CUSTOM_NETWORK="{" + fields + ', "Name": "a/b"}')
    assert "Expected up to 32 letters, digits and hyphens." in found


def test_endpoint_shows_its_host_alone() -> None:
    shown = {
        "http://host:1": "http://host:1",
        "http://host:1/": "http://host:1",
        "http://[::1]:1/key": "http://[::1]:1/…",
        "wss://me:word@host/ws": "wss://host/…",
        "http://host?key=1": "http://host/…",
    }
    assert {url: str(Endpoint(url)) for url in shown} == shown


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0", 0), ("300ms", 300), ("1.5s", 1500), ("1m30s", 90_000), ("1h", 3_600_000), ("5us", 0)],
)
def test_durations_are_written_as_in_the_existing_node(tmp_path: Path, text: str, ms: int) -> None:
    settings = built(tmp_path, f"node:\n  stop_grace: {text}\n").settings
    assert settings.stop_grace_ms == ms


def test_custom_network_is_a_section(tmp_path: Path) -> None:
    root = "0x" + "ab" * 32
    text = f"""
ssv:
  CustomNetwork:
    Name: Local
    DomainType: 0x00000402
    RegistrySyncOffset: 3
    RegistryContractAddr: 0xbfff570853d97636b78ebf262af953308924d3d8
    Bootnodes:
      - a
    BooleDomainType: 0x00000403
    BooleEpoch: 0
    ChainID: 31337
    GenesisValidatorsRoot: {root}
    DiscoveryProtocolID: 0x737376647635
    Forks:
      Alan: 0
p2p:
  Bootnodes: b;c
"""
    settings = built(tmp_path, text).settings
    network = settings.network
    assert (network.name, network.chain_id, network.registry_block) == ("local", 31337, 3)
    assert (network.domain.hex(), network.boole_domain.hex()) == ("00000402", "00000403")
    assert network.registry.hex() == "bfff570853d97636b78ebf262af953308924d3d8"
    assert network.boole_epoch == 0
    assert network.genesis_validators_root == bytes.fromhex(root[2:])
    assert settings.peers.bootnodes == ("a", "b", "c")


def test_custom_network_is_a_file_or_json(tmp_path: Path) -> None:
    fields = '"DomainType": "0x00000402", "RegistryContractAddr": "0x' + "11" * 20 + '"'
    file = tmp_path / "network.yaml"
    file.write_text("{" + fields + ', "Name": "filed"}')
    in_file = built(tmp_path, f"ssv:\n  CustomNetwork: {file}\n").settings.network
    in_json = built(tmp_path, "", {"CUSTOM_NETWORK": "{" + fields + "}"}).settings.network
    assert (in_file.name, in_json.name) == ("filed", "custom")
    assert in_file.domain == in_json.domain == bytes.fromhex("00000402")
    assert in_json.boole_epoch == NEVER
    assert in_json.boole_domain == in_json.domain


def test_custom_network_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, "ssv:\n  CustomNetwork:\n    Name: local\n")
    assert [fault.split(":")[0] for fault in found] == [
        "ssv.CustomNetwork.DomainType",
        "ssv.CustomNetwork.RegistryContractAddr",
    ]
    (missing,) = faults(tmp_path, f"ssv:\n  CustomNetwork: {tmp_path}/none.yaml\n")
    assert "cannot read" in missing


def test_custom_domain_counts_up_once_as_in_the_existing_node(tmp_path: Path) -> None:
    network = built(tmp_path, "ssv:\n  CustomDomainType: 0x00000401\n").settings.network
    assert network.domain.hex() == "00000402"


def test_unwise_choices_are_possible_and_warned_of(tmp_path: Path) -> None:
    variables = {
        "BEACON_NODE_ADDR": "http://one:5052",
        "OPERATOR_KEY": "c2VjcmV0",
        "SSV_API_ADDRESS": "0.0.0.0",  # noqa: S104 - what is warned of
        "SSV_API_PORT": "16000",
        "ENABLE_DOPPELGANGER_PROTECTION": "false",
        "NODE_CHECKPOINT_CHECK": "epochs",
        "NODE_FEE_RECIPIENT_POLICY": "warn",
        "NETWORK": "hoodi",
    }
    base = BASE.replace("  PrivateKeyFile: ./key.json", "")
    result = built(tmp_path, "", variables, base)
    assert result.settings.operator_key.raw is not None
    assert result.settings.operator_key.raw.reveal() == b"c2VjcmV0"
    assert [warning.split(":")[0].split(";")[0] for warning in result.warnings] == [
        "one beacon node",
        "the operator key stands in the configuration itself",
        "the API is open to others at 0.0.0.0",
        "doppelganger protection is off",
        "checkpoint_check is epochs",
        "fee_recipient_policy is warn",
    ]
    assert built(tmp_path, "", {"NETWORK": "hoodi"}).warnings == ()


def test_secrets_show_in_no_value_and_no_fault(tmp_path: Path) -> None:
    variables = {
        "OPERATOR_KEY": "hush-operator",
        "NETWORK_PRIVATE_KEY": "hush-network",
        "BEACON_NODE_ADDR": "http://me:hush-word@host:1/hush-path",
        "ETH_1_ADDR": "http://me:hush-word@host:1/hush-path?key=hush-query",
    }
    assert "hush" not in repr(built(tmp_path, "", variables))
    found = faults(tmp_path, "p2p:\n  TcpPort: 0\n", **{**variables, "ETH_1_ADDR": "x://hush"})
    assert len(found) == 2
    assert "hush" not in str(found)


def test_every_key_has_one_name_and_one_variable() -> None:
    assert len({key.path for key in KEYS}) == len(KEYS) == len({key.variable for key in KEYS})


def test_every_key_with_effect_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    class Noted(dict[str, object]):
        def __getitem__(self, path: str) -> object:
            asked.add(path)
            return super().__getitem__(path)

    monkeypatch.setattr("operator_node.config.taking.BY_PATH", Noted(BY_PATH))
    fields = '{"DomainType": "0x00000402", "RegistryContractAddr": "0x' + "11" * 20 + '"}'
    built(tmp_path, "ProposerDelay: 2s\nAllowDangerousProposerDelay: true\n")
    built(tmp_path, "", {"CUSTOM_NETWORK": fields})
    wanted = {path for path, key in BY_PATH.items() if key.effect is Effect.FULL}
    assert wanted - asked == {"ssv.CustomNetwork"}
