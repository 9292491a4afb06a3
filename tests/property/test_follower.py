"""Whatever the chain does, what the follower said adds up to the chain as it is in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from sdk.chain import Block, Diverged, Extend, Follower, Rollback, TooDeep
from sdk.events import Log
from sdk.types import Address, BlockNumber

FIRST = 3


@dataclass
class Chain:
    """Blocks by number; each has as many logs as its number says."""

    blocks: list[Block] = field(default_factory=list)
    mined: int = 0

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.mined += 1
            parent = self.blocks[-1].hash if self.blocks else bytes(32)
            name = sha256(parent + self.mined.to_bytes(8, "big")).digest()
            number = BlockNumber(len(self.blocks))
            self.blocks.append(Block(number, name, parent, number * 12))

    def reorganise(self, depth: int, blocks: int) -> None:
        del self.blocks[max(1, len(self.blocks) - depth) :]
        self.mine(blocks)

    @property
    def head(self) -> BlockNumber:
        return BlockNumber(len(self.blocks) - 1)

    def logs(self, low: int, high: int) -> list[Log]:
        return [
            Log(Address(bytes(20)), (), b"", block.number, block.hash, block.hash, 0, index)
            for block in self.blocks[low : high + 1]
            for index in reversed(range(block.number % 3))
        ]


@dataclass
class Reader:
    """Does what the follower says, and adds up what it is told."""

    chain: Chain
    follower: Follower
    widest: int
    logs: list[Log] = field(default_factory=list)
    restarts: int = 0

    def drain(self) -> None:
        while self.step():
            assert len(self.follower.points) <= self.follower.depth + 1

    def step(self) -> bool:
        head = self.chain.head
        read = self.follower.next_read(head, widest=self.widest)
        if read is None:
            last = self.follower.check(head)
            if last is None or self.chain.blocks[last.number].hash == last.hash:
                return False
            self.rewind()
            return True
        blocks = self.chain.blocks[read.low if read.is_dense else read.high : read.high + 1]
        below = None if read.below is None else self.chain.blocks[read.below.number].hash
        found = self.follower.take(read, blocks, self.chain.logs(read.low, read.high), below=below)
        if isinstance(found, Diverged):
            self.rewind()
            return True
        assert found.points[-1] == found.tip.point
        self.logs += found.logs
        return True

    def rewind(self) -> None:
        now = {block.number: block.hash for block in self.chain.blocks}
        suspects = self.follower.suspects()
        to = next((each for each in suspects if now.get(each.number) == each.hash), None)
        match self.follower.rewind(to):
            case Rollback(to=point):
                self.logs = [log for log in self.logs if log.block_number <= point.number]
            case TooDeep():
                self.restarts += 1
                self.logs.clear()
            case None:
                raise AssertionError("something differed, yet nothing is to be undone")


moves = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.integers(1, 40), st.just(0)),
        st.tuples(st.just("reorganise"), st.integers(1, 25), st.integers(0, 30)),
        st.tuples(st.just("read"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(moves, st.integers(0, 4), st.integers(1, 12), st.integers(1, 30))
def test_reading_across_reorganisations_equals_reading_the_final_chain(
    moves: list[tuple[str, int, int]], distance: int, depth: int, widest: int
) -> None:
    chain = Chain()
    chain.mine(1)
    reader = Reader(chain, Follower(BlockNumber(FIRST), distance=distance, depth=depth), widest)
    for move, many, more in moves:
        match move:
            case "mine":
                chain.mine(many)
            case "reorganise":
                chain.reorganise(many, more)
            case "read":
                for _ in range(many):
                    reader.step()
            case _:
                points = reader.follower.points
                reader.follower = Follower(
                    BlockNumber(FIRST), points=points, distance=distance, depth=depth
                )
    tip = reader.follower.tip
    chain.mine(distance + 1 + max(0, FIRST - chain.head, (tip.number if tip else 0) - chain.head))
    reader.drain()
    target = chain.head - distance
    last = reader.follower.tip
    assert last is not None
    assert (last.number, last.hash) == (target, chain.blocks[target].hash)
    expected = sorted(chain.logs(FIRST, target), key=lambda log: log.position)
    assert reader.logs == expected


@given(st.integers(1, 20), st.integers(0, 60), st.integers(1, 30))
def test_every_depth_that_is_remembered_is_undone_and_no_more(
    depth: int, blocks: int, replaced: int
) -> None:
    chain = Chain()
    chain.mine(depth + blocks + 2)
    reader = Reader(chain, Follower(BlockNumber(0), distance=0, depth=depth), 7)
    reader.drain()
    height = chain.head
    replaced = min(replaced, height)
    chain.reorganise(replaced, replaced + 1)
    read = reader.follower.next_read(chain.head, widest=7)
    assert read is not None
    found = reader.follower.take(read, chain.blocks[read.low : read.high + 1], [])
    assert isinstance(found, Diverged)
    before = len(reader.logs)
    reader.rewind()
    tip = reader.follower.tip
    if replaced <= depth:
        assert tip is not None
        assert tip.number == height - replaced
        assert len(reader.logs) <= before
    else:
        assert reader.restarts == 1
        assert tip is None


def test_a_log_of_another_block_than_the_header_is_not_taken() -> None:
    chain = Chain()
    chain.mine(12)
    follower = Follower(BlockNumber(0), distance=0)
    read = follower.next_read(chain.head, widest=200)
    assert read is not None
    assert read.is_dense
    other = Chain(mined=50)
    other.mine(12)
    assert isinstance(follower.take(read, chain.blocks, other.logs(0, 11)), Diverged)
    assert follower.tip is None
    assert isinstance(follower.take(read, chain.blocks, chain.logs(0, 11)), Extend)
