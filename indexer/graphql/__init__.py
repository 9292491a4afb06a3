"""GraphQL over the tables, under the names of the existing subgraph."""

from __future__ import annotations

from indexer.graphql.endpoint import PATH, mount

__all__ = ["PATH", "mount"]
