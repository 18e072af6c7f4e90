"""Refusals: stable codes, split by remedy."""

import pickle
from pathlib import Path

import pytest

from connectors import errors
from connectors.errors import CODES, BadData, BadPlan, ConnectorError, NoAccess, TryAgain

HERE = Path(__file__).parent
CONNECTORS = Path(errors.__file__).parent


def test_a_refusal_has_a_declared_code():
    with pytest.raises(ValueError, match="declare it"):
        BadData("no-such-code", "text")


def test_only_what_may_pass_by_itself_is_worth_a_retry():
    assert TryAgain.retry
    assert not any(kind.retry for kind in (NoAccess, BadData, BadPlan))


def test_a_refusal_survives_pickling():
    copy = pickle.loads(pickle.dumps(BadData("empty-file", "nothing in it")))
    assert (type(copy), copy.code, str(copy)) == (BadData, "empty-file", "nothing in it")


def test_every_kind_of_refusal_is_a_connector_error():
    assert all(issubclass(kind, ConnectorError) for kind in (TryAgain, NoAccess, BadData, BadPlan))


def test_every_code_is_raised_somewhere_and_tested_somewhere():
    source = "".join(path.read_text() for path in CONNECTORS.glob("*.py") if path.name != "errors.py")
    tests = "".join(path.read_text() for path in HERE.glob("test_*.py") if path.name != "test_errors.py")
    assert [code for code in CODES if f'"{code}"' not in source] == []
    assert [code for code in CODES if f'"{code}"' not in tests] == []
