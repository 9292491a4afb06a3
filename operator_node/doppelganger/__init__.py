"""The watches for doppelgangers: whoever signs with this operator's keys, or its validators'.

`Doppelganger` watches new validators for two epochs before this operator signs for them; `Watches`
holds the rules. That watch blocks only the own partial signature, never the part in consensus.
`Twins` tells messages that another process signed with the operator's own key; `StartWatch` is how
long a node listens for them before it speaks, and `LastUse` when it need not. `Slashings` are what
comes of it all where nothing else helped.
"""

from operator_node.doppelganger.guard import Doppelganger
from operator_node.doppelganger.last_use import LastUse
from operator_node.doppelganger.slashings import Slashings
from operator_node.doppelganger.start_watch import WATCHED_SLOTS, StartWatch
from operator_node.doppelganger.twins import Twins
from operator_node.doppelganger.watches import Judged, Watch, Watched, Watches

__all__ = [
    "WATCHED_SLOTS",
    "Doppelganger",
    "Judged",
    "LastUse",
    "Slashings",
    "StartWatch",
    "Twins",
    "Watch",
    "Watched",
    "Watches",
]
