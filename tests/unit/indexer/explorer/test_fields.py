"""What readers fill into forms."""

from __future__ import annotations

import pytest

from indexer.explorer.fields import Fields
from sdk.errors import InputError

ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_empty_fields_are_absent() -> None:
    fields = Fields.of([("owner", ""), ("operator", " "), ("sort", "fee")])
    assert fields.pairs == (("sort", "fee"),)
    assert fields["owner"] == ""
    assert fields.text("owner") is None
    assert fields.whole("operator") is None
    assert fields.count("owner", "operator", "sort") == 1


def test_the_last_value_of_a_field_counts() -> None:
    assert Fields.of([("at", "1"), ("at", "2")]).text("at") == "2"


def test_values_are_read_as_what_they_are() -> None:
    fields = Fields.of([("room", "1,000"), ("private", "yes"), ("owner", f" {ADDRESS} ")])
    assert fields.whole("room") == 1_000
    assert fields.flag("private") is True
    assert fields.address("owner") == bytes.fromhex(ADDRESS[2:])


@pytest.mark.parametrize(
    ("read", "value", "code"),
    [
        (lambda fields: fields.whole("x"), "-1", "field_no_number"),
        (lambda fields: fields.whole("x"), "\u0663", "field_no_number"),
        (lambda fields: fields.whole("x"), "9" * 30, "field_out_of_range"),
        (lambda fields: fields.whole("x", least=1), "0", "field_out_of_range"),
        (lambda fields: fields.choice("x", ("a", "b")), "c", "field_unknown_choice"),
        (lambda fields: fields.flag("x"), "maybe", "field_unknown_choice"),
        (lambda fields: fields.text("x", most=3), "four", "field_too_long"),
        (lambda fields: fields.address("x"), "0x12", "address_malformed"),
    ],
)
def test_what_cannot_be_read_says_so(read: object, value: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        read(Fields.of([("x", value)]))  # type: ignore[operator]
    assert refused.value.code == code
    assert "x" in refused.value.message
