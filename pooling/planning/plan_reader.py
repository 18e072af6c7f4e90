"""A stored plan and its snapshot, read pool by pool in the words of the field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil, sqrt
from statistics import NormalDist
from typing import Any
from uuid import UUID

from pooling.planning.cautions import cautions
from pooling.planning.pool_views import (
    Gain,
    LineView,
    LotView,
    MemberLot,
    MemberView,
    OfferView,
    PoolView,
    SigningBodyView,
    TierView,
    Trace,
)
from pooling.planning.rules import Milestones, Timetable, line_gain, milestones, months_bridged
from pooling.planning.snapshot import Frozen
from pooling.planning.views import UnpooledView
from pooling.planning.words import explain


@dataclass(frozen=True, slots=True)
class Stored:
    """A plan as kept: its document (``pooling.plan/1``), its snapshot, and how it came about; ``traces`` by line id."""

    id: UUID
    frozen: Frozen
    document: Mapping[str, Any]
    created_at: datetime
    solver_version: str
    time_limit_s: float
    traces: Mapping[int, Trace]


def summed(gains: Iterable[Gain]) -> Gain:
    """All of them together; nothing where there is none."""
    return sum(gains, Gain())


def plan_milestones(pool: Mapping[str, Any], policy: Mapping[str, Any]) -> Milestones:
    """The dates of a pool of a plan document under the policy of its snapshot."""
    return milestones(
        pool["start"], lead_time_months=policy["lead_time_months"], timetable=Timetable(**policy["timetable"])
    )


class Reader:
    """Looks parts of one plan up in its snapshot and builds their views."""

    def __init__(self, stored: Stored) -> None:
        instance, self.context = stored.frozen.instance, stored.frozen.context
        self.policy = instance["policy"]
        self.settings = stored.frozen.policy
        self.lines = {each["id"]: each for each in instance["lines"]}
        self.offers = {each["id"]: each for each in instance["offers"]}
        self.categories = {each["id"]: each for each in instance["categories"]}
        self.participants = {each["id"]: each for each in instance["participants"]}
        self.offer_views = {key: self._offer(key) for key in self.offers}
        self.traces = stored.traces

    def pool(self, number: int, pool: Mapping[str, Any]) -> PoolView:
        lots = tuple(self._lot(lot, pool["start"]) for lot in pool["lots"])
        members = self._members(lots)
        dates = plan_milestones(pool, self.settings)
        countries = tuple(sorted({member.country for member in members}))
        cost = self.policy["pool_cost_eur"] + self.policy["country_cost_eur"] * (len(countries) - 1)
        body = self.context["participants"][pool["lead"]]["signing_body"]
        return PoolView(
            number=number,
            family=pool["family"],
            start=pool["start"],
            dialogue_from=dates.dialogue_from,
            notice_by=dates.notice_by,
            award_by=dates.award_by,
            starts_on=dates.starts_on,
            lead=pool["lead"],
            lead_name=self.context["participants"][pool["lead"]]["name"],
            signing_body=SigningBodyView(code=body, **self.context["signing_bodies"][body]),
            countries=countries,
            members=members,
            lots=lots,
            spend_eur_per_year=sum(lot.spend_eur_per_year for lot in lots),
            value_over_term_eur=sum(lot.offered_spend_eur_per_year * lot.term_months / 12 for lot in lots),
            co2_saved_tonnes_per_year=sum(lot.co2_saved_tonnes_per_year for lot in lots),
            gain=summed(lot.gain for lot in lots) + Gain(set_up_cost_eur=cost),
            warnings=tuple(cautions(lots, members, dates)),
        )

    def _lot(self, lot: Mapping[str, Any], start: str) -> LotView:
        offer = self.offers[lot["offer"]]
        category = self.categories[offer["category"]]
        term = category["term_months"] or self.policy["term_months"]
        price = offer["tiers"][lot["tier"]]["unit_price_eur"]
        lines = tuple(
            self._line(self.lines[key], offer=offer, unit_price_eur=price, start=start, term_months=term)
            for key in lot["lines"]
        )
        view = self.offer_views[lot["offer"]]
        tonnes = lot["quantity"] / 1000
        return LotView(
            category=category["id"],
            category_name=self.context["categories"][category["id"]]["name"],
            unit=category["unit"],
            offer=view,
            tier=lot["tier"],
            quantity=lot["quantity"],
            sure_quantity=lot["sure_quantity"],
            likely_maximum=self._likely_maximum(lot["lines"]),
            term_months=term,
            spend_eur_per_year=sum(line.spend_eur_per_year for line in lines),
            offered_spend_eur_per_year=lot["quantity"] * price,
            co2_saved_tonnes_per_year=view.co2_saved_kg_per_unit * tonnes,
            co2_saved_low_tonnes=view.co2_saved_low_kg * tonnes,
            co2_saved_high_tonnes=view.co2_saved_high_kg * tonnes,
            gain=summed(line.gain for line in lines) + Gain(set_up_cost_eur=self.policy["lot_cost_eur"]),
            lines=lines,
        )

    def _likely_maximum(self, keys: Iterable[str]) -> int:
        """Quantity plus what the sure quantity takes off for doubt: the same normal model, the other side."""
        lines, rho = [self.lines[key] for key in keys], self.policy["forecast_correlation"]
        z90 = NormalDist().inv_cdf(0.9)
        spreads = [(line["quantity_high"] - line["quantity_low"]) / (2 * z90) for line in lines]
        variance = (1 - rho) * sum(sd * sd for sd in spreads) + rho * sum(spreads) ** 2
        doubt = NormalDist().inv_cdf(self.policy["confidence"]) * sqrt(variance)
        estimate: int = sum(line["quantity"] for line in lines)
        return ceil(estimate + doubt)

    def _line(
        self,
        line: Mapping[str, Any],
        *,
        offer: Mapping[str, Any],
        unit_price_eur: float,
        start: str,
        term_months: int,
    ) -> LineView:
        return LineView(
            **self._line_words(line),
            country=self.participants[line["participant"]]["country"],
            quantity_low=line["quantity_low"],
            quantity_high=line["quantity_high"],
            unit_price_eur=line["unit_price_eur"],
            months_bridged=months_bridged(line, start=start, policy=self.policy),
            doubts=tuple(self.context["doubts"].get(line["id"], ())),
            refused=tuple(line["refused"]),
            gain=line_gain(
                line,
                offer=offer,
                unit_price_eur=unit_price_eur,
                start=start,
                term_months=term_months,
                policy=self.policy,
            ),
        )

    def _line_words(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What pooled and unpooled lines say alike."""
        return {
            "id": int(line["id"]),
            "participant": line["participant"],
            "participant_name": self.context["participants"][line["participant"]]["name"],
            "quantity": line["quantity"],
            "spend_eur_per_year": line["quantity"] * line["unit_price_eur"],
            "earliest_start": line["earliest_start"],
            "latest_start": line["latest_start"],
            "required": tuple(line["required"]),
            "trace": self.traces[int(line["id"])],
        }

    def _members(self, lots: Sequence[LotView]) -> tuple[MemberView, ...]:
        return tuple(self._member(code, lots) for code in sorted({code for lot in lots for code in lot.participants}))

    def _member(self, code: str, lots: Sequence[LotView]) -> MemberView:
        brings = []
        lines: list[LineView] = []
        for lot in lots:
            own = [line for line in lot.lines if line.participant == code]
            if own:
                quantity = sum(line.quantity for line in own)
                share = quantity / lot.quantity
                brings.append(MemberLot(lot.category, lot.category_name, lot.unit, quantity, share))
                lines += own
        return MemberView(
            participant=code,
            name=self.context["participants"][code]["name"],
            country=self.participants[code]["country"],
            contracting_authority=self.participants[code]["contracting_authority"],
            lots=tuple(brings),
            lines=len(lines),
            spend_eur_per_year=sum(line.spend_eur_per_year for line in lines),
            gain=summed(line.gain for line in lines),
        )

    def unpooled(self, entry: Mapping[str, Any]) -> UnpooledView:
        line = self.lines[entry["line"]]
        figures = {name: value for name, value in entry.items() if name not in ("line", "reason")}
        category = self.categories[line["category"]]
        return UnpooledView(
            **self._line_words(line),
            category=category["id"],
            category_name=self.context["categories"][category["id"]]["name"],
            unit=category["unit"],
            reason=entry["reason"],
            figures=figures,
            words=explain(entry["reason"], figures, green_floor=bool(self.policy["green_floor"])),
        )

    def _offer(self, key: str) -> OfferView:
        offer, said = self.offers[key], self.context["offers"][key]
        co2 = said["co2_saved_kg_per_unit"]
        return OfferView(
            id=key,
            name=said["name"],
            category=offer["category"],
            criteria=tuple(said["criteria"]),
            criteria_met=tuple(offer["criteria"]),
            tiers=tuple(_tier(tier) for tier in said["tiers"]),
            max_quantity=offer["max_quantity"],
            total_max_quantity=offer["total_max_quantity"],
            co2_saved_kg_per_unit=co2["value"],
            co2_saved_low_kg=co2["low"],
            co2_saved_high_kg=co2["high"],
            co2_source=co2["source"],
            co2_source_date=date.fromisoformat(co2["source_date"]),
            price_basis=said["price_basis"],
            index_base_eur=said["index_base_eur"],
            file_name=said["file_name"],
        )


def _tier(tier: Mapping[str, Any]) -> TierView:
    volume, price = tier["from_quantity"], tier["price"]
    value, low, high = tier["unit_price_eur"]
    return TierView(
        from_quantity=volume["value"],
        from_quantity_low=volume["low"],
        from_quantity_high=volume["high"],
        quantity_source=volume["source"],
        quantity_source_date=date.fromisoformat(volume["source_date"]),
        unit_price_eur=value,
        unit_price_low_eur=low,
        unit_price_high_eur=high,
        price_source=price["source"],
        price_source_date=date.fromisoformat(price["source_date"]),
    )
