"""The main job on one real data set, from the file as published to a judged plan, with what is to be reported of it."""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine

from pooling.database import reading, transaction
from pooling.demand import service as demand
from pooling.demand.mapping import FileMapping
from pooling.demand.propose import Proposal, proposals, write_proposals
from pooling.demand.results import Loaded
from pooling.market import files as offer_files
from pooling.market import service as market
from pooling.market.fit import Fitted
from pooling.planning import service as planning
from pooling.planning.policy import Policy
from pooling.reference import service as reference
from solver.check import Violation, check

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCMS_YEARS = range(2006, 2016)
LIQUIDS = ("Oral solution", "Oral suspension", "Powder for oral solution")
"""Forms of the deliveries whose packs are counted in millilitres; all others in pieces."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One data set with all that is ours to say of it. ``made_categories``: categories come from the file itself.

    ``fit``: how stand-ins for offers are fitted on the file's own prices; no supplier has offered them.
    """

    name: str
    file: Path
    mapping: FileMapping
    policy: Policy
    fit: market.FitSettings
    participants: Path | None = None
    categories: Path | None = None
    made_categories: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to; ``instance`` and ``plan`` are the documents as exported, for the judge."""

    trial: str
    loaded: Loaded
    fitted: tuple[Fitted, ...]
    instance: Mapping[str, Any]
    plan: Mapping[str, Any]
    seconds: float

    def waiting(self) -> dict[str, int]:
        """Rows that wait, by reason."""
        rows: Counter[str] = Counter()
        for word in self.loaded.waiting:
            rows[word.reason] += word.rows
        return dict(rows)

    def offers(self) -> int:
        """How many categories got a stand-in for an offer."""
        return sum(one.offer is not None for one in self.fitted)

    def violations(self) -> list[Violation]:
        """What the judge finds wrong with the plan; empty where nothing is."""
        return check(dict(self.instance), dict(self.plan))

    def saving_by_volume(self) -> float:
        """EUR over the terms, of the saving stated, that the fitted fall of price with volume explains.

        The rest is that offers are at the median price of all the years they were fitted on: a line of a dear year
        then seems to save what the years saved it.
        """
        slopes = {one.category: one.slope for one in self.fitted if one.slope is not None}
        lines = {line["id"]: line for line in self.instance["lines"]}
        offers = {offer["id"]: offer for offer in self.instance["offers"]}
        largest: dict[str, int] = {}
        for line in lines.values():
            largest[line["category"]] = max(line["quantity"], largest.get(line["category"], 0))
        total = 0.0
        for lot in (lot for pool in self.plan["pools"] for lot in pool["lots"]):
            offer = offers[lot["offer"]]
            category, price = offer["category"], offer["tiers"][lot["tier"]]["unit_price_eur"]
            volume = min(lot["quantity"], largest[category])
            for line in (lines[key] for key in lot["lines"]):
                by_volume = line["unit_price_eur"] * (1 - (volume / line["quantity"]) ** slopes[category])
                stated = line["unit_price_eur"] - price
                total += line["quantity"] * max(0.0, min(by_volume, stated))
        return total

    def cells(self) -> list[str]:
        """The row of the table under ``HEADERS``."""
        plan = self.plan
        return [
            self.trial,
            str(self.loaded.rows_read),
            str(self.loaded.lines_made),
            _counts(self.loaded.refused),
            _counts(self.loaded.skipped),
            _counts(self.waiting()),
            f"{self.offers()} of {len(self.fitted)}",
            str(len(plan["pools"])),
            f"{plan['objective_eur']:,.0f}",
            f"{plan['bound_eur']:,.0f}",
            f"{plan['gap']:.4%}",
            f"{plan['totals']['savings_eur']:,.0f}",
            f"{self.saving_by_volume():,.0f}",
            f"{self.seconds:.1f}",
        ]


HEADERS = (
    "data set",
    "rows read",
    "lines made",
    "refused",
    "out of scope",
    "waiting",
    "offers fitted",
    "pools",
    "value EUR",
    "bound EUR",
    "gap",
    "saving EUR",
    "of it by volume",
    "seconds",
)


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {rows}" for reason, rows in sorted(found.items())) or "0"


def scms(data: Path, *, within_year: bool) -> Trial:
    """Deliveries of HIV medicines and tests to 35 countries, 2006 to 2015."""
    return Trial(
        name=f"scms, fitted {'within years' if within_year else 'over all years'}",
        file=data / "scms" / "scms_delivery_history_dev.csv",
        mapping=demand.read_mapping(HERE / "scms" / "mapping.toml"),
        policy=planning.read_policy(HERE / "scms" / "policy.toml", today=NOW.date()),
        fit=market.FitSettings(source_date=date(2015, 12, 31), within_year=within_year),
        participants=HERE / "scms" / "participants.csv",
        made_categories=True,
    )


def scms_of_year(data: Path, year: int) -> Trial:
    """The deliveries of one year alone, and stand-ins fitted on that year's prices: no trend over the years can pass
    for a discount. Rows of the other years are out of scope."""
    text = (HERE / "scms" / "mapping.toml").read_text("utf-8")
    document = tomllib.loads(text, parse_float=Decimal)
    others = "|".join(f"{other % 100:02}" for other in SCMS_YEARS if other != year)
    document["skip"].append({"column": "date", "matches": f"-(?:{others})$", "reason": "another year"})
    rules = tomllib.loads((HERE / "scms" / "policy.toml").read_text("utf-8"))
    rules |= {"as_of": date(year - 1, 1, 1), "horizon_start": f"{year}-01", "horizon_months": 18}
    return replace(
        scms(data, within_year=True),
        name=f"scms, {year} alone",
        mapping=demand.mapping_from_document(document, HERE / "scms"),
        policy=planning.policy_of(rules, today=NOW.date()),
        fit=market.FitSettings(source_date=date(year, 12, 31)),
    )


def occrp_sweden(data: Path) -> Trial:
    """Purchases of three Swedish regions in the spring of 2020."""
    return Trial(
        name="occrp-sweden",
        file=data / "occrp-sweden" / "sweden_health_regions_dev.csv",
        mapping=demand.read_mapping(HERE / "occrp_sweden" / "mapping.toml"),
        policy=planning.read_policy(HERE / "occrp_sweden" / "policy.toml", today=NOW.date()),
        fit=market.FitSettings(source_date=date(2020, 5, 7)),
        categories=HERE / "occrp_sweden" / "categories.csv",
    )


def run(trial: Trial, engine: Engine, folder: Path, *, time_limit_s: float = 60.0) -> Outcome:
    """Load, fit, plan and export in ``folder``, in an empty migrated database; seconds are of all of it."""
    began = perf_counter()
    with transaction(engine) as session:
        reference.install(session)
        if trial.participants:
            reference.add_participants(session, trial.participants)
        if trial.categories:
            reference.add_categories(session, trial.categories)
        if trial.made_categories:
            write_proposals(folder / "categories.csv", made_categories(trial))
            reference.add_categories(session, folder / "categories.csv")
        loaded = demand.load(session, trial.file, trial.mapping, series=None, partial=True, received_at=NOW)
    fitted = _fit(trial, engine, folder)
    effort = planning.Effort(time_limit_s=time_limit_s, workers=2)
    made = planning.make_plan(engine, trial.policy, now=NOW, effort=effort)
    with reading(engine) as session:
        planning.export_plan(session, str(made.plan), folder)
    instance, plan = (json.loads((folder / name).read_text("utf-8")) for name in ("instance.json", "plan.json"))
    return Outcome(trial.name, loaded, fitted, instance, plan, perf_counter() - began)


def made_categories(trial: Trial) -> list[Proposal]:
    """The categories proposed from the file, corrected: what is drunk pools in millilitres."""
    found = proposals(trial.file, trial.mapping)
    return [replace(one, unit="MLT") if one.name.endswith(LIQUIDS) else one for one in found]


def _fit(trial: Trial, engine: Engine, folder: Path) -> tuple[Fitted, ...]:
    """Fit, and load the stand-ins by way of their file, as a planner would."""
    with transaction(engine) as session:
        fitted = tuple(market.fit_offers(session, trial.fit))
        found = [one.offer for one in fitted if one.offer]
        path = folder / "offers.csv"
        path.write_text(offer_files.write_csv(found), encoding="utf-8", newline="")
        if found:
            market.load_offers(session, path, loaded_at=NOW)
    return fitted
