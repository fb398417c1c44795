"""Accepted texts and a second reader: what is kept, what is asked once more, where it is filed."""

import json
import threading
from dataclasses import replace

import pytest

from dropscribe import log
from dropscribe.daemon import _inbox_state
from dropscribe.desk import Progress
from dropscribe.errors import BadAnswer, BadScan, Misconfigured, Stopped, Unavailable, WorldWrong
from dropscribe.inbox_status import status_of
from dropscribe.ledger import Try
from dropscribe.pages import reading_rules
from dropscribe.reading.second import SecondReader
from tests.e2e.harness import until
from tests.engines.scripted import ScriptedEngine
from tests.engines.scripted_reader import ScriptedReader, says
from tests.folders import an_inbox, pinned
from tests.standin import marks
from tests.unit.test_transcribe import EMPTY, Room
from tests.unit.test_transcribe import says as answers

pytest.importorskip("rapidocr")

PAGE = """The boiler of the house was mended on Monday, and the bill comes with this letter.
Please pay 184.50 within thirty days to the account below, and quote invoice 20931.
All rooms were heated again by the evening; two windows in the kitchen still have to be painted.
Yours faithfully, Margaret Hollingworth"""
INVENTED = (
    "The shipment left the warehouse before noon although nobody had signed for any of the heavy boxes."
)
MADE_UP = f"{PAGE}\n{INVENTED}"
HALF = "\n".join(PAGE.split("\n")[:2])
WRONG_DIGIT = PAGE.replace("20931", "20981")
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


@pytest.fixture
def room(tmp_path, decoding):
    made = []

    def make(*script, **rules):
        rules = {
            "verify": "on",
            "output": {"sidecar": True, "front_matter": True},
            "prepare": {"turn": None},
            **rules,
        }
        here = Room(tmp_path, decoding, second=SecondReader(ScriptedReader(*(script or (PAGE,)))), **rules)
        here.inbox.review.mkdir()
        made.append(here)
        return here

    yield make
    for here in made:
        here.second.close()
        here.ledger.close()
        assert list((tmp_path / "spool").iterdir()) == []


def verification(here, where="done"):
    return json.loads(here.files[f"{where}/a.meta.json"])["verification"]


def tries(here):
    return json.loads(here.files["done/a.meta.json"])["tries"]


def test_a_text_that_stands_on_its_page_is_verified_and_asked_for_once(room):
    here = room()
    filed = here.read(answers(PAGE))
    assert set(here.files) == {"done/a.png", "done/a.md", "done/a.meta.json"}
    assert verification(here) == {
        "verdict": "verified",
        "pages": [{"page": 1, "verdict": "verified", "supported": 1.0, "covered": 1.0}],
    }
    assert b'verification: {"verdict": "verified"' in here.files["done/a.md"]
    assert [json.loads(page.verification)["verdict"] for page in filed.pages] == ["verified"]
    assert (len(here.engine.asked), tries(here)) == (1, 1)


@pytest.mark.parametrize("bad", [MADE_UP, HALF, WRONG_DIGIT, "[no text]"])
def test_one_in_doubt_is_asked_for_once_more_and_the_better_text_is_kept(room, bad):
    here = room()
    here.read(answers(bad), answers(PAGE))
    assert here.files["done/a.md"].endswith(PAGE.encode() + b"\n")
    assert verification(here)["verdict"] == "verified"
    assert here.temperatures == [0, 0.1]
    assert tries(here) == 2


@pytest.mark.parametrize(
    ("first", "second"), [(HALF, PAGE.split("\n", maxsplit=1)[0]), (WRONG_DIGIT, HALF), (MADE_UP, MADE_UP)]
)
def test_the_first_text_stays_when_the_second_is_no_better(room, first, second):
    here = room()
    here.read(answers(first), answers(second))
    assert here.files["done/a.md"].endswith(first.encode() + b"\n")
    assert b"temperature 0," in here.files["done/a.md"]
    assert verification(here)["verdict"] == "check"
    assert (len(here.engine.asked), tries(here)) == (2, 2)


