"""The command as a whole: exit codes, help, and where passwords may come from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

from sdk.cli.main import main
from sdk.cli.main import phalanx as command
from sdk.cli.output import Output
from sdk.cli.passwords import PASSWORD_MAX_BYTES, PasswordSource, from_file
from sdk.errors import ChainError, InputError, InvariantBroken, NetworkError, PhalanxError
from tests.unit.sdk.cli.running import PASSWORD_TEXT, Phalanx, Stake


def commands(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with its words."""
    context = click.Context(group)
    for word in group.list_commands(context):
        found = group.get_command(context, word)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, f"{name} {word}".strip())
        else:
            yield f"{name} {word}".strip(), found


ALL = {
    name: each
    for name, each in commands(command)
    # Those hand every word to the script in Ape's environment; tests/deploy tests them.
    if not name.startswith("deploy ")
}
WRITING = {name for name, each in ALL.items() if {p.name for p in each.params} & {"out", "yes"}}
"""They write a file, or sign and send."""


def test_all_commands_are_found() -> None:
    assert set(ALL) >= {
        *("keys split", "keys verify", "keys inspect", "keys decrypt-share"),
        *("operator-keys generate", "operator-keys show", "operator-keys convert"),
        *("operator-keys verify-backup", "validator-keys new", "validator-keys deposit-data"),
    }


@pytest.mark.parametrize("name", ALL)
def test_no_option_takes_a_secret_as_its_value(name: str) -> None:
    allowed = ("_file", "_env", "_fd", "_dir")
    for parameter in ALL[name].params:
        assert parameter.name is not None
        words = set(parameter.name.split("_"))
        if words & {"password", "passphrase", "seed", "secret", "mnemonic", "private"}:
            assert parameter.name.endswith(allowed), parameter.name
        assert not getattr(parameter, "prompt", None)


@pytest.mark.parametrize("name", ALL)
def test_every_command_speaks_json_and_every_writing_one_has_a_dry_run(name: str) -> None:
    options = {parameter.name for parameter in ALL[name].params}
    assert "as_json" in options
    assert ("dry_run" in options) == (name in WRITING)


@pytest.mark.parametrize("name", ["", "keys", "operator-keys", "validator-keys", *ALL])
def test_help_is_a_success(phalanx: Phalanx, name: str) -> None:
    for flag in ("-h", "--help"):
        ran = phalanx(*name.split(), flag)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("Usage: phalanx")


def test_version_is_told(phalanx: Phalanx) -> None:
    ran = phalanx("--version")
    assert ran.code == 0
    assert ran.out.startswith("phalanx, version ")


