import struct
import warnings
import zlib
from io import BytesIO

import pytest
from PIL import Image

from dropscribe.errors import BadScan, Unsupported, WorldWrong
from dropscribe.reading.document import Limits, open_document
from tests.reading_pictures.scans import LIMITS, SAVED_AS, drawing, in_mode, opened, saved


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, mode) for kind, modes in SAVED_AS.items() for mode in modes]
)
def test_every_format_and_mode_is_one_page_of_its_size(tmp_path, kind, mode):
    with opened(tmp_path, saved(in_mode(mode), kind)) as document:
        assert document.pages == 1
        assert document.page(1).size == (160, 120)


def test_each_call_of_page_gives_a_picture_of_its_own(tmp_path):
    with opened(tmp_path, saved(drawing(), "JPEG")) as document:
        document.page(1).draft(None, (20, 15))
        assert document.page(1).size == (160, 120)


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "letter.pdf"
    path.write_bytes(saved(drawing(), "PNG"))
    assert open_document(path, LIMITS).page(1).format == "PNG"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"Dear Anna,\nthe boiler works.\n", "this is not a picture: its content is text"),
        ("Grüße aus Köln".encode(), "this is not a picture: its content is text"),
        (b"\n<!DOCTYPE html><html>", "this is not a picture: its content is a web page"),
        (b"PK\x03\x04\x14\x00", "this is not a picture: its content is a ZIP archive or an office document"),
        (bytes(5000), "this is not a picture: its content is nothing but zeros"),
        (
            b"\xff\xfe\x01\x80\x93",
            "this is not a picture that can be read: it starts like none of the known formats",
        ),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "the picture is damaged: it starts like a PNG file"),
        (b"\xff\xd8\xff", "the picture is damaged: "),
    ],
)
def test_what_is_no_picture_is_a_bad_scan_with_its_reason(tmp_path, data, reason):
    with pytest.raises(BadScan) as caught:
        opened(tmp_path, data)
    assert caught.value.reason.startswith(reason)


def test_a_text_cut_inside_a_letter_is_still_text(tmp_path):
    with pytest.raises(BadScan, match="its content is text"):
        opened(tmp_path, b"x" + "ü".encode() * 400)


@pytest.mark.parametrize("start", [b"%PDF-1.7\n", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif"])
def test_formats_of_a_later_version_wait(tmp_path, start):
    with pytest.raises(Unsupported, match="are read by a later version"):
        opened(tmp_path, start)


def test_a_file_above_the_limit_of_bytes_is_a_bad_scan(tmp_path):
    with pytest.raises(BadScan, match=r"larger than the limit of 0\.0001 MB"):
        opened(tmp_path, saved(drawing(), "BMP"), Limits(bytes=100, pixels=10**8))


@pytest.mark.parametrize("kind", SAVED_AS)
def test_a_picture_above_the_limit_of_pixels_is_a_bad_scan_by_its_header(tmp_path, kind):
    with pytest.raises(BadScan, match="160 × 120 pixels, more than the limit of 19,199"):
        opened(tmp_path, saved(drawing().convert("RGB"), kind), Limits(bytes=10**6, pixels=160 * 120 - 1))


def test_a_giant_canvas_in_a_few_bytes_is_refused_before_it_is_decoded(tmp_path):
    sides = struct.pack("<HH", 65535, 65500)
    bomb = b"GIF89a" + sides + b"\0\0\0,\0\0\0\0" + sides + b"\0\2\2\x4c\1\0;"
    with pytest.raises(BadScan, match=r"65,535 × 65,500 pixels, more than the limit of 100 million"):
        opened(tmp_path, bomb, Limits(bytes=10**6, pixels=10**8))


def test_a_tiff_with_three_pages_waits_and_says_so(tmp_path):
    pages = [drawing(), drawing(), drawing()]
    with pytest.raises(Unsupported) as caught:
        opened(tmp_path, saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert caught.value.reason == "it has 3 pages; files with several pages are read by a later version"


def test_a_tiff_with_a_thumbnail_is_one_page_and_the_thumbnail_is_not_it(tmp_path):
    small = drawing(40, 30)
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = saved(small, "TIFF", save_all=True, append_images=[drawing()], tiffinfo={254: 1})
    # the option above marks both frames: the second one is the page
    data = _with_subfile_type(data, frame=1, value=0)
    with opened(tmp_path, data) as document:
        assert (document.pages, document.page(1).size) == (1, (160, 120))


def _with_subfile_type(data: bytes, frame: int, value: int) -> bytes:
    changed = bytearray(data)
    offset = struct.unpack_from("<I", data, 4)[0]
    for _ in range(frame):
        count = struct.unpack_from("<H", data, offset)[0]
        offset = struct.unpack_from("<I", data, offset + 2 + 12 * count)[0]
    count = struct.unpack_from("<H", data, offset)[0]
    for entry in range(offset + 2, offset + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == 254:
            struct.pack_into("<I", changed, entry + 8, value)
    return bytes(changed)


@pytest.mark.parametrize("back_to", ["itself", "a ring"])
def test_a_tiff_whose_directories_run_in_a_circle_ends(tmp_path, back_to):
    frames = [drawing(), drawing()] if back_to == "a ring" else [drawing()]
    data = bytearray(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    first = last = struct.unpack_from("<I", data, 4)[0]
    while True:
        link = last + 2 + 12 * struct.unpack_from("<H", data, last)[0]
        following = struct.unpack_from("<I", data, link)[0]
        if not following:
            break
        last = following
    struct.pack_into("<I", data, link, first)
    if back_to == "a ring":
        with pytest.raises(Unsupported, match="2 pages"):
            opened(tmp_path, bytes(data))
    else:
        assert opened(tmp_path, bytes(data)).pages == 1


def test_a_tiff_with_very_many_pages_is_not_counted_to_its_end(tmp_path):
    dot = Image.new("1", (8, 8))
    with pytest.raises(Unsupported, match="more than 100 pages"):
        opened(tmp_path, saved(dot, "TIFF", save_all=True, append_images=[dot] * 150))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_its_first_frame(tmp_path, kind):
    first, second = drawing(), Image.new("RGB", (160, 120), (0, 128, 0))
    data = saved(
        first, kind, save_all=True, append_images=[second], **({"lossless": True} if kind == "WEBP" else {})
    )
    with opened(tmp_path, data) as document:
        assert document.pages == 1
        assert document.page(1).convert("RGB").getpixel((5, 5))[0] > 150


def test_a_jpeg_with_a_second_picture_inside_is_its_first(tmp_path):
    data = saved(drawing(), "MPO", save_all=True, append_images=[drawing(80, 60)])
    with opened(tmp_path, data) as document:
        assert (document.pages, document.page(1).size) == (1, (160, 120))


def test_a_file_that_cannot_be_opened_is_not_the_scans_fault(tmp_path):
    with pytest.raises(WorldWrong):
        open_document(tmp_path / "gone.png", LIMITS)


def test_what_pillow_warns_of_is_not_shown(tmp_path):
    png = saved(drawing(), "PNG")
    broken_animation = struct.pack(">I", 8) + b"acTL" + bytes(8)
    broken_animation += struct.pack(">I", zlib.crc32(broken_animation[4:]))
    data = png[:33] + broken_animation + png[33:]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        Image.open(BytesIO(data))
        assert len(shown) == 1
        opened(tmp_path, data)
    assert len(shown) == 1