def test_what_was_not_found_is_quoted_with_the_text(room):
    here = room()
    here.read(answers(MADE_UP), answers(MADE_UP))
    (page,) = verification(here)["pages"]
    assert page["unsupported"] == [INVENTED]
    assert 0.5 < page["supported"] < 0.9
    assert verification(here)["verdict"] == "check"


def test_a_second_answer_that_is_bad_leaves_the_first(room, capsys):
    log.configure("plain", "info")
    here = room()
    here.read(answers(HALF), EMPTY)
    assert "tried_again" in capsys.readouterr().err
    assert here.files["done/a.md"].endswith(HALF.encode() + b"\n")
    assert (len(here.engine.asked), tries(here)) == (2, 2)


def test_the_last_recipe_of_the_ladder_is_not_passed(room, capsys):
    log.configure("plain", "info")
    here = room(tries=1)
    here.read(answers(HALF))
    assert verification(here)["verdict"] == "check"
    assert len(here.engine.asked) == 1
    assert "tried_again" not in capsys.readouterr().err


def test_a_text_for_a_page_on_which_nothing_stands_is_in_doubt(room):
    here = room("")
    here.read(answers(PAGE), answers("[no text]"))
    assert verification(here)["verdict"] == "verified"
    assert b"boiler" not in here.files["done/a.md"]


def test_what_the_second_reader_is_not_sure_of_is_left_as_it_is(room):
    here = room(says(PAGE, sure=0.85))
    here.read(answers(MADE_UP))
    assert verification(here)["verdict"] == "unverifiable"
    assert "not sure enough" in verification(here)["pages"][0]["reason"]
    assert len(here.engine.asked) == 1


def test_a_page_that_lies_upside_down_is_turned_and_asked_about_by_the_same_recipe(room):
    here = room(says(PAGE, turn=180))
    here.read(answers(HALF), answers(PAGE))
    first, second = here.engine.pictures
    assert here.temperatures == [0, 0]
    assert first.data != second.data
    assert (first.width, first.height) == (second.width, second.height)
    assert verification(here)["verdict"] == "verified"


def test_where_pages_are_never_to_be_turned_it_is_asked_about_by_another_recipe(room):
    here = room(says(PAGE, turn=180), prepare={"turn": False})
    here.read(answers(HALF), answers(PAGE))
    first, second = here.engine.pictures
    assert here.temperatures == [0, 0.1]
    assert first.data == second.data


def test_a_page_that_was_turned_already_is_asked_about_by_another_recipe(room):
    here = room(says(PAGE, turn=180))
    here.read(EMPTY, answers(HALF), answers(PAGE))
    first, second, third = here.engine.pictures
    assert first.data != second.data
    assert second.data == third.data
    assert here.temperatures == [0, 0.1, 0.3]
    assert verification(here)["verdict"] == "verified"


@pytest.mark.parametrize("trouble", [Misconfigured("it does not start"), WorldWrong("no more processes")])
@pytest.mark.parametrize("turn", [None, True])
def test_only_who_wants_pages_turned_waits_for_an_engine_that_cannot_work(room, trouble, turn):
    here = room(trouble, prepare={"turn": turn}, verify="off")
    if turn:
        with pytest.raises(type(trouble)):
            here.read(EMPTY, answers(PAGE))
    else:
        here.read(EMPTY, answers(PAGE))
        assert here.files["done/a.md"].endswith(PAGE.encode() + b"\n")


def test_in_an_inbox_that_turns_pages_the_page_is_read_once_by_the_second_reader(room):
    here = room(says(PAGE, turn=180), prepare={"turn": True})
    here.read(answers(PAGE))
    assert len(here.second._reader.pictures) == 1
    assert len(here.engine.asked) == 1


# --- review


def test_a_scan_in_doubt_goes_to_review_with_its_text_where_that_is_wanted(room):
    here = room(on_check="review")
    filed = here.read(answers(HALF), answers(HALF))
    assert set(here.files) == {"review/a.png", "review/a.md", "review/a.meta.json"}
    assert (filed.kind, filed.where) == ("done", here.inbox.review / "a.png")
    assert verification(here, "review")["verdict"] == "check"


