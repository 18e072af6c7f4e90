"""The mapping file: whole and checked, or refused with every fault's key path."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pooling.demand.mapping import BadMapping
from pooling.demand.mapping_file import mapping_from_document, read_document, read_mapping
from pooling.demand.recognise import from_headers
from tests.pooling.demand.builders import REFERENCE, checker, document, mapping

DOCS = Path(__file__).parents[3] / "docs" / "mapping.md"


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(BadMapping) as refused:
        mapping_from_document(document(**changes), Path())
    return dict(refused.value.faults)


def test_the_base_document_is_a_mapping() -> None:
    made = mapping()
    assert made.columns["quantity"] == ("Quantity",)
    assert made.window.rule == "columns"
    assert len(made.sha256) == 64


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"colums": {}}, "colums", "did you mean columns"),
        ({"price": {"bassis": "ex-vat"}}, "price.bassis", "did you mean basis"),
        ({"columns": {"quanttity": "Q"}}, "columns.quanttity", "no such column"),
        ({"columns": {"quantity": None}}, "columns.quantity", "say which header"),
        ({"columns": {"quantity": 5}}, "columns.quantity", "give text"),
        ({"columns": {"unit": None}}, "columns.unit", "blank unit means"),
        ({"columns": {"category": None, "item_name": None}}, "columns.category", "map one of"),
        ({"constants": {"currency": None}}, "columns.currency", "under constants"),
        (
            {"constants": {"quantity": "5"}, "columns": {"quantity": None}},
            "constants.quantity",
            "cannot be one constant",
        ),
        ({"constants": {"currenci": "SEK"}}, "constants.currenci", "did you mean currency"),
        ({"constants": {"pack_size": " "}}, "constants.pack_size", "blank"),
        ({"price": {"basis": None}}, "price.basis", "ex-vat"),
        ({"price": {"basis": "net"}}, "price.basis", "give one of"),
        ({"price": {"basis": "inc-vat"}}, "price.vat_rate", "needs the rate"),
        ({"price": {"basis": "inc-vat", "vat_rate": "0.25"}}, "price.vat_rate", "per cent"),
        ({"price": {"vat_rate": "25"}}, "price.vat_rate", "leave it out"),
        ({"price": {"per_count": 0}}, "price.per_count", "for how many"),
        ({"price": {"per_words": {"st": "piece"}}}, "price.per_words.st", "for how many units"),
        ({"currency": {"day": None}}, "currency.day", "give a day"),
        ({"currency": {"day": "yesterday"}}, "currency.day", "give a day"),
        ({"currency": {"day": "date"}}, "columns.date", "follows from it"),
        ({"window": {"rule": "sometime"}}, "window.rule", "give one of"),
        ({"window": {"source": None}}, "window.source", "missing"),
        ({"window": {"rule": "stated"}}, "window.earliest", "needs it"),
        ({"window": {"rule": "stated", "earliest": "2027-13", "latest": "2028-01"}}, "window.earliest", "YYYY-MM"),
        ({"window": {"rule": "stated", "earliest": "2028-02", "latest": "2028-01"}}, "window.earliest", "after"),
        ({"window": {"rule": "contract-end"}}, "columns.contract_end", "needs it"),
        ({"window": {"rule": "date", "flexibility_months": 999}}, "window.flexibility_months", "240"),
        ({"window": {"flexibility_months": 6}}, "window.flexibility_months", "does not use it"),
        ({"uncertainty": None}, "uncertainty.spread", "missing"),
        ({"uncertainty": {"spread": "2"}}, "uncertainty.spread", "share"),
        ({"units": {"blank": "piece"}}, "units.blank", "no unit we convert"),
        ({"units": {"words": {"FRP": "PK"}}}, "units.words.FRP", "pack"),
        ({"units": {"words": {"FRP": {"pack": 0}}}}, "units.words.FRP", "no pack size"),
        ({"units": {"patterns": [{"find": "("}]}}, "units.patterns[1].find", "no pattern"),
        ({"units": {"patterns": [{"find": r"\d+"}]}}, "units.patterns[1].find", "named n"),
        ({"units": {"patterns": [{"find": r"(?P<n>\d+)(?=x)"}]}}, "units.patterns[1].find", "look-around"),
        ({"units": {"patterns": [{"find": r"(?P<n>\d+)", "when": "mismatch"}]}}, "units.patterns[1].of", "which unit"),
        ({"dates": {"formats": ["d.m.yy"]}}, "dates.formats", "century"),
        ({"dates": {"formats": ["dd/mm"]}}, "dates.formats", "as in"),
        ({"group": {"by": ["participant"]}}, "group.by", "one category"),
        ({"group": {"by": ["participant", "category", "week"]}}, "group.by", "week"),
        ({"group": {"by": ["participant", "category", "year"]}}, "columns.date", "follows from it"),
        ({"skip": [{"column": "Group", "reason": "r"}]}, "skip[1]", "give one of"),
        ({"skip": [{"column": "refused", "blank": True, "reason": "r"}]}, "columns.refused", "which header"),
        ({"categories": {"rules": [{"find": "x"}]}}, "categories.rules[1].category", "missing"),
        ({"participants": {"words": {"Skåne": "SE-M", "SKÅNE ": "SE-H"}}}, "participants.words.SKÅNE ", "two meanings"),
        ({"categories": {"words": {"a": "b", "A": "c"}}}, "categories.words.A", "two meanings"),
        ({"criteria": {"words": {"a": "b", "a.": "c"}}}, "criteria.words.a.", "two meanings"),
        ({"categories": {"file": "no.csv"}}, "categories.file", "cannot be read"),
        ({"file": {"delimiter": ";;"}}, "file.delimiter", "one character"),
        ({"file": {"decimal": "'"}}, "file.decimal", "decimal mark"),
        ({"optional": ["quantity"]}, "optional.quantity", "left out"),
        ({"name": ""}, "name", "characters"),
    ],
)
def test_each_fault_names_its_key_and_the_remedy(changes: dict[str, Any], path: str, words: str) -> None:
    found = faults(**changes)
    assert path in found, found
    assert words in found[path]


def test_all_faults_are_told_at_once() -> None:
    found = faults(price={"basis": "net"}, window={"rule": "x"}, uncertainty={"spread": "9"}, extra=1)
    assert set(found) == {"price.basis", "window.rule", "uncertainty.spread", "extra"}


REMEDY = re.compile(
    r"\b(give|say|write|leave|map|state|name|correct|keep|take|did you mean|add|save|must both be given)\b",
    re.IGNORECASE,
)


def test_every_fault_of_a_mapping_says_what_to_do() -> None:
    wrong: dict[str, Any] = {
        "name": 5,
        "series": "",
        "optional": [1],
        "columns": {"quantity": "", "item_code": ["a", 1]},
        "constants": {"currency": 1},
        "file": {"delimiter": "::", "encoding": "klingon", "decimal": "'", "header_row": 0, "sheet": 1},
        "dates": {"formats": ["d.m.yy", "dd"], "century": 1950},
        "units": {
            "words": {"FRP": "PK", "x": 5, "y": {"pack": 0}},
            "blank": "XX",
            "pack_size": 0,
            "pack_unit": "??",
            "piece_counts_as": ["??"],
            "patterns": [{"find": "("}, {"of": "??", "when": "never"}, 3],
        },
        "price": {
            "basis": "net",
            "vat_rate": "0.2",
            "per": "x",
            "per_count": 0,
            "delivered": "yes",
            "words": {"a": "b"},
            "delivered_words": {"a": "b"},
            "per_words": {"a": "b"},
        },
        "currency": {"day": "soon"},
        "window": {"rule": "no", "earliest": "x", "flexibility_months": "y"},
        "uncertainty": {"spread": "nan"},
        "categories": {"keys": ["x"], "rules": [{"find": "("}, {"category": "x"}]},
        "criteria": {"separator": ";;"},
        "depth": {"words": {"a": "b"}},
        "group": {"by": ["week"]},
        "skip": [{}, {"column": ["a", "b"], "matches": "(", "reason": "r" * 81}],
        "more": 1,
    }
    found = faults(**wrong)
    assert len(found) > 45
    assert {path: text for path, text in found.items() if not REMEDY.search(text)} == {}
    assert not REMEDY.search("5 is not a table")


def test_contradictions_and_unknown_codes_are_told_with_the_faults_of_keys() -> None:
    wrong = document(
        price={"basis": "net", "per_count": 0, "vat_rate": "0.2"},
        columns={"unit": None, "quanttity": "Q"},
        window={"rule": "stated", "earliest": "2027-13"},
        participants={"words": {"Skåne": "SE-MM"}},
        categories={
            "rules": [{"find": "(", "category": "nitrile-glove"}, {"find": "x", "category": "insulin-syringe"}]
        },
        file={"encoding": "klingon", "delimiter": ";;"},
    )
    with pytest.raises(BadMapping) as refused:
        mapping_from_document(wrong, Path(), REFERENCE)
    assert {path for path, _ in refused.value.faults} == {
        "price.basis",
        "price.per_count",
        "price.vat_rate",
        "columns.quanttity",
        "columns.unit",
        "window.earliest",
        "window.latest",
        "participants.words.Skåne",
        "categories.rules[1].find",
        "categories.rules[1].category",
        "categories.rules[2].category",
        "file.encoding",
        "file.delimiter",
    }


def test_what_follows_from_a_fault_is_not_told_beside_it() -> None:
    assert set(faults(price=5, columns={"quantity": 5})) == {"price", "columns.quantity"}


def test_the_documented_addition_to_a_form_is_a_mapping(tmp_path: Path) -> None:
    text = DOCS.read_text("utf-8").split("## Beside a form")[1].split("```toml\n")[1].split("```")[0]
    given = read_document(write(tmp_path, text))
    assert given.adds_to_headers
    headers = ("Region", "Vår benämning", "Årsvolym", "Enhet", "Pris", "Avtalsslut")
    made = from_headers(headers, None, given, REFERENCE)
    assert made.columns["item_name"] == ("Vår benämning",)
    assert (made.price.basis, made.hints.decimal, made.constants["currency"]) == ("ex-vat", ",", "SEK")
    assert {rule.reason for rule in made.skip} == {"not filled in", "returns"}


def test_codes_it_leads_to_must_be_known() -> None:
    changes = {
        "participants": {"words": {"Skåne": "SE-MM"}},
        "categories": {"words": {"gloves": "nitrile-glove"}, "rules": [{"find": "x", "category": "nope"}]},
        "criteria": {"words": {"Svanen": "swan"}},
    }
    with pytest.raises(BadMapping) as refused:
        checker(mapping(**changes))
    found = dict(refused.value.faults)
    assert set(found) == {
        "participants.words.Skåne",
        "categories.words.gloves",
        "categories.rules[1].category",
        "criteria.words.Svanen",
    }
    assert "did you mean nitrile-gloves" in found["categories.words.gloves"]


def write(folder: Path, text: str, **lists: str) -> Path:
    for name, content in lists.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return path


MINIMAL = """
name = "minimal"
[columns]
participant = "Region"
category = "Group"
quantity = "Quantity"
unit = "Unit"
unit_price = "Price"
[constants]
currency = "EUR"
[price]
basis = "ex-vat"
[currency]
day = 2026-10-29
[window]
rule = "stated"
earliest = "2027-01"
latest = "2027-12"
source = "stated"
[uncertainty]
spread = 0.1
"""


def test_lists_in_files_beside_it_count_for_the_mapping_and_its_hash(tmp_path: Path) -> None:
    text = MINIMAL + '[categories]\nfile = "items.csv"\n[participants]\nfile = "who.csv"\n'
    lists = {"items": "word;category\nA1;insulin-syringes\n", "who": "word,participant\nSkåne,SE-M\n"}
    one = read_mapping(write(tmp_path, text, **lists))
    assert one.categories.exact == {"A1": "insulin-syringes"}
    assert one.participants == {"Skåne": "SE-M"}
    again = read_mapping(write(tmp_path, text, **lists))
    other = read_mapping(write(tmp_path, text, **{**lists, "items": "word;category\nA1;nitrile-gloves\n"}))
    assert one.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a;b\n1;2\n", "must name the columns word and category"),
        ("word;category\nA1;\n", "row 2: word and category must both be given"),
        ("word;category\nA1;x\nA1;y\n", "row 3: 'A1' stands twice"),
    ],
)
def test_a_bad_list_is_named_with_its_row(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(BadMapping, match=words):
        read_mapping(write(tmp_path, MINIMAL + '[categories]\nfile = "items.csv"\n', items=content))


@pytest.mark.parametrize(
    "text", ["name = ", "name = 'a'\nname = 'b'", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
)
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadMapping, match="TOML in UTF-8"):
        read_mapping(write(tmp_path, text))


def test_the_documented_example_is_a_mapping(tmp_path: Path) -> None:
    example, items = documented()
    made = read_mapping(write(tmp_path, example, **{"region-x-items": items}))
    assert made.name == "region-x-forecast"
    assert made.units.words["FRP"].is_pack
    assert made.group is not None


def documented() -> tuple[str, str]:
    """The example mapping of docs/mapping.md and the list that belongs to it."""
    text = DOCS.read_text("utf-8")
    toml, items = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("toml", "csv"))
    return toml, items


def test_the_documentation_names_every_section_and_key() -> None:
    text = DOCS.read_text("utf-8").split("## Sections")[1]
    for name, section in tomllib.loads(documented()[0]).items():
        assert f"`{name}`" in text or f"`[{name}]`" in text or f"`[[{name}]]`" in text, name
        if isinstance(section, dict) and name not in ("columns", "constants"):
            for key in section:
                assert f"`{key}`" in text, f"{name}.{key}"
