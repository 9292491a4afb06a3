"""Loads libp2p without the warning that one of its unused transports raises, and keeps it quiet.

py-libp2p 0.8.1 imports `websockets.legacy`, which is deprecated, whatever transports are used; and
it makes hundreds of debug log calls per delivered message. Imported before anything of libp2p is.
"""

from __future__ import annotations

import logging
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import libp2p  # noqa: F401  the import is the purpose

# A peer that is off is an error to upstream; here it is a fact, which `redial` counts.
logging.getLogger("libp2p").setLevel(logging.ERROR)
logging.getLogger("libp2p.transport").setLevel(logging.CRITICAL)
# The same for a stream that cannot be opened: whoever asked for it is told, and tries again.
logging.getLogger("libp2p.host.basic_host").setLevel(logging.CRITICAL)
