"""What is sent in the story: a policy, cycles, offers, files and forecasts. All of it is made up."""

from typing import Any

GLOVES = "examination-gloves-nitrile-non-sterile"
SYRINGES = "insulin-syringes"
DRESSINGS = "foam-wound-dressings"
POLICY: dict[str, Any] = {
    "name": "made up",
    "lead_time_months": 4,
    "lead_time_reason": "made up: a story that ends within a year",
    "horizon_months": 12,
    "term_months": 24,
    "pool_cost_eur": 1000,
    "lot_cost_eur": 100,
    "line_cost_eur": 10,
    "country_cost_eur": 200,
    "criterion_value": {"uhm-basic": 0.01},
}
HEADERS = (
    "Participant",
    "Category",
    "Quantity per year",
    "Low estimate",
    "High estimate",
    "Unit",
    "Unit price",
    "Currency",
    "Price basis",
    "Price date",
    "Contract end",
    "Extension options (months)",
)
CURRENCIES = {"SE": "SEK", "NO": "NOK", "DK": "DKK", "FI": "EUR"}


def row(code: str, category: str, quantity: int | str, price: str, *, options: int = 2) -> str:
    """A row of a file: the contract ends in September 2026, the forecast is ten per cent sure."""
    ends = [str(int(quantity) * share // 10) for share in (9, 11)] if str(quantity).isdigit() else ["", ""]
    known = ("ex VAT", "2026-03-02", "2026-09-30", str(options))
    return ";".join((code, category, str(quantity), *ends, "piece", price, CURRENCIES[code[:2]], *known))


def file_of(*rows: str) -> bytes:
    """A file with our own headers."""
    return "\n".join([";".join(HEADERS), *rows, ""]).encode()


def forecast(code: str, category: str, quantity: int, price: str, **window: str) -> dict[str, Any]:
    """A line that a system sends; it can start from October 2026 on, and is ten per cent sure."""
    return {
        "external_id": f"{code}-{category}"[:60],
        "participant": code,
        "category": category,
        "quantity": quantity,
        "quantity_low": quantity * 9 // 10,
        "quantity_high": quantity * 11 // 10,
        "unit": "piece",
        "unit_price": price,
        "currency": CURRENCIES[code[:2]],
        "price_basis": "ex-vat",
        "date": "2026-03-02",
        "earliest_start": "2026-10",
        **window,
    }


def offer(category: str, tiers: list[tuple[int, str]], co2: str, criteria: list[str], **more: Any) -> dict[str, Any]:
    """What the market can supply: a volume from which on a price holds, the first one is the tipping volume."""
    said = {"source": "made up", "source_date": "2026-03-02"}
    steps = [
        {
            "from_quantity": {"value": volume, "low": volume, "high": volume, **said},
            "price": {"value": price, "low": price, "high": price, **said},
        }
        for volume, price in tiers
    ]
    return {
        "category": category,
        "name": f"Green {category}",
        "price_basis": "absolute",
        "currency": "EUR",
        "tiers": steps,
        "co2_saved_kg_per_unit": {"value": co2, "low": co2, "high": co2, **said},
        "criteria": criteria,
        **more,
    }


SPRING = {
    "name": "Spring 2026",
    "time_zone": "Europe/Copenhagen",
    "opens_on": "2026-04-01",
    "closes_on": "2026-04-30",
    "plan_by": "2026-05-15",
    "decide_by": "2026-06-30",
    "depth": "joint",
    "policy_name": "pilot",
}
AUTUMN = {
    "name": "Autumn 2026",
    "time_zone": "Europe/Copenhagen",
    "opens_on": "2026-11-01",
    "closes_on": "2026-11-30",
    "plan_by": "2026-12-15",
    "decide_by": "2027-02-28",
    "policy_name": "pilot",
}
OFFERS = {
    "gloves-green": offer(GLOVES, [(1_500_000, "0.047"), (2_200_000, "0.045")], "0.012", ["uhm-advanced"]),
    "syringes-green": offer(SYRINGES, [(900_000, "0.095")], "0.002", ["pvc-free"], max_quantity=1_300_000),
    "dressings-green": offer(DRESSINGS, [(60_000, "1.9")], "0.05", ["uhm-basic"]),
}
"""There is not enough of the syringes for all three that need them."""
BY_SYSTEM = {
    "DK-84": [forecast("DK-84", GLOVES, 600_000, "0.375", latest_start="2026-12")],
    "DK-85": [forecast("DK-85", GLOVES, 400_000, "0.375", latest_start="2026-12")],
    "NO-HSO": [
        forecast("NO-HSO", GLOVES, 700_000, "0.56", latest_start="2026-12"),
        forecast("NO-HSO", SYRINGES, 600_000, "1.12", latest_start="2027-03"),
        forecast("NO-HSO", DRESSINGS, 50_000, "22.4", latest_start="2027-12"),
    ],
}
"""What regions send from systems of their own."""


def skane(syringes: int, gloves: int = 900_000) -> bytes:
    """SE-M's file."""
    return file_of(
        row("SE-M", "Examination gloves, nitrile, non-sterile", gloves, "0.54"),
        row("SE-M", "Insulin syringes", syringes, "1.08", options=5),
        row("SE-M", "Foam (polyurethane) wound dressings", 40_000, "21.5", options=14),
    )
