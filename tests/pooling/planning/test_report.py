"""The report is one well-formed page that says what the plan says, fetches nothing and shows text as text."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from pooling.market.rules import VolumeRow
from pooling.planning.pool_views import OfferView
from pooling.planning.report import MOST_EXAMPLES, MOST_LEVELS, declared_made_up, market_volumes, reasons, render
from pooling.planning.views import PlanView
from pooling.web.figures import THIN
from tests.pooling.demo.frozen_views import BUYERS, large, lot, plan, pool, unpooled

MEMBERS = ("SE-AB", "DK-83", "IS")
BAD = '<script>alert("x")</script>'
VOID = {"meta", "br", "link", "img", "hr", "input"}
FETCHES = {"src", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Page(HTMLParser):
    """Reads a page and notes what tests look at; ``faults`` are tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.fetched: list[str] = []
        self.headings: list[int] = []
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is never closed" for tag in self.open]
        self.text = re.sub(r"[ \n]+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.attributes.append((tag, named))
        self.ids += [named["id"]] if "id" in named else []
        self.labels += named.get("aria-labelledby", "").split()
        if tag == "a":
            self.links.append(named["href"])
        elif "href" in named:
            self.fetched.append(named["href"])
        self.fetched += [value for name, value in named.items() if name in FETCHES]
        self.fetched += re.findall(r"url\(\s*['\"]?([^)'\"]+)", " ".join(named.values()))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.fetched += re.findall(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]?([^'\";]+)", data)
        else:
            self.words.append(data)


def outside(page: Page) -> list[str]:
    """What a browser would fetch from elsewhere, or run."""
    found = [link for link in page.fetched if not str(link).startswith("#")]
    found += [link for link in page.links if not link.startswith("#")]
    found += ["script"] * page.tags["script"]
    found += [name for _, named in page.attributes for name in named if name.startswith("on")]
    return found


def small(**changes: object) -> PlanView:
    one = pool(1, lots=(lot(members=MEMBERS), lot("shoe-covers", sure=2600, members=MEMBERS)), members=MEMBERS)
    made = plan(
        pools=(one,),
        left_out=(unpooled(1, "no_offer", "Nobody offers it."), unpooled(2, "volume_short", "Missing 1,200 pieces.")),
    )
    return replace(made, **changes) if changes else made


VOLUMES = [
    VolumeRow("gauze", "H87", "2028-01", (), 5e6, 5_400_000, 7e4, ("1", "2"), (("IS", 400), ("FO", 100)), 1, True),
    VolumeRow("gauze", "H87", "2028-01", ("reusable",), 900.0, 1000, 500.0, ("1",), (("IS", 1000),), 1, True),
    VolumeRow("gauze", "H87", "2028-02", (), 4.0, 5, 1.0, ("1",), (("IS", 5),), 1, False),
    VolumeRow("stents", "H87", "2027-12", (), 30.0, 33, 90_000.0, ("3",), (("IS", 33),), 1, True),
]  # fmt: skip


@pytest.mark.parametrize("made", [small(), large(30), plan(pools=())], ids=["small", "large", "without pools"])
def test_the_page_is_well_formed_and_its_links_and_labels_lead_somewhere(made: PlanView) -> None:
    page = Page(render(made, volume_rows=VOLUMES, made_up="All of it."))
    assert page.faults == []
    assert [key for key, count in Counter(page.ids).items() if count > 1] == []
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert set(page.labels) <= set(page.ids)


def test_a_tag_left_open_would_be_seen() -> None:
    assert Page(render(small()).replace("</main>", "", 1)).faults != []


def test_nothing_is_fetched_from_elsewhere_and_nothing_runs() -> None:
    assert outside(Page(render(large(30), volume_rows=VOLUMES, made_up="All of it."))) == []


@pytest.mark.parametrize(
    "planted",
    [
        '<img alt="" src="https://example.org/a.png">',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        "<style>body { background: url(//example.org/a.png) }</style>",
        "<style>@import 'https://example.org/a.css';</style>",
        '<a href="https://example.org/">out</a>',
        "<script>1</script>",
        '<p onclick="1">x</p>',
        '<p style="background:url(https://example.org/a.png)">x</p>',
    ],
)
def test_what_would_be_fetched_or_run_is_found(planted: str) -> None:
    assert outside(Page(render(small()).replace("<main", f"{planted}<main", 1))) != []


def test_text_from_data_is_shown_as_text() -> None:
    one = pool(1, family=BAD, lots=(replace(lot(members=MEMBERS), category_name=BAD),), members=MEMBERS)
    named = replace(one, lead_name=BAD, warnings=(BAD,), members=tuple(replace(each, name=BAD) for each in one.members))
    made = plan(pools=(named,), left_out=(replace(unpooled(1, "no_offer", BAD), participant_name=BAD),))
    made = replace(
        made, lead_time_reason=BAD, warnings=(BAD,), how=replace(made.how, policy={BAD: BAD}, policy_name=BAD)
    )
    html = render(made, category_names={"gauze": BAD}, volume_rows=VOLUMES, made_up=BAD, title=BAD)
    assert "<script" not in html
    page = Page(html)
    assert page.text.count('alert("x")') >= 15  # positive control: every one of them is there to read
    assert page.faults == []


def test_headings_descend_by_one_and_landmarks_and_tables_are_named() -> None:
    page = Page(render(large(12), volume_rows=VOLUMES, made_up="All of it."))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(page.headings))
    assert page.tags["main"] == page.tags["header"] == page.tags["footer"] == page.tags["nav"] == 1
    assert page.tags["caption"] == page.tags["table"] > 5
    assert all(named.get("scope") for tag, named in page.attributes if tag == "th")
    assert all(named.get("aria-labelledby") for tag, named in page.attributes if tag == "section")
    assert ("html", {"lang": "en"}) in page.attributes
    assert page.links[0] == "#main"


def test_the_headline_says_what_the_plan_says() -> None:
    text = Page(render(small(), made_up="Volumes are invented.")).text
    assert "1 joint tender is proposed in which 3 participants would buy" in text
    assert f"EUR{THIN}29.0{THIN}m" in text
    assert f"71{THIN}%" in text
    assert text.count("Volumes are invented.") == 2


def test_sources_that_call_themselves_made_up_are_enough_for_a_notice() -> None:
    made = small()
    assert "2 of 2 offers in use and the windows of 0 of 6 pooled lines say" in Page(render(made)).text
    real = replace(
        made,
        pools=tuple(
            replace(pool, lots=tuple(replace(lot, offer=told(lot.offer, "Supplier A's letter")) for lot in pool.lots))
            for pool in made.pools
        ),
    )
    assert declared_made_up(real) is None
    assert "Made up." not in Page(render(real)).text


def told(offer: OfferView, source: str) -> OfferView:
    tiers = tuple(replace(tier, quantity_source=source, price_source=source) for tier in offer.tiers)
    return replace(offer, co2_source=source, tiers=tiers)


def test_a_saving_below_zero_is_called_a_premium() -> None:
    made = small()
    assert "green premium" not in Page(render(made)).text.partition("Timeline")[0].replace("is a green premium", "")
    totals = replace(made.totals, gain=replace(made.totals.gain, savings_eur=-5_000.0))
    text = Page(render(replace(made, totals=totals))).text
    assert "green premium" in text.partition("By family of goods")[0]
    assert f"EUR{THIN}5{THIN}000" in text


def test_every_pool_shows_dates_lead_members_volume_tier_money_and_co2() -> None:
    text = Page(render(small())).text
    start = text.index("1. Protective clothing, Nov 2027")
    detail = text[start : text.index("What stayed out, and why", start)]
    for said in (
        "Region Stockholm (SE-AB)",
        "Swedish procurement law",
        "1 Nov 2026",
        "1 Dec 2026",
        "1 Sep 2027",
        "Landspítali",
        "Plastic aprons",
        f"1{THIN}500 pieces",
        f"1{THIN}000 pieces",
        "1 of 3",
        "2 of 3",
        f"12.0{THIN}k",
        f"75{THIN}kg",
    ):
        assert said in detail, said


def test_lots_beyond_the_first_picture_are_in_the_second() -> None:
    made = large(30)
    lots = sum(len(pool.lots) for pool in made.pools)
    assert lots > MOST_LEVELS
    html = render(made)
    assert f"The other {lots - MOST_LEVELS} lots" in html
    assert html.count("pieces sure, tips at") == 4 * lots  # bar and its title, wide and narrow


def test_reasons_come_with_counts_and_examples_of_different_categories() -> None:
    same = tuple(unpooled(number, "no_offer", f"Words {number}.") for number in range(1, 9))
    other = replace(unpooled(9, "no_offer", "Words 9."), category="masks", spend_eur_per_year=1.0)
    found = reasons(plan(pools=(), left_out=(*same, other, unpooled(10, "no_partner", "Alone."))))
    assert [(reason.code, reason.lines) for reason in found] == [("no_offer", 9), ("no_partner", 1)]
    assert [line.id for line in found[0].examples] == [8, 9, 7, 6, 5]
    assert len(found[0].examples) == MOST_EXAMPLES
    assert all(reason.meaning for reason in found)
    text = Page(render(plan(pools=(), left_out=(*same, other)))).text
    assert "Words 9." in text
    assert "SE-AB.xlsx, row 7" in text


def test_volume_to_market_is_the_best_of_each_criteria_set_largest_spend_first() -> None:
    found = market_volumes(VOLUMES, {"gauze": "Cotton gauze"})
    assert [(volume.name, len(volume.rows)) for volume in found] == [("Stents", 1), ("Cotton gauze", 2)]
    assert [row.sure_quantity for row in found[1].rows] == [5_000_000.0, 900.0]
    text = Page(render(small(), volume_rows=VOLUMES, category_names={"gauze": "Cotton gauze"})).text
    assert f"5.00{THIN}m pieces" in text
    assert "none asked" in text
    assert f"IS 80{THIN}%" not in text  # shares are of the row's own quantity


def test_a_plan_without_pools_says_so() -> None:
    page = Page(render(plan(pools=(), left_out=(unpooled(1, "no_offer", "Nobody offers it."),))))
    assert "No joint tender is worth while" in page.text
    assert page.text.count("No pool is proposed.") == 1
    assert page.tags["svg"] == 0


def test_the_same_plan_gives_the_same_page() -> None:
    assert render(large(5)) == render(large(5))


def test_families_are_in_the_order_of_their_first_start() -> None:
    late = pool(1, family="gloves", start=date(2029, 11, 1), lots=(lot(members=MEMBERS),), members=MEMBERS)
    early = pool(2, family="urology", start=date(2027, 12, 1), lots=(lot(members=MEMBERS),), members=MEMBERS)
    text = Page(render(plan(pools=(late, early)))).text
    assert text.index("Urology") < text.index("Gloves")


def test_every_buyer_of_a_pool_is_named() -> None:
    everyone = tuple(BUYERS)
    text = Page(render(plan(pools=(pool(1, lots=(lot(members=everyone),), members=everyone),)))).text
    assert all(name in text for name, _ in BUYERS.values())
    assert text.count("associate") == 1
