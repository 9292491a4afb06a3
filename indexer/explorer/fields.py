"""What a reader filled into a form or an address: read once, kept to be shown again.

Pure. Forms without scripts send their empty fields, too; those count as absent. What is wrong is
said in the names that the reader sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Self

from indexer.explorer.words import field_words
from sdk.errors import InputError
from sdk.types import Address, parse_address

MOST_TEXT: Final = 200
"""Characters of a field unless it says otherwise; a public key in hex has 98."""
MOST_NUMBER: Final = 2**63 - 1
"""What the tables hold."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names and values as sent, without empty ones.

    Attributes:
        pairs: in the order of the address.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Those that hold anything but blanks."""
        return cls(tuple((name, value.strip()) for name, value in pairs if value.strip()))

    def __getitem__(self, name: str) -> str:
        """The last value of a field, empty if it is absent; for templates."""
        return next((value for given, value in reversed(self.pairs) if given == name), "")

    def text(self, name: str, *, most: int = MOST_TEXT) -> str | None:
        """A text.

        Raises:
            InputError: `field_too_long`.
        """
        value = self[name]
        if len(value) > most:
            raise InputError(
                f"{field_words(name)} has {len(value)} characters",
                code="field_too_long",
                hint=f"At most {most} are read.",
            )
        return value or None

    def whole(self, name: str, *, least: int = 0, most: int = MOST_NUMBER) -> int | None:
        """A whole number; thousands may be set apart.

        Raises:
            InputError: `field_no_number`, `field_out_of_range`.
        """
        text = self.text(name, most=40)
        if text is None:
            return None
        digits = text.replace(",", "").replace(" ", "")
        if not (digits.isascii() and digits.isdecimal()):
            raise InputError(
                f"{field_words(name)} is {text!r}, which is no whole number",
                code="field_no_number",
                hint="Write digits only.",
            )
        if not least <= int(digits) <= most:
            raise InputError(
                f"{field_words(name)} is {digits}",
                code="field_out_of_range",
                hint=f"{least:,} to {most:,} will do.",
            )
        return int(digits)

    def choice(self, name: str, options: Collection[str]) -> str | None:
        """One of some words.

        Raises:
            InputError: `field_unknown_choice`.
        """
        text = self.text(name)
        if text is not None and text not in options:
            raise InputError(
                f"{field_words(name)} is {text!r}",
                code="field_unknown_choice",
                hint=f"It can be {', '.join(sorted(options))}.",
            )
        return text

    def flag(self, name: str) -> bool | None:
        """Yes, no, or no matter.

        Raises:
            InputError: `field_unknown_choice`.
        """
        text = self.choice(name, ("yes", "no", "true", "false"))
        return None if text is None else text in ("yes", "true")

    def address(self, name: str) -> Address | None:
        """An address.

        Raises:
            InputError: `address_malformed`, `address_checksum`.
        """
        text = self.text(name)
        return None if text is None else parse_address(text, what=field_words(name))

    def count(self, *names: str) -> int:
        """How many of some fields are filled in."""
        return sum(1 for name in names if self[name])
