"""Instances for the tests: builders with plain defaults, and random tiny instances that make every rule bind.

The random ones are built by choices from short lists, simplest first, so one builder serves hypothesis (which shrinks
towards the first choice) and a seeded generator (for long runs). Each instance turns on a random part of the contract's
features, so limits meet in all combinations without choking every plan. All are valid; all figures are invented.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]
Choose = Callable[[Sequence[Any]], Any]

POLICY: Document = {
    "horizon_start": "2027-01",
    "horizon_months": 12,
    "term_months": 12,
    "min_participants": 2,
    "confidence": 0.5,
    "forecast_correlation": 0.0,
    "carbon_price_eur_per_tonne": 0,
    "criterion_value": {},
    "bridging_rate_per_year": 0.0,
    "pool_cost_eur": 0,
    "lot_cost_eur": 0,
    "line_cost_eur": 0,
    "country_cost_eur": 0,
    "stability_eur": 0,
    "no_one_worse_off": False,
    "green_floor": [],
    "max_pools_per_quarter": None,
    "max_participants_per_pool": None,
    "max_countries_per_pool": None,
}
"""One year, no costs, volumes certain (z(0.5) = 0): a test sets only what it is about."""


def _with(defaults: Document, fields: Document) -> Document:
    unknown = fields.keys() - defaults.keys()
    assert not unknown, f"no such field: {sorted(unknown)}"
    return defaults | fields


def participant(id: str, **fields: Any) -> Document:  # noqa: A002
    """An authority without limits; its country is the first two letters of its id."""
    defaults = {"id": id, "country": id[:2], "contracting_authority": True, "may_lead": True}
    return _with(defaults | {"max_leads": None, "max_pools_per_quarter": None}, fields)


def category(id: str, **fields: Any) -> Document:  # noqa: A002
    return _with({"id": id, "family": "f", "unit": "H87", "term_months": None}, fields)


def offer(id: str, *tiers: tuple[int, float], **fields: Any) -> Document:  # noqa: A002
    """An offer for category ``c``; ``tiers`` are (from_quantity, unit_price_eur)."""
    defaults = {"id": id, "category": "c", "criteria": [], "max_quantity": None, "total_max_quantity": None}
    steps = [{"from_quantity": start, "unit_price_eur": price} for start, price in tiers or ((1000, 90.0),)]
    return _with(defaults | {"tiers": steps, "co2_saved_kg_per_unit": 0.0}, fields)


def line(id: str, participant: str, **fields: Any) -> Document:  # noqa: A002
    """500 units at 100 EUR in category ``c``, certain, free to start in all of 2027."""
    quantity = fields.get("quantity", 500)
    defaults = {"id": id, "participant": participant, "category": "c", "quantity": quantity}
    defaults |= {"quantity_low": quantity, "quantity_high": quantity, "unit_price_eur": 100.0}
    defaults |= {"earliest_start": "2027-01", "latest_start": "2027-12", "required": [], "refused": []}
    return _with(defaults | {"bridging_rate_per_year": None}, fields)


def instance(
    lines: Iterable[Document],
    offers: Iterable[Document],
    *,
    participants: Iterable[Document] | None = None,
    categories: Iterable[Document] | None = None,
    fixed: Iterable[Document] = (),
    forbidden: Iterable[Document] = (),
    previous: Iterable[Document] = (),
    **policy: Any,
) -> Document:
    """A whole document; participants and categories not given are made from the lines, all in family ``f``."""
    lines = list(lines)
    if participants is None:
        participants = [participant(name) for name in dict.fromkeys(row["participant"] for row in lines)]
    if categories is None:
        categories = [category(name) for name in dict.fromkeys(row["category"] for row in lines)]
    return {
        "schema": "pooling.instance/1",
        "policy": _with(POLICY, policy),
        "participants": list(participants),
        "categories": list(categories),
        "offers": list(offers),
        "lines": lines,
        "fixed": list(fixed),
        "forbidden": [ban(**entry) for entry in forbidden],
        "previous": list(previous),
    }


def ban(**fields: Any) -> Document:
    """A ``forbidden`` entry; what is not given fits any."""
    return _with(dict.fromkeys(("participant", "line", "family", "offer", "start")), fields)


def month(start: str, offset: int) -> str:
    """The month ``offset`` months after ``start``, as YYYY-MM."""
    count = int(start[:4]) * 12 + int(start[5:]) - 1 + offset
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


# Random instances ----------------------------------------------------------------------------------------------------

CRITERIA = ("ecolabel", "pvc-free", "climate-plan")
SHARED = ("quarters", "own quarters", "leads")
"""Features that tie families together; turned on more often than the rest."""
THEMES: tuple[tuple[str, ...], ...] = (
    (),
    ("outside", "fixed", "leads", "supply", "many lines"),
    ("fixed", "quarters", "own quarters", "many lines"),
    ("risk", "many tiers", "many lines", "one category"),
    ("risk", "many tiers", "largest lot", "premium"),
    ("previous", "bridging", "many lines"),
    ("leads", "associates", "country cost", "many lines"),
    ("forbidden", "bridging", "largest lot"),
    ("floor", "criteria", "green", "offers"),
    ("pool size", "many lines", "one family"),
    ("pool countries", "floor", "premium", "many lines"),
)
"""Features that bind together and seldom meet by chance."""


@st.composite
def instances(draw: st.DrawFn, max_lines: int = 8) -> Document:
    """Valid instances of 2 to ``max_lines`` lines, most of them with a worthwhile pool."""
    return Builder(lambda options: draw(st.sampled_from(options))).build(max_lines)


def random_instance(seed: int, max_lines: int = 8, theme: Sequence[str] = ()) -> Document:
    """The same instances from a seed, without hypothesis: for long runs and for counting; a theme's features are on."""
    return Builder(random.Random(seed).choice, theme).build(max_lines)


