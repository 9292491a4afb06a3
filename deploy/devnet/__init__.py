"""A whole Ethereum network on this machine: beacon nodes, a chain with the registry, a relay.

For end-to-end tests, the demo and developers. Every key in it is public knowledge.
"""
