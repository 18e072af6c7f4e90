"""After the hand-over: the buyers call off, one up to where it is warned and refused, and what comes of it all."""

from dataclasses import dataclass
from datetime import date, timedelta

from pooling.demo.cycle_demand import CYCLE
from pooling.demo.cycle_site import Document, Refused, Site

FIRST_SHARE, NEARLY = 0.10, 0.85
"""Of its estimate, what a buyer calls off first, and what the largest one has called off after its next."""
MOST_PLACES = 12
"""Of buyers in lots, the first so many call off."""
IN_THE_TERM = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A tender that was handed over, as planners see it after its first call-offs.

    ``warning`` and ``refusal``: what the service said to the buyer that came near its estimate, and asked for too much.
    """

    tender: Document
    standing: Document
    consequences: Document
    allowances: Document
    history: tuple[Document, ...]
    call_offs: int
    warning: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Effects:
    """By category, of all agreements of the cycle; and what everybody is told."""

    inside: Document
    public: Document


def chosen_of(tenders: list[Document], repaired: list[str]) -> Document:
    """The one to be shown: that which was repaired, else that with most members."""
    return min(tenders, key=lambda each: (each["id"] not in repaired, -len(each["members"]), each["start"]))


def call_off(site: Site, tender: Document) -> Agreement:
    """Buyers call off in the second month of the term; all of it as it is then."""
    path = f"/v1/tenders/{tender['id']}"
    day = date.fromisoformat(tender["starts_on"]) + IN_THE_TERM
    site.go_to(day)
    places = site.planner.get(f"{path}/allowances")["buyers"]
    made = 0
    for place in places[:MOST_PLACES]:
        made += 1
        _order(site, path, place, max(1, int(place["estimate_quantity"] * FIRST_SHARE)), made)
    largest = max(places[:MOST_PLACES], key=lambda each: float(each["estimate_value_eur"]))
    more = int(largest["estimate_quantity"] * (NEARLY - FIRST_SHARE))
    answer = _order(site, path, largest, max(1, more), made := made + 1)
    try:
        _order(site, path, largest, answer["allowance"]["left_quantity"] + 1, made + 1)
        refusal = None
    except Refused as refused:
        refusal = str(refused.problem["detail"])
    return Agreement(
        tender=site.planner.get(path),
        standing=site.planner.get(f"{path}/standing"),
        consequences=site.planner.get(f"{path}/consequences"),
        allowances=site.planner.get(f"{path}/allowances"),
        history=tuple(site.planner.all(f"{path}/history?limit=500")),
        call_offs=made,
        warning=None if answer["warning"] is None else f"{largest['participant']}: {answer['warning']}",
        refusal=refusal,
    )


def _order(site: Site, path: str, place: Document, quantity: int, number: int) -> Document:
    body = {
        "participant": place["participant"],
        "offer": place["offer"],
        "quantity": quantity,
        "reference": f"made up {number}",
    }
    answer: Document = site.coordinator(place["participant"]).post(f"{path}/call-offs", body)
    return answer


def effects(site: Site) -> Effects:
    """What the cycle comes to, planned and called off."""
    inside = site.planner.get(f"/v1/effect?by=category&cycle={CYCLE}")
    return Effects(inside, site.planner.get("/v1/public/effect?by=country"))
