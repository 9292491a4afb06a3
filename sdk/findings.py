"""One finding of a check over a file: what is wrong, where, and what to do.

Pure. Checks return all their findings instead of raising at the first, so a user sees everything
in one run; an empty list means nothing was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Attributes: `code` is a stable word for programs, `where` names the item in the file."""

    code: str
    message: str
    where: str = ""
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
