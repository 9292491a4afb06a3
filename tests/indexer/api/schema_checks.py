"""What Schemathesis asks of every answer beside its own checks; loaded by it, see `test_schema`."""

from __future__ import annotations

from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, Response

MEANING: Final = frozenset(
    {
        *("address_checksum", "cursor_invalid", "operator_ids_malformed", "batch_read"),
        *("amount_missing", "amount_zero", "not_whole_units", "operator_key_malformed"),
        *("operators_too_few", "operators_unfit", "operator_ids_mismatch"),
        *("secret_refused", "text_malformed", "expiry", "empty", "malformed"),
    }
)
"""What is wrong although each value has the form that the document asks for."""


@schemathesis.check
def refused_for_its_meaning_only(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the document allows is not refused for its form."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 400:
        return
    code = response.json()["code"]
    assert code in MEANING, f"{code}: {response.text}"
