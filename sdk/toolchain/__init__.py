"""Contracts from source to a chain: compile and deploy.

For checkouts of this repository: tests, the local network and the deployment script. What is
installed from a package index has no sources; it uses `sdk/abi` and deployed addresses.
"""

from sdk.toolchain.compile import Artifact, compile_contracts

__all__ = ["Artifact", "compile_contracts"]
