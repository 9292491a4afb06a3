"""Invariants of money and sums, judged by the chain's own books after every step.

Each function quotes its line of contracts.md 15. Together they read the whole registry each time;
nothing is sampled.
"""

from __future__ import annotations

from tests.contracts.invariants.books import UNIT_WEI, Books, ClusterBook, by_id, commitment_of
from tests.contracts.invariants.violation import Violation
from tests.contracts.invariants.world import Step, World, struct_of

_LEAVES_SAFE = {"registerValidator", "bulkRegisterValidator", "reactivate", "withdraw"}


def i01_solvency(world: World, step: Step) -> None:
    """ETH held - forced ETH >= sum v_c + sum credit_o(b) + ncredit(b) - uncoveredDebt, and the two
    sides differ by less than U per settlement of a party performed so far.
    """
    books = step.books
    kept_wei = books.held_wei - world.history.forced_wei - step.owed_wei
    # Reading the books rounds once more for every party.
    roundings = world.model.roundings + len(books.clusters) + len(books.operators) + 1
    if kept_wei < 0:
        raise Violation("i01", f"{-kept_wei} wei more are owed than held")
    if not (kept_wei < UNIT_WEI * roundings):
        raise Violation(
            "i01", f"{kept_wei} wei are held above what is owed, after {roundings} roundings"
        )


def i02_healthy_solvency(world: World, step: Step) -> None:
    """If every cluster is liquidated no later than when its balance reaches zero: uncoveredDebt = 0
    and ETH held >= sum of balances + operator credits + network credit.
    """
    if not world.history.is_healthy:
        return
    balance = step.books.network.balance_at(step.block)
    if balance < 0:
        raise Violation("i02", f"{-balance} units of debt, and no cluster ever ran dry")
    held_wei = step.books.held_wei - world.history.forced_wei
    if held_wei < step.owed_wei:
        raise Violation("i02", f"{held_wei} wei held, {step.owed_wei} owed")


def i03_effective_balances(world: World, step: Step) -> None:
    """EB_o = sum of EB_c over active clusters containing the live operator o; EB_net = sum over
    active clusters; EB_c = sum of its validators' EB.
    """
    expected = _sums(step.books, "eth")
    for number, operator in enumerate(step.books.operators, start=1):
        due = expected[number] if operator.is_live else 0
        if operator.eth != due:
            raise Violation("i03", f"operator {number}: {operator.eth} ETH, not {due}")
    if step.books.network.eth != expected[0]:
        raise Violation("i03", f"network: {step.books.network.eth} ETH, not {expected[0]}")
    for cluster in step.books.clusters:
        members = world.follower.validators_of_cluster(cluster.cluster_id)
        records = (world.follower.validators[member] for member in members)
        eth = sum(record.effective_balance_eth for record in records)
        if cluster.eth != eth:
            raise Violation("i03", f"{_name(cluster)}: {cluster.eth} ETH, not {eth}")


def i04_counts(world: World, step: Step) -> None:
    """Same for validator counts; a removed operator has EB 0, count 0, fee 0, credit 0 and a frozen
    index for ever.
    """
    expected = _sums(step.books, "validators")
    for number, operator in enumerate(step.books.operators, start=1):
        due = expected[number] if operator.is_live else 0
        found = operator.validators
        if found != due:
            raise Violation("i04", f"operator {number}: {found} validators, not {due}")
        is_removed = number in world.history.frozen
        if not (operator.is_live != is_removed):
            raise Violation("i04", f"operator {number} lives wrongly")
        if is_removed:
            rest = operator.fee or operator.credit or operator.eth
            if rest:
                raise Violation("i04", f"removed operator {number} keeps {operator}")
            index = world.history.frozen[number]
            if operator.index != index:
                raise Violation("i04", f"index of removed operator {number} moved")
    found = step.books.network.validators
    if found != expected[0]:
        raise Violation("i04", f"network: {found} validators, not {expected[0]}")
    for cluster in step.books.clusters:
        members = len(world.follower.validators_of_cluster(cluster.cluster_id))
        count = cluster.struct.validator_count
        if count != members:
            raise Violation("i04", f"{_name(cluster)}: {count} validators, not {members}")


def i05_commitment(world: World, step: Step) -> None:
    """The stored cluster word matches the struct of the last event, for every cluster, always."""
    del world
    for cluster in step.books.clusters:
        if cluster.commitment != commitment_of(cluster.struct):
            raise Violation("i05", f"{_name(cluster)} is not stored as its last event says")
    numbers = [cluster.sequence for cluster in step.books.clusters]
    if numbers != list(range(1, len(numbers) + 1)):
        raise Violation("i05", f"sequence numbers {numbers}")


