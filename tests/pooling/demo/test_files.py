"""Files as the senders' systems write them: encodings, marks, packs, VAT; and the slips in them."""

import io
from decimal import Decimal

import fastexcel
import pytest

from pooling.demo.files import Row, add_codes, csv_bytes, file_bytes, file_name, item_codes, rows, written_price
from pooling.demo.needs import Need, needs
from pooling.demo.slips import FLAGGED, KINDS, PLANTED, QUARANTINED, REFUSED, correct, plant
from pooling.demo.styles import (
    DENMARK_A,
    DENMARK_B,
    FAROE,
    FINLAND,
    GREENLAND,
    ICELAND,
    NORWAY,
    Style,
    style_of,
    template,
)
from tests.pooling.demo.known import all_items, all_senders, senders, some_items

PER_EUR = {
    "DKK": Decimal("7.47"),
    "SEK": Decimal("11.2"),
    "NOK": Decimal("11.6"),
    "EUR": Decimal(1),
    "ISK": Decimal("142"),
}


def written(code: str, style: Style | None = None) -> tuple[list[Row], Style]:
    (sender,) = senders(code)
    chosen = style or style_of(sender)
    found = rows(needs([sender], all_items(), seed=1), chosen, per_eur=PER_EUR[sender.currency], seed=1)
    add_codes(found, item_codes(code, (item.category for item in all_items()), seed=1))
    return found, chosen


def text(code: str) -> list[str]:
    found, style = written(code)
    return csv_bytes(found, style).decode(style.encoding).split("\r\n")


def test_each_sender_writes_in_its_own_manner() -> None:
    manners = {sender.code: style_of(sender).name for sender in all_senders()}
    count = {name: list(manners.values()).count(name) for name in set(manners.values())}
    assert count == {"template": 22, "fi": 23, "no": 4, "dk-a": 2, "dk-b": 3, "is": 1, "fo": 1, "gl": 1}
    assert manners["FI-01"] == manners["SE-AB"] == "template"


def test_a_danish_file_has_semicolons_points_and_commas_in_windows_1252() -> None:
    found, style = written("DK-84")
    content = csv_bytes(found, style)
    assert "Årsforbrug".encode("cp1252") in content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    head, first, *_ = text("DK-84")
    assert head.startswith("Varenr.;Varebetegnelse;Enhed;")
    assert first.count(";") == head.count(";")
    assert any("." in line.split(";")[3] and "," in line.split(";")[4] for line in text("DK-84")[1:-1])
    assert any("100 stk/pak" in line and ";PAK;" in line for line in text("DK-84"))


def test_finnish_packs_say_their_size_in_the_unit_and_norwegian_ones_in_a_column() -> None:
    assert any(";pkt á 100;" in line for line in text("FI-11"))
    place = list(NORWAY.headers).index("pack_size")
    lines = [line.split(";") for line in text("NO-HV")[1:-1]]
    assert {bool(cells[place]) for cells in lines if "pk" in cells} == {True}
    assert any("\u00a0" in line for line in text("NO-HV"))


def test_some_finnish_files_have_a_byte_order_mark() -> None:
    marks = {
        csv_bytes(*written(sender.code)).startswith(b"\xef\xbb\xbf")
        for sender in all_senders()
        if style_of(sender).name == "fi"
    }
    assert marks == {True, False}


def test_icelandic_prices_have_no_decimals_and_are_for_packs() -> None:
    place = list(ICELAND.headers).index("unit_price")
    prices = [line.split(";")[place] for line in text("IS")[1:-1]]
    assert not any("," in price for price in prices)
    assert any("." in price for price in prices)
    assert all(int(price.replace(".", "")) > 0 for price in prices)


def test_faroese_prices_are_with_vat_and_greenlandic_ones_are_not() -> None:
    assert written_price(Decimal(100), FAROE) == "125,00"
    assert written_price(Decimal(100), GREENLAND) == "100,00"


@pytest.mark.parametrize(
    ("price", "style", "said"),
    [
        ("1234.567", DENMARK_A, "1.234,57"),
        ("0.26841", DENMARK_A, "0,2684"),
        ("0.000001", DENMARK_A, "0,0001"),
        ("4.4", ICELAND, "4"),
        ("0.2", ICELAND, "1"),
        ("1234567.2", NORWAY, "1\u00a0234\u00a0567,20"),
        ("12345.5", DENMARK_B, "12345,50"),
    ],
)
def test_prices_keep_the_places_that_matter(price: str, style: Style, said: str) -> None:
    assert written_price(Decimal(price), style) == said