@pytest.mark.parametrize("words", [(), ("keys",)])
def test_no_command_shows_help_and_is_a_usage_error(
    phalanx: Phalanx, words: tuple[str, ...]
) -> None:
    ran = phalanx(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: phalanx")


@pytest.mark.parametrize(
    "words", [("nonsense",), ("keys", "nonsense"), ("keys", "verify"), ("keys", "verify", "--no")]
)
def test_wrong_words_are_a_usage_error(phalanx: Phalanx, words: tuple[str, ...]) -> None:
    plain = phalanx(*words)
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith("error: ")
    asked = phalanx(*words, "--json")
    assert (asked.code, asked.error()["code"]) == (2, "usage")


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (InputError("x"), 3),
        (ChainError("x"), 4),
        (NetworkError("x"), 5),
        (InvariantBroken("x"), 70),
    ],
)
def test_exit_code_is_that_of_the_error(
    phalanx: Phalanx,
    stake: Stake,
    monkeypatch: pytest.MonkeyPatch,
    problem: PhalanxError,
    code: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("sdk.cli.keys.read_keyshares_file", fail)
    ran = phalanx("keys", "verify", stake.keyshares, "--json")
    assert (ran.code, ran.error()["message"]) == (code, "x")


def test_interrupt_is_a_partial_result(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sdk.cli.keys.read_keyshares_file", stop)
    ran = phalanx("keys", "verify", stake.keyshares, "--json")
    assert (ran.code, ran.error()["code"]) == (6, "interrupted")
    assert "stopped by the user" in phalanx("keys", "verify", stake.keyshares).err


def test_error_for_people_is_message_and_hint_without_control_codes(
    phalanx: Phalanx, stake: Stake
) -> None:
    ran = phalanx("keys", "verify", stake.folder / "no\x07\u202ething")
    lines = ran.err.splitlines()
    assert ran.code == 3
    assert lines[-2].startswith("error: cannot read ")
    assert lines[-1] == "       Check the path and its permissions."
    assert "no\\x07\\u202ething" in ran.err


extra = click.Command("extra", callback=lambda: click.echo("ran"))
OTHERS = (
    EntryPoint("extra", f"{__name__}:extra", "phalanx.commands"),
    EntryPoint("absent", "no_such_package.cli:absent", "phalanx.commands"),
)


def test_commands_of_other_packages_are_found_by_entry_point(
    phalanx: Phalanx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdk.cli.main.entry_points", lambda group: OTHERS)
    assert "extra" in phalanx("--help").out
    ran = phalanx("extra")
    assert (ran.code, ran.out) == (0, "ran\n")


def test_a_command_whose_package_is_not_installed_is_left_out(
    phalanx: Phalanx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdk.cli.main.entry_points", lambda group: OTHERS)
    assert "absent" not in phalanx("--help").out
    assert phalanx("absent").code == 2


def test_main_reads_the_process_s_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["phalanx", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "version" in capsys.readouterr().out


def ask(file: Path | None = None, env: str | None = None, fd: int | None = None) -> bytes:
    return PasswordSource(file, env, fd).read("the test").reveal()


@pytest.mark.parametrize(
    ("raw", "password"),
    [
        (b"simple", b"simple"),
        (b"line end\n", b"line end"),
        (b"two\r\n\r\n", b"two"),
        (b" spaces stay ", b" spaces stay "),
        (b"two\nlines\n", b"two\nlines"),
        (b"p\xff\xfe", b"p\xff\xfe"),
        (b"x" * PASSWORD_MAX_BYTES, b"x" * PASSWORD_MAX_BYTES),
    ],
)
def test_password_is_the_same_from_file_variable_and_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, password: bytes
) -> None:
    path = tmp_path / "password"
    path.write_bytes(raw)
    assert from_file(path).reveal() == password
    assert ask(file=path) == password
    monkeypatch.setitem(os.environb, b"TEST_PASSWORD", raw)
    assert ask(env="TEST_PASSWORD") == password
    with path.open("rb") as stream:
        assert ask(fd=stream.fileno()) == password


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "password_empty"),
        (b"\n", "password_empty"),
        (b"x" * (PASSWORD_MAX_BYTES + 1), "password_too_long"),
    ],
)
def test_file_that_holds_no_password_is_named(tmp_path: Path, raw: bytes, code: str) -> None:
    path = tmp_path / "password"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=str(path)) as caught:
        ask(file=path)
    assert caught.value.code == code


def test_missing_sources_are_named() -> None:
    with pytest.raises(InputError, match="NO_SUCH_NAME is not set") as caught:
        ask(env="NO_SUCH_NAME")
    assert caught.value.code == "password_missing"
    with pytest.raises(InputError, match="is not set"):
        ask(env="\udcff")
    with pytest.raises(InputError, match="cannot read descriptor 2000000") as caught:
        ask(fd=2_000_000)
    assert caught.value.code == "password_missing"


@pytest.mark.parametrize("number", ["-1", "x", str(2**31), str(2**80)])
def test_impossible_descriptor_is_a_usage_error(
    phalanx: Phalanx, stake: Stake, number: str
) -> None:
    words = stake.split()
    ran = phalanx(*words[: words.index("--password-file")], "--password-fd", number)
    assert ran.code == 2


def test_two_sources_or_none_without_a_terminal_are_usage_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given in ({"file": tmp_path, "env": "X"}, {"env": "X", "fd": 3}):
        with pytest.raises(PhalanxError) as caught:
            ask(**given)  # type: ignore[arg-type]
        assert caught.value.code == "password_source"
    with (tmp_path / "empty").open("w+") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(PhalanxError, match="no terminal to ask at") as caught:
            ask()
    assert caught.value.code == "password_source"
    assert caught.value.exit_code == 2


