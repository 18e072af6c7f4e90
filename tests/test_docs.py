"""The documents name all that a reader can meet: codes, settings, policy keys, reasons, sources, parts of the house."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest

from connectors.errors import CODES as FILE_CODES
from connectors.frames import COLUMNS
from connectors.limits import Limits
from connectors.registry import SOURCES
from pooling import __main__ as program
from pooling import settings
from pooling.demand import checks, faults, units
from pooling.errors import PoolingError
from pooling.market.files import OFFER_FIELDS, TIER_FIELDS
from pooling.planning.policy import DEFAULT, Policy, policy_of
from pooling.planning.rules import Timetable
from pooling.planning.words import REASONS
from pooling.problems import CODES as HTTP_CODES
from pooling.problems import STATUSES
from solver.plan import Reason

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PLANTED = "planted-word"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def unnamed(words: Iterable[str], text: str) -> list[str]:
    """The words that ``text`` does not have in backticks of their own."""
    spans = set(re.findall(r"`([^`\n]+)`", text))
    return sorted(set(words) - spans)


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """Table rows by what their first cell names in backticks; a cell may name several."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells[1:])
    return found


def refusals(parent: type[PoolingError] = PoolingError) -> Iterator[type[PoolingError]]:
    """The class and all below it that the project defines."""
    for place in program.PLACES.values():  # with them, everything that can refuse is imported
        import_module(place)
    if parent.__module__.startswith("pooling."):
        yield parent
        for child in parent.__subclasses__():
            yield from refusals(child)


def in_source(pattern: str, *paths: Path) -> set[str]:
    """What the pattern's group finds in the sources."""
    return {word for path in paths for word in re.findall(pattern, path.read_text(encoding="utf-8"))}


def exclusions() -> set[str]:
    sources = [ROOT / "pooling" / "planning" / f"{name}.py" for name in ("instance", "placing", "pricing")]
    stated = in_source(r'Excluded\("(?:line|offer)", [^,]+, "(\w+)"', *sources)
    return stated | in_source(r'return "(\w+)", f"', *sources)


def judged() -> set[str]:
    stated = ROOT / "solver" / "check" / "violation.py"
    named = in_source(r"``([a-z]+)``", stated) - {"rule", "path"}
    raised = in_source(r'Violation\(\s*"([a-z0-9-]+)"', *(ROOT / "solver" / "check").glob("*.py"))
    return named | raised | {f"rule-{number}" for number in range(1, 11)}


LISTS = {
    "Refusals of the service": {refusal.code for refusal in refusals()},
    "Refusals of HTTP itself": {code for code, _ in HTTP_CODES.values()},
    "Refusals of a file": set(FILE_CODES),
    "Faults of a row": set(faults.CODES),
    "Rows that wait": {checks.UNKNOWN_CATEGORY, units.UNKNOWN_UNIT, units.UNKNOWN_PACK, units.UNIT_MISMATCH},
    "Lines and offers left out of a plan's question": exclusions(),
    "Why a line is in no pool": {reason.value for reason in Reason},
    "Rules of the judge": judged(),
}


@pytest.mark.parametrize("title", LISTS)
def test_every_code_is_explained_and_no_other(title: str) -> None:
    text = section(page("errors.md"), title)
    assert sorted(rows(text)) == sorted(LISTS[title])
    assert all(all(cells[:2]) for cells in rows(text).values())  # none without words
    assert len(LISTS[title]) > 3
    assert unnamed({*LISTS[title], PLANTED}, text) == [PLANTED]


def test_every_unpooled_reason_is_said_in_words_too() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}


def test_http_statuses_are_those_of_the_service() -> None:
    said = rows(section(page("errors.md"), "Refusals of the service"))
    for refusal in refusals():
        status = next(STATUSES[parent] for parent in refusal.__mro__ if parent in STATUSES)
        code = refusal.code
        assert said[code][0] == str(status), code
    of_http = rows(section(page("errors.md"), "Refusals of HTTP itself"))
    assert {code: str(status) for status, (code, _) in HTTP_CODES.items()} == {
        code: cells[0] for code, cells in of_http.items()
    }


def test_limits_on_files_are_the_standard_ones() -> None:
    text = section(page("errors.md"), "Refusals of a file")
    limits = {field.name: f"{getattr(Limits(), field.name):,}" for field in fields(Limits)}
    del limits["batch_rows"]  # no limit: how much is handed on at a time
    assert [name for name, value in limits.items() if not re.search(rf"(?<![\d,]){value}(?![\d,])", text)] == []
    assert not re.search(r"(?<![\d,])500,000(?![\d,])", text)


