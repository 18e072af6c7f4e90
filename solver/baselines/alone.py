"""Every country, or every participant, on its own: the instance cut down to its lines, solved by the same rules.

Each group runs a programme of its own: the policy's limits on pools in a quarter hold for each, and two groups may
start the same family in the same month. That is generous to them, so what a joint plan brings over them is understated
rather than overstated. What a supplier can make in all (`total_max_quantity`) they share: the group with the largest
spend is served first. Fixed pools stand in every part, with all their members, and count once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from solver.instance import Instance, Participant
from solver.plan import Plan, PlanPool

Solve = Callable[[Sequence[Instance]], list[Plan]]
"""Judged plans of the instances, in their order."""


@dataclass(frozen=True, slots=True)
class Group:
    """Participants that act as one, with their contracting authorities and their lines outside fixed pools."""

    name: str
    participants: frozenset[str]
    authorities: int
    lines: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a group reaches alone. EUR over the term, beyond fixed pools.

    ``reasons`` counts the lines left out by reason, most first; it is empty where nothing was solved: the group has too
    few authorities for any lot, or no time was left and its plan is the greedy one. ``why_none`` says why it has no
    pool; None where it has one.
    """

    name: str
    total_eur: float
    bound_eur: float
    pools: tuple[PlanPool, ...]
    lines: int
    lines_pooled: int
    reasons: Mapping[str, int]
    stopped_by_clock: bool
    why_none: str | None


def groups(instance: Instance, name: Callable[[Participant], str]) -> list[Group]:
    """The groups that have lines outside fixed pools, largest yearly spend on these first."""
    fixed = _fixed_lines(instance)
    called = {participant.id: name(participant) for participant in instance.participants}
    members: dict[str, list[Participant]] = defaultdict(list)
    for participant in instance.participants:
        members[called[participant.id]].append(participant)
    spend: dict[str, float] = defaultdict(float)
    lines: Counter[str] = Counter()
    for line in (line for line in instance.lines if line.id not in fixed):
        spend[called[line.participant]] += line.quantity * line.unit_price_eur
        lines[called[line.participant]] += 1
    return [
        Group(
            name=group,
            participants=frozenset(member.id for member in members[group]),
            authorities=sum(member.contracting_authority for member in members[group]),
            lines=lines[group],
        )
        for group in sorted(spend, key=lambda group: (-spend[group], group))
    ]


def restricted(instance: Instance, participants: Iterable[str], *, min_participants: int | None = None) -> Instance:
    """The instance with the lines of these participants and of the fixed pools, and what these lines can meet."""
    inside, fixed = set(participants), _fixed_lines(instance)
    lines = tuple(line for line in instance.lines if line.participant in inside or line.id in fixed)
    people, categories = {line.participant for line in lines}, {line.category for line in lines}
    kinds = tuple(category for category in instance.categories if category.id in categories)
    offers = tuple(offer for offer in instance.offers if offer.category in categories)
    known = {
        "participant": people,
        "line": {line.id for line in lines},
        "offer": {offer.id for offer in offers},
        "family": {category.family for category in kinds},
    }
    policy = instance.policy
    return Instance(
        policy=policy if min_participants is None else replace(policy, min_participants=min_participants),
        participants=tuple(person for person in instance.participants if person.id in people),
        categories=kinds,
        offers=offers,
        lines=lines,
        fixed=instance.fixed,
        forbidden=tuple(
            entry
            for entry in instance.forbidden
            if all(getattr(entry, name) is None or getattr(entry, name) in ids for name, ids in known.items())
        ),
        previous=tuple(e for e in instance.previous if e.line in known["line"] and e.offer in known["offer"]),
    )