class Builder:
    """Builds one instance from the choices it is handed."""

    def __init__(self, choose: Choose, theme: Sequence[str] = ()) -> None:
        self.choose = choose
        self.theme = theme
        self._on: dict[str, bool] = {}

    def pick(self, feature: str, *options: Any) -> Any:
        """One of the options; the first, which asks nothing of a plan, where the instance goes without the feature.

        Where the theme has the feature, one of the others.
        """
        if feature in self.theme:
            return self.choose(options[1:] or options)
        if feature not in self._on:
            self._on[feature] = self.choose((False, True) if feature in SHARED else (False, False, False, True))
        return self.choose(options) if self._on[feature] else options[0]

    def build(self, max_lines: int) -> Document:
        policy, people = self._policy(), self._participants()
        sizes = list(range(min(2, max_lines), max_lines + 1))
        count = self.choose([*sizes, *4 * sizes[len(sizes) // 2 + 1 :]])
        if "many lines" in self.theme:
            count = max_lines
        categories = self._categories(most=max(1, count // 3))
        lines = self._lines(policy, people, categories, count=count)
        offers = [row for entry in categories for row in self._offers(entry, lines)]
        document = instance(lines, offers, participants=people, categories=categories, **policy)
        document["fixed"] = self._fixed(document)
        document["forbidden"] = self._forbidden(document)
        document["previous"] = self._previous(document)
        return document

    def _policy(self) -> Document:
        choose, pick = self.choose, self.pick
        return {
            "horizon_start": choose(("2027-01", "2026-11")),
            "horizon_months": pick("horizon", choose((6, 4, 5, 7)), 9, 8, 3, 2, 1),
            "term_months": choose((36, 24, 12)),
            "min_participants": choose((2, 2, 2, 2, 2, 2, 1, 1, 3)),
            "confidence": pick("risk", 0.5, 0.9, 0.75, 0.9, 0.8, 0.99),
            "forecast_correlation": pick("risk", 0, 0.3, 0.9),
            "carbon_price_eur_per_tonne": pick("green", 0, 120, 500),
            "criterion_value": pick("green", {}, {"pvc-free": 0.01, "ecolabel": 0.0}, {"ecolabel": 0.03, "other": 1}),
            "bridging_rate_per_year": pick("bridging", 0, 0.02, 0.1, 0.3),
            "pool_cost_eur": pick("pool cost", choose((0, 1000)), 4000, 12000),
            "lot_cost_eur": pick("lot cost", 0, 500, 3000),
            "line_cost_eur": pick("line cost", 0, 100, 400, 1200),
            "country_cost_eur": pick("country cost", 0, 2000, 16000),
            "stability_eur": pick("previous", 0, 500, 5000),
            "no_one_worse_off": choose((False, True)),
            "green_floor": pick("floor", [], ["ecolabel"], []),
            "max_pools_per_quarter": pick("quarters", None, *[1] * 9, 2, 2, 0),
            "max_participants_per_pool": pick("pool size", None, 3, 2),
            "max_countries_per_pool": pick("pool countries", None, 2, 2, 1),
        }

    def _participants(self) -> list[Document]:
        choose, pick = self.choose, self.pick
        return [
            participant(
                f"{choose(('SE', 'DK', 'FI'))}-{letter}",
                contracting_authority=pick("associates", *[True] * 4, False),
                may_lead=pick("leads", True, True, True, False),
                max_leads=pick("leads", None, 1, 1, 1, 1, 1, 1, 2, 0),
                max_pools_per_quarter=pick("own quarters", None, *[1] * 6, 2, 2, 0),
            )
            for letter in "ABCDE"[: choose((3, 4, 5, 4, 5))]
        ]

    def _categories(self, *, most: int) -> list[Document]:
        second = "f0" if "one family" in self.theme else "f1"
        return [
            category(
                f"c{number}",
                family=self.choose(("f0", *[second if number % 2 else "f0"] * 2)),
                term_months=self.pick("terms", None, 12, 48),
            )
            for number in range(1 if "one category" in self.theme else self.choose((1, most, most)))
        ]

    def _lines(
        self, policy: Document, people: list[Document], categories: list[Document], *, count: int
    ) -> list[Document]:
        choose, pick, last = self.choose, self.pick, policy["horizon_months"] - 1
        lines = []
        for number in range(count):
            quantity = choose((500, 400, 650, 800, 1000))
            earliest = choose((0, 1, 2, min(3, last), -2))
            earliest = pick("odd windows", earliest, earliest, earliest, -4, last, last + 1)
            latest = earliest + pick("odd windows", choose((4, 5, 6, 9)), 6, 0, 2, 20)
            required = pick("criteria", *[[]] * 6, ["ecolabel"], ["pvc-free"])
            refused = pick("criteria", *[[]] * 6, ["pvc-free"], ["climate-plan"])
            lines.append(
                line(
                    f"i{number}",
                    choose((people[number % len(people)], choose(people)))["id"],
                    category=choose(categories)["id"],
                    quantity=quantity,
                    quantity_low=quantity - choose((0, 100, 250, 400)),
                    quantity_high=quantity + choose((0, 100, 200, 400)),
                    unit_price_eur=choose((100.0, 96.5, 104.25, 112, 88, 82)),
                    earliest_start=month(policy["horizon_start"], earliest),
                    latest_start=month(policy["horizon_start"], latest),
                    required=required,
                    refused=[name for name in refused if name not in required],
                    bridging_rate_per_year=pick("bridging", None, None, 0, 0.5),
                )
            )
        return lines

    def _offers(self, entry: Document, lines: list[Document]) -> list[Document]:
        """None to three offers, sized by what the category's lines add up to."""
        choose, pick, rows = self.choose, self.pick, []
        total = sum(row["quantity"] for row in lines if row["category"] == entry["id"]) or 1000
        for number in range(pick("offers", choose((1, 2)), 2, 3, 3, 0)):
            tipping, price = choose((0.25, 0.15, 0.2, 0.3)), choose((88.0, 84, 90, 80))
            tipping, price = pick("high tipping", tipping, tipping, 0.5, 0.7), pick("premium", price, price, 98, 103)
            rises, discount = choose(((1.0,), (1.0, 1.3), (1.0, 1.3, 1.8))), choose((6, 3, 0))
            rises = pick("many tiers", rises, (1.0, 1.2, 1.45, 1.7, 2.0, 2.4))
            tiers = [(max(1, round(total * tipping * rise)) + k, price - k * discount) for k, rise in enumerate(rises)]
            largest = pick("largest lot", None, 0.5, 0.7)
            supply = pick("supply", None, 0.45, 0.6, 0.8)
            criteria = pick("criteria", [], ["ecolabel"], ["pvc-free"], ["ecolabel", "pvc-free"], list(CRITERIA))
            rows.append(
                offer(
                    f"{entry['id']}-o{number}",
                    *tiers,
                    category=entry["id"],
                    criteria=pick("green", criteria, ["ecolabel", "pvc-free"]),
                    max_quantity=largest and round(total * largest),
                    total_max_quantity=supply and round(total * supply),
                    co2_saved_kg_per_unit=pick("green", 0, 2.5, 20),
                )
            )
        return rows

    def _fixed(self, document: Document) -> list[Document]:
        """Up to two pools of one or two lots, in the horizon or out of it, sound or not by today's figures."""
        choose, horizon = self.choose, document["policy"]["horizon_months"]
        families = {entry["id"]: entry["family"] for entry in document["categories"]}
        free = list(document["lines"])
        pools: list[Document] = []
        for _ in range(self.pick("fixed", 0, 1, 1, 1, 2)):
            family = choose(sorted(set(families.values())))
            starts = (horizon, -2) if "outside" in self.theme else (0, 1, 2, horizon - 1, horizon, -2)
            start = month(document["policy"]["horizon_start"], choose(starts))
            if any((pool["family"], pool["start"]) == (family, start) for pool in pools):
                continue
            offers = [row for row in document["offers"] if families[row["category"]] == family][: choose((1, 2))]
            lots = []
            for supplied in offers:
                chosen = [row for row in free if row["category"] == supplied["category"]][: choose((2, 1, 2, 1, 3))]
                free = [row for row in free if row not in chosen]
                if chosen:
                    lots.append((supplied["id"], chosen))
            if lots:
                lead = choose([row["participant"] for _, chosen in lots for row in chosen])
                rows = [{"offer": name, "lines": [row["id"] for row in chosen]} for name, chosen in lots]
                pools.append({"family": family, "start": start, "lead": lead, "lots": rows})
        return pools

    def _forbidden(self, document: Document) -> list[Document]:
        policy = document["policy"]
        values = {
            "participant": [row["id"] for row in document["participants"]],
            "line": [row["id"] for row in document["lines"]],
            "family": [row["family"] for row in document["categories"]],
            "offer": [row["id"] for row in document["offers"]],
            "start": [month(policy["horizon_start"], k) for k in range(policy["horizon_months"])],
        }
        shapes = (("line", "start"), ("start",), ("participant", "start"), ("line", "offer"), ("offer", "start"))
        shapes += (("participant", "family", "start"), ("participant", "offer"), ("line",), ("offer",), tuple(values))
        entries = []
        for _ in range(self.pick("forbidden", 0, 1, 2, 3)):
            names = [name for name in self.choose(shapes) if values[name]]
            if names:
                entries.append(ban(**{name: self.choose(values[name]) for name in names}))
        return entries

    def _previous(self, document: Document) -> list[Document]:
        """Where some lines stood last time: most of them together, in a month that need not be anyone's earliest."""
        policy, entries = document["policy"], []
        common = self.choose(range(policy["horizon_months"]))
        for row in document["lines"]:
            offers = [entry["id"] for entry in document["offers"] if entry["category"] == row["category"]]
            if offers and self.pick("previous", False, True, True):
                start = self.choose((common, common, common, 0, policy["horizon_months"]))
                entry = {"line": row["id"], "offer": self.choose(offers[:2])}
                entries.append(entry | {"start": month(policy["horizon_start"], start)})
        return entries