def test_every_source_is_named() -> None:
    text = section(page("commands.md"), "Sources of demand")
    assert sorted(rows(text)) == sorted(SOURCES)
    assert unnamed([*SOURCES, PLANTED], text) == [PLANTED]


def test_every_setting_is_named() -> None:
    text = section(page("commands.md"), "Settings")
    declared = {value for name, value in vars(settings).items() if name.isupper() and str(value).startswith("POOLING_")}
    files = [*ROOT.glob("pooling/**/*.py"), *ROOT.glob("connectors/*.py"), *ROOT.glob("tests/*.py")]
    read = in_source(r"\bPOOLING_[A-Z_]+\b", *files, ROOT / "docker-compose.yml", ROOT / "run")
    own = {"POOLING_"}  # this file's own pattern
    assert settings.DATABASE_URL in declared
    assert unnamed({*declared, *(read - own), PLANTED}, text) == [PLANTED]


def test_every_policy_key_is_explained_with_its_default() -> None:
    text = page("policy.md")
    tables = {"criterion_value", "category_term_months", "timetable"}
    keys = set(Policy.__slots__) - tables
    said = rows(section(text, "The policy: what planners decide before a plan"))
    assert set(said) == keys
    for table in tables:
        assert f"`[{table}]`" in section(text, table)
    default = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
    for key in keys & set(default):
        value = default[key]
        shown = str(value).lower() if isinstance(value, bool) else "empty" if value == [] else str(value)
        assert said[key][2] == shown, key
    parts = rows(section(text, "timetable"))
    assert {key: int(cells[0]) for key, cells in parts.items()} == default["timetable"]
    assert set(parts) == set(Timetable.__slots__)
    assert unnamed({*keys, PLANTED}, text) == [PLANTED]


def example_policy() -> dict[str, object]:
    found = re.search(r"```toml\n(.*?)```", page("policy.md"), re.DOTALL)
    assert found
    return tomllib.loads(found[1])


def test_the_policy_shown_loads() -> None:
    policy = policy_of(example_policy(), today=date(2030, 1, 1))
    assert (policy.horizon_start, policy.timetable.dialogue, policy.timetable.procedure) == ("2027-09", 4, 8)
    assert policy.max_pools_per_quarter is None
    assert policy.term_months == 36  # not named there: the default's


def test_the_policy_shown_names_only_what_there_is() -> None:
    data = ROOT / "pooling" / "reference" / "data"
    first = {
        name: {line.partition(",")[0] for line in (data / name).read_text(encoding="utf-8").splitlines()}
        for name in ("criteria.csv", "categories.csv")
    }
    policy = policy_of(example_policy(), today=date(2030, 1, 1))
    assert {*policy.criterion_value, *policy.green_floor} <= first["criteria.csv"]
    assert set(policy.category_term_months) <= first["categories.csv"]
    assert PLANTED not in first["criteria.csv"]


def test_every_field_of_an_offer_file_is_named() -> None:
    names = {*OFFER_FIELDS, *TIER_FIELDS}
    assert unnamed({*names, PLANTED}, page("offers.md")) == [PLANTED]


def test_every_column_of_demand_is_named() -> None:
    words = set(re.findall(r"[a-z_]+", page("mapping.md").partition("The canonical columns:")[2].partition(". ")[0]))
    assert {*COLUMNS, PLANTED} - words == {PLANTED}


def house() -> set[str]:
    """Packages, and the modules of the top level and of the solver, as paths."""
    inits = [path for name in ("pooling", "solver") for path in ROOT.glob(f"{name}/*/__init__.py")]
    packages = {f"{path.parent.relative_to(ROOT)}/" for path in inits}
    modules = {str(path.relative_to(ROOT)) for name in ("pooling", "solver") for path in ROOT.glob(f"{name}/[!_]*.py")}
    return packages | modules | {"solver/", "connectors/", "tests/", "pooling/", "pooling/migrations/"}


def mapped(text: str) -> set[str]:
    """The paths in a map of the house: a name without a folder is in that of the row's first."""
    found = set()
    for line in section(text, "The house").splitlines():
        spans = re.findall(r"`([^`]+)`", line) if line.startswith("| `") else []
        folder = spans[0].rpartition("/")[0] if spans else ""
        found |= {span if span.startswith(f"{folder}/") else f"{folder}/{span}" for span in spans}
    return found


