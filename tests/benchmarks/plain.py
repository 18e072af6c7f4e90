"""The plain model of an instance, as a modeller writes it from the contract: the peer of the solver's benchmark.

One mixed-integer model, ``take[line, lot, tier] <= step[lot, tier] <= open[pool]``, one function a rule, written
through MathOpt's ordinary Python classes and given whole to a solver of MathOpt. It shares no code with
``solver.family``. Rows and columns that cannot matter are left out, and coefficients are set one by one, the
fastest of the ordinary ways to build a model.

``plain`` has a row for each pair and columns that are all binary. ``tight`` is the same model with what an expert does
to it: one row for columns of which only one can be 1, and continuous columns where whole ones come by themselves.

Rule 3's root is not linear. Its safe side is taken, a line that touches the root and lies nowhere below it, so that one
solve gives a lawful plan. That favours the peer: its bound is proven only for plans on the safe side of the line, and
it never has to solve again because a root was broken.

The benchmark's instances have neither fixed pools nor entries of ``forbidden`` and ``previous``; with them it refuses.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import NormalDist

from ortools.math_opt.python import mathopt

from solver.instance import Instance, Line, Offer

Z90 = NormalDist().inv_cdf(0.9)
SOLVERS = {
    "highs": mathopt.SolverType.HIGHS,
    "cp-sat": mathopt.SolverType.CP_SAT,
    "scip": mathopt.SolverType.GSCIP,
}
Lot = tuple[int, int]
"""Position of an offer in the instance, start as an offset."""
Pool = tuple[str, int]
"""Family and start."""
Variable = mathopt.Variable


@dataclass(frozen=True)
class Outcome:
    """What a peer made of the model. ``seconds``: building and solving; ``gap`` is infinite without a plan.

    ``pools``: (family, start, lead, ((offer, lines), ...)) with the instance's positions and offsets.
    """

    seconds: float
    building_s: float
    objective: float
    bound: float
    gap: float
    pools: tuple[tuple[str, int, str, tuple[tuple[int, tuple[int, ...]], ...]], ...]


@dataclass(frozen=True)
class Step:
    """A lot at a tier: its column, and those of its lines."""

    lot: Lot
    tier: int
    column: Variable
    take: tuple[tuple[int, Variable], ...]


@dataclass
class Plain:
    """The model in its columns; ``tight`` as above."""

    instance: Instance
    tight: bool = False
    model: mathopt.Model = field(default_factory=mathopt.Model)
    steps: list[Step] = field(default_factory=list)
    open: dict[Pool, Variable] = field(default_factory=dict)
    of_pool: dict[Pool, dict[int, list[Variable]]] = field(default_factory=dict)
    """The columns that put a line into a pool."""
    lead: dict[Pool, dict[str, Variable]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        instance = self.instance
        if instance.fixed or instance.forbidden or instance.previous:
            raise ValueError("the plain model knows neither fixed pools nor forbidden or previous places")
        self.category = {category.id: category for category in instance.categories}
        self.people = {person.id: person for person in instance.participants}
        self.z = NormalDist().inv_cdf(instance.policy.confidence)
        self.deviation = [(line.quantity_high - line.quantity_low) / (2 * Z90) for line in instance.lines]
        self.window = [self._window(line) for line in instance.lines]
        for rule in (_places, _line_once, _lots, _authorities, _leads, _countries, _memberships, _offer_totals):
            rule(self)

    def _window(self, line: Line) -> tuple[int, int]:
        months = [int(month[:4]) * 12 + int(month[5:]) for month in (line.earliest_start, line.latest_start)]
        origin = int(self.instance.policy.horizon_start[:4]) * 12 + int(self.instance.policy.horizon_start[5:])
        return max(0, months[0] - origin), min(self.instance.policy.horizon_months - 1, months[1] - origin)

    def column(self) -> Variable:
        """A binary that is whole by itself wherever the others are."""
        return self.model.add_variable(lb=0.0, ub=1.0, is_integer=not self.tight)

    def at_most(self, limit: float, columns: Sequence[Variable], *others: tuple[Variable, float]) -> None:
        """Their sum, and the others at their coefficients, is no more than the limit."""
        row = self.model.add_linear_constraint(ub=limit)
        for column in columns:
            row.set_coefficient(column, 1.0)
        for column, coefficient in others:
            row.set_coefficient(column, coefficient)

    def no_more_than(self, columns: Sequence[Variable], other: Variable) -> None:
        """None of the columns exceeds the other; of them only one can be 1, so their sum does not either."""
        for together in [columns] if self.tight else [[column] for column in columns]:
            self.at_most(0.0, together, (other, -1.0))

    def pool_of(self, lot: Lot) -> Pool:
        return self.category[self.instance.offers[lot[0]].category].family, lot[1]

    def participants_of(self, pool: Pool) -> dict[str, list[list[Variable]]]:
        """Who could be in the pool: for each of its lines the columns that put it there."""
        found: dict[str, list[list[Variable]]] = defaultdict(list)
        for line, columns in self.of_pool[pool].items():
            found[self.instance.lines[line].participant].append(columns)
        return found


def solve(
    instance: Instance, *, solver: str, threads: int, gap: float, time_limit_s: float, tight: bool = False
) -> Outcome:
    """Build the model and give it whole to one of ``SOLVERS``, every other setting as it comes.

    ``threads`` is for HiGHS and CP-SAT; SCIP, as MathOpt has it, works on one. HiGHS takes its number of threads once a
    process, so a process solves with one number only.
    """
    began = time.perf_counter()
    plain = Plain(instance, tight)
    built = time.perf_counter()
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(0.0, time_limit_s - (built - began))),
        threads=threads if solver == "cp-sat" else None,
        relative_gap_tolerance=gap,
    )
    if solver == "highs":
        parameters.highs.int_options["threads"] = threads
    result = mathopt.solve(plain.model, SOLVERS[solver], params=parameters)
    seconds = time.perf_counter() - began
    bound = result.termination.objective_bounds.dual_bound
    if not result.has_primal_feasible_solution():
        return Outcome(seconds, built - began, 0.0, bound, float("inf"), ())
    objective = result.objective_value()
    reached = (bound - objective) / max(1.0, abs(bound))
    return Outcome(seconds, built - began, objective, bound, reached, _pools(plain, result.variable_values()))


def _pools(plain: Plain, values: dict[Variable, float]) -> tuple:
    lots: dict[Pool, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for step in plain.steps:
        lines = tuple(line for line, column in step.take if values[column] > 0.5)
        if lines:
            lots[plain.pool_of(step.lot)].append((step.lot[0], lines))
    return tuple((*pool, _lead(plain.lead[pool], values), tuple(sorted(found))) for pool, found in sorted(lots.items()))


def _lead(able: dict[str, Variable], values: dict[Variable, float]) -> str:
    return max(able, key=lambda name: values[able[name]])


def _places(plain: Plain) -> None:
    """Rules 1 and 5: a column for each line, lot and tier that they allow; the objective."""
    policy = plain.instance.policy
    lines_of: dict[str, list[int]] = defaultdict(list)
    for i, line in enumerate(plain.instance.lines):
        lines_of[line.category].append(i)
    objective = plain.model.objective
    objective.is_maximize = True
    for o, offer in enumerate(plain.instance.offers):
        fit = [i for i in lines_of[offer.category] if _suits(plain.instance.lines[i], offer, policy.green_floor)]
        for start in range(policy.horizon_months):
            here = [i for i in fit if plain.window[i][0] <= start <= plain.window[i][1]]
            for tier, entry in enumerate(offer.tiers):
                worth = [(i, _benefit(plain, i, start=start, offer=offer, tier=tier)) for i in here]
                if policy.no_one_worse_off:
                    worth = [(i, benefit) for i, benefit in worth if benefit >= 0]
                if sum(plain.instance.lines[i].quantity for i, _ in worth) < entry.from_quantity:
                    continue
                column = plain.model.add_binary_variable()
                objective.set_linear_coefficient(column, -policy.lot_cost_eur)
                take = []
                for i, benefit in worth:
                    take.append((i, plain.model.add_binary_variable()))
                    objective.set_linear_coefficient(take[-1][1], benefit)
                plain.steps.append(Step((o, start), tier, column, tuple(take)))
    for step in plain.steps:
        pool = plain.pool_of(step.lot)
        if pool not in plain.open:
            plain.open[pool], plain.of_pool[pool] = plain.model.add_binary_variable(), defaultdict(list)
            objective.set_linear_coefficient(plain.open[pool], policy.country_cost_eur - policy.pool_cost_eur)
        for i, column in step.take:
            plain.of_pool[pool][i].append(column)


def _suits(line: Line, offer: Offer, floor: Sequence[str]) -> bool:
    criteria = set(offer.criteria)
    return criteria.issuperset(floor) and criteria.issuperset(line.required) and criteria.isdisjoint(line.refused)


def _benefit(plain: Plain, i: int, *, start: int, offer: Offer, tier: int) -> float:
    """EUR over the term, as the objective has it."""
    policy, line = plain.instance.policy, plain.instance.lines[i]
    months = plain.category[offer.category].term_months
    months = policy.term_months if months is None else months
    rate = policy.bridging_rate_per_year if line.bridging_rate_per_year is None else line.bridging_rate_per_year
    spend = line.quantity * line.unit_price_eur
    yearly = line.quantity * (line.unit_price_eur - offer.tiers[tier].unit_price_eur)
    yearly += policy.carbon_price_eur_per_tonne / 1000 * offer.co2_saved_kg_per_unit * line.quantity
    yearly += spend * sum(policy.criterion_value.get(criterion, 0.0) for criterion in offer.criteria)
    waited = start - plain.window[i][0]
    return months / 12 * yearly - spend * rate * waited / 12 - policy.line_cost_eur


def _line_once(plain: Plain) -> None:
    """Rule 6, and a line only where its step is open."""
    places: dict[int, list[Variable]] = defaultdict(list)
    for step in plain.steps:
        for i, column in step.take:
            places[i].append(column)
            plain.no_more_than([column], step.column)
    for columns in places.values():
        plain.at_most(1.0, columns)


def _lots(plain: Plain) -> None:
    """Rules 2 and 3, one tier a lot, and lots only in open pools."""
    policy, lines = plain.instance.policy, plain.instance.lines
    of_lot: dict[Lot, list[Variable]] = defaultdict(list)
    for step in plain.steps:
        of_lot[step.lot].append(step.column)
        offer = plain.instance.offers[step.lot[0]]
        possible = sum(lines[i].quantity for i, _ in step.take)
        if offer.max_quantity is not None and possible > offer.max_quantity:
            taken = ((column, float(lines[i].quantity)) for i, column in step.take)
            plain.at_most(0.0, [], (step.column, -float(offer.max_quantity)), *taken)
        needed = offer.tiers[step.tier].from_quantity
        squares = sum(plain.deviation[i] ** 2 for i, _ in step.take)
        root = max(1e-9, (squares * min(1.0, needed / possible)) ** 0.5)
        rho = policy.forecast_correlation
        row = plain.model.add_linear_constraint(lb=0.0)
        row.set_coefficient(step.column, -needed - plain.z * (1 - rho) ** 0.5 * root / 2)
        for i, column in step.take:
            sd = plain.deviation[i]
            deviates = (1 - rho) ** 0.5 * sd * sd / (2 * root) + rho**0.5 * sd
            row.set_coefficient(column, lines[i].quantity - plain.z * deviates)
    for lot, columns in of_lot.items():
        plain.no_more_than(columns, plain.open[plain.pool_of(lot)])
        if not plain.tight:
            plain.at_most(1.0, columns)


def _authorities(plain: Plain) -> None:
    """Rule 4: several lines of one participant count once."""
    least = plain.instance.policy.min_participants
    for step in plain.steps:
        own: dict[str, list[Variable]] = defaultdict(list)
        for i, column in step.take:
            name = plain.instance.lines[i].participant
            if plain.people[name].contracting_authority:
                own[name].append(column)
        row = plain.model.add_linear_constraint(lb=0.0)
        row.set_coefficient(step.column, -float(least))
        for columns in own.values():
            counted = columns[0]
            if len(columns) > 1:
                counted = plain.column()
                plain.at_most(0.0, [counted], *((column, -1.0) for column in columns))
                plain.at_most(0.0, [counted], (step.column, -1.0))
            row.set_coefficient(counted, 1.0)


def _leads(plain: Plain) -> None:
    """Rule 7: one able member leads each pool, nobody too many; given the rest, leads come out whole by themselves."""
    led: dict[str, list[Variable]] = defaultdict(list)
    for pool, column in plain.open.items():
        plain.lead[pool] = {}
        row = plain.model.add_linear_constraint(lb=0.0, ub=0.0)
        row.set_coefficient(column, -1.0)
        for name, of_lines in plain.participants_of(pool).items():
            person = plain.people[name]
            if person.may_lead and person.contracting_authority:
                lead = plain.lead[pool][name] = plain.column()
                row.set_coefficient(lead, 1.0)
                brought = [(take, -1.0) for columns in of_lines for take in columns]
                plain.at_most(0.0, [lead], *brought)
                led[name].append(lead)
    for name, leads in led.items():
        limit = plain.people[name].max_leads
        if limit is not None and limit < len(leads):
            plain.at_most(float(limit), leads)


def _countries(plain: Plain) -> None:
    """What each country in a pool costs, and rule 9 for countries: a line brings its participant's country."""
    policy = plain.instance.policy
    if not policy.country_cost_eur and policy.max_countries_per_pool is None:
        return
    for pool, of_line in plain.of_pool.items():
        there: dict[str, Variable] = {}
        for i, columns in of_line.items():
            country = plain.people[plain.instance.lines[i].participant].country
            if country not in there:
                there[country] = plain.column()
                plain.model.objective.set_linear_coefficient(there[country], -policy.country_cost_eur)
            plain.no_more_than(columns, there[country])
        plain.at_most(0.0, [plain.open[pool]], *((column, -1.0) for column in there.values()))
        limit = policy.max_countries_per_pool
        if limit is not None and limit < len(there):
            plain.at_most(0.0, list(there.values()), (plain.open[pool], -float(limit)))


