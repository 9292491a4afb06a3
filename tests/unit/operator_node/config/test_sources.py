"""Reading the file: texts as written, nothing twice, nothing quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_node.config import read_sources
from operator_node.config.sources import FILE_MAX_BYTES
from sdk.errors import ConfigError, InputError


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_scalars_stay_the_text_that_was_written(tmp_path: Path) -> None:
    text = "ssv:\n  CustomDomainType: 0x00000302\nGraffiti: on\nMetricsAPIPort: 015000\n"
    sources = read_sources(write(tmp_path, text), {})
    assert {path: value.text for path, value in sources.written.items()} == {
        "ssv.CustomDomainType": "0x00000302",
        "Graffiti": "on",
        "MetricsAPIPort": "015000",
    }


def test_empty_values_and_sections_count_as_not_set(tmp_path: Path) -> None:
    sources = read_sources(write(tmp_path, "OperatorPrivateKey:\np2p:\nssv:\n  Network: ''\n"), {})
    assert (sources.written, sources.faults) == ({}, ())
    assert read_sources(write(tmp_path, ""), {"GRAFFITI": " "}).written == {}


def test_origin_of_each_value_is_known(tmp_path: Path) -> None:
    path = write(tmp_path, "p2p:\n  TcpPort: 1\n  UdpPort: 2\n")
    written = read_sources(path, {"TCP_PORT": "3"}).written
    assert written["p2p.TcpPort"].origin == "TCP_PORT"
    assert written["p2p.UdpPort"].origin == "config.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p2p:\n  TcpPort: 1\n  TcpPort: 2\n", "line 3: the key 'TcpPort' is given twice"),
        ("a: &a x\nb: *a\n", "line 2: aliases are not read"),
        ("OperatorPrivateKey: 'hush\n", "line 2: found unexpected end of stream"),
        ("a: hush\n b: c\n", "line 2: mapping values are not allowed here"),
        ("- a\n", "it holds no keys"),
        ("word\n", "it holds no keys"),
    ],
)
def test_file_that_is_no_yaml_of_sections_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_sources(write(tmp_path, text), {})
    assert caught.value.code == "config_malformed"
    assert said in caught.value.message
    assert "hush" not in str(caught.value)


def test_tags_make_no_objects(tmp_path: Path) -> None:
    text = "Graffiti: !!python/object/apply:os.getcwd []\n"
    sources = read_sources(write(tmp_path, text), {})
    assert sources.written == {}


def test_nested_sections_have_a_bound(tmp_path: Path) -> None:
    deep = "{a: " * 3000 + "b" + "}" * 3000
    with pytest.raises(ConfigError, match="cannot be read"):
        read_sources(write(tmp_path, f"p2p: {deep}\n"), {})


def test_missing_and_oversized_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_sources(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="more than"):
        read_sources(write(tmp_path, "#" * (FILE_MAX_BYTES + 1)), {})


def test_hostile_key_names_are_shown_harmlessly(tmp_path: Path) -> None:
    sources = read_sources(write(tmp_path, '"\\e[31m": x\n'), {})
    (fault,) = sources.faults
    assert fault.key == r"'\x1b[31m'"
