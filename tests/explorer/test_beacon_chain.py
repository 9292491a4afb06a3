"""Whether a validator signs, on its page: from a beacon node, if the explorer has one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from indexer.app_options import ApiSettings
from tests.client.beacon_stub import SLOTS_PER_EPOCH, BeaconStub
from tests.explorer.pages import group
from tests.explorer.serving import Site, served

pytestmark = pytest.mark.slow

INDEX = 41


@dataclass
class Place:
    """A validator's page, and the beacon node that it asks."""

    stub: BeaconStub
    address: str
    key: str

    def told(self) -> str:
        """The words of the section."""
        return section(f"{self.address}/validators/{self.key}")


def section(url: str) -> str:
    page = httpx.get(url, trust_env=False)
    assert page.status_code == 200
    (found,) = re.findall(r"<h2>On the beacon chain</h2>(.*?)</section>", page.text, re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", found)).split())


@pytest.fixture
def place(grown: Site) -> Iterator[Place]:
    with BeaconStub(head_slot=7 * SLOTS_PER_EPOCH) as stub:
        settings = ApiSettings(beacon_url=stub.url)
        with served(grown.database, settings=settings) as (address, _):
            yield Place(stub, address, f"0x{group(grown.chain, 'long').keys[0].hex()}")


def test_page_says_in_which_epochs_it_signed(place: Place) -> None:
    place.stub.add(place.key, INDEX)
    place.stub.is_live = lambda epoch, index: epoch == 6
    assert place.told().startswith(
        "Now, as one beacon node sees it Status Active Index 41 "
        "Epoch 7 Not seen yet The epoch is not over. Epoch 6 Signed Votes Once in an epoch."
    )


def test_page_says_that_an_epoch_passed_without_a_vote(place: Place) -> None:
    place.stub.add(place.key, INDEX)
    assert "Epoch 6 Not seen It missed its vote, is not active" in place.told()


def test_page_expects_no_votes_of_a_validator_that_is_not_active(place: Place) -> None:
    place.stub.add(place.key, INDEX, status="exited_unslashed")
    told = place.told()
    assert "Status Exited" in told
    assert "Epoch" not in told


def test_node_that_does_not_follow_who_signs_is_told(place: Place) -> None:
    place.stub.add(place.key, INDEX)
    place.stub.liveness_status = 404
    assert "Signs The beacon node does not follow who signs." in place.told()


def test_key_without_a_deposit_is_told(place: Place) -> None:
    assert "The beacon chain does not have this key" in place.told()


def test_node_that_fails_is_told_and_the_page_is_there(place: Place) -> None:
    place.stub.broken = 100
    assert "Not known: the beacon node does not tell (beacon_unreachable)." in place.told()


def test_explorer_without_a_beacon_node_says_where_to_look(grown: Site) -> None:
    key = f"0x{group(grown.chain, 'long').keys[0].hex()}"
    assert "this explorer has no beacon node" in section(f"{grown.address}/validators/{key}")
