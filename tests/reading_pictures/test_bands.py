from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dropscribe.reading.bands import MOST, bands, how_many
from dropscribe.reading.models import useful_size
from dropscribe.values import Size
from tests.reading_pictures.printed import A4, full_page, paper

GEMMA = Size(896 * 896, 896)
SIDES = st.integers(1, 8000)


@given(SIDES, SIDES, st.integers(10_000, 4_000_000), st.integers(64, 3000))
def test_there_are_one_to_eight_bands(width, height, pixels, side):
    assert 1 <= how_many(width, height, Size(pixels, side), dense=True) <= MOST


@given(SIDES, SIDES)
def test_a_page_that_is_sent_as_it_is_stays_whole(width, height):
    assert how_many(width, height, Size(width * height, max(width, height)), dense=True) == 1


@pytest.mark.parametrize("model", ["qwen3.5:4b", "qwen2.5vl:7b", "deepseek-ocr:3b", "unknown"])
def test_models_that_see_a_page_get_it_whole(model):
    size = useful_size(model, num_ctx=8192, num_predict=4096)
    assert how_many(1240, 1754, size, dense=True) == 1
    assert how_many(2480, 3508, size, dense=True) == 1


@pytest.mark.parametrize("model", ["gemma3:12b", "gemma4:e4b", "mistral-small3.2"])
@pytest.mark.parametrize("page", [(1240, 1754), (2480, 3508)])
def test_models_that_see_little_get_a_page_in_two(model, page):
    assert how_many(*page, useful_size(model, num_ctx=8192, num_predict=4096), dense=True) == 2


def test_a_small_picture_is_not_cut():
    assert how_many(700, 500, GEMMA, dense=True) == 1


@pytest.mark.parametrize("model", ["gemma3:12b", "qwen3.5:4b"])
def test_a_very_long_receipt_is_cut(model):
    assert how_many(800, 12_000, useful_size(model, num_ctx=8192, num_predict=4096), dense=False) >= 3


@settings(deadline=None, max_examples=40)
@given(
    page=st.sampled_from(
        [full_page(), full_page().rotate(3, fillcolor=255), paper(), full_page((300, 3000))]
    ),
    count=st.integers(1, 12),
)
def test_bands_cover_all_rows_in_order(page, count):
    cut = bands(page, count)
    assert 1 <= len(cut) <= min(count, MOST)
    assert (cut[0].top, cut[0].overlap, cut[-1].bottom) == (0, 0, page.height)
    for above, below in pairwise(cut):
        assert above.bottom - below.top == below.overlap >= 0
        assert above.top < below.top < below.bottom
        assert below.overlap < (below.bottom - below.top) / 2


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_page_is_cut_where_nothing_is_written(count):
    page = full_page()
    for band in bands(page, count)[1:]:
        assert band.overlap == 0
        low, high = page.crop((0, band.top - 1, page.width, band.top + 1)).getextrema()
        assert high - low < 5


def test_a_wider_gap_is_preferred():
    page = full_page()
    ImageDraw.Draw(page).rectangle((0, 760, page.width, 860), fill=240)
    cut = bands(page, 2)[1].top
    assert 760 < cut < 860


def test_lines_that_run_down_the_whole_page_do_not_count():
    page = full_page()
    for x in (60, 620, 1180):
        ImageDraw.Draw(page).line((x, 0, x, page.height), fill=0, width=3)
    assert [band.overlap for band in bands(page, 3)] == [0, 0, 0]


def test_where_no_row_is_empty_bands_share_a_tenth():
    cut = bands(full_page(pitch=26).rotate(4, fillcolor=240), 2)
    assert 0.08 * A4[1] / 2 < cut[1].overlap < 0.1 * A4[1] / 2


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (3000, 2)])
def test_a_tiny_picture_is_not_cut_to_nothing(size):
    assert all(band.top < band.bottom for band in bands(Image.new("L", size, 255), 8))
