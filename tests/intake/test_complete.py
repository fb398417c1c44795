import csv
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe import formats
from dropscribe.intake.complete import cut_short
from tests.intake.pictures import (
    SAVED,
    encoded,
    judged,
    noise,
    number_of_pages,
    pages,
    reader,
    scan,
    with_thumbnail,
)

CORPUS = os.environ.get("DROPSCRIBE_CORPUS", "")
KINDS = [*sorted(formats.KINDS), None]
HOWS = sorted(SAVED)


@pytest.mark.parametrize("how", HOWS)
def test_a_whole_scan_is_whole(how):
    assert judged(scan(how)) is None


@given(st.sampled_from(HOWS), st.floats(0.1, 0.99))
def test_a_part_of_a_scan_is_cut_short(how, part):
    whole = scan(how)
    so_far = whole[: int(len(whole) * part)]
    assert "ends early" in judged(so_far)


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("how", HOWS)
def test_each_tenth_of_a_scan_is_cut_short(how, tenth):
    whole = scan(how)
    assert judged(whole[: len(whole) * tenth // 10])


@pytest.mark.parametrize("how", ["PNG", "JPEG", "progressive JPEG", "JPEG with restarts", "GIF", "JPEG2000"])
@pytest.mark.parametrize("tenth", [3, 6, 9])
def test_room_reserved_and_filled_from_the_start_is_cut_short_until_the_end(how, tenth):
    """As Windows does over SMB: the size is final at once, the bytes follow."""
    whole = scan(how)
    written = len(whole) * tenth // 10
    assert judged(whole[:written] + bytes(len(whole) - written))


@pytest.mark.parametrize("how", ["WEBP", "BMP", "PPM"])
def test_where_the_head_tells_the_size_so_does_the_reason(how):
    whole = scan(how)
    assert judged(whole[:5000]) == (
        f"the picture ends early: 5,000 bytes arrived, but at least {len(whole):,} are needed"
    )


@pytest.mark.parametrize("how", HOWS)
def test_the_last_byte_counts(how):
    assert judged(scan(how)[:-1])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_room_reserved_and_filled_from_the_end_has_no_beginning_yet(kind):
    whole = scan(kind)
    blank = len(whole) // 2
    assert judged(bytes(blank) + whole[blank:]) == (
        f"the file ends early: {len(whole):,} bytes arrived, but their beginning is still blank"
    )


@pytest.mark.parametrize(
    "how", ["PNG", "JPEG", "progressive JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000"]
)
@pytest.mark.parametrize("after", [b"\0" * 700, b"\n", b"trailing", b"\xff\xd8\xff\xe0"])
def test_what_some_devices_leave_after_the_end_is_no_part_of_the_scan(how, after):
    assert judged(scan(how) + after) is None


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_picture():
    whole = with_thumbnail()
    thumbnail_ends = whole.index(b"\xff\xd9") + 2
    assert thumbnail_ends < len(whole) / 2
    assert judged(whole) is None
    for end in (thumbnail_ends, thumbnail_ends + 300, len(whole) - 1):
        assert "its end marker is missing" in judged(whole[:end])


def test_a_jpeg_larger_than_what_is_read_at_once_is_followed_to_its_end():
    whole = encoded(noise(700), format="JPEG", quality=95)
    assert len(whole) > 1 << 18
    assert judged(whole) is None
    assert judged(whole[:-1])


@pytest.mark.parametrize("before", range((1 << 18) - 3, (1 << 18) + 2))
def test_an_end_marker_is_found_wherever_the_reads_part_it(before):
    whole = scan("JPEG")
    header = whole.index(b"\xff\xda") + 2
    pixels = header + int.from_bytes(whole[header : header + 2], "big")
    data = whole[:pixels] + b"\x11" * before + b"\xff\xd9"
    assert judged(data) is None
    assert judged(data[:-1])


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_scans_of_several_pages_are_whole_only_with_the_last(kind):
    whole = pages(kind, 3)
    assert number_of_pages(whole) == 3
    assert judged(whole) is None
    assert judged(whole[: len(whole) * 9 // 10])


def test_a_tiff_whose_writer_has_not_closed_it_yet_has_no_directory():
    whole = bytearray(scan("TIFF"))
    whole[4:8] = bytes(4)
    assert "a part of them is still blank" in judged(bytes(whole))


def tiff(*entries, following=0, order="<", size=None):
    """A TIFF of one directory; each entry is (tag, type, count, value)."""
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    body = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    data = head + struct.pack(f"{order}H", len(entries)) + body + struct.pack(f"{order}I", following)
    return data.ljust(size or len(data), b"\0")


@pytest.mark.parametrize("order", ["<", ">"])
def test_each_strip_and_tile_of_a_tiff_must_be_there(order):
    assert judged(tiff((273, 4, 1, 50), (279, 4, 1, 50), order=order, size=100)) is None
    assert judged(tiff((273, 4, 1, 51), (279, 4, 1, 50), order=order, size=100))
    assert judged(tiff((324, 4, 1, 50), (325, 4, 1, 51), order=order, size=100))
    assert judged(tiff((273, 4, 40, 50), order=order, size=100))


def test_a_tiff_whose_pages_lead_in_a_circle_comes_to_an_end():
    assert judged(tiff((256, 4, 1, 1), following=8)) is None


def test_what_lies_about_its_pixels_is_a_picture_all_the_same():
    whole = bytearray(scan("BMP"))
    whole[2:6] = struct.pack("<I", 1 << 30)
    assert judged(bytes(whole)) is None
    assert judged(bytes(whole[:-1]))


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"P1 2 2\n1 0\n0 1\n", True),
        (b"P1\n# a scanner\n8 8\n0 1 0 1", False),
        (b"P2 2 1 255\n17 3\n", True),
        (b"P2 9 9 255\n17 3\n", False),
        (b"P3 1 1 255\n1 2 3", True),
        (b"P4 9 2\n\1\2\3\4", True),
        (b"P4 9 2\n\1\2\3", False),
        (b"P5 2 2 65535\n" + b"\1" * 8, True),
        (b"P5 2 2 65535\n" + b"\1" * 7, False),
        (b"P6 2 2 255\n" + b"\1" * 12, True),
        (b"P6 2 2 255\n" + b"\1" * 11, False),
        (b"P6 2", False),
        (b"P6 200 200 ", False),
    ],
)
def test_a_portable_pixmap_holds_as_much_as_its_sides_say(data, whole):
    assert (judged(data) is None) == whole


def box(name, content=b"", *, length=None):
    return struct.pack(">I4s", 8 + len(content) if length is None else length, name) + content


def test_a_heif_is_whole_when_all_its_boxes_are():
    whole = box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", b"m" * 90) + box(b"mdat", b"d" * 300)
    assert judged(whole) is None
    assert judged(whole + bytes(40)) is None
    assert all(judged(whole[:end]) for end in range(40, len(whole)) if end != len(whole) - 308)
    assert judged(whole[:114] + bytes(len(whole) - 114))


def test_a_pdf_ends_with_its_marker_or_near_it():
    whole = b"%PDF-1.7\n" + b"x" * 9000 + b"\n%%EOF\n"
    assert judged(whole) is None
    assert judged(whole + bytes(900)) is None
    assert judged(whole[:-3]) == (
        f"the document ends early: {len(whole) - 3:,} bytes arrived, but its end marker is missing"
    )


def test_unknown_content_is_for_others_to_judge():
    assert judged(b"Dear Sir or Madam, this is a letter.") is None
    assert judged(b"x") is None
    assert "their beginning is still blank" in judged(bytes(5000))
    assert "their beginning is still blank" in judged(bytes(5))


@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_no_bytes_are_too_strange(kind, data):
    cut_short(kind, len(data), reader(data))


@given(
    st.sampled_from(HOWS),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=9)), max_size=5),
)
def test_no_damage_is_too_strange(how, patches):
    data = bytearray(scan(how))
    for offset, patch in patches:
        data[offset : offset + len(patch)] = patch
    judged(bytes(data))