def solve_alone(
    instance: Instance, among: Sequence[Group], solve: Solve, *, fixed_eur: float, min_participants: int | None = None
) -> tuple[Part, ...]:
    """What each group reaches alone, in the order given; ``fixed_eur`` is what the fixed pools are worth."""
    needed = instance.policy.min_participants if min_participants is None else min_participants
    able = [group for group in among if group.authorities >= needed]
    questions = [restricted(instance, group.participants, min_participants=min_participants) for group in able]
    plans = solve(questions)
    bounds = [plan.bound_eur for plan in plans]  # with all the supply to itself, so that they hold for any division
    supply, served = _supplies(instance), Counter[str]()
    for k, question in enumerate(questions):
        taken = _taken(plans[k], instance)
        if any(served[offer] + taken[offer] > supply[offer] for offer in taken.keys() & supply.keys()):
            questions[k] = _with_less(question, served)
            (plans[k],) = solve([questions[k]])
        served.update(_taken(plans[k], instance))
    solved = {
        group.name: _solved(group, plan, instance, bound_eur=bound, fixed_eur=fixed_eur)
        for group, plan, bound in zip(able, plans, bounds, strict=True)
    }
    return tuple(solved.get(group.name) or _too_few(group, needed) for group in among)


def _fixed_lines(instance: Instance) -> set[str]:
    return {line for pool in instance.fixed for lot in pool.lots for line in lot.lines}


def _new(plan: Plan, instance: Instance) -> tuple[PlanPool, ...]:
    decided = {(pool.family, pool.start) for pool in instance.fixed}
    return tuple(pool for pool in plan.pools if (pool.family, pool.start) not in decided)


def _taken(plan: Plan, instance: Instance) -> Counter[str]:
    """Quantity of the plan's new lots on each offer."""
    taken: Counter[str] = Counter()
    for pool in _new(plan, instance):
        for lot in pool.lots:
            taken[lot.offer] += lot.quantity
    return taken


def _supplies(instance: Instance) -> dict[str, int]:
    """What the fixed pools leave of every supply that has a limit."""
    quantity = {line.id: line.quantity for line in instance.lines}
    left = {o.id: o.total_max_quantity for o in instance.offers if o.total_max_quantity is not None}
    for lot in (lot for pool in instance.fixed for lot in pool.lots if lot.offer in left):
        left[lot.offer] -= sum(quantity[line] for line in lot.lines)
    return {offer: max(0, amount) for offer, amount in left.items()}


def _with_less(instance: Instance, served: Mapping[str, int]) -> Instance:
    """The instance with the supply that others have been served taken away."""
    offers = tuple(
        offer
        if offer.total_max_quantity is None
        else replace(offer, total_max_quantity=max(0, offer.total_max_quantity - served.get(offer.id, 0)))
        for offer in instance.offers
    )
    return replace(instance, offers=offers)


def _solved(group: Group, plan: Plan, instance: Instance, *, bound_eur: float, fixed_eur: float) -> Part:
    new = _new(plan, instance)
    reasons = Counter(entry.reason.value for entry in plan.unpooled)
    ranked = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    return Part(
        name=group.name,
        total_eur=plan.objective_eur - fixed_eur,
        bound_eur=max(bound_eur, plan.objective_eur) - fixed_eur,
        pools=new,
        lines=group.lines,
        lines_pooled=sum(len(lot.lines) for pool in new for lot in pool.lots),
        reasons=dict(ranked),
        stopped_by_clock=plan.stopped_by_clock,
        why_none=None if new else _why_none(group, ranked),
    )


def _too_few(group: Group, needed: int) -> Part:
    """No lot could keep rule 4, so there is nothing to solve."""
    why = f"contracting authorities: {group.authorities}, min_participants: {needed}"
    return Part(group.name, 0.0, 0.0, (), group.lines, 0, {}, False, why)


def _why_none(group: Group, ranked: Sequence[tuple[str, int]]) -> str:
    """The commonest reason why its lines are left out."""
    return f"{ranked[0][0]}: {ranked[0][1]} of {group.lines} lines" if ranked else "no time was left to solve"
