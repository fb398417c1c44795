import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from dropscribe.errors import BadScan
from dropscribe.reading.picture import MAX_RATIO, MIN_SIDE, fitting, prepare
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.values import Size
from tests.reading_pictures.printed import A4, full_page, paper
from tests.reading_pictures.scans import (
    LIMITS,
    ORIENTATIONS,
    ROOMY,
    SAVED_AS,
    differs,
    drawing,
    in_mode,
    opened,
    prepared,
    saved,
    sent,
    stored,
)

SMALL = Size(pixels=80 * 90, side=100)
EVERY = [(kind, mode) for kind, modes in SAVED_AS.items() for mode in modes]


@pytest.mark.parametrize(("kind", "mode"), EVERY)
@pytest.mark.parametrize("size", [SMALL, Size(pixels=10**6, side=1000)], ids=["shrunk", "as it is"])
def test_every_mode_of_every_format_is_sent_as_8_bits_within_the_size(tmp_path, kind, mode, size):
    picture, shown = prepared(tmp_path, saved(in_mode(mode), kind), size)
    assert picture.format in {"PNG", "JPEG"}
    assert shown.format == picture.format
    assert shown.mode in {"L", "RGB"}
    assert shown.size == (picture.width, picture.height)
    assert picture.width * picture.height <= size.pixels
    assert max(shown.size) <= size.side
    assert "transparency" not in shown.info
    # whatever the mode made of the colours: what was white is light and what was black is dark
    grey = shown.convert("L")
    width, height = shown.size
    assert grey.getpixel((width * 3 // 4, height * 3 // 4)) > 200
    assert grey.getpixel((width // 8, height * 3 // 4)) < 60


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, mode) for kind, mode in EVERY if mode in {"RGB", "RGBA", "CMYK"}]
)
def test_colour_stays_colour(tmp_path, kind, mode):
    _, shown = prepared(tmp_path, saved(in_mode(mode), kind))
    red, green, blue = shown.getpixel((20, 20))
    assert red > green + 80 < red
    assert red > blue + 80


def test_a_colour_picture_of_a_grey_page_is_sent_grey(tmp_path):
    page = drawing(800, 600).convert("L").convert("RGB")
    _, shown = prepared(tmp_path, saved(page, "JPEG", quality=80))
    assert shown.mode == "L"


def test_a_thin_coloured_signature_keeps_the_page_in_colour(tmp_path):
    page = Image.new("RGB", (1600, 2200), "white")
    ImageDraw.Draw(page).line((300, 1800, 420, 1760, 500, 1820), fill=(20, 20, 160), width=3)
    assert prepared(tmp_path, saved(page, "JPEG", quality=85))[1].mode == "RGB"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF deflate", "TIFF G4", "HEIF", "AVIF"])
def test_a_scan_stored_turned_is_sent_upright(tmp_path, kind, orientation):
    upright = drawing().convert("1") if kind == "TIFF G4" else drawing()
    _, shown = prepared(tmp_path, stored(upright, kind, orientation))
    assert differs(shown, upright) < 3


def test_a_turned_scan_is_upright_when_it_is_shrunk_too(tmp_path):
    _, shown = prepared(tmp_path, stored(drawing(1600, 1200), "JPEG", 6), Size(10**6, 400))
    assert differs(shown, drawing(400, 300)) < 3


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_a_broken_exif_block_does_not_spoil_the_scan(tmp_path, exif):
    _, shown = prepared(tmp_path, saved(drawing(), "JPEG", exif=exif))
    assert differs(shown, drawing()) < 4


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_grey_of_more_than_8_bits_is_scaled_by_the_bits_in_use(tmp_path, bits, kind):
    white = 2**bits - 1
    row = struct.pack("<120H", *[0] * 30, *[white // 2] * 30, *[white] * 60)
    deep = Image.frombytes("I;16", (120, 80), row * 80)
    _, shown = prepared(tmp_path, saved(deep, kind))
    assert shown.mode == "L"
    assert [shown.getpixel((x, 40)) for x in (10, 45, 100)] == pytest.approx([0, 127, 255], abs=2)


@pytest.mark.parametrize(
    ("mode", "black", "white"),
    [("F", 0.0, 1.0), ("F", -3.5, 12.0), ("I", -100, 100_000), ("F", 0.0, 60_000.0)],
)
def test_numbers_of_any_range_are_stretched_from_black_to_white(tmp_path, mode, black, white):
    image = Image.new(mode, (100, 80), white)
    image.paste(black, (0, 0, 50, 80))
    _, shown = prepared(tmp_path, saved(image, "TIFF"))
    assert [shown.getpixel((x, 40)) for x in (10, 90)] == pytest.approx([0, 255], abs=2)


def test_endless_brightness_is_a_bad_scan_and_a_hole_in_it_is_not(tmp_path):
    image = Image.new("F", (70, 70), 0.5)
    image.putpixel((3, 3), float("nan"))
    assert prepared(tmp_path, saved(image, "TIFF"))[1].mode == "L"
    image.putpixel((3, 3), float("inf"))
    with pytest.raises(BadScan, match="its brightness is not a number"):
        prepared(tmp_path, saved(image, "TIFF"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize(
    ("ink", "paper"), [((20, 20, 20), "light"), ((255, 255, 255), "dark"), ((160, 30, 30), "light")]
)
def test_text_on_a_transparent_page_stays_readable(tmp_path, mode, ink, paper):
    page = Image.new("RGBA", (300, 100), (*ink, 0))
    ImageDraw.Draw(page).text((20, 20), "Hello there", fill=(*ink, 255), font_size=40)
    page = page.convert("P") if mode == "P" else page.convert("LA").convert(mode) if mode == "LA" else page
    _, shown = prepared(tmp_path, saved(page, "PNG"))
    grey = shown.convert("L")
    low, high = grey.getextrema()
    assert high - low > 120
    assert (grey.getpixel((2, 2)) > 128) == (paper == "light")


@pytest.mark.parametrize("strength", [60, 127, 255])
def test_half_transparent_and_mixed_text_stays_readable(tmp_path, strength):
    page = Image.new("RGBA", (600, 300), (0, 0, 0, 0))
    pen = ImageDraw.Draw(page)
    pen.text((20, 20), "Light words here", fill=(255, 255, 255, strength), font_size=60)
    light = prepared(tmp_path, saved(page, "PNG"))[1].convert("L")
    assert light.getextrema()[1] - light.getextrema()[0] > 40
    pen.text((20, 160), "Dark words there", fill=(0, 0, 0, strength), font_size=60)
    both = prepared(tmp_path, saved(page, "PNG"))[1].convert("L")
    for half in ((0, 0, 600, 140), (0, 150, 600, 300)):
        low, high = both.crop(half).getextrema()
        assert high - low > 25


def test_a_light_box_does_not_make_the_page_around_dark_text_dark(tmp_path):
    page = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
    pen = ImageDraw.Draw(page)
    pen.rectangle((20, 20, 580, 120), fill=(255, 255, 255, 255))
    for line in range(5):
        pen.text((20, 140 + 50 * line), "Dark words on nothing at all", fill=(0, 0, 0, 255), font_size=30)
    assert prepared(tmp_path, saved(page, "PNG"))[1].convert("L").getpixel((5, 395)) == 255


def test_a_transparent_colour_of_a_grey_page_becomes_paper(tmp_path):
    page = Image.new("L", (100, 100), 7)
    ImageDraw.Draw(page).rectangle((30, 30, 60, 60), fill=0)
    _, shown = prepared(tmp_path, saved(page, "PNG", transparency=7))
    assert (shown.getpixel((5, 5)), shown.getpixel((45, 45))) == (255, 0)


def test_bilevel_pages_are_shrunk_with_shades_of_grey(tmp_path):
    page = Image.new("1", (800, 800), 1)
    ImageDraw.Draw(page).line((0, 0, 799, 700), fill=0, width=3)
    _, shown = prepared(tmp_path, saved(page, "TIFF", compression="group4"), Size(10**6, 200))
    assert len(shown.getcolors()) > 20


@pytest.mark.parametrize(
    ("dots", "shape"), [((204, 98), (860, 1133)), ((204, 391), (1648, 600)), ((200, 200), (860, 544))]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_fax_with_oblong_pixels_gets_its_true_shape(tmp_path, dots, shape, orientation):
    page = Image.new("1", (860, 544 if dots[1] < 300 else 600), 1)
    data = saved(page, "TIFF", compression="group3", dpi=dots, tiffinfo={274: orientation})
    picture, _ = prepared(tmp_path, data, Size(10**7, 5000))
    assert (picture.width, picture.height) == pytest.approx(shape if orientation == 1 else shape[::-1], abs=2)


@pytest.mark.parametrize("dots", [(1, 0), (0, 0), (72, 1), (1, 300)])
def test_nonsense_in_the_dots_per_inch_is_ignored(tmp_path, dots):
    picture, _ = prepared(tmp_path, saved(drawing(), "TIFF", dpi=dots))
    assert (picture.width, picture.height) == (160, 120)


def test_cmyk_follows_its_own_colour_profile_and_survives_a_broken_one(tmp_path):
    page = drawing().convert("CMYK")
    plain = prepared(tmp_path, saved(page, "JPEG", quality=95))[1]
    foreign = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"no profile at all", foreign):
        assert differs(prepared(tmp_path, saved(page, "JPEG", quality=95, icc_profile=profile))[1], plain) < 1


def test_nothing_of_the_scan_but_its_pixels_is_sent(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    for kind in ("JPEG", "PNG", "TIFF"):
        picture, shown = prepared(tmp_path, saved(drawing(), kind, exif=exif.tobytes(), comment=b"private"))
        assert b"Secret" not in picture.data
        assert b"private" not in picture.data
        assert not shown.getexif()


@pytest.mark.parametrize("sides", [(1, 1), (3, 200), (200, 3), (63, 64), (5000, 2), (2, 5000)])
def test_tiny_and_thin_pictures_get_white_around_them(tmp_path, sides):
    picture, shown = prepared(tmp_path, saved(Image.new("L", sides, 0), "PNG"))
    assert min(shown.size) >= MIN_SIDE
    assert max(shown.size) <= MAX_RATIO * min(shown.size)
    assert picture.data
    assert shown.convert("L").getextrema() == (0, 255)


@given(
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    size=st.builds(Size, pixels=st.integers(10_000, 10**7), side=st.integers(64, 5000)),
)
def test_a_fitting_size_is_within_the_limits_and_never_larger_and_keeps_its_shape(width, height, size):
    wide, high = fitting((width, height), size)
    assert wide * high <= max(size.pixels, size.side)
    assert max(wide, high) <= size.side
    assert wide <= width
    assert high <= height
    if min(wide, high) > 50:
        assert wide / high == pytest.approx(width / height, rel=0.05)
    # as large as the limits allow: one pixel more would break one of them
    grown = (wide + 1.5) * (high + 1.5)
    assert (wide, high) == (width, height) or max(wide, high) + 1 >= size.side or grown > size.pixels


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_is_turned_clockwise_as_it_is_wanted(tmp_path, turn):
    with opened(tmp_path, saved(drawing(), "PNG")) as document:
        _, shown = sent(document, turn=turn)
    assert differs(shown, drawing().rotate(-turn, expand=True)) < 3


def test_a_photograph_goes_as_jpeg_and_clean_print_as_png(tmp_path):
    print_ = Image.new("L", (900, 600), 255)
    for line in range(12):
        ImageDraw.Draw(print_).text((40, 30 + 45 * line), "Clean print of a printer", fill=0, font_size=28)
    photo = Image.effect_noise((900, 600), 40)
    assert prepared(tmp_path, saved(print_, "PNG"))[0].format == "PNG"
    assert prepared(tmp_path, saved(photo, "PNG"))[0].format == "JPEG"


@pytest.mark.parametrize("kind", [kind for kind in SAVED_AS if kind not in {"GIF", "JPEG2000"}])
def test_a_scan_cut_short_is_a_bad_scan(tmp_path, kind):
    data = saved(Image.effect_noise((300, 300), 60).convert("RGB"), kind)
    with pytest.raises(BadScan, match="damaged"):
        prepared(tmp_path, data[: len(data) * 6 // 10])


SEEDS = [
    saved(in_mode(mode, drawing(40, 30)), kind, **options)
    for kind, modes in SAVED_AS.items()
    for mode in modes
    for options in ([{}, {"compression": "tiff_lzw"}] if kind == "TIFF" and mode in {"L", "RGB"} else [{}])
]
SEEDS += [
    saved(drawing(40, 30), "JPEG", progressive=True, exif=_exif.tobytes())
    for _exif in [Image.Exif()]
    for _exif[274] in [6]
]
SEEDS += [
    saved(drawing(40, 30).convert("1"), "TIFF", compression=compression, dpi=(204, 98))
    for compression in ("group3", "group4")
]
SEEDS += [
    saved(drawing(40, 30), kind, save_all=True, append_images=[drawing(40, 30)] * 2)
    for kind in ("PNG", "GIF", "WEBP")
]


def _read_or_refused(folder, data):
    reason = ""
    try:
        with opened(folder, data, Limits(pixels=300_000, pages=20)) as document:
            picture, _ = sent(document, size=SMALL)
    except BadScan as failure:
        reason = failure.reason
    else:
        assert Image.open(BytesIO(picture.data)).mode in {"L", "RGB"}
    assert reason.isprintable()
    assert "object at 0x" not in reason


@settings(deadline=None, max_examples=600)
@given(
    seed=st.sampled_from(SEEDS), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=6)
)
def test_flipped_bits_end_as_a_picture_or_as_a_reason(tmp_path_factory, seed, flips):
    data = bytearray(seed)
    for place, mask in flips:
        data[int(place * (len(data) - 1))] ^= mask
    _read_or_refused(tmp_path_factory.getbasetemp(), bytes(data))


@settings(deadline=None, max_examples=300)
@given(
    start=st.sampled_from([b"", *{seed[:length] for seed in SEEDS for length in (4, 12, 40)}]),
    rest=st.binary(max_size=400),
)
def test_arbitrary_bytes_end_as_a_picture_or_as_a_reason(tmp_path_factory, start, rest):
    _read_or_refused(tmp_path_factory.getbasetemp(), start + rest)


@settings(deadline=None, max_examples=200)
@given(
    seed=st.sampled_from(SEEDS), where=st.floats(0, 1), number=st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
)
def test_numbers_at_their_extremes_end_as_a_picture_or_as_a_reason(tmp_path_factory, seed, where, number):
    place = int(where * max(0, len(seed) - 4))
    data = bytearray(seed)
    struct.pack_into("<I", data, place, number)
    _read_or_refused(tmp_path_factory.getbasetemp(), bytes(data))


def test_the_limits_used_here_let_the_seeds_through(tmp_path):
    for seed in SEEDS:
        with opened(tmp_path, seed, LIMITS) as document:
            assert min(document.page(1).sides) >= 30


def in_bands(tmp_path, image, count, **steps):
    steps = {"bands": "long", **steps}
    with opened(tmp_path, saved(image, "PNG"), **steps) as document:
        return prepare(document.page(1), Wanted(1, ROOMY, bands=count), Steps(**steps))


def test_a_recipe_may_want_a_full_page_in_bands(tmp_path):
    page = full_page()
    for count in (2, 4):
        found = in_bands(tmp_path, page, count)
        assert len(found.pictures) == count
        assert all(picture.width == page.width for picture in found.pictures)
    assert len(in_bands(tmp_path, page, 2, bands="").pictures) == 1


def test_a_page_with_little_on_it_stays_whole_whatever_a_recipe_wants(tmp_path):
    small = full_page((600, 800))
    assert len(in_bands(tmp_path, small, 4).pictures) == 1


def test_a_band_with_nothing_on_it_is_not_sent_where_blank_pages_are_not(tmp_path):
    page = paper()
    page.paste(full_page().crop((0, 0, A4[0], 400)), (0, 0))
    page.paste(full_page().crop((0, 0, A4[0], 400)), (0, A4[1] - 400))
    assert len(in_bands(tmp_path, page, 4).pictures) == 4
    found = in_bands(tmp_path, page, 4, blank=True)
    assert len(found.pictures) == 2
    assert found.overlaps == (False,)
