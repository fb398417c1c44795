"""Scans of several pages: what is asked, what is kept across failures, and what is filed."""

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from dropscribe.errors import NotYet, Unavailable, Withdrawn
from dropscribe.pages import DEATHS
from dropscribe.reading.decoding import Decoding
from dropscribe.stop import Stop
from dropscribe.values import Answer
from tests.engines.scripted import ScriptedEngine
from tests.folders import an_inbox
from tests.reading_pictures.pdfs import text_pdf
from tests.reading_pictures.scans import ORIENTATIONS, differs, drawing, stored
from tests.standin import marks
from tests.unit.breaking_decoder import BREAKS
from tests.unit.test_transcribe import Room, says

EMPTY = Answer("", done=True, done_reason="stop")


@pytest.fixture
def room(tmp_path, decoding):
    """A room with a TIFF of `pages` pages, marked 1, 2, 3 …"""
    made = []

    def make(pages=3, decoding=decoding, **how):
        here = Room(tmp_path, decoding, name="letter.tif", **how)
        first, *others = [marks.draw(number) for number in range(1, pages + 1)]
        first.save(here.inbox.path / here.name, save_all=True, append_images=others)
        made.append(here)
        return here

    yield make
    for each in made:
        each.ledger.close()
        assert list((tmp_path / "spool").iterdir()) == []


@pytest.fixture
def breaking(tmp_path, monkeypatch):
    """A decoding that dies on pages: {page: how often}."""
    made = []

    def make(breaks):
        monkeypatch.setenv(BREAKS, str(tmp_path / "breaks.json"))
        (tmp_path / "breaks.json").write_text(json.dumps(breaks))
        made.append(Decoding(1, Stop(), module="tests.unit.breaking_decoder"))
        return made[-1]

    yield make
    for each in made:
        each.rest()


class Reader(ScriptedEngine):
    """Reads the marks, but for the pages in `turns`, whose every answer or failure is given."""

    def __init__(self, models=("qwen3.5:4b",), **turns):
        super().__init__(models=models)
        self.read = []
        self._turns = {int(name.removeprefix("page")): turn for name, turn in turns.items()}

    def _read(self, picture, recipe):
        answer = super()._read(picture, recipe)
        number = int(answer.text.split()[1])
        self.read.append(number)
        turn = self._turns.get(number, answer)
        if isinstance(turn, Exception):
            raise turn
        return turn


def test_every_page_is_asked_once_in_its_order_and_they_are_filed_as_one_text(room):
    here = room(3)
    here.read(engine=(reader := Reader()))
    assert reader.read == [1, 2, 3]
    assert (
        here.files["done/letter.md"] == b"scan 1\n\n<!-- page 2 -->\n\nscan 2\n\n<!-- page 3 -->\n\nscan 3\n"
    )
    assert set(here.files) == {"done/letter.tif", "done/letter.md"}


def test_separate_pages_have_a_file_each_beside_the_one_scan(room):
    here = room(2, output={"pages": "separate", "format": "text", "name": "{stem}_{page}of{pages}"})
    here.read(engine=Reader())
    assert {name: data for name, data in here.files.items() if name.endswith("txt")} == {
        "done/letter_1of2.txt": b"scan 1\n",
        "done/letter_2of2.txt": b"scan 2\n",
    }
    assert "done/letter.tif" in here.files


def test_an_outage_in_the_middle_costs_no_page_that_was_read(room):
    here = room(5)
    first = Reader(page3=Unavailable("http://h refuses connections"))
    with pytest.raises(Unavailable):
        here.read(engine=first)
    here.restart()
    here.read(engine=(second := Reader()))
    assert (first.read, second.read) == ([1, 2, 3], [3, 4, 5])
    assert here.files["done/letter.md"].count(b"scan") == 5


