"""The signing process as it is: real processes, killed at bad moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import trio

from operator_node.duties.reasons import Reason
from operator_node.duties.types import Signed, Withheld
from operator_node.signer.rules import Reason as Refusal
from operator_node.signing import OpenKey, ProcessShares, RemoteKey, SigningProcess
from operator_node.signing.words import Done, Ping
from sdk.crypto import bls
from sdk.crypto.operator_keys import encrypt_share
from sdk.errors import ConfigError, KeysharesError, StorageError
from sdk.testing.keys import operator_key
from sdk.types import OperatorId
from tests.unit.operator_node.signer.disk import open_store, records_of
from tests.unit.operator_node.signer.guards import block, root, vote
from tests.unit.operator_node.signing import holding
from tests.unit.operator_node.signing.holding import KEY, NOW, NOW_EPOCH, item, share, validator

pytestmark = pytest.mark.realtime

VOTE = vote(NOW_EPOCH - 1, NOW_EPOCH)


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[tuple[SigningProcess, ProcessShares]]:
    process, shares = holding.started(tmp_path, 1, 2)
    yield process, shares
    process.close()


def process_id(process: SigningProcess) -> int:
    assert process._link is not None
    return process._link.process.pid


def kill(process: SigningProcess) -> None:
    assert process._link is not None
    process._link.process.kill()
    process._link.process.wait()


def test_signatures_are_the_shares_own_and_recorded(
    signing: tuple[SigningProcess, ProcessShares], tmp_path: Path
) -> None:
    process, shares = signing
    results = shares.sign((item(1, VOTE), item(2), item(2, block(NOW), 3)), slot=NOW)
    for number, said, result in zip((1, 2, 2), (1, 1, 3), results, strict=True):
        assert isinstance(result, Signed)
        assert bls.verify(share(number).share_key, root(said), result.signature)
    (refused,) = shares.sign((item(1, vote(NOW_EPOCH - 1, NOW_EPOCH, 2), 2),), slot=NOW)
    assert isinstance(refused, Withheld)
    assert (refused.reason, refused.detail) == (Reason.SLASHING_REFUSED, Refusal.DOUBLE_VOTE)
    (again,) = shares.sign((item(1, VOTE),), slot=NOW)
    assert again == results[0]
    process.close()
    with open_store(tmp_path) as store:
        assert VOTE in records_of(store).histories[validator(1)].attestations


def test_messages_are_signed_with_the_operators_key(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    key = RemoteKey(signing[0])
    assert key.public_key == KEY.public_key
    assert key.public_key.verify(b"hello", key.sign(b"hello"))


def test_what_is_not_of_the_present_is_refused_by_the_process_itself(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    results = signing[1].sign(
        (item(1, vote(NOW_EPOCH, NOW_EPOCH + 1)), item(2, block(NOW + 5))), slot=NOW
    )
    assert [each.detail for each in results if isinstance(each, Withheld)] == [
        Refusal.TARGET_AHEAD,
        Refusal.SLOT_NOT_OF_DUTY,
    ]


def test_no_secret_stands_in_the_arguments_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPERATOR_KEY", KEY.reveal_base64())
    process = SigningProcess(holding.raw_key())
    try:
        assert process._link is not None
        arguments = process._link.process.args
        assert isinstance(arguments, list)
        assert all(each.isdigit() for each in arguments[3:])
        # Its memory and environment are closed to others of the same user.
        environment = Path(f"/proc/{process_id(process)}/environ")
        if os.geteuid() == 0:
            assert b"OPERATOR_KEY" not in environment.read_bytes()
        else:
            with pytest.raises(PermissionError):
                environment.read_bytes()
        assert os.getsid(process_id(process)) == process_id(process)
        assert KEY.reveal_base64() not in repr(vars(process))
    finally:
        process.close()


def test_a_key_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o644)
    with pytest.raises(ConfigError, match="mode 0644") as caught:
        SigningProcess(OpenKey(str(path), None, None))
    assert caught.value.code == "key_file_open"


def test_a_share_of_another_operator_is_refused(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    foreign = encrypt_share(operator_key(2).public_key, holding.secret(1))
    with pytest.raises(KeysharesError):
        signing[1].open_share(foreign, share(1).share_key)


def test_a_record_of_another_network_is_refused(tmp_path: Path) -> None:
    holding.started(tmp_path)[0].close()
    process = SigningProcess(holding.raw_key())
    try:
        other = msgspec.structs.replace(holding.record(tmp_path), network="mainnet")
        with pytest.raises(ConfigError) as caught:
            process.open_record(other)
        assert caught.value.code == "record_of_another"
    finally:
        process.close()


def test_asking_before_consensus_records_nothing(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    shares, other = signing[1], vote(NOW_EPOCH - 1, NOW_EPOCH, 2)
    assert not shares.is_slashable(share(1), VOTE)
    assert not shares.is_slashable(share(1), other)
    assert isinstance(shares.sign((item(1, VOTE),), slot=NOW)[0], Signed)
    assert shares.is_slashable(share(1), other)
    assert not shares.is_slashable(share(1), VOTE)
    # A hostile value may name any numbers.
    assert shares.is_slashable(share(1), vote(2**64 - 1, 2**64 - 2))


def test_what_the_node_withholds_is_not_even_asked_for(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    shares = signing[1]
    shares.hold(validator(1))
    held, signed = shares.sign((item(1), item(2)), slot=NOW)
    assert isinstance(held, Withheld)
    assert held.reason is Reason.DOPPELGANGER_HOLD
    assert isinstance(signed, Signed)
    shares.fence("twin seen")
    assert [each.reason for each in shares.sign((item(1), item(2)), slot=NOW)] == [  # type: ignore[union-attr]
        Reason.FENCED
    ] * 2


def test_a_dropped_share_signs_nothing(signing: tuple[SigningProcess, ProcessShares]) -> None:
    shares = signing[1]
    shares.drop_share(validator(1), share(1).share_key)
    missing, signed = shares.sign((item(1), item(2)), slot=NOW)
    assert isinstance(missing, Withheld)
    assert missing.reason is Reason.SHARE_MISSING
    assert isinstance(signed, Signed)
    holding.put(shares, 1)
    assert isinstance(shares.sign((item(1),), slot=NOW)[0], Signed)


def test_the_node_goes_on_after_the_process_was_killed(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    process, shares = signing
    process.bind_operator(OperatorId(7))
    first = shares.sign((item(1, VOTE),), slot=NOW)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(process.run)
            kill(process)
            # The shares are handed over again; the record knows what was signed before.
            again = await trio.to_thread.run_sync(_sign_both, shares)
            assert again[0] == first[0]
            assert isinstance(again[1], Signed)
            assert process.restarts == 1
            assert process.problem == ""
            nursery.cancel_scope.cancel()

    trio.run(main)


def _sign_both(shares: ProcessShares) -> tuple[Signed | Withheld, ...]:
    return shares.sign((item(1, VOTE), item(2, VOTE)), slot=NOW)


def test_without_a_process_nothing_is_signed_and_the_part_says_so(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    process, shares = signing
    kill(process)
    process._patience_s = 0.05
    with pytest.raises(StorageError) as caught:
        process.ask(Ping(), Done)
    assert caught.value.code == "signer_down"
    assert process.problem
    assert not shares.is_slashable(share(1), VOTE)


def test_a_process_that_hangs_holds_up_the_event_loop_once(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    process, shares = signing
    assert process._link is not None
    process._link.process.send_signal(signal.SIGSTOP)
    try:
        assert not shares.is_slashable(share(1), VOTE)
        assert process._is_slow
        # With a stopped process a second question would not come back by itself, either.
        assert process.ask_at_once(Ping(), Done, timeout_s=3_600) is None
    finally:
        process._link.process.send_signal(signal.SIGCONT)


def test_the_nodes_own_signals_do_not_end_the_process(
    signing: tuple[SigningProcess, ProcessShares],
) -> None:
    process, _ = signing
    assert process._link is not None
    for each in (signal.SIGTERM, signal.SIGINT):
        process._link.process.send_signal(each)
    assert process.ask(Ping(), Done) == Done()


def test_a_process_whose_key_was_taken_away_comes_back_with_it(tmp_path: Path) -> None:
    process, shares = holding.started(tmp_path, 1)
    path = tmp_path / "operator.key"
    try:

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                await nursery.start(process.run)
                path.rename(tmp_path / "away")
                kill(process)
                with trio.fail_after(30):
                    while "cannot be started" not in process.problem:
                        await trio.lowlevel.checkpoint()
                (tmp_path / "away").rename(path)
                with trio.fail_after(30):
                    while process.problem:
                        await trio.lowlevel.checkpoint()
                results = await trio.to_thread.run_sync(lambda: shares.sign((item(1),), slot=NOW))
                assert isinstance(results[0], Signed)
                nursery.cancel_scope.cancel()

        trio.run(main)
    finally:
        process.close()


def test_the_process_ends_with_its_node(tmp_path: Path) -> None:
    """A node that is killed with -9: its record is free a moment later."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.unit.operator_node.signing import holding\n"
        "process, shares = holding.started(Path(sys.argv[1]), 1)\n"
        "print(process._link.process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    node = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with node:
        assert node.stdout is not None
        pid = int(node.stdout.readline())
        descriptor = os.pidfd_open(pid)
        node.send_signal(signal.SIGKILL)
        node.wait()
    try:

        async def main() -> None:
            with trio.fail_after(30):
                await trio.lowlevel.wait_readable(descriptor)

        trio.run(main)
    finally:
        os.close(descriptor)
    with open_store(tmp_path) as store:
        assert store.knows(share(1).share_key)


def test_the_next_node_waits_for_the_record_of_the_one_that_was_killed(tmp_path: Path) -> None:
    earlier, _ = holding.started(tmp_path, 1)
    process = SigningProcess(holding.raw_key())
    try:

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                opening = trio.Event()

                async def open_next() -> None:
                    opening.set()
                    await trio.to_thread.run_sync(process.open_record, holding.record(tmp_path))

                nursery.start_soon(open_next)
                await opening.wait()
                await trio.to_thread.run_sync(earlier.close)

        trio.run(main)
        assert process.ask(Ping(), Done) == Done()
    finally:
        process.close()
        earlier.close()
