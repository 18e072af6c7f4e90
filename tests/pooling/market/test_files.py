"""Offer files: the three forms come out alike, and every fault is named."""

from csv import writer
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from connectors.limits import Limits
from pooling.errors import BadInput, FileRefused
from pooling.market import files, intake
from pooling.market.rules import Figure, OfferRecord, TierRecord

KNOWN = intake.Known({"gowns", "gloves"}, {"pvc-free", "reusable"})
DAY = date(2026, 9, 1)
OWN = {
    "offer": "gowns-1",
    "category": "gowns",
    "name": "Gown",
    "criteria": "pvc-free reusable",
    "price_basis": "absolute",
    "currency": "SEK",
    "co2_saved_kg_per_unit": "-0.012",
    "co2_low": "-0.02",
    "co2_high": "0.000001",
    "co2_source": "EPD 17",
    "co2_source_date": "2026-09-01",
    "max_quantity": "9000000",
    "total_max_quantity": "",
    "term_months": "36",
    "valid_from": "2026-09-01",
    "valid_to": "2027-09-01",
}
TIER = {
    "from_quantity": "1200000",
    "from_quantity_low": "1000000",
    "from_quantity_high": "1500000",
    "quantity_source": "supplier's letter",
    "quantity_source_date": "2026-09-01",
    "price": "0.049",
    "price_low": "0.04",
    "price_high": "0.06",
    "price_source": "supplier's letter",
    "price_source_date": "2026-09-01",
}
SECOND = TIER | {"from_quantity": "2160000", "from_quantity_high": "2160000", "price": "0.047"}
RECORD = OfferRecord(
    id="gowns-1",
    category="gowns",
    name="Gown",
    criteria=("pvc-free", "reusable"),
    price_basis="absolute",
    currency="SEK",
    tiers=(
        TierRecord(
            Figure(1_200_000, 1_000_000, 1_500_000, "supplier's letter", DAY),
            Figure(49_000, 40_000, 60_000, "supplier's letter", DAY),
        ),
        TierRecord(
            Figure(2_160_000, 1_000_000, 2_160_000, "supplier's letter", DAY),
            Figure(47_000, 40_000, 60_000, "supplier's letter", DAY),
        ),
    ),
    co2_saved=Figure(-12_000, -20_000, 1, "EPD 17", DAY),
    max_quantity=9_000_000,
    term_months=36,
    valid_from=DAY,
    valid_to=date(2027, 9, 1),
    file_name="offers",
    file_sha256="0" * 64,
)


def records(path: Path) -> tuple[list[OfferRecord], list[str]]:
    drafts, faults = files.read(path)
    made, more = intake.records(drafts, known=KNOWN, file_name="offers", file_sha256="0" * 64)
    return made, faults + more


def table(*rows: dict[str, str]) -> list[list[str]]:
    names = list(OWN | TIER)
    return [names, *([row.get(name, "") for name in names] for row in rows)]


def csv(path: Path, *rows: dict[str, str], separator: str = ",") -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer(file, delimiter=separator).writerows(table(*rows))
    return path


def faults_of(tmp_path: Path, **changes: str) -> list[str]:
    return records(csv(tmp_path / "o.csv", OWN | TIER | changes))[1]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file(tmp_path: Path, separator: str) -> None:
    assert records(csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND, separator=separator)) == ([RECORD], [])


def test_the_offers_own_fields_may_be_blank_in_later_rows(tmp_path: Path) -> None:
    path = csv(tmp_path / "o.csv", OWN | TIER, {}, {"offer": "gowns-1"} | SECOND)
    assert records(path) == ([RECORD], [])


def test_a_spreadsheet_with_numbers_and_date_cells(tmp_path: Path) -> None:
    path = tmp_path / "o.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet, days = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for number, cells in enumerate(table(OWN | TIER, OWN | SECOND)):
            for column, cell in enumerate(cells):
                if number and cell.startswith("202"):
                    sheet.write_datetime(number, column, date.fromisoformat(cell), days)
                elif number and cell and cell.lstrip("-").replace(".", "").isdigit():
                    sheet.write_number(number, column, float(cell))
                else:
                    sheet.write_string(number, column, cell)
    assert records(path) == ([RECORD], [])


