"""Private operators: the flag, allow-lists by address and by contract, registering past them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.gas.bench import Bench
from tests.gas.scenarios.clusters import measure_registration, operators_of_size
from tests.gas.scenarios.steady import FURTHER_OPERATORS, register

ADDRESSES = 10


def _measure_flags(bench: Bench) -> None:
    for row, function in (
        ("set_operators_private_10", "setOperatorsPrivateUnchecked"),
        ("set_operators_public_10", "setOperatorsPublicUnchecked"),
    ):
        bench.measure(row, function, FURTHER_OPERATORS, sender=bench.actors.operators)


def _measure_addresses(bench: Bench) -> None:
    addresses = [bench.address() for _ in range(ADDRESSES)]
    for row, function in (
        ("set_operators_whitelists_10x10", "setOperatorsWhitelists"),
        ("remove_operators_whitelists_10x10", "removeOperatorsWhitelists"),
    ):
        bench.measure(row, function, FURTHER_OPERATORS, addresses, sender=bench.actors.operators)


def _measure_contract(bench: Bench) -> None:
    allow_list = bench.deploy("AllowList", [bench.actors.owner])
    operators, set_contract = bench.actors.operators, "setOperatorsWhitelistingContract"
    with bench.restored_afterwards():
        first = FURTHER_OPERATORS[:1]
        row = "set_whitelisting_contract_1"
        bench.measure(row, set_contract, first, allow_list, sender=operators)
    row = "set_whitelisting_contract_10"
    bench.measure(row, set_contract, FURTHER_OPERATORS, allow_list, sender=operators)
    bench.measure(
        "remove_whitelisting_contract_10",
        "removeOperatorsWhitelistingContract",
        FURTHER_OPERATORS,
        sender=operators,
    )


def _measure_registration_by_address(bench: Bench, private: int) -> None:
    ids = operators_of_size(4)
    register(bench, bench.actors.owner, ids)
    operators, owners = bench.actors.operators, [bench.actors.owner]
    bench.send("setOperatorsPrivateUnchecked", ids[:private], sender=operators)
    bench.send("setOperatorsWhitelists", ids[:private], owners, sender=operators)
    measure_registration(bench, f"register_validator_existing_{private}_whitelisted_bitmap_4", ids)


def _measure_registration_by_contract(bench: Bench, private: int) -> None:
    ids = operators_of_size(4)
    register(bench, bench.actors.owner, ids)
    operators = bench.actors.operators
    allow_list = bench.deploy("AllowList", [bench.actors.owner])
    bench.send("setOperatorsPrivateUnchecked", ids[:private], sender=operators)
    bench.send("setOperatorsWhitelistingContract", ids[:private], allow_list, sender=operators)
    measure_registration(
        bench, f"register_validator_existing_{private}_whitelisting_contract_4", ids
    )


SCENARIOS: tuple[Callable[[Bench], None], ...] = (
    _measure_flags,
    _measure_addresses,
    _measure_contract,
    *(partial(_measure_registration_by_address, private=private) for private in (4, 1)),
    *(partial(_measure_registration_by_contract, private=private) for private in (4, 1)),
)
