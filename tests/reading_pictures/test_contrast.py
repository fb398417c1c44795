import pytest
from PIL import Image, ImageOps

from dropscribe.reading.contrast import is_faint, strengthened
from tests.reading_pictures.printed import A4, as_jpeg, full_page, paper, with_words
from tests.reading_pictures.scans import drawing


@pytest.mark.parametrize("darker", [15, 30, 60])
@pytest.mark.parametrize("shade", [255, 220, 180])
def test_pale_writing_is_faint_and_is_made_dark_on_white(darker, shade):
    page = full_page(darker=darker, shade=shade)
    assert is_faint(page)
    strong = strengthened(page)
    assert (strong.mode, strong.size) == (page.mode, page.size)
    assert strong.getpixel((5, 5)) == 255
    assert strong.getextrema()[0] < 60
    assert not is_faint(strong)


def test_the_grain_of_the_paper_is_not_made_into_dirt():
    strong = strengthened(as_jpeg(full_page(darker=40, grain=2)))
    corner = strong.crop((0, 0, 100, 100)).histogram()
    assert sum(corner[:200]) < 0.01 * sum(corner)


@pytest.mark.parametrize(
    "image",
    [
        full_page(darker=200),
        full_page(darker=100),
        ImageOps.invert(full_page()),
        with_words(full_page(darker=40), "PAID", (500, 60), height=90),
        drawing(),
        paper(),
        paper(grain=4),
        Image.new("L", A4, 0),
        Image.new("RGB", (1, 1)),
    ],
    ids=[
        "print",
        "grey print",
        "white on black",
        "a dark stamp",
        "a picture",
        "bare",
        "grain",
        "black",
        "a dot",
    ],
)
def test_what_is_not_faint_stays_as_it_is(image):
    assert not is_faint(image)
    assert strengthened(image) is image


def test_colours_stay_apart():
    page = Image.merge("RGB", [full_page(darker=depth) for depth in (10, 50, 50)])
    strong = strengthened(page)
    red, green, blue = (channel.getextrema()[0] for channel in strong.split())
    assert red > green + 80
    assert abs(green - blue) < 5


def test_uneven_paper_becomes_white_all_over():
    page = with_words(
        paper(shadow=90), "The quick brown fox\njumps over the dog\nonce more", (300, 600), darker=50
    )
    strong = strengthened(page)
    assert strong is not page
    assert min(strong.getpixel((x, 1000)) for x in range(20, 1200, 20)) > 240
