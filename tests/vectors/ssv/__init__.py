"""Runs the reference specification's own cases, both generations. Layout: docs/vectors.md."""
