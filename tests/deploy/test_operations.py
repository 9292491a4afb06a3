"""Operations of the timelock out of its logs, in words, and what an executed upgrade leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from deploy.contracts_parts import calls, governance, human, record, timelock, upgrade_record
from deploy.contracts_parts.options import Session
from deploy.contracts_parts.timelock import Call, Operation
from sdk.cli.output import Output
from sdk.errors import InputError, NetworkError
from tests.deploy.test_parts import local

REGISTRY = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
TIMELOCK = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SAFE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
FEE = calls.call("updateNetworkFee(uint256)", 4 * 10**9)
SALT = (7).to_bytes(32, "big")
OLD_CORE, NEW_CORE = "0x" + "11" * 20, "0x" + "22" * 20
CONTRACTS = {"extension": "RegistryExtension", "core": "Registry"}


def words(target: str, data: bytes, value: int = 0) -> str:
    return governance.in_words(Call(target, value, data), registry=REGISTRY, timelock=TIMELOCK)


def logs(operation: Operation) -> list[dict[str, Any]]:
    """What the timelock logs when the operation is proposed."""
    key = "0x" + operation.id.hex()
    types = ["address", "uint256", "bytes", "bytes32", "uint256"]
    found = [
        {
            "topics": ["0x" + timelock.SCHEDULED_TOPIC.hex(), key, f"0x{index:064x}"],
            "data": "0x"
            + encode(types, [each.target, each.value, each.data, operation.predecessor, 60]).hex(),
        }
        for index, each in enumerate(operation.calls)
    ]
    if operation.salt != timelock.NOTHING:
        topics = ["0x" + timelock.SALTED_TOPIC.hex(), key]
        found.append({"topics": topics, "data": "0x" + operation.salt.hex()})
    return found


def operations() -> Sequence[Operation]:
    fee, transfer = Call(REGISTRY, 0, FEE), Call(SAFE, 5, b"")
    return (
        Operation((fee,)),
        Operation((fee,), salt=SALT),
        Operation((fee,), is_batch=True),
        Operation((fee, transfer, fee), predecessor=SALT, salt=SALT, is_batch=True),
    )


def test_logs_give_back_single_calls_and_batches() -> None:
    given = operations()
    assert len({each.id for each in given}) == len(given)
    entries = [entry for each in given for entry in logs(each)]
    assert timelock.operations_in(entries) == {each.id: each for each in given}


def test_what_was_cancelled_and_proposed_again_has_its_calls_once() -> None:
    batch = operations()[-1]
    assert timelock.operations_in(logs(batch) + logs(batch)) == {batch.id: batch}


def test_an_operation_of_which_a_log_is_missing_is_not_shown_in_part() -> None:
    batch = operations()[-1]
    with pytest.raises(NetworkError, match=batch.id.hex()):
        timelock.operations_in(logs(batch)[1:])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (calls.call("updateDelay(uint256)", 1_209_600), "updateDelay 14 days"),
        (
            calls.call("grantRole(bytes32,address)", timelock.ROLES["proposer"], SAFE),
            f"grantRole proposer to {SAFE}",
        ),
        (
            calls.call("revokeRole(bytes32,address)", timelock.ADMIN_ROLE, SAFE),
            f"revokeRole admin from {SAFE}",
        ),
        (
            calls.call("grantRole(bytes32,address)", SALT, SAFE),
            f"grantRole 0x{SALT.hex()} to {SAFE}",
        ),
    ],
)
def test_the_timelocks_own_functions_are_read_only_at_the_timelock(
    call: bytes, expected: str
) -> None:
    assert words(TIMELOCK, call) == expected
    assert words(REGISTRY, call) == f"call {REGISTRY} with 0x{call.hex()}"


def test_the_registrys_functions_are_read_only_at_the_registry() -> None:
    assert words(REGISTRY, FEE).startswith("updateNetworkFee 4 gwei")
    for other in (TIMELOCK, SAFE):
        assert words(other, FEE) == f"call {other} with 0x{FEE.hex()}"


UPGRADE = calls.selector(governance.UPGRADE_SIGNATURE)
LARGEST = b"\xff" * 32


@pytest.mark.parametrize("target", [REGISTRY, TIMELOCK])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        FEE[:-1],
        FEE + b"\x00",
        UPGRADE,
        UPGRADE + LARGEST * 2,
        UPGRADE + bytes(32) + LARGEST,
        UPGRADE + bytes(31) + b"\x01" + bytes(31) + b"\x40" + LARGEST,
        calls.selector("updateBeaconVerifier(address)") + LARGEST,
        calls.selector("updateExecuteOperatorFeePeriod(uint64)") + LARGEST,
        calls.selector("freezeVerifier()") + b"\x00",
        calls.selector("updateDelay(uint256)"),
        calls.selector("grantRole(bytes32,address)") + LARGEST * 2,
    ],
)
def test_calls_that_cannot_be_read_are_shown_as_they_are(target: str, data: bytes) -> None:
    assert words(target, data) == f"call {target} with 0x{data.hex()}"


def test_ether_that_goes_along_is_said_once() -> None:
    assert words(SAFE, b"", 10**18) == f"call {SAFE} with 0x and 1 ETH"
    assert words(REGISTRY, FEE, 10**18).endswith(" and 1 ETH")
    assert words(REGISTRY, calls.call("coverDebt()"), 10**18) == "coverDebt 1 ETH"


def test_times_beyond_the_calendar_and_unreadable_messages_have_words() -> None:
    assert human.moment(2**200) == f"{2**200} s after 1970"
    broken = calls.ERROR_STRING + LARGEST
    assert calls.revert_reason(broken, []) == f"unreadable message 0x{broken.hex()}"


class Killed(BaseException):
    """Ends a call where a signal would."""


@pytest.fixture
def upgraded(tmp_path: Path) -> Session:
    """The files after an upgrade was proposed; the addresses file is still the old one."""
    session = Session(
        parameters=local(),
        addresses=tmp_path / "local.json",
        rpc_url="",
        account="",
        sender="",
        broadcast=True,
        yes=True,
        output=Output(as_json=True),
    )
    inputs = {}
    for path, text in ((session.addresses, "old"), (session.pending, "new")):
        for name in CONTRACTS.values():
            kept = record.input_path(path, name)
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(f"{text} {name}")
            inputs[name] = record.hash_of(kept.read_bytes())
    old = {step: {"contract": name, "address": OLD_CORE} for step, name in CONTRACTS.items()}
    new = {step: {"contract": name, "address": NEW_CORE} for step, name in CONTRACTS.items()}
    others = dict.fromkeys(("chain_id", "genesis", "registry", "timelock"), "")
    record.write(
        session.addresses,
        {**others, "implementation": OLD_CORE, "contracts": old, "storage_layout": {}},
    )
    record.write(session.pending, {"contracts": new, "inputs": inputs, "storage_layout": {"a": 1}})
    session.upgrade_journal.write_text("{}")
    return session


def is_behind(session: Session) -> bool:
    return upgrade_record.is_behind(session, record.read(session.addresses), NEW_CORE)


def apply(session: Session) -> str:
    return upgrade_record.apply(session, record.read(session.addresses), NEW_CORE)


@pytest.mark.parametrize("steps", range(6))
def test_an_upgrade_killed_between_any_two_changes_is_finished_later(
    upgraded: Session, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two inputs, the addresses file, the folder, journal and pending file: six changes."""
    left = [steps]

    def killing(change: Any) -> Any:
        def changed(*given: Any, **named: Any) -> Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return change(*given, **named)

        return changed

    with monkeypatch.context() as patch:
        for name in ("rmdir", "unlink"):
            patch.setattr(Path, name, killing(getattr(Path, name)))
        moves = killing(Path.replace)
        patch.setattr(Path, "replace", moves)
        write = record.write

        def written(*given: Any) -> None:
            if not left[0]:
                raise Killed
            before, left[0] = left[0], 100  # writing is one change, whatever it is made of
            write(*given)
            left[0] = before - 1

        patch.setattr(record, "write", written)
        with pytest.raises(Killed):
            apply(upgraded)

    assert is_behind(upgraded)
    assert NEW_CORE in apply(upgraded)
    assert not is_behind(upgraded)
    assert record.read(upgraded.addresses)["implementation"] == NEW_CORE
    folder = upgraded.addresses.parent
    assert {path.name for path in folder.iterdir()} == {"local.json", "local.inputs"}
    for name in CONTRACTS.values():
        assert record.input_path(upgraded.addresses, name).read_text() == f"new {name}"


def test_an_input_that_is_lost_rather_than_moved_changes_nothing(upgraded: Session) -> None:
    record.input_path(upgraded.pending, "Registry").unlink()
    before = upgraded.addresses.read_bytes()
    with pytest.raises(InputError, match=r"Registry\.json is lost or changed"):
        apply(upgraded)
    assert upgraded.addresses.read_bytes() == before
    assert record.input_path(upgraded.pending, "RegistryExtension").exists()


def test_an_upgrade_to_other_code_than_the_proposed_is_not_applied(upgraded: Session) -> None:
    pending = json.loads(upgraded.pending.read_text())
    pending["contracts"]["core"]["address"] = SAFE
    record.write(upgraded.pending, pending)
    assert is_behind(upgraded)
    with pytest.raises(InputError, match="which is not the one in"):
        apply(upgraded)
