"""Instances of many families, large enough to be at work for a while."""

import random

from solver import Plan
from tests.solver.instances import Document, category, instance, line, offer


def families(count: int, lines: int) -> Document:
    """``count`` families of one category and two offers each, sized so that no tier is reached by all."""
    rng = random.Random(7)
    categories = [category(f"c{k}", family=f"f{k}") for k in range(count)]
    rows = [
        line(
            f"c{k}-{number}",
            f"{rng.choice(('SE', 'DK', 'FI'))}-{number % 9}",
            category=f"c{k}",
            quantity=(size := rng.randrange(200, 1200)),
            quantity_low=size - 100,
            quantity_high=size + 150,
            unit_price_eur=100 + rng.randrange(-9, 10),
            earliest_start=f"2027-{rng.randrange(1, 7):02d}",
            latest_start=f"2027-{rng.randrange(7, 13):02d}",
        )
        for k in range(count)
        for number in range(lines)
    ]
    tiers = ((3000, 92.0), (6000, 88.0), (9000, 85.0))
    offers = [offer(f"c{k}-o{j}", *tiers[j:], category=f"c{k}") for k in range(count) for j in range(2)]
    return instance(rows, offers, categories=categories, confidence=0.8, pool_cost_eur=9000, lot_cost_eur=2000)


def comparable(plan: Plan) -> Document:
    """The plan without what may differ from run to run, and the number of workers."""
    document = plan.to_document()
    return {name: value for name, value in document.items() if name not in ("runtime_s", "workers")}
