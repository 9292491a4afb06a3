"""How the indexer is: how far it is, what it compared with the contract, what was reorganised."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from indexer.explorer.sheet import Asked
from indexer.queries import status
from indexer.queries.reading import View

router = APIRouter()


@router.get("/status")
def status_page(sheet: Asked) -> Response:
    """What this indexer knows about itself."""

    def find(view: View) -> dict[str, object]:
        return {
            "position": view.position,
            "comparisons": status.comparisons(view),
            "suspects": status.suspects(view),
            "divergences": status.divergences(view),
            "reorgs": status.reorgs(view),
        }

    return sheet.show("status.html", find)
