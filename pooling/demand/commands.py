"""Commands on demand: look at a file, write the form, load, load what waited, list submissions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from pooling.commandline import as_called, pass_engine, screen
from pooling.database import reading, transaction
from pooling.demand import loading, report_file, service, telling, words
from pooling.demand.intake import header_names, opened
from pooling.demand.mapping import BadMapping
from pooling.demand.mapping_file import MappingDocument, mapping_of, read_document
from pooling.demand.propose import proposals, write_proposals
from pooling.demand.reading import by_headers, looked_at, mapping_for
from pooling.demand.recognise import from_headers, recognised, series_for
from pooling.demand.results import Loaded, LoadRefused
from pooling.demand.template import write_template
from pooling.errors import NotFound, counted, did_you_mean
from pooling.reference import service as reference
from pooling.reference.rates import last_quote
from pooling.transactions import written

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def _document(mapping: Path | None) -> MappingDocument | None:
    return read_document(mapping) if mapping is not None else None


@contextmanager
def _progress(what: str) -> Iterator[loading.Progress]:
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*bars, console=screen(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@click.command()
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, help="Mapping file (TOML); without it the headers must be known words.")
@click.option("--series", help="Series of submissions the file continues and replaces; default: the mapping's name.")
@click.option("--partial", is_flag=True, help="Keep good rows where others have faults; default: refuse the file.")
@click.option("--report", type=NEW_FILE, help="Write all that was found to FILE.json or FILE.xlsx.")
@pass_engine
def load(
    engine: Engine, file: Path, mapping: Path | None, series: str | None, *, partial: bool, report: Path | None
) -> None:
    """Check a demand FILE and store its lines."""
    if report is not None:
        report_file.check_format(report)
    given = _document(mapping)
    try:
        now = datetime.now(UTC)
        writing = written(engine, actor=None, operation="submissions.load", now=now)
        with _progress(f"loading {file.name}") as progress, writing as call:
            session = call.session
            reference.install(session)
            chosen = mapping_for(file, given, service.reference_data(session))
            if series is None and chosen.series is None and by_headers(given):
                series = series_for(file, chosen)
            answer = service.load(
                session,
                file,
                chosen,
                series=series,
                partial=partial,
                received_at=now,
                progress=progress,
            )
    except LoadRefused as refusal:
        answer = refusal.loaded
        _tell(answer, report)
        raise
    _tell(answer, report)


def _tell(answer: Loaded, report: Path | None) -> None:
    if report is not None:
        report_file.write_report(report, answer)
    telling.tell_loaded(screen(), answer, report=report.name if report else None)


@click.command()
@click.argument("submission")
@click.option("--mapping", type=FILE, required=True, help="Mapping file (TOML) that knows the words that were missing.")
@pass_engine
def requeue(engine: Engine, submission: str, mapping: Path) -> None:
    """Load the waiting rows of a SUBMISSION (its id, or how it begins) under a mapping that knows them."""
    with written(engine, actor=None, operation="submissions.requeue", now=datetime.now(UTC)) as call:
        session = call.session
        reference.install(session)
        found = service.find_submission(session, submission)
        given, known = read_document(mapping), service.reference_data(session)
        if given.adds_to_headers:
            chosen = from_headers(*service.headers_of(session, found), given, known)
        else:
            chosen = mapping_of(given, known)
        answer = service.requeue(session, found, chosen, now=call.now)
    telling.tell_requeued(screen(), answer)


@click.command()
@pass_engine
def submissions(engine: Engine) -> None:
    """List what has been loaded, the latest first."""
    with reading(engine) as session:
        found = service.submissions(session)
    telling.tell_submissions(screen(), found)


@click.command()
@click.option("--participant", required=True, help="Code of the participant who fills it in, such as SE-M.")
@click.option("--language", default="en", show_default=True, help=f"One of {', '.join(words.languages())}.")
@click.option("--out", type=NEW_FILE, required=True, help="The XLSX file to write.")
@pass_engine
def template(engine: Engine, participant: str, language: str, out: Path) -> None:
    """Write our own XLSX form for a participant; filled in, it loads without a mapping."""
    with transaction(engine) as session:
        reference.install(session)
        known = reference.participants(session)
        if participant not in known:
            instead = did_you_mean(participant, known, f"known are {', '.join(known)}")
            raise NotFound(f"participant {participant!r} is not known; {instead}")
        categories, criteria = reference.categories(session), reference.criteria(session)
    priced_on = min(datetime.now(UTC).date(), last_quote(known[participant].currency))
    write_template(
        out,
        known[participant],
        categories=categories,
        criteria=criteria,
        language=language,
        priced_on=priced_on,
    )
    then = as_called(f"`pooling load {out}`")
    click.echo(f"{out}: form for {known[participant].name}; when it is filled in: {then}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, help="Read it as this mapping says.")
def look(file: Path, mapping: Path | None) -> None:
    """Show how a FILE is written: format, encoding, marks, headers, first rows. Nothing is stored."""
    out = screen()
    given = _document(mapping)
    preview = looked_at(file, given)
    try:
        chosen = mapping_for(file, given) if not by_headers(given) else recognised(preview, given)
    except BadMapping as wrong:
        if mapping is not None:
            raise
        telling.tell_preview(out, preview, None, {})
        out.print(as_called(str(wrong)), markup=False)
        return
    with opened(file, chosen) as demand:
        used = {header: name for name, header in header_names(chosen, demand.report.headers).items()}
        telling.tell_preview(out, preview, demand.report, used)


@click.command("categories")
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, required=True, help="Mapping file (TOML) whose categories are derived.")
@click.option("--out", type=NEW_FILE, required=True, help="The CSV file to write.")
def propose(file: Path, mapping: Path, out: Path) -> None:
    """Propose categories from a FILE with a nomenclature of its own, as a CSV to read and correct."""
    found = proposals(file, mapping_for(file, _document(mapping)))
    write_proposals(out, found)
    then = as_called(f"`pooling reference add categories {out}`")
    click.echo(f"{out}: {counted(len(found), 'category', 'categories')}; when they are right: {then}")


COMMANDS = (look, template, load, requeue, submissions, propose)