def test_a_toml_file(tmp_path: Path) -> None:
    def lines(values: dict[str, str]) -> list[str]:
        bare = ("0", "1", "2", "3", "9", "-")
        return [f"{key} = {text if text.startswith(bare) else repr(text)}" for key, text in values.items() if text]

    own = [line for line in lines(OWN) if not line.startswith("criteria")]
    path = tmp_path / "o.toml"
    path.write_text(
        "\n".join(
            ["[[offers]]", 'criteria = ["reusable", "pvc-free"]', *own]
            + ["[[offers.tiers]]", *lines(TIER), "[[offers.tiers]]", *lines(SECOND)]
        ),
        encoding="utf-8",
    )
    assert records(path) == ([RECORD], [])


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(files.write_csv([RECORD]), encoding="utf-8", newline="")
    assert records(path) == ([RECORD], [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price_source": ""}, "row 2, price_source: blank; fill it in"),
        ({"price_source_date": ""}, "row 2, price_source_date: blank; fill it in"),
        ({"quantity_source": ""}, "row 2, quantity_source: blank; fill it in"),
        ({"co2_source_date": ""}, "row 2, co2_source_date: blank; fill it in"),
        ({"price_low": ""}, "row 2, price_low: blank; fill it in"),
        ({"price_low": "0.05"}, "row 2: price_low 0.05, price 0.049, price_high 0.06: give low <= value <= high"),
        ({"price_high": "0.0489"}, "row 2: price_low 0.04, price 0.049, price_high 0.0489: give low <= value <= high"),
        ({"price": "0,049"}, "row 2, price: '0,049': give a number with a decimal point and at most 6 decimals"),
        (
            {"price": "0.0490001"},
            "row 2, price: '0.0490001': give a number with a decimal point and at most 6 decimals",
        ),
        ({"price": "1e308"}, "row 2, price: '1e308': give a number with a decimal point and at most 6 decimals"),
        ({"price": "-1", "price_low": "-1"}, "row 2: low: neither volumes nor prices are below 0"),
        ({"from_quantity": "2.5"}, "row 2, from_quantity: '2.5': give a whole number from 0 to"),
        (
            {"from_quantity": "0", "from_quantity_low": "0"},
            "row 2: from_quantity 0: a tier starts at 1; give 1 or more",
        ),
        ({"category": "gown"}, "row 2, category: 'gown' is not known; did you mean gowns?"),
        ({"criteria": "pvc-fre"}, "row 2, criteria: 'pvc-fre' is not known; did you mean pvc-free?"),
        ({"criteria": "pvc-free pvc-free"}, "criteria 'pvc-free pvc-free': name each once"),
        ({"price_basis": "guess"}, "price_basis 'guess': give absolute or index"),
        ({"currency": ""}, "row 2, currency: blank; an absolute price needs its currency"),
        ({"currency": "XYZ"}, "row 2, currency: currency 'XYZ': the European Central Bank has no rate for it"),
        (
            {"price_source_date": "2030-01-01"},
            "row 2, price_source_date: price date 2030-01-01: no rate of SEK on it or in the 7 days before",
        ),
        ({"valid_to": "2026-09-01"}, "valid_from 2026-09-01 is not before valid_to 2026-09-01"),
        ({"valid_from": "1.9.2026"}, "row 2, valid_from: '1.9.2026': give a day as YYYY-MM-DD"),
        ({"valid_from": "2026-02-30"}, "row 2, valid_from: '2026-02-30': give a day as YYYY-MM-DD"),
        ({"max_quantity": "0"}, "max_quantity 0: give a whole number of 1 or more"),
        ({"name": "x" * 201}, "give 1 to 200 characters"),
    ],
)
def test_a_fault_is_named_with_place_and_remedy(tmp_path: Path, change: dict[str, str], said: str) -> None:
    found = faults_of(tmp_path, **change)
    assert len(found) == 1
    assert said in found[0]


def test_all_faults_are_named_at_once_and_good_offers_still_read(tmp_path: Path) -> None:
    bad = OWN | TIER | {"offer": "gowns-2", "price_source": "", "category": "gown", "price": "x"}
    made, faults = records(csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND, bad))
    assert made == [RECORD]
    assert len(faults) == 3


def test_a_decimal_comma_in_a_table_parted_by_commas_is_named_with_its_cell(tmp_path: Path) -> None:
    path = csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND)
    path.write_text(path.read_text("utf-8").replace("0.047", "0,047"), encoding="utf-8")
    with pytest.raises(FileRefused, match=r"row 3, column price: '0,047': a decimal comma .*; write a decimal point"):
        files.read(path)
    semicolons = csv(tmp_path / "s.csv", OWN | TIER | {"price": "0,049"}, separator=";")
    assert records(semicolons)[1] == [
        "row 2, price: '0,049': give a number with a decimal point and at most 6 decimals"
    ]


def test_tiers_must_ascend_and_prices_never_rise(tmp_path: Path) -> None:
    path = csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND | {"from_quantity": "1200000"})
    assert "tiers must ascend" in records(path)[1][0]
    path = csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND | {"price": "0.0491"})
    assert "the price rises from 0.049 to 0.0491" in records(path)[1][0]


