"""The pictures that carry a number."""

import io

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.standin import marks

numbers = st.integers(0, marks.LIMIT - 1)
sizes = st.tuples(st.integers(240, 1200), st.integers(180, 1600))
words = st.text(max_size=300)
relaxed = settings(deadline=None, max_examples=60)


def through(picture: Image.Image, kind: str, **how: object) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return Image.open(io.BytesIO(file.getvalue()))


@relaxed
@given(number=numbers, words=words, size=sizes)
def test_a_drawn_number_is_read_back(number, words, size):
    picture = marks.draw(number, width=size[0], height=size[1], words=words)
    assert (picture.mode, picture.size) == ("RGB", size)
    assert marks.read(picture) == number


@relaxed
@given(
    number=numbers, words=words, percent=st.integers(60, 150), mode=st.sampled_from(["L", "RGB"]), size=sizes
)
def test_a_number_survives_grey_scaling_and_jpeg(number, words, percent, mode, size):
    picture = marks.draw(number, width=size[0], height=size[1], words=words).convert(mode)
    smaller = picture.resize(tuple(side * percent // 100 for side in size), Image.Resampling.LANCZOS)
    with through(smaller, "JPEG", quality=85) as sent:
        assert marks.read(sent) == number


@relaxed
@given(number=numbers, words=words, turn=st.sampled_from(list(Image.Transpose)), size=sizes)
def test_a_picture_that_is_not_upright_is_not_read(number, words, turn, size):
    assume(turn not in (Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE) or size[0] != size[1])
    assert marks.read(marks.draw(number, width=size[0], height=size[1], words=words).transpose(turn)) is None


@relaxed
@given(st.binary(min_size=56, max_size=56))
def test_chance_blocks_are_no_mark(noise):
    blocks = Image.new("L", (14, 4))
    blocks.putdata([255 * (byte & 1) for byte in noise])
    picture = Image.new("L", (400, 300), 255)
    picture.paste(blocks.resize((400, 96), Image.Resampling.NEAREST))
    assert marks.read(picture) is None


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA", "CMYK", "I;16", "I"])
def test_a_mark_is_read_in_every_mode(mode):
    grey = marks.draw(2047).convert("L")
    wide = grey.convert("I").point(lambda value: value * 257)
    picture = wide.convert(mode) if mode.startswith("I") else grey.convert(mode)
    assert marks.read(picture) == 2047


@pytest.mark.parametrize("colour", ["black", "white", "grey"])
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (800, 600)])
def test_a_plain_picture_has_no_mark(colour, size):
    assert marks.read(Image.new("RGB", size, colour)) is None


def test_the_words_are_on_the_picture():
    bare, worded = marks.draw(1), marks.draw(1, words="Total 12.50 EUR")
    assert bare.tobytes() != worded.tobytes()
    strip = (0, 0, 400, 96)
    assert bare.crop(strip).tobytes() == worded.crop(strip).tobytes()


@pytest.mark.parametrize("how", [{"number": -1}, {"number": marks.LIMIT}, {"number": 1, "width": 100}])
def test_what_cannot_be_drawn_is_refused(how):
    with pytest.raises(ValueError, match="mark"):
        marks.draw(**how)
