"""Offers and dialogue records: suppliers' secrets, for planners and auditors."""

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pooling.market import dialogues, service
from pooling.market.dialogues import Said
from pooling.market.rules import Figure, OfferRecord, TierRecord
from tests.pooling.access.samples import Place, Sample, Sent

if TYPE_CHECKING:
    from tests.pooling.access.world import World

ANY_VERSION = {"If-Match": "*"}
DAY = date(2026, 9, 1)
SAID = {"held_on": "2026-09-01", "participants": "two suppliers", "learnt": "it can be made"}


def plant(world: "World") -> None:
    """An offer whose volumes, prices and limits are nowhere else, and a talk that tells one."""
    with world.written() as opened:
        volume, price = (_figure(sorted(world.canary("none") for _ in range(3))) for _ in range(2))
        offer = _offer("planted", volume=volume, price=price, most=world.canary("none"))
        service.store_offers(opened.session, [offer], file=("made up", "0" * 64), loaded_at=opened.now)
        learnt = f"from {world.canary('none')} a year on"
        said = Said(DAY, "two suppliers", (), learnt, (f"why not {world.canary('none')}?",))
        made = dialogues.record(opened.session, said, by=uuid4(), now=opened.now)
        world.planted["dialogue"] = made


def _figure(values: list[int]) -> Figure:
    low, value, high = values
    return Figure(value, low, high, "made up", DAY)


def _offer(key: str, *, volume: Figure, price: Figure, most: int | None = None) -> OfferRecord:
    return OfferRecord(
        id=key,
        category="insulin-syringes",
        name="made up",
        criteria=(),
        price_basis="absolute",
        currency="EUR",
        tiers=(TierRecord(volume, price),),
        co2_saved=Figure(1, 0, 2, "made up", DAY),
        max_quantity=most,
        file_name="made up",
        file_sha256="0" * 64,
    )


def offer_body(**changes: Any) -> dict[str, Any]:
    """An offer as a request sends it."""
    said = {"source": "made up", "source_date": "2026-09-01"}
    tier = {
        "from_quantity": {"value": 1000, "low": 900, "high": 1100, **said},
        "price": {"value": "1.25", "low": "1.2", "high": "1.3", **said},
    }
    body = {
        "category": "insulin-syringes",
        "name": "Green syringes",
        "price_basis": "absolute",
        "currency": "EUR",
        "tiers": [tier],
        "co2_saved_kg_per_unit": {"value": "0.01", "low": "-0.01", "high": "0.02", **said},
        "criteria": ["uhm-basic"],
    }
    return {**body, **changes}


def risk_area_body(**changes: Any) -> dict[str, Any]:
    """A risk area as a request sends it."""
    body = {
        "name": "Made up",
        "risk": "nobody knows who makes it",
        "leads": "Region Skåne",
        "criteria": ["code-of-conduct"],
        "families": ["gloves"],
        "source": "made up",
    }
    return {**body, **changes}


def _withdraw(world: "World", place: Place) -> Sent:
    key = f"offer-{uuid4().hex}"
    with world.written() as opened:
        one = Figure(1, 1, 1, "made up", DAY)
        service.store_offers(
            opened.session, [_offer(key, volume=one, price=one)], file=("f", "0" * 64), loaded_at=opened.now
        )
    return Sent(f"/v1/offers/{key}/withdraw", headers=ANY_VERSION)


def _dialogue(world: "World") -> UUID:
    with world.written() as opened:
        said = Said(DAY, "a supplier", (), "nothing", ())
        return dialogues.record(opened.session, said, by=uuid4(), now=opened.now)


SAMPLES = (
    Sample("offers.list", "GET", lambda world, place: Sent("/v1/offers")),
    Sample("offers.read", "GET", lambda world, place: Sent("/v1/offers/planted")),
    Sample("offers.write", "PUT", lambda world, place: Sent(f"/v1/offers/o{uuid4().hex}", json=offer_body())),
    Sample("offers.withdraw", "POST", _withdraw),
    Sample("risk-areas.list", "GET", lambda world, place: Sent("/v1/risk-areas")),
    Sample("risk-areas.read", "GET", lambda world, place: Sent("/v1/risk-areas/gloves")),
    Sample(
        "risk-areas.write", "PUT", lambda world, place: Sent(f"/v1/risk-areas/a{uuid4().hex}", json=risk_area_body())
    ),
    Sample("dialogues.list", "GET", lambda world, place: Sent("/v1/dialogues")),
    Sample("dialogues.read", "GET", lambda world, place: Sent(f"/v1/dialogues/{world.planted['dialogue']}")),
    Sample("dialogues.create", "POST", lambda world, place: Sent("/v1/dialogues", json=SAID)),
    Sample(
        "dialogues.write",
        "PUT",
        lambda world, place: Sent(f"/v1/dialogues/{_dialogue(world)}", json=SAID, headers=ANY_VERSION),
    ),
)
