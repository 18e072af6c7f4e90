"""ZIP files that lie, swell or hide something are refused before they cost anything."""

import io
import struct
import time
import zipfile
import zlib

import pytest

from connectors import archive
from connectors.errors import BadData
from connectors.limits import Limits
from tests.connectors.samples import patched, raw_sheet, read_table, refusal, sheet_xml, workbook
from tests.zips import far_away

HEAD = ["Navn", "Antal", "Pris"]


@pytest.fixture
def plain(tmp_path):
    return workbook(tmp_path, {"Data": [HEAD, ["x", 1, 2]]})


def test_a_plain_workbook_passes(plain):
    assert read_table(plain)[0].rows == 1


def test_a_bomb_is_refused_by_what_it_declares(plain):
    swollen = patched(plain, {"xl/worksheets/sheet1.xml": sheet_xml(" " * 50_000_000)})
    assert swollen.stat().st_size < 100_000
    began = time.monotonic()
    error = refusal(read_table, swollen)
    assert error.code == "inflates-too-much"
    assert "times its size" in str(error)
    assert time.monotonic() - began < 2
    assert refusal(read_table, swollen, limits=Limits(inflated_bytes=10**7)).code == "inflates-too-much"


def test_a_bomb_that_lies_about_its_size_ends_where_it_said(plain):
    swollen = patched(plain, {"xl/worksheets/sheet1.xml": sheet_xml(" " * 20_000_000)})
    content = swollen.read_bytes()
    true_size = struct.pack("<I", len(sheet_xml(" " * 20_000_000)))
    assert content.count(true_size) == 2
    swollen.write_bytes(content.replace(true_size, struct.pack("<I", 1000)))
    error = refusal(read_table, swollen)
    assert error.code == "damaged"
    assert "cannot be unpacked" in str(error)


def test_too_many_parts_are_refused(plain):
    many = patched(plain, {f"xl/media/{at}": b"" for at in range(60)})
    assert refusal(read_table, many, limits=Limits(zip_entries=50)).code == "inflates-too-much"


def test_parts_that_overlap_are_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("a", b"x" * 100)
        made.writestr("b", b"y" * 100)
        made.filelist[1].header_offset = made.filelist[0].header_offset
    with pytest.raises(BadData, match="overlaps") as caught:
        archive.opened(target, Limits())
    assert caught.value.code == "inflates-too-much"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("a", b"1")
        made.writestr("a", b"2")
    with pytest.raises(BadData, match="same name") as caught:
        archive.opened(target, Limits())
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("kept", [4, 100, -1, -30])
def test_a_truncated_workbook_is_refused(plain, kept):
    plain.write_bytes(plain.read_bytes()[:kept])
    assert refusal(read_table, plain).code == "damaged"


def test_a_workbook_with_a_flipped_bit_is_refused_or_reads_the_same(plain):
    content = plain.read_bytes()
    whole = read_table(plain)[1].rows()
    for at in range(0, len(content), 97):
        plain.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        try:
            found = read_table(plain)[1].rows()
        except BadData:
            continue
        assert found == whole


def test_an_encrypted_part_is_refused(plain):
    content = bytearray(plain.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    plain.write_bytes(bytes(content))
    assert refusal(read_table, plain).code == "encrypted"


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "demand.xlsx"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("readme.txt", "hello")
    assert refusal(read_table, path).code == "not-a-table"
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    assert refusal(read_table, path).code == "not-a-table"


def test_a_document_and_a_binary_workbook_are_no_table(plain):
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    for target in ("word/document.xml", "xl/workbook.bin"):
        rels = f'<Relationships><Relationship Id="1" Type="{office}" Target="{target}"/></Relationships>'
        other = patched(plain, {"_rels/.rels": rels, target: "<document/>"})
        assert refusal(read_table, other).code == "not-a-table"


LAUGHS = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "_rels/.rels"]
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_entities_are_refused_in_every_part(plain, part, codec):
    error = refusal(read_table, patched(plain, {part: f"{LAUGHS}<w>&b;</w>".encode(codec)}))
    assert error.code == "xml-entities"
    assert part in str(error)


@pytest.mark.parametrize("encoding", ["UTF-9", "utf-32", "shift_jis"])
def test_an_encoding_no_workbook_has_is_refused(plain, encoding):
    strange = f'<?xml version="1.0" encoding="{encoding}"?><worksheet/>'
    assert refusal(read_table, patched(plain, {"xl/worksheets/sheet1.xml": strange})).code == "damaged"


def test_a_way_of_packing_no_workbook_has_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as made:
        made.writestr("a", b"x" * 100)
    with pytest.raises(BadData, match="packed in a way") as caught:
        archive.opened(target, Limits())
    assert caught.value.code == "damaged"


def small(tmp_path, change):
    """An archive of one part, its bytes changed, and where its directory begins given to the change."""
    path = tmp_path / "demand.xlsx"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a", b"x" * 100)
    content = bytearray(path.read_bytes())
    change(content, content.index(b"PK\x01\x02"))
    path.write_bytes(content)
    return path


def a_later_version(content, directory):
    content[directory + 6] = 255


def a_name_in_no_encoding(content, directory):
    content[directory + 9] |= 0x08  # names are UTF-8
    content[directory + 46] = 0xFF


def patched_data(content, directory):
    content[directory + 8] = 0x20


def strong_encryption(content, directory):
    content[directory + 8] = 0x40


def a_name_in_no_encoding_at_the_part(content, directory):
    content[7] |= 0x08
    content[30] = 0xFF


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (a_later_version, "cannot be opened .zip file version 25.5"),
        (a_name_in_no_encoding, "cannot be opened .'utf-8' codec"),
        (patched_data, "part a cannot be unpacked .compressed patched data"),
        (strong_encryption, "part a cannot be unpacked .strong encryption"),
        (a_name_in_no_encoding_at_the_part, "part a cannot be unpacked .'utf-8' codec"),
    ],
)
def test_what_a_bit_asks_of_the_reader_in_vain_is_refused(tmp_path, change, said):
    with small(tmp_path, change).open("rb") as file, pytest.raises(BadData, match=said) as caught:
        list(archive.chunks(archive.opened(file, Limits()), "a"))
    assert caught.value.code == "damaged"


def test_a_part_beyond_the_file_is_refused(tmp_path):
    path = small(tmp_path, lambda content, directory: None)
    path.write_bytes(far_away(path.read_bytes()))
    with path.open("rb") as file, pytest.raises(BadData, match="said to be where none can be") as caught:
        archive.opened(file, Limits())
    assert caught.value.code == "damaged"


def test_external_entities_are_refused(tmp_path):
    path = raw_sheet(tmp_path, "")
    hostile = '<!DOCTYPE w SYSTEM "file:///etc/passwd"><w/>'
    assert refusal(read_table, patched(path, {"xl/worksheets/sheet1.xml": hostile}, "x.xlsx")).code == "xml-entities"


def test_deep_nesting_is_no_harm(tmp_path):
    deep = "<a>" * 200_000 + "</a>" * 200_000
    assert refusal(read_table, raw_sheet(tmp_path, deep)).code == "empty-file"


def test_a_part_with_broken_compression_is_refused(tmp_path):
    path = tmp_path / "demand.xlsx"
    packed = zlib.compress(b"x" * 1000)[2:-4]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", b"x" * 1000)
    content = path.read_bytes()
    assert packed in content
    path.write_bytes(content.replace(packed, b"\xff" * len(packed)))
    with path.open("rb") as file, pytest.raises(BadData, match="cannot be unpacked"):
        list(archive.chunks(archive.opened(file, Limits()), "a"))
