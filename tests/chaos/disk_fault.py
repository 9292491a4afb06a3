"""The fault of a full disk: of one node's data folder, until there is room again.

As root the folder gets a small file system of its own, in memory, that is then filled: the node
meets what a full disk answers. Others may not mount; then the kernel lets the node's processes
write no file any further, which is refused with another word.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Final

import trio

from sdk.errors import NetworkError
from tests.chaos.fault import Fault
from tests.chaos.watching import processes_of, until_well
from tests.chaos.world import World, change_settings

ONE: Final = 4
"""The operator whose disk it is."""
SMALL_MIB: Final = 48
"""The stores, and what a fault's slots add to them."""
LEFT_BYTES: Final = 4096
"""What is left of it: a page of a database does not fit any more."""
WELL_SLOTS: Final = 24


class DiskFull(Fault):
    """Nothing can be written into the data folder of one operator's node."""

    name = "disk-full"
    about = "the disk of one operator's data folder is full"
    _small: Path | None = None

    async def begin(self, world: World) -> None:
        node = world.nodes[ONE]
        if os.geteuid() != 0:
            self._limit(world, 0)
            return
        await node.child.stop()
        small = node.config.parent / "small"
        await trio.to_thread.run_sync(_mount, small)
        self._small = small
        world.undo.callback(_unmount, small)
        await self._move(world, node.config.parent / "data", small / "data")
        await until_well(world, patience_slots=WELL_SLOTS)
        await trio.to_thread.run_sync(_fill, small)

    async def end(self, world: World) -> None:
        if self._small is not None:
            (self._small / "filler").unlink(missing_ok=True)
        elif os.geteuid() != 0:
            self._limit(world, resource.RLIM_INFINITY)

    async def check(self, world: World) -> list[str]:
        """Back to the old place."""
        small, node = self._small, world.nodes[ONE]
        if small is not None:
            await node.child.stop()
            await self._move(world, small / "data", node.config.parent / "data")
            await trio.to_thread.run_sync(_unmount, small)
            self._small = None
        return []

    async def _move(self, world: World, data: Path, to: Path) -> None:
        """Start the node, which does not run, with its data elsewhere."""
        node = world.nodes[ONE]
        shutil.rmtree(to, ignore_errors=True)
        await trio.to_thread.run_sync(shutil.copytree, data, to)
        change_settings(node.config, db={"Path": str(to)})
        node.child.start()

    def _limit(self, world: World, size: int) -> None:
        """How large the files may be that the node's processes write."""
        for pid in processes_of(world.nodes[ONE].child):
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


def _mount(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={SMALL_MIB}m,mode=0700", "tmpfs", str(folder))


def _unmount(folder: Path) -> None:
    if folder.is_mount():
        _run("umount", str(folder))


def _run(*words: str) -> None:
    """A command of the system.

    Raises:
        NetworkError: it fails.
    """
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise NetworkError(f"{' '.join(words)} fails: {ran.stderr.strip()}")


def _fill(folder: Path) -> None:
    """Take all the room that is there, but for a page."""
    free = shutil.disk_usage(folder).free
    (folder / "filler").write_bytes(bytes(max(0, free - LEFT_BYTES)))