def _memberships(plain: Plain) -> None:
    """Rules 8 and 9 for the programme and for participants, where they could bind."""
    policy = plain.instance.policy
    widest = policy.max_participants_per_pool
    quarters: dict[int, list[Pool]] = defaultdict(list)
    for pool in plain.open:
        quarters[pool[1] // 3].append(pool)
    for pools in quarters.values():
        if policy.max_pools_per_quarter is not None and len(pools) > policy.max_pools_per_quarter:
            plain.at_most(float(policy.max_pools_per_quarter), [plain.open[pool] for pool in pools])
        own = {pool: plain.participants_of(pool) for pool in pools}
        members: dict[Pool, dict[str, Variable]] = defaultdict(dict)
        for name, person in plain.people.items():
            mine = [pool for pool in pools if name in own[pool]]
            limit = person.max_pools_per_quarter
            tight = limit is not None and len(mine) > limit
            for pool in mine if tight or widest is not None else ():
                members[pool][name] = plain.column()
                for columns in own[pool][name]:
                    plain.no_more_than(columns, members[pool][name])
            if tight:
                plain.at_most(float(limit), [members[pool][name] for pool in mine])
        for pool, there in members.items():
            if widest is not None and len(there) > widest:
                plain.at_most(0.0, list(there.values()), (plain.open[pool], -float(widest)))


def _offer_totals(plain: Plain) -> None:
    """Rule 10."""
    for o, offer in enumerate(plain.instance.offers):
        if offer.total_max_quantity is not None:
            row = plain.model.add_linear_constraint(ub=float(offer.total_max_quantity))
            for step in plain.steps:
                for i, column in step.take if step.lot[0] == o else ():
                    row.set_coefficient(column, float(plain.instance.lines[i].quantity))