def i06_indexes(world: World, step: Step) -> None:
    """index_o and nindex never decrease; c.index <= I(b), c.networkFeeIndex <= nindex(b) for active
    clusters.
    """
    del world
    books, block = step.books, step.block
    for number, before in enumerate(step.before.operators, start=1):
        after = books.operator(number)
        grown = after.index >= before.index and after.index_at(block) >= before.index_at(block)
        if not grown:
            raise Violation("i06", f"operator {number}: index from {before} to {after}")
    grown = books.network.index_at(block) >= step.before.network.index_at(block)
    if not grown:
        raise Violation("i06", f"network index from {step.before.network} to {books.network}")
    indexes = [operator.index_at(block) for operator in books.operators]
    for cluster in books.clusters:
        if not cluster.struct.active:
            continue
        index = sum(indexes[operator_id - 1] for operator_id in cluster.operator_ids)
        is_behind = cluster.struct.index <= index
        is_behind &= cluster.struct.network_fee_index <= books.network.index_at(block)
        if not is_behind:
            raise Violation("i06", f"{_name(cluster)} is ahead of its parties")


def i07_no_liquidatable_result(world: World, step: Step) -> None:
    """After register, reactivate and withdraw the cluster is not liquidatable in that block."""
    struct = struct_of(step.events)
    if step.call.function not in _LEAVES_SAFE or struct is None or not struct.active:
        return
    event = step.events[-1]
    cluster = next(
        cluster
        for cluster in step.books.clusters
        if cluster.owner == event.owner and cluster.operator_ids == event.operator_ids  # type: ignore[union-attr]
    )
    if not struct.validator_count:
        return
    parameters = world.model.state.network.parameters
    threshold_wei = step.books.threshold_wei(
        cluster,
        period=parameters.liquidation_period_blocks,
        collateral_wei=parameters.minimum_collateral_wei,
    )
    usage = step.books.usage(
        cluster,
        [operator.index_at(step.block) for operator in step.books.operators],
        step.books.network.index_at(step.block),
    )
    if usage != 0:
        raise Violation("i07", f"{_name(cluster)} was not settled")
    if struct.balance_wei < threshold_wei:
        raise Violation(
            "i07",
            f"{_name(cluster)} is left with {struct.balance_wei} wei, {threshold_wei} are required",
        )
    answer = world.registry.view("isLiquidatable", event.owner, event.operator_ids, struct)  # type: ignore[union-attr]
    if answer is not False:
        raise Violation("i07", f"isLiquidatable answers {answer}")


def i11_conservation(world: World, step: Step) -> None:
    """ETH in - ETH out equals the change of the right side of I1 within one unit per settled
    party.
    """
    del world
    moved_wei = step.books.held_wei - step.before.held_wei
    owed_wei = step.owed_wei - step.owed_before_wei
    kept_wei = moved_wei - owed_wei
    if not (0 <= kept_wei < UNIT_WEI * (step.parties_settled + 1)):
        raise Violation(
            "i11",
            f"{moved_wei} wei came, {owed_wei} more are owed, {step.parties_settled} settlements",
        )
    if step.failure is not None and step.books != step.before:
        raise Violation("i11", "a failed call changed something")


def model_agrees(world: World, step: Step) -> None:
    """Model, follower (logs alone) and the chain's words say the same of every account."""
    state = world.follower
    if world.model.state != state:
        raise Violation("model", "model and follower differ")
    for number, operator in enumerate(step.books.operators, start=1):
        known = state.operators[number]  # type: ignore[index]
        is_live = known.removed_at is None
        found = (
            operator.is_live, operator.fee, operator.index, operator.credit, operator.eth,
            operator.validators, operator.is_private, operator.block,
        )  # fmt: skip
        expected = (
            is_live, known.fee_units, known.index_units, known.credit_units,
            known.effective_balance_eth, known.validator_count, known.is_private,
            known.block if is_live else 0,
        )  # fmt: skip
        if found != expected:
            raise Violation("model", f"operator {number}: {found}, not {expected}")
    network, books = state.network, step.books.network
    found_network = (
        books.block, books.fee, books.index, books.balance, books.eth, books.validators,
    )  # fmt: skip
    expected_network = (
        network.block, network.fee_units, network.index_units,
        network.credit_units - network.uncovered_debt_units,
        network.effective_balance_eth, network.validator_count,
    )  # fmt: skip
    if found_network != expected_network:
        raise Violation("model", f"network: {found_network}, not {expected_network}")
    clusters = by_id(step.books)
    for cluster_id, cluster in state.clusters.items():
        book = clusters[cluster_id]
        agrees = book.eth == cluster.effective_balance_eth and book.sequence == cluster.sequence
        if not agrees:
            raise Violation("model", f"{_name(book)}: {book}, not {cluster}")
    if step.books.held_wei != world.model.held_wei:
        raise Violation("model", "ether held differs")


def _sums(books: Books, what: str) -> list[int]:
    """Of the active clusters: the network's sum first, then every operator's by id."""
    sums = [0] * (len(books.operators) + 1)
    for cluster in books.clusters:
        if cluster.struct.active:
            amount = cluster.eth if what == "eth" else cluster.struct.validator_count
            sums[0] += amount
            for operator_id in cluster.operator_ids:
                sums[operator_id] += amount
    return sums


def _name(cluster: ClusterBook) -> str:
    return f"cluster {cluster.sequence} of 0x{cluster.owner.hex()} on {cluster.operator_ids}"
