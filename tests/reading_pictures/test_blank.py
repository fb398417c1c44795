import csv
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from dropscribe.reading.blank import is_blank
from dropscribe.reading.document import open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.values import Size
from tests.reading_pictures.printed import A4, as_jpeg, full_page, paper, with_words
from tests.reading_pictures.test_corpus import CORPUS

SIZES = [(700, 990), A4, (1654, 2339)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shade", [255, 240, 200])
@pytest.mark.parametrize("shadow", [0, 60])
def test_bare_paper_is_blank(size, shade, shadow):
    assert is_blank(paper(size, shade=shade, shadow=shadow))
    assert is_blank(as_jpeg(paper(size, shade=shade, shadow=shadow)))


@pytest.mark.parametrize("quality", [75, 90])
def test_the_grain_of_paper_is_nothing(quality):
    assert is_blank(as_jpeg(paper(A4, grain=2), quality))


def test_paper_of_a_colour_is_blank():
    assert is_blank(Image.merge("RGB", [Image.new("L", A4, shade) for shade in (250, 240, 190)]))


def test_a_black_page_is_blank():
    assert is_blank(Image.new("L", A4, 0))


@pytest.mark.parametrize("sides", [(30, 0, 0, 0), (0, 0, 40, 25), (20, 30, 40, 50)])
def test_the_dark_around_a_sheet_is_nothing(sides):
    assert is_blank(as_jpeg(ImageOps.expand(paper((1100, 1600)), sides, fill=30)))


def test_specks_of_dust_are_nothing():
    image = paper()
    for number in range(12):
        x, y = 90 * number + 60, 130 * number + 50
        ImageDraw.Draw(image).rectangle((x, y, x + 1, y + 1), fill=60)
    assert is_blank(image)


MARKS = {
    "a page number": {"words": "7", "height": 20, "darker": 150},
    "a grey page number": {"words": "12", "height": 20, "darker": 40},
    "a short line": {"words": "Thanks, Tom", "height": 24, "darker": 120},
    "6 points in light grey": {"words": "Terms on request", "height": 12, "darker": 60},
    "faint pencil": {"words": "see page 4", "height": 33, "darker": 12},
    "a large pale letter": {"words": "A", "height": 120, "darker": 20},
}
PLACES = {
    "in the middle": (600, 800),
    "in the corner": (0, 0),
    "at the foot": (620, 1650),
    "at the side": (1200, 400),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("grain", [0, 1.5])
def test_a_mark_is_never_taken_for_nothing(mark, place, grain):
    image = with_words(paper(grain=grain, shadow=30), at=PLACES[place], **MARKS[mark])
    assert not is_blank(image)
    assert not is_blank(as_jpeg(image))


@pytest.mark.parametrize("darker", [-200, -40])
def test_white_on_black_is_not_blank(darker):
    assert not is_blank(with_words(Image.new("L", A4, 20), "The End", (500, 900), darker=darker))


@pytest.mark.parametrize("ink", [(255, 255, 190), (255, 215, 225), (210, 255, 210), (205, 230, 255)])
def test_a_stamp_in_a_pale_colour_is_not_blank(ink):
    image = Image.new("RGB", A4, "white")
    ImageDraw.Draw(image).ellipse((900, 1400, 1020, 1480), outline=ink, width=4)
    assert not is_blank(image)


def test_words_in_the_dark_around_a_sheet_are_not_lost():
    image = ImageOps.expand(paper((1100, 1600)), 60, fill=30)
    assert not is_blank(with_words(image, "Archive 12", (300, 10), height=30, darker=-30))


@settings(deadline=None, max_examples=60)
@given(
    words=st.sampled_from(["1", "ok", "Page", "received"]),
    x=st.integers(0, 1180),
    y=st.integers(0, 1720),
    darker=st.integers(45, 230),
    height=st.integers(18, 60),
)
def test_a_word_anywhere_is_not_blank(words, x, y, darker, height):
    assert not is_blank(with_words(paper(), words, (x, y), height=height, darker=darker))


@pytest.mark.parametrize("darker", [12, 40, 200])
def test_a_page_full_of_writing_is_not_blank(darker):
    assert not is_blank(full_page(darker=darker))


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (300, 2)])
def test_a_tiny_picture_breaks_nothing(size):
    assert is_blank(Image.new("L", size, 255))


@pytest.mark.skipif(not (CORPUS / "MANIFEST.csv").exists(), reason="DROPSCRIBE_CORPUS names no folder")
def test_no_real_scan_with_anything_on_it_is_blank():
    with (CORPUS / "MANIFEST.csv").open(newline="", encoding="utf-8") as lines:
        names = [row["file"] for row in csv.DictReader(lines) if not row["file"].startswith("bad_")]
    judged = 0
    for name in names:
        document = open_document(CORPUS / name, Steps(), Limits())
        picture = prepare(document.page(1), Wanted(1, Size(2_300_000, 3000)), Steps()).pictures[0]
        document.close()
        assert not is_blank(Image.open(BytesIO(picture.data))), name
        judged += 1
    assert judged > 20
