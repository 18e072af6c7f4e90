"""Real files load unedited, by mappings of ours; skipped where the data is not here."""

from collections import Counter
from pathlib import Path

from sqlalchemy import Engine

from pooling.database import transaction
from pooling.demand import service
from pooling.demand.mapping_file import read_mapping
from pooling.demand.propose import proposals, write_proposals
from pooling.reference import service as reference
from tests.pooling.demand.builders import NOW, load

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def test_deliveries_to_35_countries_become_yearly_lines(ready: Engine, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "scms" / "scms_delivery_history_dev.csv"
    chosen = read_mapping(EXAMPLES / "scms" / "mapping.toml")
    found = proposals(path, chosen)
    write_proposals(tmp_path / "categories.csv", found)
    with transaction(ready) as session:
        reference.add_categories(session, tmp_path / "categories.csv")
        reference.add_participants(session, EXAMPLES / "scms" / "participants.csv")
        answer = load(session, path, chosen)
        lines = service.live_lines(session)
    assert (answer.rows_read, answer.rows_refused, answer.rows_quarantined) == (8246, 0, 0)
    assert dict(answer.skipped) == {"pack price of 0": 12}
    assert answer.lines_made == lines.height == 2076
    assert lines["rows"].sum() == 8234
    assert lines["participant"].n_unique() == 35
    assert lines["category"].n_unique() == len(found) == 131
    assert lines["currency"].unique().to_list() == ["USD"]
    assert {flag.kind for flag in answer.flags} == {"price"}


def test_purchases_of_three_regions_are_mapped_or_wait_and_say_why(ready: Engine, shared_data: Path) -> None:
    path = shared_data / "occrp-sweden" / "sweden_health_regions_dev.csv"
    with transaction(ready) as session:
        answer = load(session, path, read_mapping(EXAMPLES / "occrp-sweden" / "mapping.toml"), partial=True)
        lines = service.live_lines(session)
        assert answer.submission is not None
        again = service.requeue(
            session, answer.submission, read_mapping(EXAMPLES / "occrp-sweden" / "mapping.toml"), now=NOW
        )
    assert answer.rows_read == 474
    assert dict(answer.refused) == {"missing": 2, "not-positive": 1}
    assert set(lines["participant"]) == {"SE-H", "SE-E", "SE-S"}
    reasons = Counter({each.reason: 0 for each in answer.waiting})
    for each in answer.waiting:
        reasons[each.reason] += each.rows
    assert set(reasons) == {"unknown-category", "unit-mismatch", "unknown-pack"}
    assert answer.lines_made + reasons.total() + 3 == 474
    packs = lines.filter(lines["original_unit"].is_in(["PKT", "FRP"]))
    assert packs.height > 5
    assert (packs["quantity"] > packs["original_quantity"].cast(float)).all()
    assert (again.rows_loaded, again.rows_waiting) == (0, reasons.total())
