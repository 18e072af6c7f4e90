"""A file is what its content says, not its name."""

import io

import pytest

from connectors.errors import BadData
from connectors.kinds import CSV, XLSX, kind

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    "content", [b"a;b\n1;2\n", b"MZ;Antal\n1;2\n", b"BZh;x\n", "Rør;1".encode(), b"Rar;1", b"\xff\xfea\0"]
)
def test_text_is_csv(content):
    assert kind(io.BytesIO(content)) == CSV


def test_a_zip_is_taken_for_a_workbook():
    assert kind(io.BytesIO(b"PK\x03\x04...")) == XLSX


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty-file", "no bytes"),
        (b"%PDF-1.7\n...", "not-a-table", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not-a-table", "PNG"),
        (b"\xff\xd8\xff\xe0\0", "not-a-table", "JPEG"),
        (b"\x1f\x8b\x08\0", "not-a-table", "gzip"),
        (b"MZ\x90\0\x03", "not-a-table", "program"),
        (b"\x7fELF\x02\x01", "not-a-table", "program"),
        (b"PAR1\x15\x04", "not-a-table", "Parquet"),
        (b"SQLite format 3\0", "not-a-table", "SQLite"),
        (b"\n <!DOCTYPE html><html>", "not-a-table", "HTML"),
        (b"\xef\xbb\xbf<HTML><table>", "not-a-table", "HTML"),
        (b'<?xml version="1.0"?><Workbook>', "not-a-table", "XML"),
        (OLE + "Workbook".encode("utf-16-le"), "not-a-table", "old Office format"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "password"),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(content, code, said):
    with pytest.raises(BadData, match=said) as caught:
        kind(io.BytesIO(content))
    assert caught.value.code == code


def test_the_file_is_left_at_its_start():
    file = io.BytesIO(b"a;b\n")
    kind(file)
    assert file.tell() == 0
