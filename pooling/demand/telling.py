"""Says in the terminal what became of a file: counts that add up, faults with remedies, and what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.plan import Preview, ReadReport
from pooling.commandline import as_called
from pooling.demand.faults import Fault
from pooling.demand.results import Flag, Loaded, Rehomed, Requeued, SubmissionRecord, Waiting
from pooling.errors import counted

SHOWN = 20
SAMPLES = 3


def tell_loaded(out: Console, loaded: Loaded, *, report: str | None) -> None:
    """What became of a loaded file."""
    if loaded.already_loaded:
        out.print(
            f"{escape(loaded.file_name)}: already loaded as submission {loaded.submission} of series"
            f" {escape(repr(loaded.series))} with the same mapping ({counted(loaded.lines_made, 'line')});"
            " nothing was written"
        )
        if loaded.rows_refused or loaded.rows_quarantined:
            out.print(
                f"  {counted(loaded.rows_refused, 'row')} refused and {loaded.rows_quarantined} waiting, as before:"
                " add what they name to the reference data or the mapping, then load with the mapping that knows most"
                " of them"
            )
        return
    stored = f"submission {loaded.submission}" if loaded.submission else "nothing stored"
    out.print(f"{escape(loaded.file_name)}: {stored}, series {escape(repr(loaded.series))}")
    out.print(
        f"  {counted(loaded.rows_read, 'row')} read: {loaded.rows_in_lines:,} in {counted(loaded.lines_made, 'line')},"
        f" {loaded.rows_refused} refused, {loaded.rows_quarantined} waiting for a mapping,"
        f" {loaded.rows_skipped} out of scope"
    )
    if loaded.read:
        out.print(f"  read as {escape(_dialect(loaded.read))}")
    if loaded.supersedes is not None:
        lines = counted(loaded.superseded_lines, "line")
        out.print(f"  replaces submission {loaded.supersedes} with its {lines} as a whole")
    _tell_counts(out, "refused", loaded.refused)
    _tell_counts(out, "out of scope", loaded.skipped)
    tell_faults(out, loaded.faults, loaded.faults_found)
    tell_waiting(out, loaded.waiting)
    tell_flags(out, loaded.flags, loaded.flags_found)
    _tell_notices(out, loaded.rehomed, loaded.warnings)
    _tell_next(out, loaded, report=report)


def _tell_notices(out: Console, rehomed: Sequence[Rehomed], warnings: Sequence[str]) -> None:
    for each in rehomed:
        lines, verb = counted(each.lines, "line"), "is" if each.lines == 1 else "are"
        out.print(
            f"  taken over: {lines} sent as {each.sent_as} {verb} {each.participant}'s by the time they can start"
        )
    for warning in warnings:
        out.print(f"  [yellow]warning[/]: {escape(warning)}")


def _dialect(read: Mapping[str, Any]) -> str:
    """How a file was read, from its report: a wrong guess shows here before it shows in the figures."""
    parts = [str(read["format"])]
    parts += [f"{name} {read[name]}" for name in ("encoding",) if read[name]]
    parts += [f"{name} {read[name]!r}" for name in ("delimiter", "sheet") if read[name]]
    for name in ("decimal", "thousands"):
        mark = read[f"{name}_mark"]
        parts.append(f"{name} mark {mark!r}" if mark else f"{name} mark none shown")
    return ", ".join(parts)


def _tell_counts(out: Console, what: str, counts: Mapping[str, int]) -> None:
    if counts:
        out.print(f"  {what}: " + escape(", ".join(f"{reason} {rows}" for reason, rows in counts.items())))


def tell_faults(out: Console, faults: Sequence[Fault], found: int) -> None:
    """The first faults, each with what to do."""
    if not faults:
        return
    table = _table("row", "column", "value", "what is wrong", "what to do")
    for fault in faults[:SHOWN]:
        table.add_row(*(escape(each) for each in (str(fault.row), fault.column, fault.value, fault.what, fault.remedy)))
    out.print(table)
    if found > SHOWN:
        out.print(f"  … and {counted(found - SHOWN, 'more fault')}; --report FILE.xlsx lists them")


def tell_waiting(out: Console, waiting: Sequence[Waiting]) -> None:
    """The words that are not known, with the closest that are."""
    if not waiting:
        return
    table = _table("waits because", "value", "rows", "closest")
    for each in waiting[:SHOWN]:
        near = ", ".join(f"{key} ({name})" for key, name in each.candidates) or "nothing near"
        table.add_row(each.reason, escape(each.value), str(each.rows), escape(near))
    out.print(table)
    if len(waiting) > SHOWN:
        out.print(f"  … and {counted(len(waiting) - SHOWN, 'more word')}; --report FILE.xlsx lists them")


def tell_flags(out: Console, flags: Sequence[Flag], found: int) -> None:
    """Doubts, which change nothing."""
    if not flags:
        return
    table = _table("row", "participant", "category", "doubt", "likely pack factor")
    for each in flags[:SHOWN]:
        factor = str(each.likely_pack_factor) if each.likely_pack_factor else "none near"
        place = (str(each.row), each.participant, escape(each.category))
        table.add_row(*place, f"{each.kind} looks too {each.direction}", factor)
    out.print(table)
    if found > SHOWN:
        out.print(f"  … and {found - SHOWN} more")


def _tell_next(out: Console, loaded: Loaded, *, report: str | None) -> None:
    steps = []
    if report:
        steps.append(f"the report is in {report}")
    if loaded.rows_refused and loaded.submission is None:
        steps.append("correct the rows above and load again, or keep the good ones with --partial")
    elif loaded.rows_refused:
        steps.append("correct the refused rows and load the file again: it replaces this submission")
    if loaded.rows_quarantined and loaded.submission:
        steps.append(f"add the unknown words to a mapping, then `pooling requeue {loaded.submission} --mapping FILE`")
    if loaded.flags:
        steps.append("ask the sender about the doubtful figures; nothing was changed")
    if loaded.submission:
        steps.append("when all files are in: `pooling plan`")
    for step in steps:
        out.print(f"  → {escape(as_called(step))}")


def tell_requeued(out: Console, answer: Requeued) -> None:
    """What became of waiting rows."""
    out.print(
        f"submission {answer.submission}: {counted(answer.rows_loaded, 'row')} loaded"
        f" as {counted(answer.lines_made, 'line')},"
        f" {answer.rows_skipped} out of scope, {answer.rows_waiting} still waiting"
    )
    tell_faults(out, answer.faults, len(answer.faults))
    tell_waiting(out, answer.waiting)
    tell_flags(out, answer.flags, len(answer.flags))
    _tell_notices(out, answer.rehomed, answer.warnings)


def tell_submissions(out: Console, found: Sequence[SubmissionRecord]) -> None:
    """All submissions, the latest first."""
    table = _table(
        "submission", "series", "status", "file", "mapping", "received", "rows", "lines", "refused", "waiting"
    )
    for each in found:
        texts = (each.series, each.status, each.file_name, each.mapping_name)
        counts = (each.rows_read, each.lines_made, each.rows_refused, each.rows_quarantined)
        received = f"{each.received_at:%Y-%m-%d %H:%M}"
        table.add_row(str(each.id), *(escape(text) for text in texts), received, *(str(count) for count in counts))
    out.print(table)


def tell_preview(out: Console, preview: Preview, report: ReadReport | None, used: Mapping[str, str]) -> None:
    """What a file looks like; ``used`` says what a header is read as."""
    dialect = [
        ("format", preview.format),
        ("encoding", preview.encoding),
        ("delimiter", repr(preview.delimiter) if preview.delimiter else None),
        ("sheets", ", ".join(preview.sheets) or None),
        ("header row", preview.header_row),
    ]
    if report is not None:
        dialect += [
            ("decimal mark", repr(report.decimal_mark) if report.decimal_mark else "none shown"),
            ("thousands mark", repr(report.thousands_mark) if report.thousands_mark else "none shown"),
            ("rows", report.rows),
        ]
    for name, value in dialect:
        if value is not None:
            out.print(f"{name}: {escape(str(value))}")
    table = _table("header", "read as", "first values")
    for at, header in enumerate(preview.headers):
        values = [cells[at] or "" for _, cells in preview.rows[:SAMPLES] if at < len(cells)]
        table.add_row(escape(header or "(blank)"), used.get(header, ""), escape(" | ".join(values)))
    out.print(table)


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
