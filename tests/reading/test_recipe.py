"""The ladder: what is tried next after each verdict."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.prompts import PRESETS
from dropscribe.reading.models import image_tokens, useful_size
from dropscribe.reading.recipe import (
    LADDER,
    NO_MEANS,
    OPTIONS,
    Means,
    Rung,
    Tried,
    describe,
    first,
    next_recipe,
)
from dropscribe.reading.verdicts import HELP
from dropscribe.values import Size

MODELS = ("qwen3.5:4b", "gemma3:12b", "glm-ocr", "nobody-knows-me")
SHAKEN = ("loop", "empty", "refusal", "description", "echo", "markup", "not done", "schema", "cut", "flood")
VERDICTS = tuple(LADDER)
ALL_MEANS = Means(turn=True, bands=True)

verdicts = st.lists(st.sampled_from(VERDICTS), max_size=9)


def base(model=MODELS[0], **options):
    return first(engine="ollama", model=model, prompt="Read.", options=options, keep_alive="30m")


def climb(start, said, models=MODELS[:1], limit=4, means=NO_MEANS):
    """All recipes that are tried while each gets the next verdict of `said`."""
    tries = []
    changed = {name: value for name, value in start.options.items() if value != OPTIONS.get(name)}
    bases = [start, *(base(model, **changed) for model in models if model != start.model)]
    for verdict in (*said, None):
        recipe = next_recipe(bases, tries, limit=limit, means=means)
        if recipe is None:
            break
        tries.append(Tried(recipe, verdict))
    return [tried.recipe for tried in tries]


SCHEMA = {"type": "object"}
WRONG = "it does not follow the schema: total: missing"


def climb_form(said, limit=6, text="{}", **options):
    """The same with a schema, and with what was wrong with each answer."""
    start = first(engine="ollama", model=MODELS[0], prompt="Fill in.", options=options, schema=SCHEMA)
    tries = []
    for verdict in (*said, None):
        recipe = next_recipe([start], tries, limit=limit)
        if recipe is None:
            break
        tries.append(Tried(recipe, verdict, WRONG, text))
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
        (8192, 4096, 12288),
        (12288, 8192, 24576),
        (16384, 8192, 24576),
        # These hold twice the answer as they are: the model is not loaded anew.
        (8192, 2048, 8192),
        (10_000, 2048, 10_000),
        (16384, 4096, 16384),
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


def test_a_long_prompt_counts_when_the_context_is_chosen():
    start = first(engine="ollama", model=MODELS[0], prompt="Read. " * 6000, options={})
    assert option(climb(start, ["length"]), "num_ctx") == [8192, 24576]


def test_a_page_that_says_nothing_is_turned_upright_then_cut_into_bands():
    for verdict in ("empty", "refusal"):
        tried = climb(base(), [verdict] * 3, means=ALL_MEANS)
        assert [recipe.turn for recipe in tried] == [False, True, True, True]
        assert [recipe.bands for recipe in tried] == [1, 1, 2, 2]
        assert option(tried, "temperature") == [0, 0.1, 0.3, 0.6]


def test_a_page_that_does_not_fit_into_twice_the_answer_is_cut_into_bands():
    tried = climb(base(), ["length"] * 3, means=ALL_MEANS)
    assert [recipe.bands for recipe in tried] == [1, 1, 2, 2]
    assert option(tried, "num_ctx") == [8192, 12288, 12288, 12288]  # loaded anew once, not twice


def test_a_loop_is_left_by_another_temperature_then_in_bands():
    tried = climb(base(), ["loop"] * 3, means=Means(bands=True))
    assert [recipe.bands for recipe in tried] == [1, 1, 2, 2]
    assert option(tried, "temperature") == [0, 0.1, 0.3, 0.6]


def test_bands_end_at_four():
    said = ["loop", "loop", "length", "length", "empty", "empty", "refusal"]
    assert [r.bands for r in climb(base(), said, limit=8, means=ALL_MEANS)] == [1, 1, 2, 2, 4, 4, 4, 4]


def test_thoughts_that_used_up_the_answer_get_more_room():
    assert option(climb(base(), ["thinking only"] * 2), "num_predict") == [4096, 4096, 8192]


def test_every_rung_is_on_the_ladder_and_every_verdict_that_wants_help():
    assert set(LADDER) == set(HELP)
    assert {rung for rungs in LADDER.values() for rung in rungs} == set(Rung)


@given(verdicts, st.integers(1, 8), st.booleans(), st.booleans())
def test_nothing_is_done_with_a_page_that_cannot_be_done(said, limit, turn, bands):
    tried = climb(base(), said, limit=limit, means=Means(turn=turn, bands=bands))
    assert turn or not any(recipe.turn for recipe in tried)
    assert bands or all(recipe.bands == 1 for recipe in tried)


@given(verdicts, st.integers(1, 8))
def test_what_the_model_was_loaded_with_never_changes_back(said, limit):
    contexts = option(climb(base(), said, limit=limit, means=ALL_MEANS), "num_ctx")
    assert contexts == sorted(contexts)


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


def test_the_next_model_sees_the_page_as_it_was_turned_and_cut():
    tried = climb(base(), ["empty"] * 3, models=MODELS[:2], means=ALL_MEANS)
    assert (tried[3].model, tried[3].turn, tried[3].bands) == (MODELS[1], True, 2)


def test_each_model_is_asked_in_the_words_of_its_family():
    bases = [
        first(engine="ollama", model=model, prompt=PRESETS["table"], preset="table", options={})
        for model in MODELS
    ]
    tries = [Tried(bases[0], "loop")] * 2
    assert next_recipe([bases[0], bases[2]], tries, limit=3).prompt == "Table Recognition:"
    assert next_recipe(bases[:2], tries, limit=3).prompt == PRESETS["table"]


def test_options_of_a_family_go_over_our_defaults_and_below_those_of_the_user():
    assert base("glm-ocr").options["num_ctx"] == 12288
    assert base("glm-ocr", num_ctx=16384).options["num_ctx"] == 16384
    assert base("qwen3.5:4b").options["num_ctx"] == 8192


@given(
    verdicts,
    st.integers(1, 8),
    st.integers(1, 4),
    st.sampled_from([{}, {"num_predict": -1}, {"temperature": 1}]),
    st.sampled_from([NO_MEANS, ALL_MEANS]),
)
def test_no_recipe_is_tried_twice_and_none_beyond_the_limit(said, limit, models, options, means):
    tried = climb(base(**options), said, MODELS[:models], limit, means)
    assert len(tried) == min(limit, len(said) + 1)
    assert all(recipe not in tried[:at] for at, recipe in enumerate(tried))
    assert set(option(tried, "repeat_penalty")) == {1.0}
    assert tried == climb(base(**options), said, MODELS[:models], limit, means)


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
        (
            replace(base(), bands=2, turn=True),
            "qwen3.5:4b, temperature 0, up to 2.4 MP, 2 bands, turned upright",
        ),
    ],
)
def test_a_recipe_has_a_short_description(recipe, words):
    assert describe(recipe) == words


def test_what_was_wrong_with_the_form_is_handed_back_with_the_next_question_only():
    tried = climb_form(["schema"] * 4)
    told = [WRONG in recipe.prompt for recipe in tried]
    assert told == [False, True, False, True, False]
    assert option(tried, "temperature") == [0, 0, 0.1, 0.1, 0.3]
    assert all(recipe.prompt.startswith("Fill in.") for recipe in tried)
    assert [recipe.prompt.count(WRONG) for recipe in tried] == [0, 1, 0, 1, 0]
    assert describe(tried[1]).endswith(", told what was wrong")


def test_a_short_answer_is_handed_back_with_it_and_a_long_one_is_not():
    assert '{"total": 1}' in climb_form(["schema"], text='{"total": 1}')[1].prompt
    long = climb_form(["schema"], text="[" + "1," * 5000)[1].prompt
    assert WRONG in long
    assert len(long) < 500


def test_another_fault_than_the_form_hands_nothing_back():
    for verdict in set(VERDICTS) - {"schema"}:
        assert all(recipe.prompt == "Fill in." for recipe in climb_form([verdict] * 3))


def test_a_host_that_died_over_what_was_handed_back_is_asked_the_same_again():
    first_try, second, third = climb_form(["schema", "no answer"])
    assert first_try.prompt != second.prompt == third.prompt
    assert second.options["seed"] != third.options["seed"]


@given(verdicts, st.integers(1, 8))
def test_with_a_schema_too_no_recipe_is_tried_twice(said, limit):
    tried = climb_form(said, limit)
    assert len(tried) == min(limit, len(said) + 1)
    assert all(recipe not in tried[:at] for at, recipe in enumerate(tried))
