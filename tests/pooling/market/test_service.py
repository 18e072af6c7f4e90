"""Offers in the database: loaded once, replaced by id, valid between their dates; and the page that documents them."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pooling.database import reading, transaction
from pooling.errors import BadInput
from pooling.market import files, service
from pooling.market.rules import OfferRecord
from tests import copies
from tests.pooling.planning.demand import GLOVES, NOW, add_lines, line, offer, submission

PAGE = Path(__file__).parents[3] / "docs" / "offers.md"


@pytest.fixture
def ready(engine: Engine) -> Engine:
    copies.install_reference(engine)
    return engine


def write(path: Path, *records: OfferRecord) -> Path:
    path.write_text(files.write_csv(records), encoding="utf-8", newline="")
    return path


def load(engine: Engine, path: Path, *, at: datetime = NOW) -> service.OffersLoaded:
    with transaction(engine) as session:
        return service.load_offers(session, path, loaded_at=at)


def stored(engine: Engine) -> list[OfferRecord]:
    with reading(engine) as session:
        return service.all_offers(session)


def test_offers_come_back_as_they_were_loaded(ready: Engine, tmp_path: Path) -> None:
    given = [offer("b", valid_from=date(2026, 1, 1), max_quantity=7_000_000), offer("a", term_months=36)]
    loaded = load(ready, write(tmp_path / "o.csv", *given))
    assert loaded.added == ("b", "a")
    file = {"file_name": "o.csv", "file_sha256": loaded.file_sha256}
    assert stored(ready) == [replace(each, **file) for each in reversed(given)]


def test_the_same_file_again_changes_nothing(ready: Engine, tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", offer())
    first = load(ready, path)
    before = stored(ready)
    again = load(ready, path, at=datetime(2027, 1, 1, tzinfo=UTC))
    assert (first.added, again.unchanged, again.replaced, again.added) == (("gloves-green",), ("gloves-green",), (), ())
    assert stored(ready) == before


def test_an_id_loaded_again_is_replaced_and_others_stay(ready: Engine, tmp_path: Path) -> None:
    load(ready, write(tmp_path / "o.csv", offer("a"), offer("b")))
    one_tier = offer("a", tiers=offer().tiers[:1])
    loaded = load(ready, write(tmp_path / "p.csv", one_tier, offer("c")))
    assert (loaded.added, loaded.replaced, loaded.unchanged) == (("c",), ("a",), ())
    assert [(each.id, len(each.tiers)) for each in stored(ready)] == [("a", 1), ("b", 2), ("c", 2)]


def test_a_file_with_a_fault_is_refused_whole(ready: Engine, tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", offer("a"), offer("b", category="no-such"), offer("c", criteria=("no-such",)))
    with pytest.raises(BadInput) as refused:
        load(ready, path)
    assert "o.csv: 2 to correct, nothing was stored" in str(refused.value)
    assert "row 4, category: 'no-such' is not known" in str(refused.value)
    assert "row 6, criteria: 'no-such' is not known" in str(refused.value)
    assert stored(ready) == []


def test_offers_of_a_day(ready: Engine, tmp_path: Path) -> None:
    first, last = date(2026, 6, 1), date(2026, 9, 1)
    load(ready, write(tmp_path / "o.csv", offer("a"), offer("b", valid_from=first, valid_to=last)))
    with reading(ready) as session:
        for day, ids in ((date(2026, 5, 31), "a"), (first, "ab"), (date(2026, 8, 31), "ab"), (last, "a")):
            assert "".join(each.id for each in service.offers(session, day)) == ids


@pytest.mark.parametrize("kind", ["toml", "csv"])
def test_the_examples_of_the_page_load(ready: Engine, tmp_path: Path, kind: str) -> None:
    (example,) = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / f"o.{kind}"
    path.write_text(example, encoding="utf-8")
    assert len(load(ready, path).added) == 1
    assert [len(each.tiers) for each in stored(ready)] == [2]


def test_the_page_names_every_field() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in files.OFFER_FIELDS + files.TIER_FIELDS if f"`{name}`" not in text] == []


def test_fitted_offers_are_written_and_loaded_like_any_other(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        steps = range(1, 13)
        lines = [line("SE-M", 1000 * k, unit_price_eur_micro=round(200_000 * k**-0.3)) for k in steps]
        add_lines(session, submission(session), lines)
        settings = service.FitSettings(source_date=date(2026, 11, 1))
        (fitted,) = service.fit_offers(session, settings)
    assert fitted.offer is not None
    assert fitted.slope == pytest.approx(-0.3, abs=0.001)
    assert fitted.category == GLOVES
    load(ready, write(tmp_path / "fitted.csv", fitted.offer))
    (back,) = stored(ready)
    assert replace(back, file_name="", file_sha256="") == fitted.offer
