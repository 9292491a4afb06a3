"""Questions to the tables: one read-only view of one block, one statement per question.

Nothing here writes, and no money is computed here: queries load the records of `sdk.registry`,
which computes.
"""
