"""The page about the law says what the rules say."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from pooling.law.records import Rule, packaged

PAGE = Path(__file__).parents[3] / "docs" / "law.md"


def row(rule: Rule) -> str:
    """How a rule's line on the page begins."""
    first = "" if rule.valid_from is None else str(rule.valid_from)
    last = "" if rule.valid_to is None else f" to {rule.valid_to - timedelta(days=1)}"
    dates = f"{first}{last}" if last else f"from {first}" if first else "always"
    return f"| `{rule.id}` | {dates} | {'yes' if rule.verified else 'no'} |"


def test_every_rule_stands_there_with_its_dates() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [row(rule) for rule in packaged().values() if row(rule) not in text] == []
    moved = [replace(rule, valid_from=date(1999, 1, 1), valid_to=None) for rule in packaged().values()]
    assert [row(rule) for rule in moved if row(rule) in text] == []
