"""The demonstration before anything is loaded: the same bytes for a seed, and mappings that can be read."""

from decimal import Decimal
from pathlib import Path

import pytest

from pooling.demand.mapping_file import read_mapping
from pooling.demo import folder
from pooling.demo.make import Demonstration, make
from pooling.demo.slips import FLAGGED, PLANTED
from tests.pooling.demo.known import all_items, all_senders, senders, some_items

RATES = {"DKK": Decimal("7.47"), "SEK": Decimal("11.2"), "NOK": Decimal("11.6"), "EUR": Decimal(1), "ISK": Decimal(142)}


@pytest.fixture(scope="module")
def made() -> Demonstration:
    return make(all_senders(), all_items(), rates=RATES, seed=1)


def test_every_sender_sends_one_file_in_three_manners(made: Demonstration) -> None:
    assert len(made.sent) == len({sent.path for sent in made.sent}) == 57
    endings = [sent.path.rpartition(".")[2] for sent in made.sent]
    assert {ending: endings.count(ending) for ending in set(endings)} == {"xlsx": 22, "csv": 34, "txt": 1}
    assert {sent.path for sent in (*made.sent, *made.corrected)} <= set(made.files)
    assert 5_000 < sum(sent.rows for sent in made.sent) < 6_500


def test_the_same_seed_gives_the_same_bytes(made: Demonstration) -> None:
    again = make(all_senders(), all_items(), rates=RATES, seed=1)
    assert again.files == made.files
    assert again.slips == made.slips
    other = make(all_senders(), all_items(), rates=RATES, seed=2)
    assert other.files[f"{folder.INBOX}/SE-M.xlsx"] != made.files[f"{folder.INBOX}/SE-M.xlsx"]
    assert other.files[folder.OFFERS] != made.files[folder.OFFERS]


def test_all_slips_are_planted_and_those_that_stand_out_are_corrected(made: Demonstration) -> None:
    assert len(made.slips) == sum(len(names) for names in PLANTED.values())
    flagged = {slip.file for slip in made.slips if slip.fate == FLAGGED}
    assert {sent.path.removeprefix(f"{folder.CORRECTED}/") for sent in made.corrected} == flagged
    assert len(flagged) == 3


def test_every_mapping_can_be_read_and_names_its_senders(made: Demonstration, tmp_path: Path) -> None:
    folder.prepare(tmp_path / "demo")
    folder.write(tmp_path / "demo", made.files, {})
    wanted = {sent.mapping for sent in made.sent if sent.mapping}
    assert len(wanted) == 10
    for sent in made.sent:
        if sent.mapping:
            mapping = read_mapping(tmp_path / "demo" / sent.mapping)
            named = {mapping.constants.get("participant"), *mapping.participants.values()}
            assert sent.sender.code in named
            assert len(mapping.categories.exact) == 120


def test_what_is_left_out_is_in_no_file() -> None:
    made = make(senders("SE-M", "GL"), some_items(["stoma"]), rates=RATES, seed=1)
    assert [sent.sender.code for sent in made.sent] == ["SE-M", "GL"]
    assert set(made.files) == {"inbox/SE-M.xlsx", "inbox/GL.csv", "mappings/GL.toml", "mappings/GL-codes.csv",
                               "offers.csv", "policy.toml"}  # fmt: skip


def test_a_sender_without_any_need_sends_nothing() -> None:
    made = make(senders("NO-HN", "SE-M"), some_items(["stoma"]), rates=RATES, seed=1)
    assert [sent.sender.code for sent in made.sent] == ["SE-M"]
