"""Signatures are judged in order, whoever judges them."""

from __future__ import annotations

import pytest
import trio

from indexer.sync.verdicts import FEW, Judges, Unchecking, judges
from sdk.committee import nonce_message
from sdk.crypto import bls
from sdk.registry import NonceClaim, SignatureVerdict
from sdk.testing import builders, keys

OWNER = builders.address(1)
VALID, INVALID, UNCHECKED = SignatureVerdict


def claim(number: int, *, said: int | None = None) -> NonceClaim:
    """A claim over nonce `number`, its signature over `said`."""
    secret = keys.validator_secret(number)
    message = nonce_message(OWNER, number if said is None else said)
    return NonceClaim(OWNER, number, bls.public_key(secret), bls.sign(secret, message))


def judged(judge: Judges, claims: list[NonceClaim | None]) -> list[SignatureVerdict]:
    return trio.run(judge.judge, claims)


def test_each_claim_gets_its_own_verdict() -> None:
    with judges(1) as alone:
        found = judged(alone, [claim(1), None, claim(2, said=3), claim(4)])
    assert found == [VALID, UNCHECKED, INVALID, VALID]


@pytest.mark.slow
def test_processes_answer_in_the_order_of_the_questions() -> None:
    asked = [claim(number, said=0 if number == 70 else None) for number in range(80)]
    with judges(2) as several:
        found = judged(several, [*asked, None])
    wrong = [place for place, each in enumerate(found) if each is not VALID]
    assert wrong == [70, 80]
    assert (found[70], found[80]) == (INVALID, UNCHECKED)


@pytest.mark.slow
def test_without_its_processes_it_goes_on_alone() -> None:
    with judges(2) as several:
        pool = several._pool
        assert pool is not None
        asked: list[NonceClaim | None] = [claim(number) for number in range(FEW + 1)]
        assert judged(several, asked) == [VALID] * len(asked)
        for process in pool._processes.values():
            process.kill()
        assert judged(several, asked) == [VALID] * len(asked)


def test_who_does_not_check_says_so() -> None:
    assert judged(Unchecking(), [claim(1, said=9), None]) == [UNCHECKED, UNCHECKED]
