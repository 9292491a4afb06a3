"""Operator nodes of the local network: each a process, with keys, data and ports of its own.

They are started with the same command and the same kind of configuration as anywhere else. All but
the first are told one peer, the first node; they find each other by their address records.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import trio

from deploy.devnet.ports import PORTS_OF_AN_OPERATOR, free_ports
from deploy.devnet.process import Child
from deploy.devnet.registry import LocalOperator, LocalRegistry
from deploy.devnet.rest import NO_TLS
from operator_node.p2p import Identity, load_identity
from sdk.errors import NetworkError
from sdk.files import make_private_folder, write_private
from sdk.types import OperatorId

PHALANX: Final = Path(sys.executable).parent / "phalanx"
BYTECODE: Final = Path(__file__).parents[2] / ".build/bytecode"
"""Where nodes keep their modules compiled. Read from source they take six seconds of a core at each
start instead of two. What is installed is compiled; a checkout may be told to keep nothing."""
NETWORK: Final = "local"
DOMAIN: Final = "0x00000501"
BOOLE_DOMAIN: Final = "0x00000502"
NEVER: Final = 2**64 - 1
ANSWER_S: Final = 10.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class LocalNode:
    """One operator's node.

    Attributes:
        config: its settings file.
        api: address of its HTTP API.
        metrics: address of its metrics.
        peer: multiaddress under which others reach it.
    """

    operator: LocalOperator
    child: Child
    config: Path
    api: str
    metrics: str
    peer: str

    async def ask(self, path: str, **query: object) -> Any:
        """A route of its API.

        Raises:
            NetworkError: no answer.
        """
        return json.loads(await self._get(path, "application/json", query))

    async def tell(self, path: str, **query: object) -> str:
        """The same, as told to people.

        Raises:
            NetworkError: no answer.
        """
        return await self._get(path, "text/plain", query)

    async def _get(self, path: str, accept: str, query: dict[str, Any]) -> str:
        try:
            async with httpx.AsyncClient(timeout=ANSWER_S, verify=NO_TLS) as client:
                headers = {"accept": accept}
                answer = await client.get(f"{self.api}{path}", params=query, headers=headers)
        except httpx.HTTPError as problem:
            raise NetworkError(f"{self.child.name} does not answer: {problem}") from problem
        return answer.text

    async def until_answering(self, *, patience_s: float) -> None:
        """Returns once its API answers.

        Raises:
            NetworkError: it does not in time.
            ProcessEnded: it has ended.
        """
        with trio.move_on_after(patience_s):
            while True:
                self.child.check()
                try:
                    await self.ask("/livez")
                except NetworkError:
                    await trio.sleep(POLL_S)
                else:
                    return
        raise NetworkError(f"{self.child.name} does not answer within {patience_s:g} s")


def make_nodes(
    registry: LocalRegistry,
    folder: Path,
    *,
    beacon_urls: Sequence[str],
    boole_epoch: int = 0,
    trusted: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
    ports: Sequence[int] | None = None,
) -> tuple[LocalNode, ...]:
    """Write the settings of every registered operator's node; starts nothing.

    Args:
        registry: with its operators.
        folder: gets `node-N` for each, with settings, data and log.
        beacon_urls: each node begins its list with another one.
        boole_epoch: when Boole begins; `NEVER` stays with Alan.
        trusted: multiaddresses of peers that every node stays connected to.
        extra: further settings of all nodes.
        ports: three for each node, peers, API and metrics; free ones if None.
    """
    ports = ports or free_ports(PORTS_OF_AN_OPERATOR * len(registry.operators))
    nodes: list[LocalNode] = []
    for place, operator in enumerate(registry.operators):
        tcp, api, metrics = ports[3 * place : 3 * place + 3]
        home = folder / f"node-{operator.id}"
        make_private_folder(home / "data")
        identity = _identity(home / "data" / "network.key", operator.id)
        turned = [*beacon_urls[place % len(beacon_urls) :], *beacon_urls]
        settings: dict[str, Any] = {
            "db": {"Path": str(home / "data")},
            "ssv": {
                "CustomNetwork": {
                    "Name": NETWORK,
                    "DomainType": DOMAIN,
                    "BooleDomainType": BOOLE_DOMAIN,
                    "RegistryContractAddr": registry.deployment.registry,
                    "RegistrySyncOffset": registry.deployment.start_block,
                    "BooleEpoch": boole_epoch,
                    "Bootnodes": [nodes[0].peer] if nodes else [],
                }
            },
            "eth2": {"BeaconNodeAddr": ";".join(dict.fromkeys(turned))},
            "eth1": {"ETH1Addr": registry.chain.url},
            "p2p": {
                "TcpPort": tcp,
                "HostAddress": "127.0.0.1",
                "TrustedPeers": list(trusted),
            },
            "KeyStore": {
                "PrivateKeyFile": str(operator.key_file),
                "PasswordFile": str(operator.password_file),
            },
            "SSVAPIPort": api,
            "MetricsAPIPort": metrics,
            **(extra or {}),
        }
        config = home / "node.yaml"
        # JSON is YAML.
        write_private(config, json.dumps(settings, indent=2).encode(), overwrite=True)
        command = (PHALANX, "node", "run", "--config", config)
        nodes.append(
            LocalNode(
                operator=operator,
                child=Child(f"node {operator.id}", command, folder=home, environment=environment()),
                config=config,
                api=f"http://127.0.0.1:{api}",
                metrics=f"http://127.0.0.1:{metrics}",
                peer=f"/ip4/127.0.0.1/tcp/{tcp}/p2p/{identity.peer}",
            )
        )
    return tuple(nodes)


def _identity(path: Path, operator: OperatorId) -> Identity:
    """The same for an operator in every network, so that its multiaddress is; worth nothing."""
    if not path.exists():
        secret = sha256(f"phalanx local network, node {operator}".encode())
        write_private(path, secret.hexdigest().encode())
    return load_identity(path)


def environment() -> dict[str, str]:
    """Variables for a process of ours: those of this process, with compiled modules kept."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(BYTECODE)}
