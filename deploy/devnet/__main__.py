"""`python -m deploy.devnet`: `phalanx devnet` by another name."""

from __future__ import annotations

import sys

from sdk.cli.main import main

if __name__ == "__main__":
    main(["devnet", *sys.argv[1:]])
