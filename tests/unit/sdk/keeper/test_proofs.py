"""Which proofs pay: those that end in a liquidation, with as few validators as it takes."""

from __future__ import annotations

from sdk.keeper.bidding import Market
from sdk.keeper.proofs import Chance, bounty_of, chances, provable_keys
from sdk.registry import RegistryState, SignatureVerdict, ledger, runway
from sdk.testing import builders
from sdk.testing.model_registry import ModelRegistry
from sdk.types import BlockNumber, FeeUnits, PublicKey, Slot, Wei

GWEI = 10**9
OWNER, OTHER = builders.address(1), builders.address(2)
IDS = builders.operator_ids()
KEYS = [builders.public_key(number) for number in range(6)]
SLOT = Slot(100)
MARKET = Market(base_fee_wei=8 * GWEI, tip_wei=GWEI)


def registry(*, blocks: int = 300) -> ModelRegistry:
    """Three validators of one owner, with the fees of so many blocks above the threshold."""
    model = ModelRegistry(builders.network())
    for _ in IDS:
        model.register_operator(builders.address(9), FeeUnits(17_700))
    needed = runway.deposit_needed_wei(
        model.parties(OWNER, IDS), for_blocks=blocks, at=model.block, new_validators=3
    )
    shares = [builders.shares()] * 3
    verdict = SignatureVerdict.VALID
    assert model.register(OWNER, IDS, KEYS[:3], shares, value_wei=needed, verdict=verdict)
    return model


def found(
    state: RegistryState, proven: dict[PublicKey, int], *, at: int = 2, most: int = 63
) -> list[Chance]:
    return chances(state, proven, slot=SLOT, at=BlockNumber(at), most_proofs=most)


def test_the_fewest_validators_that_end_in_a_liquidation_are_proven() -> None:
    model = registry()
    proven = {KEYS[0]: 40, KEYS[1]: 2048, KEYS[2]: 64}
    [chance] = found(model.state, proven)
    assert chance.public_keys == (KEYS[1],)
    assert chance.difference_eth == 2016


def test_several_small_differences_add_up() -> None:
    model = registry(blocks=2_000)
    proven = {KEYS[0]: 33, KEYS[1]: 35, KEYS[2]: 34}
    [chance] = found(model.state, proven)
    assert chance.public_keys == (KEYS[1], KEYS[2])
    assert chance.difference_eth == 5
    assert found(model.state, proven, most=1) == []


def test_a_proof_that_leaves_the_cluster_safe_pays_nothing() -> None:
    model = registry(blocks=10**6)
    assert found(model.state, {KEYS[0]: 33, KEYS[1]: 32, KEYS[2]: 31}) == []
    assert found(model.state, {}) == []


def test_lower_balances_newer_records_and_strangers_keys_are_left_out() -> None:
    model = registry()
    assert model.prove(
        OWNER, IDS, [(KEYS[1], 33)], slot=SLOT, value_wei=Wei(10**18), base_fee_wei=Wei(0)
    )
    assert found(model.state, {KEYS[1]: 2048, KEYS[5]: 2048, KEYS[2]: 32}) == []


def test_what_can_be_liquidated_anyway_needs_no_proof() -> None:
    model = registry(blocks=10)
    assert found(model.state, {KEYS[0]: 2048}, at=2)
    assert found(model.state, {KEYS[0]: 2048}, at=1_000) == []


def test_a_liquidated_cluster_has_nothing_to_win_and_nothing_to_prove() -> None:
    model = registry()
    assert provable_keys(model.state) == KEYS[:3]
    model.liquidate(OWNER, IDS, by_owner=True, base_fee_wei=Wei(0))
    assert provable_keys(model.state) == []
    assert found(model.state, {KEYS[0]: 2048}) == []


def test_the_model_pays_the_bounty_that_was_promised() -> None:
    model = registry()
    [chance] = found(model.state, {KEYS[0]: 2048}, at=int(model.block))
    promised = bounty_of(model.state, chance, at=model.block, market=MARKET)
    assert promised is not None
    held = model.held_wei
    proofs = [(key, 2048) for key in chance.public_keys]
    least = Wei(MARKET.least_base_fee_wei)
    assert model.prove(OWNER, IDS, proofs, slot=SLOT, value_wei=Wei(0), base_fee_wei=least)
    assert held - model.held_wei == promised


def test_no_bounty_is_promised_once_the_cluster_has_changed() -> None:
    model = registry()
    [chance] = found(model.state, {KEYS[0]: 2048})
    later = BlockNumber(10**6)
    assert ledger.is_liquidatable(model.parties(OWNER, IDS), at=later)
    assert bounty_of(model.state, chance, at=later, market=MARKET) is None
    model.deposit(OWNER, IDS, value_wei=Wei(10**15))
    assert bounty_of(model.state, chance, at=BlockNumber(2), market=MARKET) is None
