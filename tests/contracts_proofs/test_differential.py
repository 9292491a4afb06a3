"""The verifier with assembly against its plain twin, on random claims and damaged calldata."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest
from web3.contract import Contract
from web3.types import RPCEndpoint

from sdk.beacon_proofs import BeaconProofs, Refused, ValidatorIndex, ValidatorProof, is_validator
from sdk.beacon_proofs.verify import container_root, root_from_branch
from sdk.types import Epoch, Gwei, PublicKey, Slot
from tests.contracts_proofs.conftest import GENESIS_TIME, Verifiers
from tests.contracts_proofs.states import snapshot

pytestmark = pytest.mark.toolchain

TIME = GENESIS_TIME + 360_000
SLOT = 30_000
GENERATED = 60
DAMAGED = 250
EDGES = (0, 1, 255, 256, 2**32 - 1, 2**63, 2**64 - 1)


def random_number(dice: random.Random) -> int:
    return dice.choice(EDGES) if dice.random() < 0.3 else dice.getrandbits(64)


def random_validator(dice: random.Random) -> ValidatorProof:
    return ValidatorProof(
        public_key=PublicKey(dice.randbytes(48)),
        validator_index=ValidatorIndex(dice.choice((0, 1, 2**40 - 1, dice.getrandbits(40)))),
        withdrawal_credentials=dice.randbytes(32),
        effective_balance_gwei=Gwei(random_number(dice)),
        slashed=dice.random() < 0.5,
        activation_eligibility_epoch=Epoch(random_number(dice)),
        activation_epoch=Epoch(random_number(dice)),
        exit_epoch=Epoch(random_number(dice)),
        withdrawable_epoch=Epoch(random_number(dice)),
        branch=tuple(dice.randbytes(32) for _ in range(47)),
    )


def bundle(validator: ValidatorProof, dice: random.Random) -> BeaconProofs:
    """A valid claim: the roots are chosen to be where the random siblings lead."""
    index = (150 << 40) + validator.validator_index
    state_root = root_from_branch(container_root(validator), validator.branch, index=index)
    branch = tuple(dice.randbytes(32) for _ in range(3))
    return BeaconProofs(
        beacon_root=root_from_branch(state_root, branch, index=11),
        slot=Slot(0),
        state_root=state_root,
        state_root_branch=branch,
        validators=(validator,),
    )


def changed(validator: ValidatorProof, dice: random.Random) -> ValidatorProof:
    """The same with one random field taken from another."""
    other = random_validator(dice)
    name = dice.choice([field.name for field in fields(ValidatorProof)])
    return replace(validator, **{name: getattr(other, name)})


@pytest.mark.parametrize("seed", range(GENERATED))
def test_random_claims_get_the_same_answer(verifiers: Verifiers, seed: int) -> None:
    dice = random.Random(seed)
    proofs = bundle(random_validator(dice), dice)
    assert verifiers.ask_kept(TIME, proofs) == SLOT
    wrong = changed(proofs.validators[0], dice)
    expected = SLOT if is_validator(proofs.state_root, wrong) else Refused.INVALID_PROOF
    assert verifiers.ask_kept(TIME, replace(proofs, validators=(wrong,))) == expected
    short = replace(wrong, branch=wrong.branch[: dice.randrange(47)])
    refused = replace(proofs, validators=(proofs.validators[0], short))
    assert verifiers.ask_kept(TIME, refused) is Refused.INVALID_PROOF


def raw_call(contract: Contract, data: bytes | bytearray) -> str | None:
    """What the call returns, None if it reverts."""
    answer = contract.w3.provider.make_request(
        RPCEndpoint("eth_call"),
        [{"to": contract.address, "data": "0x" + data.hex()}, "latest"],
    )
    return answer.get("result")


def test_damaged_calldata_gets_the_same_answer(verifiers: Verifiers) -> None:
    proofs = snapshot("minimal", "fulu", "filled").prove(3, 9)
    assert verifiers.ask_kept(TIME, proofs) == SLOT
    whole = bytes.fromhex(verifiers.fast.encode_abi("verify", args=[TIME, *proofs.as_abi()])[2:])
    dice = random.Random(4788)
    accepted = 0
    for _ in range(DAMAGED):
        data = bytearray(whole)
        if dice.random() < 0.2:
            del data[dice.randrange(4, len(data)) :]
        else:
            # Half of the time among the first words, where lengths and offsets are.
            end = len(data) if dice.random() < 0.5 else 1000
            data[dice.randrange(4, end)] ^= 1 << dice.randrange(8)
        fast, plain = (raw_call(each, data) for each in (verifiers.fast, verifiers.plain))
        assert fast == plain, data.hex()
        accepted += fast is not None
    # A time of the same ring entry is none that was kept, but 16 bytes of padding may change.
    assert accepted < DAMAGED // 10


def test_words_out_of_range_revert_in_both(verifiers: Verifiers) -> None:
    """A number beyond 64 bits, or a boolean of 2, is no value of its type."""
    proofs = snapshot("minimal", "fulu", "filled").prove(3)
    assert verifiers.ask_kept(TIME, proofs) == SLOT
    whole = bytes.fromhex(verifiers.fast.encode_abi("verify", args=[TIME, *proofs.as_abi()])[2:])
    # Four words of arguments, four of the state root's branch, the list's length, its one offset.
    start = 4 + 32 * (4 + 4 + 2)
    for word in (1, 3, 4, 5, 6, 7, 8):
        data = bytearray(whole)
        data[start + 32 * word + 23] = 1
        data[start + 32 * word + 31] |= 2 if word == 4 else 0
        assert raw_call(verifiers.fast, data) is None, word
        assert raw_call(verifiers.plain, data) is None, word


def test_one_validator_costs_less_than_the_reference(verifiers: Verifiers) -> None:
    """Whole transactions, measured on a state of the mainnet preset; the floor price of calldata
    (EIP-7623) is what is paid."""
    state = snapshot("mainnet", "fulu", "epoch4")
    gas = {}
    for count in (0, 1, 2, 10):
        proofs = state.prove(*range(count))
        assert verifiers.ask_kept(TIME, proofs) == SLOT
        sent = verifiers.fast.functions.verify(TIME, *proofs.as_abi()).transact(
            {"from": verifiers.chain.eth.accounts[0], "gas": 10_000_000}
        )
        gas[count] = verifiers.chain.eth.wait_for_transaction_receipt(sent)["gasUsed"]
    print(gas)
    assert gas[1] < 96_330
    assert (gas[10] - gas[1]) // 9 < 75_000