def test_one_bad_page_does_not_lose_the_others_and_a_retry_asks_only_for_it(room):
    here = room(4, tries=2)
    filed = here.read(engine=(reader := Reader(page2=EMPTY)))
    assert reader.read == [1, 2, 2, 3, 4]
    assert filed.kind == "failed"
    assert filed.reason.startswith("page 2 of 4: ")
    reason = here.files["failed/letter.tif.reason.txt"].decode()
    assert "Page 2 of 4 could not be read." in reason
    for number in (1, 3, 4):
        assert f"> scan {number}" in reason
    (here.inbox.failed / "letter.tif").rename(here.inbox.path / "letter.tif")
    here.read(engine=(again := Reader()))
    assert again.read == [2]
    assert here.files["done/letter.md"].count(b"scan") == 4
    assert set(here.files) == {"done/letter.tif", "done/letter.md"}


def test_a_bad_page_may_be_marked_instead(room):
    here = room(3, tries=1, on_bad_page="mark", output={"sidecar": True})
    filed = here.read(engine=Reader(page2=EMPTY))
    assert filed.kind == "done"
    text = here.files["done/letter.md"].decode()
    assert "scan 1" in text
    assert "[page 2 could not be read: " in text
    assert "scan 3" in text
    assert json.loads(here.files["done/letter.meta.json"])["notes"][0].startswith("page 2: could not be read")


def test_marking_cannot_make_a_text_of_nothing_but_bad_pages(room):
    here = room(2, tries=1, on_bad_page="mark")
    assert here.read(engine=Reader(page1=EMPTY, page2=EMPTY)).kind == "failed"