@given(st.sampled_from(HOWS), st.floats(0, 1))
def test_a_file_that_shrinks_while_it_is_read_is_cut_short_or_judged_by_its_reader(how, part):
    whole = scan(how)
    kind = formats.sniff(whole[: formats.HEAD])
    cut_short(kind, len(whole), reader(whole[: int(len(whole) * part)]))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("JPEG", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 500_000),
        ("GIF", b"GIF89a" + bytes(7) + b"!\xf9" + b"\x01\x01" * 2_000_000),
        ("PNG", b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"tEXt" + bytes(4)) * 700_000),
        ("HEIF", box(b"ftyp", b"heic") + box(b"free") * 1_000_000),
        ("TIFF", tiff((273, 4, 6_000_000, 100), (279, 4, 6_000_000, 100), size=24_000_100)),
    ],
)
def test_bytes_made_to_keep_us_busy_are_left_to_their_reader(kind, data):
    reads = []

    def counting(offset, length):
        reads.append(length)
        return data[offset : offset + length]

    assert cut_short(kind, len(data), counting) is None
    assert sum(reads) < 4e9


def samples(wanted):
    if not CORPUS:
        return []
    with (Path(CORPUS) / "MANIFEST.csv").open() as table:
        return [row["file"] for row in csv.DictReader(table) if row["file"].startswith("bad_") == wanted]


@pytest.mark.skipif(not CORPUS, reason="DROPSCRIBE_CORPUS names no folder of real scans")
def test_real_scans_are_whole_and_a_real_torso_is_not():
    for name in samples(wanted=False):
        assert judged((Path(CORPUS) / name).read_bytes()) is None, name
    verdicts = {name: judged((Path(CORPUS) / name).read_bytes()) for name in samples(wanted=True)}
    assert verdicts["bad_truncated.jpg"] == (
        "the picture ends early: 6,698 bytes arrived, but its end marker is missing"
    )
