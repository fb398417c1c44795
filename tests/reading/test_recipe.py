"""The ladder: what is tried next after each verdict."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.reading.models import image_tokens, useful_size
from dropscribe.reading.recipe import OPTIONS, Tried, describe, first, next_recipe
from dropscribe.values import Size

MODELS = ("qwen3.5:4b", "gemma3:12b", "glm-ocr", "nobody-knows-me")
SHAKEN = ("loop", "empty", "refusal", "echo", "markup", "not done", "thinking only", "schema", "cut", "flood")
VERDICTS = (*SHAKEN, "length", "context", "picture", "no answer")

verdicts = st.lists(st.sampled_from(VERDICTS), max_size=9)


def base(model=MODELS[0], **options):
    return first(engine="ollama", model=model, prompt="Read.", options=options, keep_alive="30m")


def climb(start, said, models=MODELS[:1], limit=4):
    """All recipes that are tried while each gets the next verdict of `said`."""
    tries = []
    for verdict in (*said, None):
        recipe = next_recipe(start, models, tries, limit=limit)
        if recipe is None:
            break
        tries.append(Tried(recipe, verdict))
    return [tried.recipe for tried in tries]


def option(recipes, name):
    return [recipe.options[name] for recipe in recipes]


def test_the_first_recipe_is_the_base_itself():
    start = base()
    assert climb(start, []) == [start]
    assert start.options == OPTIONS
    assert start.size == useful_size(MODELS[0], num_ctx=8192, num_predict=4096)
    assert start.keep_alive == "30m"


def test_options_of_the_user_go_over_our_own():
    start = base(num_ctx=16384, temperature=0.2, mirostat=1)
    assert start.options == {**OPTIONS, "num_ctx": 16384, "temperature": 0.2, "mirostat": 1}


@pytest.mark.parametrize("verdict", SHAKEN)
def test_a_bad_answer_is_asked_for_again_warmer_and_with_another_seed(verdict):
    tried = climb(base(seed=7), [verdict] * 5, limit=6)
    assert option(tried, "temperature") == [0, 0.1, 0.3, 0.6, 0.6, 0.6]
    assert option(tried, "seed") == [7, 8, 9, 10, 11, 12]
    assert {recipe.size for recipe in tried} == {tried[0].size}


def test_a_temperature_of_the_user_is_where_the_ladder_begins():
    assert option(climb(base(temperature=0.2), ["loop"] * 3), "temperature") == [0.2, 0.3, 0.6, 0.6]
    assert option(climb(base(temperature=0.8), ["loop"] * 3), "temperature") == [0.8, 0.8, 0.8, 0.8]


def test_an_answer_that_was_cut_off_gets_twice_the_room_once():
    tried = climb(base(), ["length"] * 3)
    assert option(tried, "num_predict") == [4096, 8192, 8192, 8192]
    assert option(tried, "num_ctx") == [8192, 12288, 12288, 12288]
    assert option(tried, "temperature") == [0, 0, 0.1, 0.3]


@pytest.mark.parametrize(
    ("num_ctx", "num_predict", "wanted"),
    [
        (8192, 2048, 12288),
        (12288, 8192, 24576),
        (16384, 4096, 24576),
        (32768, 8192, 32768),
        (65536, 4096, 65536),
    ],
)
def test_the_context_is_rounded_up_to_one_of_few_values(num_ctx, num_predict, wanted):
    tried = climb(base(num_ctx=num_ctx, num_predict=num_predict), ["length"])
    assert option(tried, "num_ctx") == [num_ctx, wanted]
    assert option(tried, "num_predict") == [num_predict, 2 * num_predict]


def test_a_doubled_answer_and_the_same_picture_still_fit_the_context():
    start = base()
    again = climb(start, ["length"])[1]
    sides = 1291, 1826
    tokens = image_tokens(MODELS[0], *sides) + again.options["num_predict"] + 512
    assert again.size == start.size
    assert tokens <= again.options["num_ctx"]


def test_an_endless_answer_gets_a_larger_context():
    tried = climb(base(num_predict=-1), ["length", "length"])
    assert option(tried, "num_predict") == [-1, -1, -1]
    assert option(tried, "num_ctx") == [8192, 12288, 12288]


def test_a_picture_that_does_not_fit_is_halved_then_the_context_raised_then_halved():
    tried = climb(base(), ["context"] * 3)
    whole = tried[0].size.pixels
    assert [recipe.size.pixels for recipe in tried] == [whole, whole // 2, whole // 2, whole // 4]
    assert option(tried, "num_ctx") == [8192, 8192, 12288, 12288]
    assert option(tried, "temperature") == [0, 0, 0, 0]


def test_a_picture_that_the_server_cannot_take_is_halved():
    sizes = [recipe.size for recipe in climb(base(), ["picture"] * 3)]
    assert [size.pixels for size in sizes] == [sizes[0].pixels // 2**step for step in range(4)]
    assert all(after.side < before.side for before, after in pairwise(sizes))


def test_a_picture_too_small_to_be_halved_is_asked_about_in_another_way():
    start = replace(base(), size=Size(400_000, 800))
    again = climb(start, ["picture"])[1]
    assert again.size == start.size
    assert again.options["temperature"] == 0.1


def test_a_host_that_died_is_asked_the_same_once_more_then_with_smaller_pictures():
    tried = climb(base(), ["no answer"] * 3)
    pixels = [recipe.size.pixels for recipe in tried]
    assert pixels == [pixels[0], pixels[0], pixels[0] // 2, pixels[0] // 4]
    assert option(tried, "temperature") == [0, 0, 0, 0]


def test_the_last_try_goes_to_the_next_model_with_the_picture_it_wants():
    tried = climb(base(), ["loop"] * 3, models=MODELS[:2])
    assert [recipe.model for recipe in tried] == [MODELS[0]] * 3 + [MODELS[1]]
    assert tried[3].size == useful_size(MODELS[1], num_ctx=8192, num_predict=4096)
    assert (tried[3].options, tried[3].prompt, tried[3].keep_alive) == (OPTIONS, "Read.", "30m")


def test_several_models_get_one_of_the_last_tries_each():
    assert [r.model for r in climb(base(), ["loop"] * 3, models=MODELS)] == list(MODELS)
    assert [r.model for r in climb(base(), ["loop"], models=MODELS, limit=2)] == [MODELS[0], MODELS[1]]
    assert [r.model for r in climb(base(), ["loop"], models=MODELS, limit=1)] == [MODELS[0]]


def test_the_next_model_keeps_the_room_that_the_answer_was_found_to_need():
    tried = climb(base(), ["loop", "length", "length"], models=MODELS[:2])
    assert tried[3].options == {**OPTIONS, "num_predict": 8192, "num_ctx": 12288}


@given(
    verdicts,
    st.integers(1, 8),
    st.integers(1, 4),
    st.sampled_from([{}, {"num_predict": -1}, {"temperature": 1}]),
)
def test_no_recipe_is_tried_twice_and_none_beyond_the_limit(said, limit, models, options):
    tried = climb(base(**options), said, MODELS[:models], limit)
    assert len(tried) == min(limit, len(said) + 1)
    assert all(recipe not in tried[:at] for at, recipe in enumerate(tried))
    assert set(option(tried, "repeat_penalty")) == {1.0}
    assert tried == climb(base(**options), said, MODELS[:models], limit)


@given(verdicts, st.sampled_from([{}, {"temperature": "hot"}, {"num_ctx": None}, {"seed": True}]))
def test_options_of_the_wrong_type_break_nothing(said, options):
    for recipe in climb(base(**options), said):
        assert describe(recipe).isprintable()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (base(), "qwen3.5:4b, temperature 0, up to 2.4 MP"),
        (
            replace(base(temperature=0.3), size=Size(1_200_000, 900)),
            "qwen3.5:4b, temperature 0.3, up to 1.2 MP",
        ),
        (base(num_predict=8192, num_ctx=12288), "qwen3.5:4b, temperature 0, up to 2.4 MP, 8,192 tokens"),
        (first(engine="ocr", model="", prompt="", options={}), "ocr, up to 2.0 MP"),
    ],
)
def test_a_recipe_has_a_short_description(recipe, words):
    assert describe(recipe) == words
