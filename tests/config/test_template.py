"""The pattern for names of texts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.config.template import check
from dropscribe.config.unfit import Unfit
from dropscribe.filing.shelf import stem_from

GOOD = [
    "{stem}", "{date}-{stem}", "{date:%Y-%m-%d}_{inbox}", "{sha256}", "{sha256:8}", "fixed", "{{x}}", "{stem}.{ext}",
    "ä {stem}",
]  # fmt: skip
BAD = [
    "", " ", "{", "}", "{}", "{0}", "{stem!r}", "{stem:>10}", "{stem.x}", "{stem[0]}", "{date:%Y/%m}", "{date:%D}",
    "{date:x}", "{date:%}", "{sha256:0}", "{sha256:100}", "{date:{stem}}", ".{stem}", "a/b", "{stem}.TXT", 5, None,
    {"stem": None}, "a\nb",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_good_pattern_is_kept(text):
    assert check(text) == text


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_a_pattern_that_cannot_become_a_name_is_refused(text):
    with pytest.raises(Unfit):
        check(text)


@given(
    st.text()
    | st.lists(
        st.sampled_from(["{stem}", "{date:%", "Y", "}", "{", "-", "%d", "{sha256:", "9", "/", "."])
    ).map("".join)
)
def test_every_pattern_that_passes_gives_a_name(text):
    try:
        check(text)
    except Unfit:
        return
    facts = {"stem": "s", "ext": "png", "inbox": "i", "sha256": "f" * 64}
    name = stem_from(text, date=datetime(2024, 2, 3, tzinfo=UTC), **facts)
    assert name
    assert "/" not in name
