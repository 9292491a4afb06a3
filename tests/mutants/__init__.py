"""Faults made by hand, in the contracts and in the node; the suite must notice each of them."""