def test_rows_of_one_offer_that_differ_are_refused(tmp_path: Path) -> None:
    _, faults = records(csv(tmp_path / "o.csv", OWN | TIER, OWN | SECOND | {"name": "Other"}))
    assert faults == ["row 3, name: 'Other' differs from 'Gown' in row 2; keep one, or leave it blank"]


def test_columns_unknown_twice_and_missing_are_named(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("offer,offer,prise,name\nx,y,1,z\n", encoding="utf-8")
    faults = files.read(path)[1]
    assert "column offer: it is there twice; remove one" in faults
    assert "column 'prise': unknown; did you mean price?" in faults
    assert "column price_source: missing; add it" in faults
    assert not any("currency" in fault for fault in faults)


def test_toml_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.toml"
    path.write_text("offer = 1\n[[offers]]\nnam = 'x'\nprice_basis = true\n", encoding="utf-8")
    faults = files.read(path)[1]
    assert "offer: unknown; offers stand in [[offers]]" in faults
    assert "offers[1], nam: unknown; did you mean name?" in faults
    assert "offers[1], price_basis: True: give a text, number or date" in faults
    assert "offers[1].tiers: give at least one table [[offers.tiers]]" in faults


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("o.csv", b"", "no bytes"),
        ("o.csv", b"offer,name\n", "no row below the header"),
        ("o.csv", b"offer,name\nx,y,z\n", "quote cells that contain the delimiter"),
        ("o.csv", b"tilbud;navn\nx;y\n", "no row names columns of offers; name them in the first: offer, category"),
        ("o.xlsx", b"PK\x03\x04 no workbook", "damaged|save it"),
        ("o.toml", b"[[", "not TOML"),
        ("o.pdf", b"%PDF", "give .csv, .xlsx or .toml"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        files.read(path)


def test_files_too_large_or_absent_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("none.csv", "none.toml"):
        with pytest.raises(BadInput, match="give the path of a"):
            files.read(tmp_path / name)
    path, toml = csv(tmp_path / "o.csv", OWN | TIER), tmp_path / "o.toml"
    toml.write_text("# too long", encoding="utf-8")
    monkeypatch.setattr(files, "MAX_BYTES", 5)
    with pytest.raises(BadInput, match="split it"):
        files.read(toml)
    monkeypatch.setattr(files, "LIMITS", Limits(csv_bytes=10))
    with pytest.raises(FileRefused) as refused:
        files.read(path)
    assert refused.value.code == "too-large"
    with xlsxwriter.Workbook(tmp_path / "o.xlsx") as book:
        book.add_worksheet().write(0, 0, "x" * 30_000)
    monkeypatch.setattr(files, "LIMITS", Limits(inflated_bytes=20_000))
    with pytest.raises(FileRefused) as refused:
        files.read(tmp_path / "o.xlsx")
    assert refused.value.code == "inflates-too-much"


def test_a_table_of_offers_may_come_in_another_encoding_under_a_title(tmp_path: Path) -> None:
    plain = csv(tmp_path / "o.csv", OWN | TIER | {"name": "Förkläde"}).read_text("utf-8-sig")
    (tmp_path / "w.csv").write_bytes(f"Offers of the spring\r\n\r\n{plain}".encode("cp1252"))
    (made,), faults = records(tmp_path / "w.csv")
    assert (made.name, faults) == ("Förkläde", [])


def test_the_first_sheet_with_content_is_read(tmp_path: Path) -> None:
    path = tmp_path / "o.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("empty")
        for sheet, text in ((book.add_worksheet("offers"), "row"), (book.add_worksheet("notes"), "other")):
            for number, cells in enumerate(table(OWN | TIER) if text == "row" else [["a note"]]):
                sheet.write_row(number, 0, cells)
    assert [record.id for record in records(path)[0]] == ["gowns-1"]


def test_faults_of_form_cells_and_whole_offers_come_at_once(tmp_path: Path) -> None:
    names = [name for name in (OWN | TIER) if name != "price_source"]
    wrong = OWN | TIER | {"co2_low": "x", "valid_to": "2026-01-01", "currency": "XYZ", "price_low": "9"}
    rows = [wrong, OWN | SECOND | {"from_quantity": "1"}, OWN | TIER | {"offer": "gowns-2", "from_quantity": "-1"}]
    path = tmp_path / "o.csv"
    lines = [[*names, "prise"], *([row.get(name, "") for name in names] + [""] for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer(file).writerows(lines)
    said = "\n".join(records(path)[1])
    for fault in (
        "column 'prise': unknown; did you mean price?",
        "column price_source: missing; add it",
        "row 2, co2_low: 'x': give a number",
        "valid_from 2026-09-01 is not before valid_to 2026-01-01",
        "row 2: price_low 9, price 0.049",
        "row 3: from_quantity_low 1000000, from_quantity 1,",
        "row 4, from_quantity: '-1': give a whole number",
    ):
        assert fault in said
    assert "price_source: blank" not in said
