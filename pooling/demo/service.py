"""The demonstration end to end: files as regions send them, loaded, planned and reported, in a folder of its own."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.files import headers
from pooling.database import reading, transaction
from pooling.demand import service as demand
from pooling.demand.mapping import FileMapping
from pooling.demand.recognise import recognised
from pooling.demand.results import Loaded
from pooling.demo import folder as folders
from pooling.demo.catalogue import Category, Item, items
from pooling.demo.make import AS_OF, Demonstration, Sent, make
from pooling.demo.needs import Sender
from pooling.market import service as market
from pooling.market.rules import VolumeRow
from pooling.planning import report
from pooling.planning import service as planning
from pooling.planning.views import PlanView
from pooling.reference import service as reference
from pooling.reference.rates import rate_on
from pooling.reference.rules import base_factor
from pooling.schema import opened
from solver import Progress as SolverProgress

NOW = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC)
TITLE = "Nordic demonstration: proposed joint tenders"
NOTICE = (
    "Volumes, prices, contract dates, criteria asked for and offers are invented for this demonstration; no region has"
    " sent and no supplier has said any of it. Names, populations, categories, exchange rates and the few figures that"
    " name a public source are real."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of the demonstration to make, by code and id: None is all of it."""

    senders: frozenset[str] | None = None
    categories: frozenset[str] | None = None


EVERYTHING = Scale()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line whose volume or price stands out among its peers, as sent; nothing in it is changed."""

    sender: str
    row: int
    category: str
    kind: str
    direction: str
    likely_pack_factor: int | None


class Watcher(Protocol):
    """Who follows the demonstration: told of files written, loaded and doubted, and of the solver's steps."""

    def wrote(self, made: Demonstration) -> None: ...
    def loading(self, sent: Sent) -> None: ...
    def loaded(self, sent: Sent, result: Loaded) -> None: ...
    def doubted(self, doubts: Sequence[Doubt]) -> None: ...
    def solving(self) -> AbstractContextManager[Callable[[SolverProgress], None]]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the files made, what became of each, the doubts before and after corrections, the plan,
    volumes to market, names of categories by id, seconds of each stage."""

    made: Demonstration
    loads: tuple[Loaded, ...]
    doubts: tuple[Doubt, ...]
    doubts_left: tuple[Doubt, ...]
    plan: PlanView
    volumes: tuple[VolumeRow, ...]
    names: Mapping[str, str]
    seconds: Mapping[str, float]


def run(out: Path, *, seed: int, effort: planning.Effort, watcher: Watcher, scale: Scale = EVERYTHING) -> Outcome:
    """Make the folder ``out``, load what is in it into its own database, plan, and write the results beside it."""
    seconds: dict[str, float] = {}
    folders.prepare(out)
    with opened(f"sqlite:///{out / folders.DATABASE}") as engine:
        with timed(seconds, "files"):
            made = make_folder(engine, out, seed=seed, scale=scale)
            watcher.wrote(made)
        with timed(seconds, "load"):
            loads = _load(engine, out, made.sent, watcher)
            doubts = doubts_of(engine)
            watcher.doubted(doubts)
            loads += _load(engine, out, made.corrected, watcher)
            left = doubts_of(engine) if made.corrected else doubts
        with timed(seconds, "plan"):
            policy = planning.read_policy(out / folders.POLICY, today=AS_OF)
            with watcher.solving() as follow:
                plan = planning.make_plan(engine, policy, now=NOW, effort=effort, on_progress=follow).plan
        with timed(seconds, "results"):
            view, volumes, names = results(engine, out, str(plan), policy)
    return Outcome(made, tuple(loads), doubts, left, view, tuple(volumes), names, seconds)


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long the block takes."""
    began = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - began


def make_folder(engine: Engine, out: Path, *, seed: int, scale: Scale) -> Demonstration:
    """Reference data and offers into the database, everything that is sent into the folder."""
    with transaction(engine) as session:
        reference.install(session)
        senders, goods = _senders(session, scale), _items(session, scale)
    rates = {sender.currency: rate_on(sender.currency, AS_OF).per_eur for sender in senders}
    made = make(senders, goods, rates=rates, seed=seed)
    slips = [{"file": slip.file, "row": slip.row, "what": slip.what, "fate": slip.fate} for slip in made.slips]
    folders.write(out, made.files, {"seed": seed, "slips": slips})
    with transaction(engine) as session:
        market.load_offers(session, out / folders.OFFERS, loaded_at=NOW)
    return made


def results(
    engine: Engine, out: Path, plan: str, policy: planning.Policy
) -> tuple[PlanView, list[VolumeRow], dict[str, str]]:
    """The plan's files and its report in the folder; the plan, volumes to market, and names of categories by id."""
    with reading(engine) as session:
        view = planning.view_plan(session, plan)
        volumes = planning.volume_to_market(session, policy)
        names = {key: record.name for key, record in reference.categories(session).items()}
        planning.export_plan(session, plan, out)
    page = report.render(view, volume_rows=volumes, category_names=names, made_up=NOTICE, title=TITLE)
    (out / folders.REPORT).write_text(page, encoding="utf-8")
    return view, volumes, names


def doubts_of(engine: Engine) -> tuple[Doubt, ...]:
    """The lines that count whose volume or price stands out now."""
    with reading(engine) as session:
        flags, lines = demand.live_flags(session), demand.live_lines(session)
    columns = ("sent_as", "row", "category", "kind", "direction", "likely_pack_factor")
    found = flags.join(lines, left_on="line", right_on="id").sort("sent_as", "row", "kind").select(columns)
    return tuple(Doubt(*row) for row in found.iter_rows())


def _senders(session: Session, scale: Scale) -> list[Sender]:
    """Every participant that exists on the day of the demonstration, or those asked for."""
    return [
        Sender(
            code=record.code,
            name=record.name,
            country=record.country,
            currency=record.currency,
            population=record.population,
            overlaps=record.population_overlaps,
            within=record.population_within,
        )
        for record in reference.participants(session).values()
        if record.is_valid_on(AS_OF) and record.population and (scale.senders is None or record.code in scale.senders)
    ]


def _items(session: Session, scale: Scale) -> tuple[Item, ...]:
    found = []
    for record in reference.categories(session).values():
        factor = base_factor(record.unit, record.base_unit)
        if factor is not None and (scale.categories is None or record.id in scale.categories):
            found.append(Category(record.id, record.family, record.name, record.unit, int(factor)))
    return items(found)


def _load(engine: Engine, out: Path, files: Iterable[Sent], watcher: Watcher) -> list[Loaded]:
    """Each file in a transaction of its own; rows with faults are left out, the others kept."""
    mappings: dict[str | None, FileMapping] = {}
    loads = []
    for sent in files:
        watcher.loading(sent)
        if sent.mapping not in mappings:
            mappings[sent.mapping] = _read_by(out, sent)
        mapping = mappings[sent.mapping]
        with transaction(engine) as session:
            loads.append(
                demand.load(session, out / sent.path, mapping, series=sent.sender.code, partial=True, received_at=NOW)
            )
        watcher.loaded(sent, loads[-1])
    return loads


def _read_by(out: Path, sent: Sent) -> FileMapping:
    """The sender's mapping; our template is understood by its headers."""
    return demand.read_mapping(out / sent.mapping) if sent.mapping else recognised(headers(out / sent.path))
