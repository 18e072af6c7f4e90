"""Pools of a plan in the words of the field: lots, lines, members, offers, and what each of them gains."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Gain:
    """What pooling gives, EUR over the term. ``savings_eur`` below zero is a green premium."""

    savings_eur: float = 0.0
    green_value_eur: float = 0.0
    bridging_cost_eur: float = 0.0
    set_up_cost_eur: float = 0.0
    stability_eur: float = 0.0

    @property
    def cash_eur(self) -> float:
        """Savings less bridging and set-up costs: money alone."""
        return self.savings_eur - self.bridging_cost_eur - self.set_up_cost_eur

    @property
    def net_eur(self) -> float:
        """Savings, green value and stability less bridging and set-up costs: what the plan maximises."""
        return (
            self.savings_eur + self.green_value_eur + self.stability_eur - self.bridging_cost_eur - self.set_up_cost_eur
        )

    def __add__(self, other: "Gain") -> "Gain":
        return Gain(
            self.savings_eur + other.savings_eur,
            self.green_value_eur + other.green_value_eur,
            self.bridging_cost_eur + other.bridging_cost_eur,
            self.set_up_cost_eur + other.set_up_cost_eur,
            self.stability_eur + other.stability_eur,
        )


@dataclass(frozen=True, slots=True)
class TierView:
    """A price from a yearly volume on, each figure with its range, source and date."""

    from_quantity: int
    from_quantity_low: int
    from_quantity_high: int
    quantity_source: str
    quantity_source_date: date
    unit_price_eur: float
    unit_price_low_eur: float
    unit_price_high_eur: float
    price_source: str
    price_source_date: date


@dataclass(frozen=True, slots=True)
class OfferView:
    """What the market has said it can supply; ``tiers[0].from_quantity`` is the tipping volume.

    ``criteria`` are those the offer states, ``criteria_met`` adds all they imply. ``index_base_eur`` is today's
    volume-weighted unit price that an index price was multiplied by, None where the price is absolute.
    """

    id: str
    name: str
    category: str
    criteria: tuple[str, ...]
    criteria_met: tuple[str, ...]
    tiers: tuple[TierView, ...]
    max_quantity: int | None
    total_max_quantity: int | None
    co2_saved_kg_per_unit: float
    co2_saved_low_kg: float
    co2_saved_high_kg: float
    co2_source: str
    co2_source_date: date
    price_basis: str
    index_base_eur: float | None
    file_name: str

    @property
    def tipping_quantity(self) -> int:
        return self.tiers[0].from_quantity


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a line's figures came from: file, row and the values as the participant wrote them."""

    submission: str
    file_name: str
    file_sha256: str
    row: int
    rows: int
    sent_as: str
    item_code: str | None
    original_quantity: str
    original_unit: str
    original_price: str
    currency: str
    window_source: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line in a lot. ``months_bridged`` is how long its present contract must be stretched to reach the start;
    ``doubts`` are what the quality checks said of its volume or price, in words."""

    id: int
    participant: str
    participant_name: str
    country: str
    quantity: int
    quantity_low: int
    quantity_high: int
    unit_price_eur: float
    spend_eur_per_year: float
    earliest_start: str
    latest_start: str
    months_bridged: int
    required: tuple[str, ...]
    refused: tuple[str, ...]
    gain: Gain
    trace: Trace
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberLot:
    """What one member brings to one lot; ``share`` is of the lot's quantity, 0 to 1."""

    category: str
    category_name: str
    unit: str
    quantity: int
    share: float


@dataclass(frozen=True, slots=True)
class MemberView:
    """A participant of a pool: what it brings, and what its lines gain (no share of lot and pool costs)."""

    participant: str
    name: str
    country: str
    contracting_authority: bool
    lots: tuple[MemberLot, ...]
    lines: int
    spend_eur_per_year: float
    gain: Gain


@dataclass(frozen=True, slots=True)
class LotView:
    """Lines of one category on one offer. ``tier`` counts from 0.

    ``sure_quantity`` is reached with the policy's confidence; ``likely_maximum`` is exceeded with no more than the same
    doubt: the figure to start from when a notice states the maximum quantity a year (CJEU C-23/20).
    """

    category: str
    category_name: str
    unit: str
    offer: OfferView
    tier: int
    quantity: int
    sure_quantity: float
    likely_maximum: int
    term_months: int
    spend_eur_per_year: float
    offered_spend_eur_per_year: float
    co2_saved_tonnes_per_year: float
    co2_saved_low_tonnes: float
    co2_saved_high_tonnes: float
    gain: Gain
    lines: tuple[LineView, ...]

    @property
    def tipping_quantity(self) -> int:
        return self.offer.tipping_quantity

    @property
    def unit_price_eur(self) -> float:
        return self.offer.tiers[self.tier].unit_price_eur

    @property
    def next_tier(self) -> TierView | None:
        """The tier above the one reached; None at the last."""
        return self.offer.tiers[self.tier + 1] if self.tier + 1 < len(self.offer.tiers) else None

    @property
    def participants(self) -> tuple[str, ...]:
        return tuple(sorted({line.participant for line in self.lines}))


@dataclass(frozen=True, slots=True)
class SigningBodyView:
    """Who signs for the lead; its law, language and complaint board are the pool's."""

    code: str
    name: str
    country: str
    law: str
    language: str
    complaint_board: str


@dataclass(frozen=True, slots=True)
class PoolView:
    """A proposed joint tender. ``number`` counts the plan's pools from 1 in order of start, then family.

    ``gain`` includes the set-up costs of pool, countries, lots and lines. ``value_over_term_eur`` is the estimated
    value at the offered price over the lots' terms, ex VAT.
    """

    number: int
    family: str
    start: str
    dialogue_from: date
    notice_by: date
    award_by: date
    starts_on: date
    lead: str
    lead_name: str
    signing_body: SigningBodyView
    countries: tuple[str, ...]
    members: tuple[MemberView, ...]
    lots: tuple[LotView, ...]
    spend_eur_per_year: float
    value_over_term_eur: float
    co2_saved_tonnes_per_year: float
    gain: Gain
    warnings: tuple[str, ...]
