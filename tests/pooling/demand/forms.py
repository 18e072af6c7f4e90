"""Fills in a workbook as a person would: writes texts and numbers into cells of its first sheet."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

SHEET = "xl/worksheets/sheet1.xml"


def fill_in(path: Path, rows: Mapping[int, Mapping[str, str | int | float]]) -> None:
    """Replace cells by row number (as shown) and column letter."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = parts[SHEET].decode()
    for number, cells in rows.items():
        found = re.search(rf'<row r="{number}"[^>]*?(/>|>.*?</row>)', sheet)
        assert found is not None
        kept = {match[1]: match[0] for match in re.finditer(r'<c r="([A-Z]+)\d+"[^>]*?(?:/>|>.*?</c>)', found[0])}
        kept |= {letter: _cell(f"{letter}{number}", value) for letter, value in cells.items()}
        ordered = "".join(kept[letter] for letter in sorted(kept, key=lambda each: (len(each), each)))
        sheet = sheet.replace(found[0], f'<row r="{number}">{ordered}</row>')
    parts[SHEET] = sheet.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


def _cell(place: str, value: str | int | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