def test_password_by_variable_and_by_descriptor_splits(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = stake.split()
    words = words[: words.index("--password-file")]
    monkeypatch.setenv("STAKE_PASSWORD", PASSWORD_TEXT)
    assert phalanx(*words, "--password-env", "STAKE_PASSWORD").code == 0
    with stake.password.open("rb") as stream:
        ran = phalanx(*words, "--password-fd", stream.fileno(), "--overwrite")
    assert ran.code == 0


ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def type_at_prompts(words: list[str], answers: list[str]) -> tuple[int, str]:
    """Runs the command on a terminal of its own and answers its prompts one after the other."""
    call = [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-m", "sdk.cli.main", *words]
    said = b""
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for count, answer in enumerate(answers, 1):
            # Typed only when asked: a prompt throws away what was typed before it.
            while said.count(b": ") + said.count(b":\n") < count:
                piece = os.read(process.stdout.fileno(), 1000)
                assert piece, said
                said += piece
            process.stdin.write(answer.encode() + b"\n")
            process.stdin.flush()
        said += process.stdout.read()
        code = process.wait(timeout=30)
    return code, said.decode()


@pytest.mark.slow
def test_password_typed_at_a_prompt_is_not_echoed(stake: Stake) -> None:
    words = [
        *("operator-keys", "verify-backup", str(stake.operator_key(1))),
        *("--public-key", str(stake.plain_operator_key(1))),
    ]
    password = (stake.folder / "operator-password").read_text().strip()
    code, said = type_at_prompts(words, [password])
    assert code == 0, said
    assert "Password for operator key operator-1.json" in said
    assert password not in said
    code, said = type_at_prompts(words, ["wrong password"])
    assert code == 3
    assert "wrong password" not in said


def test_new_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    asked: list[str] = []
    answers = iter(["one", "another", "right", "right"])

    def hidden(prompt: str) -> str:
        asked.append(prompt)
        return next(answers)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(click.termui, "hidden_prompt_func", hidden)
    password = PasswordSource().read("the key", confirm=True)
    assert password.reveal() == b"right"
    assert len(asked) == 4
    assert repr(password) == "<redacted>"


def test_progress_of_long_work_is_shown_sparsely_to_people(stake: Stake, phalanx: Phalanx) -> None:
    ran = phalanx(*stake.split())
    assert [line for line in ran.err.splitlines() if line.startswith("split ")][-1] == "split 3/3"


def test_progress_bar_on_a_terminal_stays_on_one_line(
    stake: Stake, phalanx: Phalanx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    ran = phalanx(*stake.split())
    bar = ran.err[ran.err.index("\r") :]
    assert bar.count("\r\x1b[K") == 3
    assert bar.count("\n") == 1
    assert "split 1/3, about " in bar


def test_many_items_are_told_in_tenths() -> None:
    said: list[str] = []
    progress = Output(as_json=False).progress(100, "made")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(click, "echo", lambda text, **_: said.append(text.split(",")[0]))
        for done in range(1, 101):
            progress.advance(done, "x")
    assert said == [f"made {tenth}0/100" for tenth in range(1, 11)]


def test_steps_and_errors_are_json_lines(phalanx: Phalanx, stake: Stake) -> None:
    ran = phalanx(*stake.split("--json", nonce=65_535))
    for line in ran.err.splitlines():
        assert json.loads(line)["event"] in {"step", "note", "progress", "error"}


def test_unexpected_exception_is_a_bug_that_quotes_no_value(
    phalanx: Phalanx, stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise KeyError(PASSWORD_TEXT)

    monkeypatch.setattr("sdk.cli.keys.verify_keyshares", broken)
    assert phalanx(*stake.split()).code == 0
    ran = phalanx("keys", "verify", stake.out, "--json")
    assert (ran.code, ran.error()["code"]) == (70, "bug")
    assert "unexpected KeyError" in ran.error()["message"]
    ran = phalanx("keys", "verify", stake.out)
    assert (ran.code, ran.out) == (70, "")
    assert "in broken" in ran.err


def test_output_that_cannot_be_written_is_a_storage_error(stake: Stake, phalanx: Phalanx) -> None:
    assert phalanx(*stake.split()).code == 0
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-u", "-m", "sdk.cli.main", "keys", "inspect", str(stake.out)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 5
    assert "No space left on device" in ran.stderr
