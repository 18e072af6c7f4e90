"""What each participant of a pool gets of its gain by four rules, and whether anyone would do better apart.

A pool's gain is what it is worth: its lines' benefits less what its lots, the pool and further countries cost. It is
shared twice: ``valued`` with the green value (CO2e and criteria) counted, ``cash`` without it (price savings less
bridging, line costs and set-up). The rules, each adding up to the gain:

- ``own_benefit``: nothing changes hands. Each has its lines' benefits at the common price; a lot's cost is borne by
  quantity in the lot, the pool's and countries' costs by volume. Central purchasing bodies charge by volume as well.
- ``proportional``: the whole gain by volume. Quantities of different categories have different units, so volume is
  spend across categories and quantity within one: a participant's part of each category's quantity, the categories
  weighted by today's yearly spend in them.
- ``shapley``: what each adds to those before it, averaged over all orders (Shapley 1953). Exact up to 12 participants;
  above, the mean of sampled orders, each with its reverse (antithetic), with standard errors.
- ``least_core``: the share whose worst-served coalition is served best (`solver.sharing.least_core`).

For each share the coalition that would gain most by leaving is named, and by how much (`solver.sharing.leaving`); the
share is in the core where no coalition gains. What a coalition could do alone is in `solver.sharing.coalitions`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.arrays import Floats
from solver.checks import refuse, wholes
from solver.errors import Fault
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.plan import PlanPool
from solver.sharing.coalitions import Game
from solver.sharing.excesses import Known, Question, Worst, all_known, tolerance_of
from solver.sharing.least_core import LeastCores
from solver.sharing.leaving import NODES, Leavers
from solver.sharing.shapley import Sampled, exact
from solver.terms import terms_of
from solver.worth import Worth

SCHEMA = "pooling.shares/1"
OWN, PROPORTIONAL, SHAPLEY, LEAST_CORE = RULES = ("own_benefit", "proportional", "shapley", "least_core")
TRIED_WHOLE = 12
"""Up to so many participants every coalition is tried, and Shapley shares are exact."""
ORDERS = 400
"""Orders sampled: standard errors come to about 1 % of the pool's gain at 30 participants."""


@dataclass(frozen=True)
class Leaving:
    """Who would gain most by leaving together, and what: found for certain, and no coalition above the bound."""

    participants: tuple[str, ...]
    gains_eur: float
    bound_eur: float
    proven: bool

    def to_document(self) -> dict[str, object]:
        return {
            "participants": list(self.participants),
            "gains_eur": self.gains_eur,
            "bound_eur": self.bound_eur,
            "proven": self.proven,
        }


@dataclass(frozen=True)
class Share:
    """One rule's division. ``leaving`` is None where there is no one to leave: a pool of one participant."""

    amounts_eur: Mapping[str, float]
    standard_error_eur: Mapping[str, float] | None
    worse_than_alone: tuple[str, ...]
    leaving: Leaving | None
    tolerance_eur: float

    @property
    def individually_rational(self) -> bool:
        """Whether all get at least what they would have alone."""
        return not self.worse_than_alone

    @property
    def in_core(self) -> bool | None:
        """Whether no coalition gains by leaving; None where the search proved neither."""
        if self.leaving is None or self.leaving.bound_eur <= self.tolerance_eur:
            return True
        return False if self.leaving.gains_eur > self.tolerance_eur else None

    def to_document(self) -> dict[str, object]:
        errors = self.standard_error_eur
        return {
            "amounts_eur": dict(self.amounts_eur),
            "standard_error_eur": None if errors is None else dict(errors),
            "individually_rational": self.individually_rational,
            "worse_than_alone": list(self.worse_than_alone),
            "in_core": self.in_core,
            "leaving": None if self.leaving is None else self.leaving.to_document(),
        }


