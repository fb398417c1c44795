import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dropscribe.reading.skew import LEAST, levelled, skew_of
from tests.reading_pictures.printed import A4, full_page, paper, with_words

PAGE = full_page()


def turned(image, degrees):
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


@settings(deadline=None, max_examples=25)
@given(st.floats(-8, 8).filter(lambda degrees: abs(degrees) >= 0.5))
def test_a_page_laid_askew_is_found_to_a_fifth_of_a_degree(degrees):
    assert skew_of(turned(PAGE, degrees)) == pytest.approx(-degrees, abs=0.2)


@pytest.mark.parametrize("degrees", [0, 0.1, -0.15])
def test_what_is_level_stays_as_it_is(degrees):
    image = turned(PAGE, degrees)
    assert skew_of(image) == 0.0
    assert levelled(image) is image


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_levelled_page_is_level_and_white_around(mode):
    image = turned(PAGE, 4).convert(mode)
    level = levelled(image)
    assert level.mode == mode
    assert abs(skew_of(level)) <= LEAST
    assert level.convert("L").getpixel((0, 0)) == 255
    assert level.width >= image.width
    assert level.height >= image.height


def test_one_line_is_enough():
    image = with_words(paper(), "The quick brown fox jumps over the dog", (200, 300), height=36)
    assert skew_of(turned(image, 3)) == pytest.approx(-3, abs=0.3)


def test_a_page_on_its_side_is_not_taken_for_one_laid_askew():
    assert skew_of(PAGE.transpose(Image.Transpose.ROTATE_90)) == 0.0


def test_the_dark_around_a_sheet_says_nothing_of_its_lines():
    image = Image.new("L", (1500, 2000), 20)
    image.paste(PAGE, (100, 100))
    ImageDraw.Draw(image).polygon([(0, 0), (1500, 0), (1500, 300), (0, 60)], fill=20)
    assert skew_of(image) == 0.0


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (5, 900), A4])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_page_without_lines_is_level(size, shade):
    assert skew_of(Image.new("L", size, shade)) == 0.0


def test_grain_is_no_lines():
    assert skew_of(Image.effect_noise(A4, 60)) == 0.0
