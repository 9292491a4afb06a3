"""Examples; each runs by `python -m examples.<name>`, and a test runs it."""