def test_a_page_that_cannot_be_decoded_is_a_bad_page_like_another(room):
    here = room(3)
    path = here.inbox.path / here.name
    pages = [marks.draw(1), Image.new("1", (4000, 4000)), marks.draw(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    here.inbox = an_inbox(here.root, limits={"pixels": 4_000_000})
    filed = here.read(engine=(reader := Reader()))
    assert reader.read == [1, 3]
    assert "page 2 of 3: the picture is 4,000 × 4,000 pixels, more than the limit" in filed.reason


def test_too_many_pages_are_refused_before_anything_is_asked(room):
    here = room(4, max_pages=3)
    assert "more than 3 pages" in here.read(engine=(reader := Reader())).reason
    assert reader.read == []


def test_a_scan_that_is_taken_away_meanwhile_is_not_read_to_its_end(room):
    here = room(5)

    class Thief(Reader):
        def _read(self, picture, recipe):
            answer = super()._read(picture, recipe)
            if len(self.read) == 2:
                (here.inbox.path / "letter.tif").unlink()
            return answer

    with pytest.raises(Withdrawn):
        here.read(engine=(thief := Thief()))
    assert thief.read == [1, 2]
    assert here.files == {}


def test_an_inbox_that_is_away_meanwhile_does_not_stop_the_reading(room):
    here = room(3)

    class Unmounts(Reader):
        def _read(self, picture, recipe):
            answer = super()._read(picture, recipe)
            if len(self.read) == 1:
                here.inbox.path.rename(here.root / "elsewhere")
            if len(self.read) == 3:
                (here.root / "elsewhere").rename(here.inbox.path)
            return answer

    here.read(engine=(reader := Unmounts()))
    assert reader.read == [1, 2, 3]
    assert "done/letter.md" in here.files


def test_a_blank_page_is_not_asked_about_and_noted(room):
    here = room(3, output={"sidecar": True})
    pages = [marks.draw(1), Image.new("L", (800, 600), 255), marks.draw(3)]
    pages[0].save(here.inbox.path / here.name, save_all=True, append_images=pages[1:])
    here.read(engine=(reader := Reader()))
    assert reader.read == [1, 3]
    assert here.files["done/letter.md"] == b"scan 1\n\n<!-- page 2 -->\n\n<!-- page 3 -->\n\nscan 3\n"
    told = json.loads(here.files["done/letter.meta.json"])
    assert told["notes"] == ["page 2: blank, not read"]
    assert told["verdicts"] == ["accepted", "blank", "accepted"]


def test_a_blank_page_is_asked_about_where_that_is_wanted(room):
    here = room(1, prepare={"blank": "ask"})
    Image.new("L", (800, 600), 255).save(here.inbox.path / here.name)
    here.read(says("[no text]"))
    assert len(here.engine.asked) == 1
    assert here.files["done/letter.md"] == b"\n"


def test_a_very_long_receipt_is_asked_about_in_bands_and_joined(room):
    here = room(1)
    receipt = Image.new("L", (800, 9600), 255)
    for number in range(1, 7):
        receipt.paste(marks.draw(number).convert("L"), (0, 1600 * (number - 1) + 400))
    receipt.save(here.inbox.path / here.name)
    here.read(engine=(reader := Bands()))
    assert len(reader.sent) > 1
    assert all(picture.height < 5 * picture.width for picture in reader.sent)
    assert here.files["done/letter.md"].decode() == "".join(
        f"band {n}\n" for n in range(1, len(reader.sent) + 1)
    )


def test_a_bad_band_makes_the_page_bad(room):
    here = room(1, tries=1)
    receipt = Image.new("L", (800, 9600), 255)
    for number in range(1, 7):
        receipt.paste(marks.draw(number).convert("L"), (0, 1600 * (number - 1) + 400))
    receipt.save(here.inbox.path / here.name)
    filed = here.read(engine=Bands(bad=2))
    assert filed.kind == "failed"
    assert "in band 2 of" in filed.reason


class Bands(ScriptedEngine):
    """Says of each picture only which one it is; nothing of the one that is `bad`."""

    def __init__(self, bad=0):
        super().__init__()
        self.sent = []
        self._bad = bad

    def _read(self, picture, recipe):
        self.sent.append(picture)
        return EMPTY if len(self.sent) == self._bad else says(f"band {len(self.sent)}")


def test_a_text_layer_is_the_text_where_it_is_preferred_and_nothing_is_asked(room, tmp_path):
    here = room(1, pdf={"text_layer": "prefer"}, output={"sidecar": True})
    (here.inbox.path / here.name).write_bytes(text_pdf("Dear Ann, the boiler works.", "And again it works."))
    here.read(engine=(reader := Reader()))
    assert reader.read == []
    assert b"Dear Ann, the boiler works." in here.files["done/letter.md"]
    assert json.loads(here.files["done/letter.meta.json"])["verdicts"] == ["text layer"] * 2


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (None, {}),
        ("prepare", {"contrast": True}),
        ("prepare", {"deskew": True}),
        ("prepare", {"blank": "ask"}),
        ("prepare", {"bands": "never"}),
        ("pdf", {"dpi": 100}),
    ],
)
def test_a_page_that_was_read_is_read_again_once_pages_are_prepared_differently(room, part, change):
    here = room(2)
    with pytest.raises(Unavailable):
        here.read(engine=Reader(page2=Unavailable("http://h refuses connections")))
    if part:
        here.inbox = replace(here.inbox, **{part: replace(getattr(here.inbox, part), **change)})
    here.restart()
    here.read(engine=(second := Reader()))
    assert second.read == ([1, 2] if change else [2])


# --- a decoding process that dies


@pytest.mark.parametrize("page", [0, 2])
def test_a_page_that_ends_the_decoding_process_once_is_tried_again_later(room, breaking, page):
    here = room(3, decoding=breaking({page: 1}))
    with pytest.raises(NotYet, match="broke down"):
        here.read(engine=(first := Reader()))
    here.restart()
    here.read(engine=(second := Reader()))
    assert first.read + second.read == [1, 2, 3]
    assert here.files["done/letter.md"].count(b"scan") == 3


