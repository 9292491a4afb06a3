"""How pages are made from templates: filters, files that go with them, headers.

Templates and files lie beside this module and are read once. Everything that a template shows is
escaped; nothing is ever loaded from another host.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from indexer.explorer import arguments, figures, words
from sdk.types import checksum_address

FOLDER: Final = Path(__file__).parent
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
"""Of every page. No inline scripts or styles either, so nothing injected could run."""
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files that pages load.

    Attributes:
        digest: of all of them; a part of their addresses, so that they never go stale.
    """

    files: dict[str, Asset]
    digest: str

    def address(self, name: str) -> str:
        """Where a page finds a file."""
        return f"/assets/{self.digest}/{name}"


def load_assets(folder: Path = FOLDER / "static") -> Assets:
    """The files of a folder."""
    files = {
        path.name: Asset(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(folder.iterdir())
        if path.suffix in MEDIA_TYPES
    }
    whole = sha256(repr([(name, each.content) for name, each in files.items()]).encode())
    return Assets(files, whole.hexdigest()[:12])


def render(template: str, assets: Assets, **values: Any) -> str:
    """The text of a page."""
    return _ENVIRONMENT.get_template(template).render(asset=assets.address, **values)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "amount": figures.amount_text,
        "arguments": lambda event: arguments.arguments(event.name, event.args),
        "blocks": figures.blocks_text,
        "checksum": lambda raw: checksum_address(bytes(raw)),
        "count": figures.count_text,
        "ether": figures.ether_text,
        "event_title": lambda event: arguments.title(event.name, event.args),
        "event_words": words.event_words,
        "hex": lambda raw: "0x" + bytes(raw).hex(),
        "in_ether": figures.in_ether,
        "listing": figures.listing,
        "moment": figures.moment,
        "moment_text": figures.moment_text,
        "percent": figures.share_text,
        "refusal_words": words.refusal_words,
        "short": figures.short,
        "span": figures.span_text,
        "status_words": words.status_words,
        "yearly": figures.yearly_wei,
    }
    made.globals |= {"block_s": figures.BLOCK_S}
    return made


_ENVIRONMENT: Final = _environment()
