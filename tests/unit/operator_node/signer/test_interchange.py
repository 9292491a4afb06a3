"""EIP-3076 files: strict in, complete or minimal out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operator_node.signer.interchange import Form, read_interchange, write_interchange
from operator_node.signer.record import KeyHistory, Protection
from operator_node.signer.rules import History, NotSafe, SameData
from operator_node.signer.trail import KEPT_ENTRIES
from sdk.errors import InputError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.guards import (
    GENESIS,
    OTHER_SHARE,
    SHARE,
    VALIDATOR,
    armed,
    block,
    intent,
    root,
    signed,
    vote,
)


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def entry(**changes: Any) -> dict[str, Any]:
    return {"pubkey": hexed(SHARE), "signed_blocks": [], "signed_attestations": []} | changes


def document(*entries: dict[str, Any], **metadata: Any) -> bytes:
    head = {"interchange_format_version": "5", "genesis_validators_root": hexed(GENESIS)}
    return json.dumps({"metadata": head | metadata, "data": entries}).encode()


def read(data: bytes) -> tuple[KeyHistory, ...]:
    return read_interchange(data, genesis_validators_root=GENESIS)


def write(protection: Protection, **options: Any) -> Any:
    data = write_interchange(protection.key_histories(), genesis_validators_root=GENESIS, **options)
    return json.loads(data)


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        read(data)
    return caught.value.code, caught.value.message


def test_entries_are_read_with_and_without_signing_root() -> None:
    votes = [
        {"source_epoch": "2290", "target_epoch": "3007", "signing_root": hexed(root(1))},
        {"source_epoch": "2290", "target_epoch": "3008"},
    ]
    blocks = [{"slot": "81952", "signing_root": hexed(root(2))}, {"slot": "81951"}]
    assert read(document(entry(signed_blocks=blocks, signed_attestations=votes))) == (
        KeyHistory(
            SHARE,
            signed(
                vote(2290, 3007, 1), vote(2290, 3008, None), block(81952, 2), block(81951, None)
            ),
        ),
    )


def test_null_as_signing_root_is_none() -> None:
    data = document(entry(signed_blocks=[{"slot": "5", "signing_root": None}]))
    assert read(data) == (KeyHistory(SHARE, signed(block(5, None))),)


def test_key_listed_twice_is_joined() -> None:
    data = document(
        entry(signed_blocks=[{"slot": "12"}]),
        entry(signed_blocks=[{"slot": "10"}]),
        entry(pubkey=hexed(OTHER_SHARE)),
    )
    assert read(data) == (
        KeyHistory(SHARE, signed(block(10, None), block(12, None))),
        KeyHistory(OTHER_SHARE, History()),
    )


def test_unknown_fields_are_ignored() -> None:
    strange = entry(note="x", signed_blocks=[{"slot": "5", "colour": 1}])
    assert read(document(strange, exported_by="x")) == (KeyHistory(SHARE, signed(block(5, None))),)


def test_validator_of_a_share_is_read_from_our_own_field() -> None:
    data = document(entry(validator_pubkey=hexed(VALIDATOR)))
    assert read(data) == (KeyHistory(SHARE, History(), VALIDATOR),)


def test_file_of_another_chain_is_refused() -> None:
    code, message = refusal(document(genesis_validators_root=hexed(root(1))))
    assert code == "interchange_other_chain"
    assert hexed(root(1)) in message
    assert hexed(GENESIS) in message


@pytest.mark.parametrize("version", ["4", "6", "5.0", ""])
def test_other_versions_are_refused(version: str) -> None:
    code, message = refusal(document(interchange_format_version=version))
    assert code == "interchange_version"
    assert repr(version) in message


@pytest.mark.parametrize("number", ["", "-1", "+1", "1.0", "0x1", " 1", "1_0", "٣", "9" * 21, "x"])
def test_numbers_that_are_no_decimal_text_are_refused(number: str) -> None:
    code, message = refusal(document(entry(signed_blocks=[{"slot": number}])))
    assert code == "interchange_malformed"
    assert "data[0].signed_blocks[0]" in message


def test_numbers_reach_to_the_end_of_uint64() -> None:
    largest = str(2**64 - 1)
    data = document(entry(signed_blocks=[{"slot": largest}]))
    assert read(data)[0].history.blocks.entries == (block(2**64 - 1, None),)
    assert refusal(document(entry(signed_blocks=[{"slot": str(2**64)}])))[0] == (
        "interchange_malformed"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"metadata": {}, "data": []}',
        document(interchange_format_version=5),
        document(genesis_validators_root="0x07"),
        document({"pubkey": hexed(SHARE), "signed_blocks": []}),
        document({"pubkey": hexed(SHARE), "signed_attestations": []}),
        document(entry(pubkey="0x01")),
        document(entry(pubkey=hexed(SHARE)[:-1] + "g")),
        document(entry(validator_pubkey="0x01")),
        document(entry(signed_blocks=[{"slot": 5}])),
        document(entry(signed_blocks=[{}])),
        document(entry(signed_blocks=[{"slot": "5", "signing_root": "0x01"}])),
        document(entry(signed_attestations=[{"source_epoch": "1"}])),
        document(entry(signed_attestations=[{"source_epoch": "1", "target_epoch": "x"}])),
        document(entry(signed_attestations=[{"source_epoch": "", "target_epoch": "1"}])),
        document(entry(), entry(signed_blocks=None)),
    ],
)
def test_one_wrong_field_refuses_the_file(data: bytes) -> None:
    assert refusal(data)[0] == "interchange_malformed"


def test_error_shows_a_hostile_text_neither_whole_nor_raw() -> None:
    _, message = refusal(document(entry(signed_blocks=[{"slot": "\x1b[2J" + "9" * 10_000}])))
    assert message.isprintable()
    assert len(message) < 200


def test_complete_export_holds_the_armed_bounds_and_every_entry() -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 11)), intent(vote(10, 12)), intent(block(400))])
    assert write(protection) == {
        "metadata": {
            "interchange_format_version": "5",
            "genesis_validators_root": hexed(GENESIS),
        },
        "data": [
            {
                "pubkey": hexed(SHARE),
                "signed_blocks": [
                    {"slot": "320"},
                    {"slot": "400", "signing_root": hexed(root(1))},
                ],
                "signed_attestations": [
                    {"source_epoch": "9", "target_epoch": "10"},
                    {
                        "source_epoch": "10",
                        "target_epoch": "11",
                        "signing_root": hexed(root(1)),
                    },
                    {
                        "source_epoch": "10",
                        "target_epoch": "12",
                        "signing_root": hexed(root(1)),
                    },
                ],
                "validator_pubkey": hexed(VALIDATOR),
            }
        ],
    }


def test_minimal_export_holds_the_highest_values_alone() -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 11)), intent(vote(10, 12)), intent(block(400))])
    (found,) = write(protection, form=Form.MINIMAL)["data"]
    assert found["signed_attestations"] == [{"source_epoch": "10", "target_epoch": "12"}]
    assert found["signed_blocks"] == [{"slot": "400"}]


def test_field_of_our_own_can_be_left_out() -> None:
    (found,) = write(armed(10), with_validator_keys=False)["data"]
    assert set(found) == {"pubkey", "signed_blocks", "signed_attestations"}


def test_key_that_signed_nothing_has_empty_lists() -> None:
    protection = Protection()
    protection.merge([KeyHistory(SHARE, History())])
    for form in Form:
        assert write(protection, form=form)["data"] == [entry()]


def test_what_was_pruned_is_exported_as_a_bound() -> None:
    protection = Protection()
    history = signed(*(vote(n, n + 1) for n in range(KEPT_ENTRIES + 5)))
    protection.merge([KeyHistory(SHARE, history)])
    (found,) = write(protection)["data"]
    assert len(found["signed_attestations"]) == KEPT_ENTRIES + 1
    assert found["signed_attestations"][0] == {"source_epoch": "4", "target_epoch": "5"}


def test_what_may_not_be_repeated_may_not_be_after_moving() -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 11)), intent(block(330))])
    protection.arm(SHARE, VALIDATOR, epoch=Epoch(12), slot=Slot(384))
    protection.check_and_record([intent(vote(11, 13)), intent(block(400))])
    data = write_interchange(protection.key_histories(), genesis_validators_root=GENESIS)
    moved = Protection()
    moved.merge(read(data))
    again = [intent(vote(10, 11)), intent(block(330)), intent(vote(11, 13)), intent(block(400))]
    for record in (protection, moved):
        verdicts = record.check(again)
        assert [type(verdict) for verdict in verdicts] == [NotSafe, NotSafe, SameData, SameData]


@pytest.mark.parametrize("form", Form)
def test_record_after_moving_refuses_what_it_refused(form: Form) -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 12)), intent(block(400))])
    data = write_interchange(protection.key_histories(), genesis_validators_root=GENESIS, form=form)
    moved = Protection()
    assert moved.merge(read(data)) == ()
    votes = [intent(vote(10, 11)), intent(vote(9, 13)), intent(vote(10, 12, 2))]
    blocks = [intent(block(399)), intent(block(400, 2))]
    verdicts = moved.check([*votes, *blocks])
    assert [type(verdict) for verdict in verdicts] == [NotSafe] * 5


def test_repeats_survive_a_complete_export() -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 12)), intent(block(400))])
    data = write_interchange(protection.key_histories(), genesis_validators_root=GENESIS)
    moved = Protection()
    moved.merge(read(data))
    verdicts = moved.check([intent(vote(10, 12)), intent(block(400))])
    assert verdicts == (SameData(), SameData())


def test_import_twice_changes_nothing() -> None:
    protection = armed(10, 320)
    protection.check_and_record([intent(vote(10, 12))])
    data = write_interchange(protection.key_histories(), genesis_validators_root=GENESIS)
    protection.merge(read(data))
    before = protection.records
    protection.merge(read(data))
    assert protection.records == before
