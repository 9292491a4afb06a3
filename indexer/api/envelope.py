"""What every answer carries: what it rests on; and what every list carries: where it goes on."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from indexer.api.making import made
from indexer.api.scalars import (
    AddressText,
    BlockText,
    HashText,
    TimeText,
    address_text,
    instant_text,
    optional_hex,
    time_text,
)
from indexer.queries.reading import View

FinalityWord = Literal["latest", "safe", "finalized"]
Data = TypeVar("Data")


class BlockMeta(BaseModel):
    """The block that an answer tells of; hash and time are null for old blocks without logs."""

    number: BlockText
    hash: HashText | None
    timestamp: TimeText | None


class Meta(BaseModel):
    """What an answer rests on."""

    chain_id: int = Field(description="Of the chain.", examples=[1])
    contract: AddressText = Field(description="The registry.")
    block: BlockMeta
    finality: FinalityWord = Field(
        description="How certain the block is, as far as this indexer can vouch for it."
    )
    indexed_at: TimeText | None = Field(description="When the execution node was last asked.")
    lag_blocks: int | None = Field(
        description="Blocks that the chain is ahead of the tables; null before the first look.",
        examples=[0],
    )


class Reply(BaseModel, Generic[Data]):
    """One thing, and what it rests on."""

    meta: Meta
    data: Data


class PageMeta(BaseModel):
    """Where a list goes on."""

    limit: int = Field(description="Most entries of this page.", examples=[100])
    next_cursor: str | None = Field(
        description="Send it as `cursor` for the next page; null at the end.", examples=[None]
    )
    total: int | None = Field(
        default=None, description="All entries of the list, if `count=true` was sent."
    )


class ListReply(BaseModel, Generic[Data]):
    """Part of a list, and what it rests on."""

    meta: Meta
    data: list[Data]
    page: PageMeta


def meta_of(view: View) -> Meta:
    """What an answer from this view rests on."""
    position = view.position
    return made(
        Meta,
        chain_id=position.chain_id,
        contract=address_text(position.contract),
        block=made(
            BlockMeta,
            number=view.block.number,
            hash=optional_hex(view.block.hash),
            timestamp=time_text(view.block.timestamp_s),
        ),
        finality=view.finality.value,
        indexed_at=instant_text(position.seen_at),
        lag_blocks=position.lag_blocks,
    )
