import struct
import warnings
import zlib
from io import BytesIO

import pytest
from PIL import Image

from dropscribe.errors import BadScan, WorldWrong
from dropscribe.reading.document import open_document
from dropscribe.reading.wanted import Limits, Steps
from tests.reading_pictures.scans import LIMITS, SAVED_AS, differs, drawing, in_mode, opened, saved, sent


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, mode) for kind, modes in SAVED_AS.items() for mode in modes]
)
def test_every_format_and_mode_is_one_page_of_its_size(tmp_path, kind, mode):
    with opened(tmp_path, saved(in_mode(mode), kind)) as document:
        assert document.count == 1
        assert document.page(1).sides == (160, 120)


def test_a_page_can_be_drawn_again_in_another_size(tmp_path):
    with opened(tmp_path, saved(drawing(), "JPEG")) as document:
        assert document.page(1).drawn((20, 15)).size == (20, 15)
        assert document.page(1).sides == (160, 120)
        assert document.page(1).drawn((160, 120)).size == (160, 120)


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "letter.pdf"
    path.write_bytes(saved(drawing(), "PNG"))
    document = open_document(path, Steps(), LIMITS)
    assert document.page(1).sides == (160, 120)
    document.close()


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
    with pytest.raises(BadScan) as caught, opened(tmp_path, data) as document:
        document.page(1)
    assert caught.value.reason.startswith(reason)


def test_a_text_cut_inside_a_letter_is_still_text(tmp_path):
    with pytest.raises(BadScan, match="its content is text"), opened(tmp_path, b"x" + "ü".encode() * 400):
        pass


@pytest.mark.parametrize("kind", SAVED_AS)
def test_a_picture_above_the_limit_of_pixels_is_a_bad_scan_by_its_header(tmp_path, kind):
    data, limits = saved(drawing().convert("RGB"), kind), Limits(pixels=160 * 120 - 1)
    with (
        pytest.raises(BadScan, match="160 × 120 pixels, more than the limit of 19,199"),
        opened(tmp_path, data, limits) as document,
    ):
        document.page(1)


def test_a_giant_canvas_in_a_few_bytes_is_refused_before_it_is_decoded(tmp_path):
    sides = struct.pack("<HH", 65535, 65500)
    bomb = b"GIF89a" + sides + b"\0\0\0,\0\0\0\0" + sides + b"\0\2\2\x4c\1\0;"
    with (
        pytest.raises(BadScan, match=r"65,535 × 65,500 pixels, more than the limit of 100 million"),
        opened(tmp_path, bomb, Limits()) as document,
    ):
        document.page(1)


def _shades(kind, shades, **options):
    first, *others = [Image.new("L", (60, 40), shade) for shade in shades]
    return saved(first, kind, save_all=True, append_images=others, **options)


COMPRESSIONS = ["raw", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_page_of_a_tiff_is_read_in_any_order(tmp_path, compression):
    pages = [drawing().rotate(90 * turn, expand=True) for turn in range(4)]
    if compression.startswith("group"):
        pages = [page.convert("1") for page in pages]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression=compression)
    with opened(tmp_path, data) as document:
        assert document.count == 4
        for number in (1, 2, 3, 4, 2, 2, 4, 1):
            _, shown = sent(document, number)
            assert differs(shown, pages[number - 1]) < 4


def test_a_document_with_more_pages_than_allowed_is_a_bad_scan_and_is_not_counted_to_its_end(tmp_path):
    data = _shades("TIFF", [9] * 30)
    with pytest.raises(BadScan) as caught, opened(tmp_path, data, Limits(pages=20)):
        pass
    assert caught.value.reason == "it has more than 20 pages, the limit"
    assert "max_pages" in caught.value.fix


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_every_frame_of_an_animation_is_a_page_when_all_are_wanted(tmp_path, kind):
    lossless = {"lossless": True} if kind == "WEBP" else {}
    with opened(tmp_path, _shades(kind, [10, 90, 240], **lossless), frames=True) as document:
        assert document.count == 3
        shades = [sent(document, number)[1].convert("L").getpixel((30, 20)) for number in (1, 2, 3, 1)]
    assert shades == pytest.approx([10, 90, 240, 10], abs=3)


@pytest.mark.parametrize(
    ("subfile_type", "is_page"), [(1, False), (4, False), (5, False), (0, True), (2, True)]
)
def test_of_a_tiff_a_thumbnail_and_a_mask_are_no_pages(tmp_path, subfile_type, is_page):
    small = drawing(40, 30)
    data = saved(small, "TIFF", save_all=True, append_images=[drawing()], tiffinfo={254: subfile_type})
    # the option above marks both frames: the second one is a page
    data = _with_subfile_type(data, frame=1, value=0)
    with opened(tmp_path, data) as document:
        sides = [document.page(number).sides for number in range(1, document.count + 1)]
    assert sides == ([(40, 30), (160, 120)] if is_page else [(160, 120)])


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
    with opened(tmp_path, bytes(data)) as document:
        assert document.count == (2 if back_to == "a ring" else 1)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_its_first_frame(tmp_path, kind):
    first, second = drawing(), Image.new("RGB", (160, 120), (0, 128, 0))
    data = saved(
        first, kind, save_all=True, append_images=[second], **({"lossless": True} if kind == "WEBP" else {})
    )
    with opened(tmp_path, data) as document:
        assert document.count == 1
        assert sent(document)[1].getpixel((5, 5))[0] > 150


def test_a_jpeg_with_a_second_picture_inside_is_its_first(tmp_path):
    data = saved(drawing(), "MPO", save_all=True, append_images=[drawing(80, 60)])
    with opened(tmp_path, data) as document:
        assert (document.count, document.page(1).sides) == (1, (160, 120))


def test_a_file_that_cannot_be_opened_is_not_the_scans_fault(tmp_path):
    with pytest.raises(WorldWrong):
        open_document(tmp_path / "gone.png", Steps(), LIMITS)


def test_what_pillow_warns_of_is_not_shown(tmp_path):
    png = saved(drawing(), "PNG")
    broken_animation = struct.pack(">I", 8) + b"acTL" + bytes(8)
    broken_animation += struct.pack(">I", zlib.crc32(broken_animation[4:]))
    data = png[:33] + broken_animation + png[33:]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        Image.open(BytesIO(data))
        assert len(shown) == 1
        with opened(tmp_path, data) as document:
            sent(document)
    assert len(shown) == 1
