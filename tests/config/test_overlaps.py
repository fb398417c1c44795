"""Inboxes that would read each other's output, or their own, are refused; neighbours are not."""

import os

import pytest

from dropscribe.config.paths import ancestry
from tests.config.folder import problems

REFUSED = {
    "two inboxes of one name": (
        "inboxes: [{path: a, name: x}, {path: b, name: x}]",
        ['1:47: inboxes[1].name: expected a name of its own, got "x", which is inboxes[0] already'],
    ),
    "two folders of one name": (
        "inboxes: [{path: a}, {path: b/a}]",
        [
            '1:29: inboxes[1].path: expected a name of its own, got "a", which is inboxes[0] already; add a name'
        ],
    ),
    "one folder twice, once through a link": (
        "inboxes: [{path: a}, {path: link-to-a}]",
        [
            (
                '1:29: inboxes[1].path: expected a folder of its own, got "HERE/link-to-a", '
                "which is inboxes[0] already"
            )
        ],
    ),
    "an inbox in a recursive one": (
        "inboxes: [{path: b, recursive: true}, {path: b/a}]",
        [
            (
                '1:46: inboxes[1].path: expected a folder outside of the inbox "b" (HERE/b), which is recursive, '
                'got "HERE/b/a"'
            )
        ],
    ),
    "an inbox in a recursive one, named before it": (
        "inboxes: [{path: link-to-b-a}, {path: b, recursive: true}]",
        [
            (
                '1:18: inboxes[0].path: expected a folder outside of the inbox "b" (HERE/b), which is recursive, '
                'got "HERE/link-to-b-a"'
            )
        ],
    ),
    "done is the inbox": (
        "inboxes: [{path: a, done: .}]",
        ['1:27: inboxes[0].done: expected another folder than the inbox itself, got "HERE/a"'],
    ),
    "failed is the inbox, by another way": (
        "inboxes: [{path: a, failed: ../link-to-a}]",
        ['1:29: inboxes[0].failed: expected another folder than the inbox itself, got "HERE/link-to-a"'],
    ),
    "texts go into the inbox": (
        "inboxes: [{path: a, output: {folder: .}}]",
        ['1:38: inboxes[0].output.folder: expected another folder than the inbox itself, got "HERE/a"'],
    ),
    "done and failed are one": (
        "inboxes: [{path: a, failed: done}]",
        ['1:29: inboxes[0].failed: expected another folder than done, got "HERE/a/done"'],
    ),
    "done and failed are one on many disks": (
        "inboxes: [{path: a, done: Done, failed: done}]",
        [
            (
                '1:41: inboxes[0].failed: expected another folder than done, got "HERE/a/done"; '
                "where small and large letters are the same, the two are one"
            )
        ],
    ),
    "texts go to failed": (
        "inboxes: [{path: a, output: {folder: failed}}]",
        ['1:38: inboxes[0].output.folder: expected another folder than failed, got "HERE/a/failed"'],
    ),
    "done is another inbox": (
        "inboxes: [{path: a, done: ../b}, {path: b}]",
        [
            (
                '1:27: inboxes[0].done: what is filed in "HERE/b" would come in again: '
                'it is in the inbox "b" (HERE/b)'
            )
        ],
    ),
    "review and done are one": (
        "inboxes: [{path: a, on_check: review, review: done}]",
        ['1:47: inboxes[0].review: expected another folder than done, got "HERE/a/done"'],
    ),
    "review is the inbox": (
        "inboxes: [{path: a, on_check: review, review: .}]",
        ['1:47: inboxes[0].review: expected another folder than the inbox itself, got "HERE/a"'],
    ),
    "texts go to review": (
        "inboxes: [{path: a, on_check: review, output: {folder: review}}]",
        ['1:56: inboxes[0].output.folder: expected another folder than review, got "HERE/a/review"'],
    ),
    "review is another inbox": (
        "inboxes: [{path: a, on_check: review, review: ../b}, {path: b}]",
        [
            (
                '1:47: inboxes[0].review: what is filed in "HERE/b" would come in again: '
                'it is in the inbox "b" (HERE/b)'
            )
        ],
    ),
    "an inbox in another's review": (
        "inboxes: [{path: a, on_check: review, review: ../b}, {path: b/a, name: inner}]",
        [
            (
                "1:61: inboxes[1].path: expected a folder outside of the review folder of the inbox "
                '"a" (HERE/a), got "HERE/b/a"'
            )
        ],
    ),
    "texts go below another inbox": (
        "inboxes: [{path: a, output: {folder: ../b/texts}}, {path: b}]",
        [
            (
                '1:38: inboxes[0].output.folder: what is filed in "HERE/b/texts" would come in again: '
                'it is in the inbox "b" (HERE/b)'
            )
        ],
    ),
    "an inbox in another's done": (
        "inboxes: [{path: a, done: ../b}, {path: b/a, name: inner}]",
        [
            (
                "1:41: inboxes[1].path: expected a folder outside of the done folder of the inbox "
                '"a" (HERE/a), got "HERE/b/a"'
            )
        ],
    ),
    "an inbox in its own failed": (
        "inboxes: [{path: b/a, failed: ../}]",
        ["1:31: inboxes[0].failed: the inbox itself lies in this folder"],
    ),
    "defaults that file all inboxes into one of them": (
        "{defaults: {done: $HERE/a}, inboxes: [{path: a}, {path: b}]}",
        [
            '1:19: defaults.done: expected another folder than the inbox itself, got "HERE/a"',
        ],
    ),
    "state in an inbox": (
        "{state: a/.state, inboxes: [{path: a}]}",
        ['1:9: state: the state folder "HERE/a/.state" must not lie in the inbox "a" (HERE/a)'],
    ),
}