def test_every_part_of_the_house_is_on_the_map() -> None:
    text = README.read_text(encoding="utf-8")
    assert sorted(house() - mapped(text)) == []
    assert "`solver/lots.py`" in text
    assert house() - mapped(text.replace("`solver/lots.py`", "`solver/plots.py`")) == {"solver/lots.py"}


def test_the_map_shows_nothing_that_is_not_there() -> None:
    places = rows(section(README.read_text(encoding="utf-8"), "The house"))
    paths = [place for place in places if place.startswith(("solver/", "connectors/", "pooling/", "tests/"))]
    assert len(paths) > 10
    assert [place for place in paths if not (ROOT / place).exists()] == []
    assert not (ROOT / "pooling" / PLANTED).exists()


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings: lower case, marks dropped, blanks as hyphens."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(path: Path, text: str) -> list[str]:
    """Relative links whose file or heading is missing."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("**/*.md"))], ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert broken_links(path, text) == []
    planted = text + "[a](none.md) [b](#no-such-heading)"
    assert broken_links(path, planted) == ["none.md", "#no-such-heading"]


def test_readme_leads_to_every_page() -> None:
    text = README.read_text(encoding="utf-8")
    pages = {f"docs/{path.name}" for path in DOCS.glob("*.md")}
    linked = set(re.findall(r"\]\(([^)\s#]+)", text))
    assert len(pages) > 3
    assert sorted(pages - linked) == []


PLANTED_HOST = "registry." + "invalid"  # in parts, so that this file does not hold it
HOSTS = frozenset(
    {
        sha256(PLANTED_HOST.encode()).hexdigest()[:16],
        "a4aa2ac280bb8d1a",
        "8b5bb5eb9d758455",
        "8743857e3ea00fd1",
        "51c6b9f69c48a75b",
        "789e46d79514e280",
    }
)
"""Hosts of package registries by the start of their SHA-256, so that this file names none; one is made up."""
HOST_WORDS = re.compile(r"(?<![a-z0-9-])(?=([a-z0-9-]+\.[a-z]{2,7})(?![a-z0-9-]))")
MACHINE_PATHS = ("/" + "work/", "/" + "root/", "/" + "home/", "/" + "Users/", "C:" + "\\Users")
LOCKED_LINE = re.compile(r"[A-Za-z0-9._-]+==[^\s/:]+( ; [^/:]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|")
"""All that a locked file may hold: exact versions and their hashes."""


def traces(text: str) -> list[str]:
    """Registry hosts and machine paths in a text; a path counts where it begins."""
    words = sorted(set(HOST_WORDS.findall(text.lower())))
    hosts = [word for word in words if sha256(word.encode()).hexdigest()[:16] in HOSTS]
    return hosts + [path for path in MACHINE_PATHS if re.search(rf"(?<![\w.~)}}\]]){re.escape(path)}", text)]


def odd_lines(text: str) -> list[str]:
    """Lines that are no locked version and no hash: options, addresses, files."""
    return [line for line in text.splitlines() if not LOCKED_LINE.fullmatch(line)]


def tracked_files() -> list[Path]:
    """The files that version control keeps; skips where there is none, as in an unpacked archive."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout")
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in sorted(set(listed.stdout.split("\0"))) if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine_path() -> None:
    files = tracked_files()
    assert README in files
    found = {path.relative_to(ROOT): traces(path.read_bytes().decode(errors="replace")) for path in files}
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("trace", [PLANTED_HOST, *MACHINE_PATHS])
def test_a_planted_trace_is_found(trace: str) -> None:
    assert traces(f'x = "{trace}/x"') == [trace]


@pytest.mark.parametrize("written", ["https://{}/a/b", "files.{}", "a.b.{}:443", "({})"])
def test_a_planted_host_is_found_however_it_is_written(written: str) -> None:
    assert traces(written.format(PLANTED_HOST)) == [PLANTED_HOST]


def test_locked_files_name_no_index() -> None:
    files = sorted(ROOT.glob("constraints*.txt"))
    assert {"constraints.txt", "constraints-dev.txt"} <= {path.name for path in files}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert odd_lines(text) == []
        for planted in ("--some-option x", "-o x", "--other=x", "a @ https://x/a.whl", "./a.whl", "a>=1 \\"):
            assert odd_lines(f"{text}\n{planted}\n") == [planted]
