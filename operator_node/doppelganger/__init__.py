"""The watch for doppelgangers: validators whose keys sign somewhere else too.

`Doppelganger` watches new validators for two epochs before this operator signs for them; `Watches`
holds the rules. A watch blocks only the own partial signature, never the part in consensus.
"""

from operator_node.doppelganger.guard import Doppelganger
from operator_node.doppelganger.watches import Judged, Watch, Watched, Watches

__all__ = ["Doppelganger", "Judged", "Watch", "Watched", "Watches"]
