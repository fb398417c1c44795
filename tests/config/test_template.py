"""The patterns for names of texts and for breaks between pages."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.config.template import check, check_break, has_page
from dropscribe.config.unfit import Unfit
from dropscribe.filing.shelf import parted, stem_from

GOOD = [
    "{stem}", "{date}-{stem}", "{date:%Y-%m-%d}_{inbox}", "{sha256}", "{sha256:8}", "fixed", "{{x}}", "{stem}.{ext}",
    "ä {stem}", "{stem}-{pages}p", "{pages}", "{stem}.p{page}", "{date}-{stem}_{page}of{pages}",
    "{stem}{pages}{page}", "{pages}-{stem}-{page}",
]  # fmt: skip
BAD = [
    "", " ", "{", "}", "{}", "{0}", "{stem!r}", "{stem:>10}", "{stem.x}", "{stem[0]}", "{date:%Y/%m}", "{date:%D}",
    "{date:x}", "{date:%}", "{sha256:0}", "{sha256:100}", "{date:{stem}}", ".{stem}", "a/b", "{stem}.TXT", 5, None,
    {"stem": None}, "a\nb", "{page}", "x{page}", "{pages}{page}", "{page}{stem}", "{stem}{page}-{date}",
    "{stem}{page:02}", "{stem}{pages!s}", "{stem}" + "書" * 21 + "{page}",
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
        st.sampled_from(
            ["{stem}", "{date:%", "Y", "}", "{", "-", "%d", "{sha256:", "9", "/", ".", "{page}", "{pages}"]
        )
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
    assert bool(parted(text)[1]) == has_page(text)


@pytest.mark.parametrize("line", ["---", "--- page {page} of {pages} ---", "{{{page}}}", "第{page}頁\u3000"])
def test_a_good_break_is_kept(line):
    assert check_break(line) == line


@pytest.mark.parametrize(
    "line", ["", " ", "{", "{}", "{stem}", "{page.x}", "{page!r}", "a\nb", "\f", 5, None]
)
def test_what_is_no_line_between_pages_is_refused(line):
    with pytest.raises(Unfit):
        check_break(line)


@given(st.text() | st.lists(st.sampled_from(["{page}", "{pages}", "{", "}", "-", "!r", ":3"])).map("".join))
def test_every_break_that_passes_is_one_line(text):
    try:
        check_break(text)
    except Unfit:
        return
    line = text.format(page=2, pages=3)
    assert line.strip()
    assert line.splitlines() == [line]
