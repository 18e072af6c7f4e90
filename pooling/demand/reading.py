"""Which mapping a file is read by: the one given, or what its own headers say with what is given laid over it."""

from pathlib import Path

from connectors.errors import ConnectorError
from connectors.files import Preview, headers
from pooling.demand.mapping import FileMapping
from pooling.demand.mapping_file import MappingDocument, mapping_of
from pooling.demand.naming import Reference
from pooling.demand.recognise import recognised
from pooling.demand.sections import FileHints
from pooling.errors import FileRefused


def by_headers(given: MappingDocument | None) -> bool:
    """Whether the file's own headers say what its columns are."""
    return given is None or given.adds_to_headers


def looked_at(path: Path, given: MappingDocument | None) -> Preview:
    """What the file looks like, read as the mapping given says it is written; raises FileRefused."""
    hints = given.hints() if given is not None else FileHints()
    try:
        return headers(
            path,
            sheet=hints.sheet,
            header_row=hints.header_row,
            delimiter=hints.delimiter,
            encoding=hints.encoding,
        )
    except ConnectorError as wrong:
        raise FileRefused(f"{path.name}: {wrong.message}", wrong.code) from wrong


def mapping_for(path: Path, given: MappingDocument | None, known: Reference | None = None) -> FileMapping:
    """The mapping given, or the one that the file's own headers make with what is given.

    ``known``: with it, codes that the mapping leads to must be known.
    """
    if given is None or given.adds_to_headers:
        return recognised(looked_at(path, given), given, known)
    return mapping_of(given, known)