@pytest.mark.parametrize("reads", [PAGE, says(PAGE, sure=0.85)])
def test_other_scans_do_not(room, reads):
    here = room(reads, on_check="review")
    here.read(answers(PAGE))
    assert set(here.files) == {"done/a.png", "done/a.md", "done/a.meta.json"}


def test_one_page_in_doubt_is_enough_whatever_the_others_are(room):
    here = room(PAGE, PAGE, says(PAGE, sure=0.85), on_check="review")
    page = marks.draw(7)
    page.save(here.inbox.path / "a.png", "TIFF", save_all=True, append_images=[page] * 2)
    here.read(answers(PAGE), answers(HALF), answers(PAGE), answers(HALF))
    found = verification(here, "review")
    assert [each["verdict"] for each in found["pages"]] == ["verified", "check", "unverifiable"]
    assert found["verdict"] == "check"


def test_in_review_text_and_scan_lie_together_wherever_texts_go_else(room, tmp_path):
    (tmp_path / "texts").mkdir()
    here = room(on_check="review", output={"folder": tmp_path / "texts"})
    here.read(answers(HALF), answers(HALF))
    assert set(here.files) == {"review/a.png", "review/a.md"}


def test_a_filing_to_review_that_was_stopped_is_ended_by_the_next_look_and_nothing_is_asked(room):
    here = room(on_check="review")
    with pinned(here.inbox.path / "a.png"), pytest.raises(WorldWrong):
        here.read(answers(HALF), answers(HALF))
    assert set(here.files) == {"a.png"}
    here.restart()
    here.read()
    assert here.engine.asked == []
    assert set(here.files) == {"review/a.png", "review/a.md", "review/a.meta.json"}


def test_what_waits_for_review_is_counted_and_not_read_again(room, tmp_path):
    here = room(on_check="review", recursive=True)
    here.read(answers(HALF), answers(HALF))
    (here.inbox.review / "sub").mkdir()
    for name in ("sub/b.pdf", "sub/b.txt", ".hidden.png"):
        (here.inbox.review / name).write_bytes(b"x")
    for how in ("review", "done"):  # it is not used any more
        rules = an_inbox(tmp_path, recursive=True, on_check=how)
        state = _inbox_state(rules, Progress(), here.ledger)
        state.look(0.0)
        counts = status_of(state, {}, ()).counts
        assert counts["to_review"] == (2 if how == "review" else 0)
        assert (counts["arriving"], counts["waiting"]) == (0, 0)


def test_a_folder_that_is_called_review_and_never_was_used_for_it_is_read_as_any_other(room, tmp_path):
    here = room(verify="off", recursive=True)
    here.read(answers(PAGE))
    (here.inbox.review / "b.png").write_bytes(b"x")
    for ledger in (here.ledger, None):
        state = _inbox_state(an_inbox(tmp_path, recursive=True), Progress(), ledger)
        state.look(0.0)
        assert status_of(state, {}, ()).counts["arriving"] == 1


@pytest.mark.parametrize("how", ["done", "review"])
def test_scans_to_be_checked_are_named_where_they_do_not_wait_in_a_folder_of_their_own(room, how):
    here = room(on_check=how)
    state = _inbox_state(here.inbox, Progress(), here.ledger)
    state.found(here.read(answers(HALF), answers(HALF)))
    status = status_of(state, {}, ())
    assert status.pages == {"check": 1}
    assert status.doubted == (("done/a.png",) if how == "done" else ())
    assert status.counts["to_review"] == (how == "review")  # before the next look too


def test_neither_are_verified_ones(room):
    here = room()
    state = _inbox_state(here.inbox, Progress(), here.ledger)
    state.found(here.read(answers(PAGE)))
    assert status_of(state, {}, ()).doubted == ()


# --- stops and troubles


def test_after_a_stop_a_page_in_doubt_is_asked_for_once_more_and_only_that(room):
    here = room()
    with pytest.raises(Unavailable):
        here.read(answers(HALF), Unavailable("refused"))
    here.restart()
    here.read(answers(PAGE))
    assert here.temperatures == [0.1]
    assert here.files["done/a.md"].endswith(PAGE.encode() + b"\n")
    assert tries(here) == 2


