"""The plan of columns refuses what contradicts itself, before any file is opened."""

import json

import pytest

from connectors.errors import BadPlan
from connectors.limits import Limits
from connectors.plan import ColumnPlan, ReadReport


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"columns": {}}, "at least one column"),
        ({"columns": {"amount": "Antal"}}, "'amount'"),
        ({"columns": {"extra:": "Antal"}}, "'extra:'"),
        ({"columns": {"quantity": " "}}, "needs a header"),
        ({"columns": {"quantity": ()}}, "needs a header"),
        ({"constants": {"quantity": "3"}}, "both a column and a constant"),
        ({"constants": {"colour": "green"}}, "'colour'"),
        ({"constants": {"vat_rate": "12,5"}}, "'12,5'"),
        ({"optional": frozenset({"currency"})}, "'currency'"),
        ({"header_row": 0}, "counted from 1"),
        ({"delimiter": ";;"}, "';;'"),
        ({"delimiter": '"'}, "delimiter"),
        ({"delimiter": "¤"}, "ASCII"),
        ({"decimal": "'"}, "decimal"),
        ({"encoding": "klingon"}, "'klingon'"),
        ({"encoding": "latin-1"}, "'latin-1'"),
    ],
)
def test_a_wrong_plan_is_refused(wrong, said):
    with pytest.raises(BadPlan, match=said) as caught:
        ColumnPlan(**{"columns": {"quantity": "Antal"}, **wrong})
    assert caught.value.code == "bad-plan"


@pytest.mark.parametrize(("spelled", "name"), [("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("Windows-1252", "cp1252")])
def test_encodings_are_known_by_their_usual_names(spelled, name):
    assert ColumnPlan(columns={"quantity": "Antal"}, encoding=spelled).encoding == name


def test_a_plan_survives_json():
    plan = ColumnPlan(
        columns={"quantity": ("Antal", "Mängd"), "extra:Note": "Note"},
        constants={"currency": "DKK"},
        optional=frozenset({"extra:Note"}),
        sheet="Data",
        header_row=3,
        decimal=",",
    )
    copy = ColumnPlan.from_document(json.loads(json.dumps(plan.to_document())))
    assert copy.to_document() == plan.to_document()
    assert copy.headers_of("quantity") == ("Antal", "Mängd")
    assert copy.optional == plan.optional


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"cpu_s": -1}, {"wall_s": 1.5}])
def test_limits_are_whole_and_positive(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def test_a_report_has_tuples_again_after_json():
    document = dict.fromkeys(ReadReport.__dataclass_fields__) | {"headers": ["a"], "columns": ["quantity"]}
    report = ReadReport.from_document(document)
    assert (report.headers, report.columns) == (("a",), ("quantity",))
