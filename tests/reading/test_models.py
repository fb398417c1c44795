"""What is sent to which model."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dropscribe.reading.models import (
    DEFAULT_MODEL,
    PROMPT_TOKENS,
    RECOMMENDED,
    image_tokens,
    is_mllama,
    page_tokens,
    useful_size,
)

A4 = 210 / 297
SCALED = ("qwen2.5vl:7b", "qwen3-vl:4b-instruct", "qwen3.5:4b", "glm-ocr", "gemma4", "ministral-3:8b")
FAMILIES = (*SCALED, "gemma3:12b", "llama3.2-vision", "llama4", "deepseek-ocr:3b")


def size(model, num_ctx=8192, num_predict=4096):
    return useful_size(model, num_ctx=num_ctx, num_predict=num_predict)


def page(found, ratio=A4):
    """Sides of the largest picture of this ratio that fits in a size."""
    height = min(found.side, (found.pixels / ratio) ** 0.5)
    return int(height * ratio), int(height)


@pytest.mark.parametrize(
    ("model", "sides"),
    [
        ("qwen3.5:4b", (1291, 1826)),
        ("qwen3.6:27b", (1291, 1826)),
        ("qwen3-vl:8b-instruct", (1291, 1826)),
        ("qwen2.5vl:7b", (1291, 1826)),
        ("gemma3:12b", (633, 896)),
        ("gemma4:e4b", (675, 955)),
        ("mistral-small3.2", (753, 1065)),
        ("pixtral", (753, 1065)),
        ("llama3.2-vision:11b", (791, 1120)),
        ("glm-ocr", (1389, 1964)),
        ("deepseek-ocr", (1357, 1920)),
        ("nobody-knows-me", (1189, 1682)),
    ],
)
def test_an_a4_page_is_sent_in_the_size_that_the_family_makes_use_of(model, sides):
    assert page(size(model)) == pytest.approx(sides, abs=3)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("hf.co/unsloth/Qwen3-VL-8B-Instruct-GGUF:Q4_K_M", "qwen3-vl"),
        ("hf.co/bartowski/Qwen_Qwen2.5-VL-7B-Instruct-GGUF", "qwen2.5vl"),
        ("QWEN3.5:9B", "qwen3.5"),
        ("somebody/qwen3.5:latest", "qwen3.5"),
        ("registry.example:5000/team/gemma-3-27b-it:q8", "gemma3"),
        ("hf.co/google/gemma-4-E4B-it", "gemma4"),
        ("mistral-small3.1:24b", "pixtral"),
        ("hf.co/x/LightOnOCR-2-1B-GGUF", "pixtral"),
        ("hf.co/zai-org/GLM-OCR", "glm-ocr"),
        ("hf.co/x/Llama-3.2-11B-Vision-Instruct-GGUF", "llama3.2-vision"),
        ("llama3.2:3b", "nobody-knows-me"),
        ("qwen3:8b", "nobody-knows-me"),
        ("", "nobody-knows-me"),
    ],
)
def test_a_family_is_known_by_the_name_whatever_stands_around_it(name, like):
    assert size(name) == size(like)
    assert image_tokens(name, 1000, 1400) == image_tokens(like, 1000, 1400)


@pytest.mark.parametrize(
    ("model", "sides", "tokens"),
    [
        # Seen on a server: A4 at 300 dpi, and a picture of one pixel.
        ("qwen2.5vl:7b", (2480, 3508), 53 * 76),
        ("qwen2.5vl:7b", (1, 1), 1024),
        ("qwen3-vl", (2480, 3508), 53 * 76),
        ("qwen3.5", (1728, 2432), 53 * 75),
        ("qwen3.5", (320, 64), 20),
        ("gemma3", (2480, 3508), 256),
        ("gemma4", (2480, 3508), 14 * 19),
        ("pixtral", (2480, 3508), 26 * 38),
        ("llama3.2-vision", (2480, 3508), 1),
        ("nobody-knows-me", (2480, 3508), None),
    ],
)
def test_a_picture_costs_what_the_server_counts(model, sides, tokens):
    assert image_tokens(model, *sides) == tokens


@given(st.sampled_from(SCALED), st.integers(4096, 40_000), st.integers(256, 8192), st.floats(1 / 8, 8))
def test_a_picture_of_useful_size_leaves_room_for_prompt_and_answer(model, num_ctx, num_predict, ratio):
    room = num_ctx - num_predict - PROMPT_TOKENS
    assume(room >= 1200)  # below, qwen pictures cost as much however small they are
    assert image_tokens(model, *page(size(model, num_ctx, num_predict), ratio)) <= room


@given(st.text(), st.integers(-2, 300_000), st.integers(-2, 300_000))
def test_any_name_and_any_numbers_give_a_size(model, num_ctx, num_predict):
    found = useful_size(model, num_ctx=num_ctx, num_predict=num_predict)
    assert found.pixels >= 64 * 64
    assert 64 <= found.side <= 3000


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("qwen2.5vl", 1260), ("qwen3-vl", 1053), ("qwen3.5:4b", 962), ("gemma3", 256), ("llama4", 1500), ("x", 1000),
    ],
)  # fmt: skip
def test_a_page_that_can_be_read_costs_its_least(model, tokens):
    """Qwen's floor of 1024 counts: there a smaller picture would not be cheaper."""
    assert page_tokens(model) == tokens


def test_an_answer_without_limit_gets_half_of_the_context():
    assert size("qwen3.5", 8192, -1) == size("qwen3.5", 8192, 4096)


@given(st.sampled_from(FAMILIES), st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_sides_have_a_price(model, width, height):
    assert image_tokens(model, width, height) >= 1


@pytest.mark.parametrize(
    "name", ["llama3.2-vision", "x/Llama3.2-Vision:11b", "tiny-mllama", "Llama-3.2-90B-Vision"]
)
def test_the_family_that_newer_servers_do_not_load_is_known(name):
    assert is_mllama(name)


@pytest.mark.parametrize("name", ["llama3.2", "llama4", "llava-llama3", "qwen3.5:4b", "granite3.2-vision"])
def test_other_families_are_not_mistaken_for_it(name):
    assert not is_mllama(name)


def test_the_default_is_what_is_recommended_for_the_smallest_memory():
    assert RECOMMENDED[0][1] == DEFAULT_MODEL
    assert [memory for memory, _ in RECOMMENDED] == [8, 16, 24]