def test_after_a_stop_pages_that_were_verified_before_are_neither_read_nor_asked_about_again(room):
    here = room()
    page = marks.draw(7)
    page.save(here.inbox.path / "a.png", "TIFF", save_all=True, append_images=[page] * 2)
    with pytest.raises(Unavailable):  # in the second question about the last page, after one about the second
        here.read(
            answers(PAGE), answers(WRONG_DIGIT), answers(HALF), answers(WRONG_DIGIT), Unavailable("refused")
        )
    read_before = len(here.second._reader.pictures)
    here.restart()
    here.read(answers(PAGE))
    assert len(here.engine.asked) == 1
    assert len(here.second._reader.pictures) == read_before + 1
    found = verification(here)
    assert [each["verdict"] for each in found["pages"]] == ["verified", "check", "verified"]


def test_after_a_stop_the_first_text_is_still_there_to_be_kept(room):
    here = room()
    with pytest.raises(Unavailable):
        here.read(answers(WRONG_DIGIT), Unavailable("refused"))
    here.restart()
    here.read(answers(HALF))
    assert here.files["done/a.md"].endswith(WRONG_DIGIT.encode() + b"\n")
    assert tries(here) == 2


def test_a_doubt_outlives_the_second_reader_that_raised_it(room):
    here = room(PAGE, Unavailable("it broke down"), on_check="review")
    with pytest.raises(Unavailable):
        here.read(answers(HALF), Unavailable("refused"))
    here.restart()
    here.read()
    assert here.engine.asked == []
    assert verification(here, "review")["verdict"] == "check"


def test_after_a_stop_between_a_bad_second_answer_and_its_end_nothing_is_asked(room):
    here = room()
    with pytest.raises(Unavailable):
        here.read(answers(HALF), Unavailable("refused"))
    ledger, record = here.ledger, here.ledger.open_scans()[0]
    # What the second answer leaves in the ledger before the page is kept as it is.
    rules = reading_rules(here.inbox)
    doubted = ledger.pages(record.id, rules)[1]
    assert doubted.doubted
    ledger.add_try(record.id, Try(1, "r", "empty", "it was empty", "", 1.0, doubted.at + 1, rules))
    here.restart()
    here.read()
    assert here.engine.asked == []
    assert here.files["done/a.md"].endswith(HALF.encode() + b"\n")


def test_a_page_that_was_read_but_not_verified_before_a_stop_is_not_asked_for_again(room):
    here = room(Stopped(), PAGE)
    with pytest.raises(Stopped):
        here.read(answers(PAGE))
    here.restart()
    here.read()
    assert here.engine.asked == []
    assert verification(here)["verdict"] == "verified"


@pytest.mark.parametrize(
    "trouble",
    [Unavailable("it broke down"), Misconfigured("it does not start"), BadScan("it cannot be drawn")],
)
def test_troubles_of_the_second_reader_cost_no_scan_and_no_question(room, trouble):
    here = room(trouble)
    filed = here.read(answers(MADE_UP))
    assert filed.kind == "done"
    assert len(here.engine.asked) == 1
    assert verification(here)["verdict"] == "unverifiable"
    assert verification(here)["pages"][0]["reason"] == trouble.reason


def test_a_trouble_of_the_second_reader_that_nobody_foresaw_costs_no_scan_either(room):
    here = room(KeyError("lines"))
    assert here.read(answers(PAGE)).kind == "done"
    assert verification(here)["pages"][0]["reason"] == "the embedded engine broke down: KeyError"


@pytest.mark.parametrize("verify", ["auto", "on"])
def test_a_small_machine_verifies_only_where_that_was_asked_for(room, verify):
    here = room(verify=verify)
    here.second = SecondReader(ScriptedReader(PAGE), room=lambda: 1_000_000_000)
    here.read(answers(PAGE))
    assert ("verification" in json.loads(here.files["done/a.meta.json"])) == (verify == "on")
    here.second.close()


