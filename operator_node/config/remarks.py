"""What the owner of usable settings should hear of: keys without effect, and unwise choices.

Pure. Nothing here ends a start; a remark never quotes a secret or an address.

Source: docs/run-a-node.md, "Every setting".
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from operator_node.config.keys import BY_PATH, CUSTOM_NETWORK_FIELDS, Effect
from operator_node.config.networks import PUBLIC_NETWORKS
from operator_node.config.settings import Settings
from operator_node.config.sources import Sources
from operator_node.config.texts import is_multiaddress, words

_WITHOUT_EFFECT: Final = (Effect.NONE, Effect.CHECKED)
_PEERS: Final = ("p2p.Bootnodes", "p2p.TrustedPeers", "ssv.CustomNetwork.Bootnodes")


def notices(sources: Sources) -> Iterator[str]:
    """Everything that was set and that changes nothing here, by name."""
    for path in sources.written:
        key = BY_PATH[path]
        if key.effect in _WITHOUT_EFFECT:
            yield f"{path} has no effect here" + (f": {key.why}" if key.why else "")
    for section in sources.ignored:
        yield f"{section} has no effect here"
    for path in _PEERS:
        written = sources.written.get(path)
        peers = () if written is None else words(written.text)
        others = sum(not is_multiaddress(peer) for peer in peers)
        if others:
            yield (
                f"{path}: {others} of {len(peers)} are left out, since they are no multiaddresses "
                "such as /ip4/203.0.113.9/tcp/13001/p2p/16Uiu2…; this node does not speak discv5"
            )


def warnings(sources: Sources, settings: Settings) -> Iterator[str]:
    """Choices that are possible and unwise."""
    if not {"ssv.Network", *(key.path for key in CUSTOM_NETWORK_FIELDS)} & sources.written.keys():
        yield (
            "ssv.Network is not set, so this node runs on MAINNET, the default, and the software "
            f"is unaudited: not for mainnet funds; set it to one of {', '.join(PUBLIC_NETWORKS)}"
        )
    if len(settings.beacon.nodes) == 1:
        yield "one beacon node: when it fails, duties fail; name a second one"
    if settings.operator_key.raw is not None:
        yield (
            "the operator key stands in the configuration itself; "
            "use KeyStore.PrivateKeyFile and a password file"
        )
    is_local = ip_address(settings.api.bind).is_loopback
    if (settings.api.port or settings.api.metrics_port) and not is_local:
        yield f"the API is open to others at {settings.api.bind}; close it by a firewall"
    if not settings.safety.has_doppelganger_watch:
        yield "doppelganger protection is off: a second user of a key would not be noticed"
    if not settings.duties.compares_checkpoint_roots:
        yield "checkpoint_check is epochs: votes for another fork's roots are signed"
    if not settings.duties.has_strict_fee_recipient:
        yield "fee_recipient_policy is warn: blocks that pay somebody else are signed"
