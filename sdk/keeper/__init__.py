"""Those who act on the registry for pay, and those who warn: liquidator, prover, watch.

`book`, `liquidations`, `proofs`, `bidding` and `alerts` decide and are pure; the rest carries out.
Source: docs/liquidator.md.
"""
