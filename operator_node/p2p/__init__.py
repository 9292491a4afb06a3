"""The network between nodes: libp2p on trio, gossip that judges before it forwards, co-operators.

`Network` is all that the rest of the node uses. Operators find each other by `AddressRecord`s,
which they sign with their operator keys and spread from peer to peer. What has to be different from
libp2p's own behaviour is in `operator_node.p2p.upstream`, one defect at a time.
"""

import operator_node.p2p.upstream.loading  # noqa: F401  first, so that libp2p loads quietly
from operator_node.p2p.identity import Identity, identity_from_hex, load_identity
from operator_node.p2p.intake import IntakeCounts
from operator_node.p2p.network import Network
from operator_node.p2p.priority import claimed_id
from operator_node.p2p.records import AddressRecord
from operator_node.p2p.scoring import PeerId
from operator_node.p2p.types import Operator, PeerStatus

__all__ = [
    "AddressRecord",
    "Identity",
    "IntakeCounts",
    "Network",
    "Operator",
    "PeerId",
    "PeerStatus",
    "claimed_id",
    "identity_from_hex",
    "load_identity",
]
