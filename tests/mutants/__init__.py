"""Faults made by hand in the contracts, each of which the suite must notice."""