def test_article_numbers_are_a_list_of_their_own_each_once() -> None:
    categories = [item.category for item in all_items()]
    one, other = item_codes("DK-84", categories, seed=1), item_codes("DK-85", categories, seed=1)
    assert len(set(one.values())) == 120
    assert one != other
    assert one == item_codes("DK-84", reversed(categories), seed=1)


def test_our_template_is_filled_in_with_numbers_and_is_the_same_each_time() -> None:
    found, style = written("SE-Z")
    content = file_bytes(found, style)
    assert content == file_bytes(found, style)
    table = fastexcel.read_excel(content).load_sheet("Behov").to_polars()
    assert table.columns == list(template().headers.values())
    assert table.height == len(found)
    assert table["Antal per år"].dtype.is_numeric()
    assert table["Avtalsslut"].dtype.is_(table["Kategori"].dtype)
    assert set(table["Deltagare"]) == {"SE-Z"}


def test_file_names_say_who_sends() -> None:
    assert [file_name(sender, style_of(sender)) for sender in senders("SE-M", "DK-84", "FO")] == [
        "DK-84.csv",
        "SE-M.xlsx",
        "FO.txt",
    ]


def test_a_cell_that_would_break_the_format_is_refused() -> None:
    found, style = written("DK-84")
    found[3].cells["item_name"] = "a;b"
    with pytest.raises(ValueError, match=f"DK-84, {found[3].need.item.category}"):
        csv_bytes(found, style)


# ------------------------------------------------------------------------------------------------------- slips


def planted_in(code: str) -> tuple[list[Row], list[Row], list]:
    before, style = written(code)
    after, _ = written(code)
    return before, after, plant(after, style, sender=code, file="x")


@pytest.mark.parametrize("code", sorted(PLANTED))
def test_slips_are_where_they_are_said_to_be_and_nowhere_else(code: str) -> None:
    before, after, slips = planted_in(code)
    assert len(slips) == len(PLANTED[code])
    changed = [at + 2 for at, (one, other) in enumerate(zip(before, after)) if one.cells != other.cells]
    assert changed == sorted(slip.row for slip in slips)
    for slip in slips:
        assert slip.meant == before[slip.row - 2].cells


def test_every_kind_of_slip_and_every_fate_is_planted() -> None:
    assert {name for names in PLANTED.values() for name in names} == set(KINDS)
    assert {kind.fate for kind in KINDS.values()} == {REFUSED, QUARANTINED, FLAGGED}


def test_senders_without_slips_are_left_alone() -> None:
    _, style = written("DK-85")
    before, _ = written("DK-85")
    after, _ = written("DK-85")
    assert plant(after, style, sender="DK-85", file="x") == []
    assert [row.cells for row in after] == [row.cells for row in before]


def test_a_corrected_file_has_the_flagged_slips_undone_and_the_others_still_in() -> None:
    before, after, slips = planted_in("FI-11")
    assert correct(after, slips)
    still = [at + 2 for at, (one, other) in enumerate(zip(before, after)) if one.cells != other.cells]
    assert still == [slip.row for slip in slips if slip.fate != FLAGGED]
    assert still != []
    _, kept, others = planted_in("IS")
    assert not correct(kept, others)


def test_pieces_for_packs_are_a_hundred_times_too_many() -> None:
    before, after, slips = planted_in("FI-11")
    slip = next(slip for slip in slips if slip.fate == FLAGGED)
    was, now = (int(part[slip.row - 2].cells["quantity"]) for part in (before, after))
    assert now == 100 * was


def test_a_file_too_short_for_a_slip_goes_without_it() -> None:
    (sender,) = senders("DK-84")
    own: list[Need] = needs([sender], some_items(["beds-and-mobility"]), seed=1)
    found = rows(own, DENMARK_A, per_eur=Decimal(7), seed=1)
    slips = plant(found, DENMARK_A, sender="DK-84", file="x")
    assert [slip.fate for slip in slips] == [QUARANTINED]  # no pack of a hundred there for the other
    assert plant([], FINLAND, sender="FI-11", file="x") == []


def test_a_workbook_can_be_opened() -> None:
    found, style = written("FI-01")
    assert io.BytesIO(file_bytes(found, style)).read(2) == b"PK"