@dataclass(frozen=True)
class Division:
    """A gain by all four rules; ``alone_eur`` is what each would have by itself.

    ``least_excess_eur``: what the worst coalition gains by leaving under any share at all, at least; below 0 it is what
    every coalition gains by staying. None for a pool of one participant, and where the linear program has no answer.
    """

    gain_eur: float
    alone_eur: Mapping[str, float]
    shares: Mapping[str, Share]
    least_excess_eur: float | None
    least_core_proven: bool

    def to_document(self) -> dict[str, object]:
        return {
            "gain_eur": self.gain_eur,
            "alone_eur": dict(self.alone_eur),
            "rules": {rule: share.to_document() for rule, share in self.shares.items()},
            "least_core_excess_eur": self.least_excess_eur,
            "least_core_proven": self.least_core_proven,
        }


@dataclass(frozen=True)
class PoolShares:
    """One pool's gain shared. ``volume_share`` adds up to 1; ``benefit_eur`` is each one's before set-up costs."""

    family: str
    start: str
    participants: tuple[str, ...]
    volume_share: Mapping[str, float]
    benefit_eur: Mapping[str, float]
    set_up_eur: float
    valued: Division
    cash: Division

    def to_document(self) -> dict[str, object]:
        return {
            "family": self.family,
            "start": self.start,
            "participants": list(self.participants),
            "volume_share": dict(self.volume_share),
            "benefit_eur": dict(self.benefit_eur),
            "set_up_eur": self.set_up_eur,
            "valued": self.valued.to_document(),
            "cash": self.cash.to_document(),
        }


