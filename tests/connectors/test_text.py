"""Encodings are found by content, reported, and refused with the place of the byte that fits nothing."""

import hashlib
import io

import pytest

from connectors import text
from connectors.errors import BadData
from connectors.text import as_utf8

DANISH = "Navn;Antal\r\nrør 50 µl – æøå;5\r\n"


def decoded(folder, content: bytes, encoding=None):
    """Reported encoding and text."""
    with as_utf8(io.BytesIO(content), folder=folder, encoding=encoding) as found:
        assert found.bytes == len(content)
        assert found.sha256 == hashlib.sha256(content).hexdigest()
        found.source.seek(found.start)
        return found.encoding, found.source.read().decode("utf-8")


@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    ("codec", "reported"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8 with BOM"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings_are_found(tmp_path, monkeypatch, codec, reported, chunk):
    monkeypatch.setattr(text, "CHUNK_BYTES", chunk)
    assert decoded(tmp_path, DANISH.encode(codec)) == (reported, DANISH)


def test_big_endian_utf16_is_found(tmp_path):
    assert decoded(tmp_path, b"\xfe\xff" + DANISH.encode("utf-16-be")) == ("utf-16", DANISH)


def test_one_late_byte_makes_the_whole_file_windows_1252(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "CHUNK_BYTES", 16)
    content = ("x;y\n" * 50).encode() + "æ".encode() + b"\xe6"
    assert decoded(tmp_path, content) == ("cp1252", "x;y\n" * 50 + "Ã¦æ")


def test_a_stated_encoding_is_taken(tmp_path):
    assert decoded(tmp_path, "æ".encode(), "cp1252") == ("cp1252", "Ã¦")


@pytest.mark.parametrize("chunk", [1, 4, 1 << 20])
@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (b"a;b\r\n1;\x81\n\xe6", None, r"line 2, byte 8 of the file \(0x81\) is not cp1252"),
        (b"a;b\r1;\xe6\xc3\n", "utf-8", r"line 2, byte 7 of the file \(0xe6\) is not utf-8"),
        (b"\xef\xbb\xbfa\n\n\xe6b", None, r"line 3, byte 7 of the file \(0xe6\) is not utf-8"),
        (b"a;\xc3", "utf-8", r"line 1, byte 3 of the file \(0xc3\) is not utf-8"),
        (b"\xff\xfea\x00\x00\xd8b\x00", None, r"byte 5 of the file \(0x00\) is not utf-16"),
    ],
)
def test_a_byte_that_fits_nothing_is_named_with_its_place(tmp_path, monkeypatch, content, encoding, said, chunk):
    monkeypatch.setattr(text, "CHUNK_BYTES", chunk)
    with pytest.raises(BadData, match=said) as caught:
        decoded(tmp_path, content, encoding)
    assert caught.value.code == "bad-encoding"


@pytest.mark.parametrize("content", [b"a;b\n1;\x002\n", DANISH.encode("utf-16-le")])
def test_nul_bytes_are_no_text(tmp_path, content):
    with pytest.raises(BadData, match="NUL") as caught:
        decoded(tmp_path, content)
    assert caught.value.code == "not-a-table"
