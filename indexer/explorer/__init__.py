"""The explorer: the registry as pages for people, made on the server, on the API's own app.

Pages only read, through `indexer.queries`, at one block each; they load nothing from elsewhere.
"""

from indexer.explorer.pages import mount

__all__ = ["mount"]
