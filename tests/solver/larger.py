"""Instances too large for brute force and small enough for a test: a few families that meet in scarce quarters."""

import numpy as np

from tests.solver.instances import Document, category, instance, line, month, offer, participant

COUNTRIES = ("SE", "DK", "FI", "NO")


def larger_instance(seed: int, *, families: int = 3, categories: int = 2, participants: int = 12) -> Document:
    """About ``participants * 0.8`` lines in each of ``categories`` categories a family; every figure is invented.

    Each participant may be in one pool a quarter and the programme may start one for every two families, so families
    compete for both.
    """
    chance = np.random.default_rng(seed)
    people = [
        participant(f"{COUNTRIES[k % 4]}-{k:02d}", may_lead=k % 3 > 0, max_leads=2, max_pools_per_quarter=1)
        for k in range(participants)
    ]
    sizes = {person["id"]: float(np.exp(chance.normal(0, 0.8))) for person in people}
    kinds = [category(f"c{f}{k}", family=f"f{f}") for f in range(families) for k in range(categories)]
    lines, offers = [], []
    for kind in kinds:
        price = float(np.exp(chance.normal(1, 1)))
        rows = [
            _line(kind["id"], person["id"], size=2_000 * sizes[person["id"]], price=price, chance=chance)
            for person in people
            if chance.random() < 0.8
        ]
        lines += rows
        offers += _offers(kind["id"], sum(row["quantity"] for row in rows), price=price, chance=chance)
    return instance(
        lines,
        offers,
        participants=people,
        categories=kinds,
        horizon_months=18,
        term_months=36,
        confidence=0.9,
        forecast_correlation=0.1,
        carbon_price_eur_per_tonne=120,
        criterion_value={"ecolabel": 0.01},
        bridging_rate_per_year=0.02,
        pool_cost_eur=2_000,
        lot_cost_eur=300,
        line_cost_eur=50,
        country_cost_eur=400,
        no_one_worse_off=True,
        max_pools_per_quarter=max(1, families // 2),
    )


def _line(category: str, person: str, *, size: float, price: float, chance: np.random.Generator) -> Document:
    quantity = max(1, round(size * float(np.exp(chance.normal(0, 0.4)))))
    spread = float(chance.choice([0.05, 0.1, 0.2]))
    first = int(chance.integers(-3, 15))
    return line(
        f"{category}-{person}",
        person,
        category=category,
        quantity=quantity,
        quantity_low=round(quantity * (1 - spread)),
        quantity_high=round(quantity * (1 + spread)) + 1,
        unit_price_eur=round(price * float(np.exp(chance.normal(0, 0.08))), 4),
        earliest_start=month("2027-01", first),
        latest_start=month("2027-01", first + int(chance.choice([0, 3, 6, 12]))),
        required=["ecolabel"] if chance.random() < 0.1 else [],
        refused=[],
    )


def _offers(category: str, total: int, *, price: float, chance: np.random.Generator) -> list[Document]:
    rows = []
    for number, (share, level) in enumerate([(0.12, 0.97), (0.25, 0.99)]):
        tipping = round(total * share * float(np.exp(chance.normal(0, 0.2))))
        steps = [(round(tipping * rise), round(price * (level - down), 4)) for rise, down in ((1, 0), (1.8, 0.05))]
        rows.append(
            offer(
                f"{category}-o{number}",
                *steps,
                category=category,
                criteria=["ecolabel"] * number,
                max_quantity=round(total * 0.8),
                co2_saved_kg_per_unit=round(0.1 * number * price, 5),
            )
        )
    return rows