@pytest.fixture
def here(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b" / "a").mkdir(parents=True)
    (tmp_path / "link-to-a").symlink_to("a")
    (tmp_path / "link-to-b-a").symlink_to("b/a")
    return tmp_path


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_would_go_round_in_circles_is_refused_where_it_is_written(here, text, expected):
    found = problems(here, text, env={"HERE": str(here)})
    assert found == [f"dropscribe.yaml:{line}" for line in expected]


ALLOWED = {
    "done and failed in the inbox": "inboxes: [{path: a}, {path: b}]",
    "an inbox below one that is not recursive": "inboxes: [{path: b}, {path: b/a, name: inner}]",
    "one archive for two inboxes": "{defaults: {done: $HERE/c, failed: $HERE/d}, inboxes: [{path: a}, {path: b}]}",
    "an inbox below the folder of its texts": "inboxes: [{path: b/a, output: {folder: ../../b}}]",
    "texts in a folder of their own": "inboxes: [{path: a, output: {folder: texts}}]",
    "texts in done, said aloud": "inboxes: [{path: a, output: {folder: done}}]",
    "a recursive inbox with its own done": "inboxes: [{path: b, recursive: true, done: a/done}]",
    "a folder whose name begins like an inbox": "inboxes: [{path: b, recursive: true, done: ../bb}, {path: a}]",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_neighbours_do_not_get_in_each_others_way(here, text):
    assert problems(here, text, env={"HERE": str(here)}) == []


def test_an_overlap_is_told_beside_mistakes_of_another_kind(here):
    text = "inboxes: [{path: a, done: ../b, tries: 99}, {path: b, settle: fast}, {path: b/a, nmae: x}]"
    keys = [line.split(": ")[1] for line in problems(here, text)]
    assert keys == [
        "inboxes[0].done",
        "inboxes[0].tries",
        "inboxes[1].settle",
        "inboxes[2].path",
        "inboxes[2].nmae",
    ]


def test_a_broken_folder_is_not_compared_as_if_it_were_the_default(here):
    lines = problems(here, "inboxes: [{path: a, done: 5, failed: done}]")
    assert lines == ["dropscribe.yaml:1:27: inboxes[0].done: expected a folder, got 5; put it in quotes"]


def test_an_inbox_that_keeps_a_broken_default_out_is_still_compared(here):
    text = "{defaults: {done: 5}, inboxes: [{path: a}, {path: b, done: .}]}"
    keys = [line.split(": ")[1] for line in problems(here, text)]
    assert keys == ["defaults.done", "inboxes[1].done"]


def test_the_state_folder_that_nobody_chose_is_reported_at_the_inbox(here):
    home = os.environ["HOME"]
    (line,) = problems(here, f"inboxes: [{{path: {home}, name: all}}]")
    assert line.startswith("dropscribe.yaml:1:18: inboxes[0].path: the state folder ")


def test_a_folder_is_known_by_what_it_is_and_not_by_its_name(tmp_path):
    (tmp_path / "old").mkdir()
    before = ancestry(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert ancestry(tmp_path / "new") == before
    assert ancestry(tmp_path / "old") != before
    assert ancestry(tmp_path / "old" / "later")[2:] == before[1:]


def test_an_inbox_is_recognised_through_a_link_on_its_way(here):
    (here / "way").symlink_to(here)
    keys = [
        line.split(": ")[1] for line in problems(here, "inboxes: [{path: way/way/a, name: x}, {path: a}]")
    ]
    assert keys == ["inboxes[1].path"]