def test_a_page_that_ends_it_every_time_is_a_bad_page_in_the_end_and_loses_no_other(room, breaking):
    here = room(3, decoding=breaking({2: 99}))
    reader = Reader()
    for _ in range(DEATHS - 1):
        with pytest.raises(NotYet):
            here.read(engine=reader)
        here.restart()
    filed = here.read(engine=reader)
    assert reader.read == [1, 3]
    assert filed.kind == "failed"
    assert "broke down 3 times" in filed.reason
    assert "SIGABRT" in filed.reason
    assert "> scan 3" in here.files["failed/letter.tif.reason.txt"].decode()


def test_a_scan_whose_opening_ends_it_every_time_fails_in_the_end(room, breaking):
    here = room(3, decoding=breaking({0: 99}))
    for _ in range(DEATHS - 1):
        with pytest.raises(NotYet):
            here.read(engine=Reader())
    assert here.read(engine=Reader()).kind == "failed"


def test_a_suspect_page_does_not_count_against_the_others(room):
    here = room(3, tries=1)
    died = Unavailable("the runner died", suspect=True)
    with pytest.raises(Unavailable):
        here.read(engine=Reader(page2=died))
    here.ledger.confirm([died.evidence], "no answer")
    filed = here.read(engine=(reader := Reader()))
    assert reader.read == [3]
    assert filed.reason.startswith("page 2 of 3: the runner died")


def test_progress_names_the_page(room):
    here = room(3)
    seen = []

    class Watcher(Reader):
        def _read(self, picture, recipe):
            seen.append(desk.progress.words("inbox", "letter.tif"))
            return super()._read(picture, recipe)

    desk = here.desk()
    here.desk = lambda: desk
    here.read(engine=Watcher())
    assert seen == ["page 1 of 3", "page 2 of 3", "page 3 of 3"]
    assert desk.progress.words("inbox", "letter.tif") == ""


def test_the_words_of_an_answer_survive(room):
    here = room(1)
    here.read(says("Ünïcode — ok."))
    assert here.files["done/letter.md"].decode() == "Ünïcode — ok.\n"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_a_picture_in_any_orientation_arrives_at_the_engine_as_the_upright_one(room, kind):
    here = room(1)
    engine = Bands()
    for orientation in ORIENTATIONS:
        (here.inbox.path / here.name).write_bytes(stored(drawing(), kind, orientation))
        here.read(engine=engine)
    shown = [Image.open(io.BytesIO(picture.data)).convert("RGB") for picture in engine.sent]
    assert len(shown) == 8
    for image in shown:
        assert differs(image, shown[0]) < 1.5
        assert differs(image, drawing()) < 3


def test_a_scan_whose_pages_take_too_long_is_not_tried_to_its_end(room):
    here = room(6)
    first, *others = [Image.effect_noise((3000, 3000), 90) for _ in range(6)]
    first.save(
        here.inbox.path / here.name, save_all=True, append_images=others, compression="tiff_adobe_deflate"
    )
    here.inbox = an_inbox(here.root, limits={"decoding": 0.02})
    filed = here.read(engine=(reader := Reader()))
    assert filed.kind == "failed"
    assert reader.read == []


def test_the_embedded_engine_that_somebody_ended_is_asked_again(room):
    here = room(1, engine="ocr")
    ended = Unavailable("it was ended by SIGKILL", suspect=True)
    with pytest.raises(Unavailable):
        here.read(engine=Reader(models=("",), page1=ended))
    here.ledger.confirm([ended.evidence], "no answer")
    assert here.read(engine=Reader(models=("",))).kind == "done"


def test_a_text_layer_is_no_json(room):
    schema = {"type": "object", "properties": {"total": {"type": "string"}}}
    here = room(1, pdf={"text_layer": "prefer"}, output={"format": "json", "schema": schema})
    (here.inbox.path / here.name).write_bytes(text_pdf("Dear Ann, the boiler works."))
    assert here.read(says('{"total": "12.50"}')).kind == "done"
    assert len(here.engine.asked) == 1
