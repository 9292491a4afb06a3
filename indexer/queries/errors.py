"""Why a question gets no answer. The API turns each into its status code."""

from __future__ import annotations

from sdk.errors import InputError, StorageError


class NotFound(InputError):
    """There is no such thing, or not at that block."""

    default_code = "not_found"


class NotAvailable(StorageError):
    """The tables cannot answer now; asking again later helps."""

    default_code = "not_available"


class Overloaded(StorageError):
    """The question is too expensive now."""

    default_code = "overloaded"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Ask for less, or again later.")