@dataclass(frozen=True)
class Shares:
    """The gains of all pools, shared; the same for the same ``seed`` and ``orders``."""

    pools: tuple[PoolShares, ...]
    seed: int
    orders: int

    def to_document(self) -> dict[str, object]:
        """``pooling.shares/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "sampled_orders": self.orders,
            "exact_up_to_participants": TRIED_WHOLE,
            "pools": [pool.to_document() for pool in self.pools],
        }


def share(
    instance: Instance, pools: Iterable[PlanPool], *, orders: int = ORDERS, seed: int = 0, nodes: int = NODES
) -> Shares:
    """Each pool's gain among its participants by the four rules.

    ``orders``: sampled orders of participants for Shapley shares above 12 (even; at least 4). ``nodes``: work of one
    search for leaving coalitions. Raises `InvalidPlan` for pools of another instance, `InvalidInstance` for settings
    out of bounds.
    """
    refuse(_faults(orders=orders, seed=seed, nodes=nodes))
    worth, terms = Worth(instance), terms_of(instance)
    known = known_pools(instance, pools)
    shared = tuple(_Sharing(Game(worth, terms, pool), orders, seed, nodes).result() for pool in known)
    return Shares(shared, seed, orders)


def _faults(*, orders: int, seed: int, nodes: int) -> Iterator[Fault]:
    found = list(wholes(4, orders=orders))
    yield from found
    if not found and orders % 2:
        yield Fault("orders", orders, "give an even number: orders come with their reverse")
    yield from wholes(0, seed=seed)
    yield from wholes(1, nodes=nodes)


class _Sharing:
    """One pool's gain."""

    def __init__(self, game: Game, orders: int, seed: int, nodes: int) -> None:
        self.game, self.orders, self.seed = game, orders, seed
        self.leavers = Leavers(game, nodes=nodes)
        self.volume = self._volume()
        self.alone = game.values(np.eye(game.size, dtype=bool))

    def result(self) -> PoolShares:
        game = self.game
        known, sampled = self._known()
        kinds = (False,) if game.greenless else (False, True)
        plain = {cash: self._plain(cash, known, sampled) for cash in kinds}
        questions = [Question(cash, amounts) for cash in kinds for amounts, _ in plain[cash]]
        answers = self.leavers.worst(questions, known) if game.size > 1 else [None] * len(questions)
        cores = LeastCores(game, self.leavers, known)
        for answer in answers:
            if answer is not None:
                cores.add(answer.found)
        divisions: dict[bool, Division] = {}
        moved: Floats | None = None
        for k, cash in enumerate(kinds):
            own = plain[cash][0][0]
            core = cores.find(own, cash=cash, start=None if moved is None else own + moved)
            moved = core.amounts - own
            shares = [*zip(plain[cash], answers[3 * k : 3 * k + 3], strict=True), ((core.amounts, None), core.worst)]
            least = core.least_excess_eur if np.isfinite(core.least_excess_eur) else None
            divisions[cash] = self._division(cash, shares, least, core.proven)
        benefit = sum(lot.benefit[lot.tier] for lot in game.lots)
        return PoolShares(
            family=game.pool.family,
            start=game.pool.start,
            participants=game.members,
            volume_share=self._named(self.volume),
            benefit_eur=self._named(np.asarray(benefit)),
            set_up_eur=float(np.sum(benefit)) - game.whole(False),
            valued=divisions[False],
            cash=divisions.get(True, divisions[False]),
        )

    def _named(self, amounts: Floats) -> dict[str, float]:
        return dict(zip(self.game.members, (float(amount) for amount in amounts), strict=True))

    def _volume(self) -> Floats:
        """Each member's part of the pool's volume: quantity within a category, spend across."""
        offers = self.game.worth.offers
        categories = dict.fromkeys(offers[lot.offer].category for lot in self.game.lots)
        parts, weights = [], []
        for category in categories:
            lots = [lot for lot in self.game.lots if offers[lot.offer].category == category]
            quantity = np.sum([lot.quantity for lot in lots], axis=0)
            parts.append(quantity / quantity.sum())
            weights.append(sum(float(lot.spend.sum()) for lot in lots))
        total = sum(weights)
        even = [1 / len(weights)] * len(weights)
        return np.average(parts, axis=0, weights=weights if total > 0 else even)

    def _own(self, cash: bool) -> Floats:
        """Each member's benefits less its part of the set-up costs."""
        terms, game = self.game.terms, self.game
        own = -self.volume * (terms.pool_cost + terms.country_cost * (len(game.country) - 1))
        for lot in game.lots:
            own = own + lot.benefit[lot.tier] - (lot.green if cash else 0.0)
            own = own - terms.lot_cost * lot.quantity / lot.quantity.sum()
        return own

    def _known(self) -> tuple[Known, Sampled | None]:
        """Coalitions with their values: all, or those the sampled orders run through."""
        if self.game.size <= TRIED_WHOLE:
            return all_known(self.game), None
        sampled = Sampled(self.game, self.orders, self.seed)
        return sampled.known, sampled

    def _plain(self, cash: bool, known: Known, sampled: Sampled | None) -> list[tuple[Floats, Floats | None]]:
        """Own benefit, proportional and Shapley shares, with standard errors where sampled."""
        gain = self.game.whole(cash)
        shapley = (exact(known.of(cash), self.game.size), None) if sampled is None else sampled.shares(cash)
        return [(self._own(cash), None), (gain * self.volume, None), shapley]

    def _division(
        self,
        cash: bool,
        shares: Sequence[tuple[tuple[Floats, Floats | None], Worst | None]],
        least: float | None,
        proven: bool,
    ) -> Division:
        alone = self.alone.of(cash)
        tolerance = 2 * tolerance_of(self.game, cash)
        named = {}
        for rule, ((amounts, errors), worst) in zip(RULES, shares, strict=True):
            short = [m for m, got, own in zip(self.game.members, amounts, alone, strict=True) if got < own - tolerance]
            named[rule] = Share(
                amounts_eur=self._named(amounts),
                standard_error_eur=None if errors is None else self._named(errors),
                worse_than_alone=tuple(short),
                leaving=self._leaving(worst),
                tolerance_eur=tolerance,
            )
        return Division(self.game.whole(cash), self._named(alone), named, least, proven)

    def _leaving(self, worst: Worst | None) -> Leaving | None:
        if worst is None or self.game.size < 2:
            return None
        names = tuple(member for member, inside in zip(self.game.members, worst.coalition, strict=True) if inside)
        return Leaving(names, worst.excess_eur, worst.bound_eur, worst.proven)
