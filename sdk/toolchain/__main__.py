"""Compiles the contracts, so that whatever runs next finds them: `python -m sdk.toolchain`."""

from __future__ import annotations

import sys

from sdk.toolchain.compile import compile_contracts


def main() -> None:
    """Compile and say how many there are."""
    contracts = compile_contracts()
    sys.stdout.write(f"{len(contracts)} contracts, interfaces and libraries compiled\n")


if __name__ == "__main__":
    main()
