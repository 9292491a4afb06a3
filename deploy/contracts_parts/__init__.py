"""What deploy/contracts.py is made of: parameters, build, plan, journal, chain, signing, timelock.

Runs in .venv-contracts. Only `signing` imports Ape; the rest is tested without it.
"""