def test_the_second_reader_reads_while_the_model_answers(room):
    here = room()

    class Slow(ScriptedEngine):
        def ask(self, picture, recipe, *, stop):
            until(lambda: here.second._reader.pictures, "the second reader is at work")
            return super().ask(picture, recipe, stop=stop)

    here.read(engine=Slow([answers(PAGE)]))
    assert verification(here)["verdict"] == "verified"


class Hanging(ScriptedReader):
    """Takes too long for some pages, and is at work on the next one until it is told to stop."""

    def __init__(self, pages):
        super().__init__("")
        self.pages = pages

    def read(self, picture, *, stop):
        if len(self.pictures) < self.pages:
            self.pictures.append(picture)
            raise BadAnswer("not done", "it took too long")
        over = threading.Event()
        with stop.calls(over.set):
            assert over.wait(60)
        raise Stopped


def test_the_status_tells_that_a_scan_is_being_verified(room):
    here, said = room(), []
    desk = here.desk()
    here.desk = lambda: desk

    class Telling(ScriptedReader):
        def read(self, picture, *, stop):
            until(lambda: desk.progress.words("inbox", "a.png"), "it is waited for")
            said.append(desk.progress.words("inbox", "a.png"))
            return super().read(picture, stop=stop)

    desk = replace(desk, second=SecondReader(Telling(PAGE)))
    here.read(answers(PAGE))
    desk.second.close()
    assert said == ["verifying"]
    assert desk.progress.words("inbox", "a.png") == ""


def test_the_status_tells_which_page_is_being_verified():
    progress = Progress()
    progress.reading("inbox", "a.pdf", 2, 2)
    progress.verifying("inbox", "a.pdf", 1, 2)
    assert progress.words("inbox", "a.pdf") == "verifying page 1 of 2"


def test_pages_of_a_scan_do_not_wait_one_by_one_for_a_reader_that_hangs(room):
    here = room()
    here.second = SecondReader(Hanging(3))
    page = marks.draw(7)
    page.save(here.inbox.path / "a.png", "TIFF", save_all=True, append_images=[page] * 4)
    here.read(*[answers(PAGE)] * 5)
    reasons = [page["reason"] for page in verification(here)["pages"]]
    assert reasons == ["it took too long"] * 5
    here.stop.set()


def test_a_blank_page_is_shown_to_nobody(room):
    from PIL import Image

    here = room()
    Image.new("L", (800, 1100), 250).save(here.inbox.path / "a.png")
    here.read()
    assert here.second._reader.pictures == []
    assert "verification" not in json.loads(here.files["done/a.meta.json"])


@pytest.mark.parametrize("rules", [{"verify": "off"}, {"engine": "ocr", "models": ()}])
def test_nothing_is_verified_where_that_is_not_wanted_or_would_prove_nothing(room, rules):
    here = room(**rules)
    here.read(answers(MADE_UP), engine=ScriptedEngine([answers(MADE_UP)], models=("", "qwen3.5:4b")))
    assert here.second._reader.pictures == []
    assert "verification" not in json.loads(here.files["done/a.meta.json"])


def test_the_values_of_a_json_answer_are_looked_for(room):
    how = {"output": {"schema": SCHEMA, "format": "json", "sidecar": True}}
    here = room(**how)
    here.read(answers('{"total": 134.5}'), answers('{"total": 184.5}'))
    assert json.loads(here.files["done/a.json"]) == {"total": 184.5}
    assert verification(here)["verdict"] == "verified"


def test_they_are_not_unless_somebody_asked_for_it(room):
    here = room(verify="auto", output={"schema": SCHEMA, "format": "json", "sidecar": True})
    here.read(answers('{"total": 134.5}'))
    assert len(here.engine.asked) == 1
    assert "verification" not in json.loads(here.files["done/a.meta.json"])


def test_the_row_of_a_scan_in_review_is_written_too(room, tmp_path):
    table = tmp_path / "inbox" / "done" / "all.csv"
    how = {"schema": SCHEMA, "format": "json", "collect": table}
    here = room(on_check="review", output=how)
    here.read(answers('{"total": 134.5}'), answers('{"total": 134.5}'))
    assert set(here.files) == {"review/a.png", "review/a.json", "done/all.csv"}
    assert "134.5" in table.read_text()
