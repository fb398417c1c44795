"""The story of one scan with a scripted engine: what is asked, what is kept, what is filed."""

import json
from dataclasses import replace

import pytest

from dropscribe.desk import Desk, Progress, Waiting
from dropscribe.errors import BadAnswer, Misconfigured, NotYet, Stopped, Unavailable, Withdrawn, WorldWrong
from dropscribe.filer import Filer
from dropscribe.ledger import Ledger
from dropscribe.pages import DEATHS, reading_rules
from dropscribe.read_page import NO_ANSWER
from dropscribe.reading.second import SecondReader
from dropscribe.recovery import Recovery
from dropscribe.stop import Stop
from dropscribe.transcribe import transcribe
from dropscribe.values import Answer, Fingerprint
from tests.e2e.harness import tree
from tests.engines.scripted import ScriptedEngine
from tests.folders import an_inbox
from tests.standin import marks

EMPTY = Answer("", done=True, done_reason="stop")


def says(text, **fields):
    fields = {
        "done": True,
        "done_reason": "stop",
        "model": "qwen3.5:4b",
        "model_digest": "sha256:0",
        **fields,
    }
    return Answer(text, **fields)


class Room:
    """An inbox with one scan, a ledger and a desk; each `read` is what a slot does with the scan."""

    def __init__(self, root, decoding, name="a.png", second=None, **rules):
        self.root = root
        self.decoding = decoding
        self.second = second or SecondReader()
        self.inbox = an_inbox(root, **rules)
        (root / "spool").mkdir()
        self.ledger = Ledger(root / "ledger.db")
        self.stop = Stop()
        self.name = name
        marks.draw(7).save(self.inbox.path / name)

    def read(self, *script, engine=None, young=True):
        path = self.inbox.path / self.name
        scan = Waiting(self.inbox, self.name, Fingerprint.of(path.lstat()), young=young, local=True)
        desk = self.desk()
        self.engine = engine or ScriptedEngine(script)
        return transcribe(scan, self.engine, desk)

    def desk(self):
        return Desk(
            self.ledger,
            Filer(self.ledger),
            self.decoding,
            self.second,
            Progress(),
            self.root / "spool",
            self.stop,
        )

    def restart(self):
        self.ledger.close()
        self.ledger = Ledger(self.root / "ledger.db")

    @property
    def files(self):
        return tree(self.inbox.path)

    @property
    def temperatures(self):
        return [recipe.options["temperature"] for recipe in self.engine.asked]


@pytest.fixture
def room(tmp_path, decoding):
    made = []

    def make(**how):
        made.append(Room(tmp_path, **{"decoding": decoding, **how}))
        return made[-1]

    yield make
    for each in made:
        each.ledger.close()
        assert list((tmp_path / "spool").iterdir()) == []


def test_a_good_answer_is_filed_beside_its_scan(room):
    here = room()
    filed = here.read()
    assert filed.kind == "done"
    assert set(here.files) == {"done/a.png", "done/a.md"}
    assert here.files["done/a.md"] == b"scan 7\n"


def test_bad_answers_climb_the_ladder_until_one_is_good(room):
    here = room()
    here.read(EMPTY, says("I'm sorry, I can't help with that."), says("Dear Ann,\nthe text."))
    assert here.files["done/a.md"] == b"Dear Ann,\nthe text.\n"
    assert here.temperatures == [0, 0.1, 0.3]


def test_after_the_last_recipe_the_scan_fails_with_everything_that_was_tried(room):
    here = room(tries=2)
    filed = here.read(EMPTY, says("Total 12\n", done_reason="length"))
    assert filed.kind == "failed"
    assert set(here.files) == {"failed/a.png", "failed/a.png.reason.txt"}
    reason = here.files["failed/a.png.reason.txt"].decode()
    assert "length: the model's answer was cut off" in " ".join(reason.split())
    assert "What helps: raise num_predict" in reason
    assert "> Total 12" in reason


def test_a_restart_goes_on_where_the_ladder_stood(room):
    here = room()
    with pytest.raises(Unavailable):
        here.read(EMPTY, EMPTY, Unavailable("http://h refuses connections"))
    here.restart()
    here.read(EMPTY, says("Good text."))
    assert here.temperatures == [0.3, 0.6]
    assert set(here.files) == {"done/a.png", "done/a.md"}


def test_a_new_prompt_has_all_its_tries_and_a_reason_file_of_its_own(room):
    here = room(tries=3)
    with pytest.raises(Unavailable):
        here.read(
            says("I'm sorry, I can't help with that."), EMPTY, Unavailable("http://h refuses connections")
        )
    here.restart()
    here.inbox = an_inbox(here.root, prompt="Another prompt", tries=3)
    filed = here.read(EMPTY, EMPTY, says("Total 12", done_reason="length"))
    assert here.temperatures == [0, 0.1, 0.3]
    assert filed.kind == "failed"
    reason = here.files["failed/a.png.reason.txt"].decode()
    assert "3. qwen3.5:4b" in reason
    assert "4. qwen3.5:4b" not in reason
    assert "sorry" not in reason


def test_an_outage_costs_no_tries(room):
    here = room(tries=1)
    for _ in range(5):
        with pytest.raises(Unavailable):
            here.read(Unavailable("http://h refuses connections"))
    here.read(says("Good text."))
    assert set(here.files) == {"done/a.png", "done/a.md"}


def test_a_suspect_try_counts_only_when_the_host_has_answered_since(room):
    here = room(tries=2)
    died = [Unavailable("the runner died", suspect=True) for _ in range(4)]
    for failure in died[:2]:
        with pytest.raises(Unavailable):
            here.read(failure)
    with pytest.raises(Unavailable):
        here.read(died[2])
    here.ledger.confirm([died[0].evidence], NO_ANSWER)
    with pytest.raises(Unavailable):
        here.read(died[3])
    here.ledger.confirm([died[3].evidence], NO_ANSWER)
    filed = here.read()
    assert filed.kind == "failed"
    assert here.engine.asked == []


def test_a_page_that_was_accepted_is_not_asked_again_when_filing_was_stopped(room, tmp_path):
    here = room()
    (here.inbox.path / "done").rmdir()
    with pytest.raises(Exception, match="does not exist"):
        here.read(says("Good text."))
    (here.inbox.path / "done").mkdir()
    here.restart()
    here.read(says("Another text, which must not be asked for."))
    assert here.engine.asked == []
    assert here.files["done/a.md"] == b"Good text.\n"


def test_a_page_that_was_read_by_another_prompt_is_asked_again(room):
    here = room()
    (here.inbox.path / "done").rmdir()
    with pytest.raises(Exception, match="does not exist"):
        here.read(says("Good text."))
    (here.inbox.path / "done").mkdir()
    here.inbox = an_inbox(here.root, prompt="Another prompt")
    here.read(says("New text."))
    assert here.files["done/a.md"] == b"New text.\n"


def test_an_error_that_nobody_foresaw_leaves_the_scan_and_counts_against_it(room):
    here = room()
    for _ in range(DEATHS):
        with pytest.raises(ZeroDivisionError):
            here.read(ZeroDivisionError("a bug"))
    assert here.read().kind == "failed"


@pytest.mark.parametrize("failure", [Stopped(), Misconfigured("no such model"), Unavailable("gone")])
def test_what_is_not_the_scans_fault_leaves_it_in_its_inbox(room, failure):
    here = room()
    with pytest.raises(type(failure)):
        here.read(failure)
    assert set(here.files) == {"a.png"}


def test_a_picture_that_this_recipe_cannot_send_is_sent_smaller(room):
    here = room()
    here.read(BadAnswer("context", "the picture does not fit"), says("Good text."))
    sizes = [recipe.size.pixels for recipe in here.engine.asked]
    assert sizes[1] < sizes[0]
    assert "done/a.md" in here.files


def test_a_page_without_text_is_done_and_empty(room):
    here = room()
    here.read(says("[no text]"))
    assert here.files["done/a.md"] == b"\n"


def test_json_that_does_not_follow_its_schema_is_asked_again(room):
    schema = {"type": "object", "properties": {"total": {"type": "string"}}, "required": ["total"]}
    here = room(output={"format": "json", "schema": schema})
    here.read(says('{"sum": 1}'), says("no JSON at all"), says('{"total": "12.50"}'))
    assert json.loads(here.files["done/a.json"]) == {"total": "12.50"}
    assert here.engine.asked[0].schema == schema


def test_equal_names_and_nulls_in_a_list_of_items_are_no_loop(room):
    empty = dict.fromkeys(
        ("street", "city", "zip", "country", "phone", "email", "iban", "born", "joined", "left")
    )
    text = json.dumps(
        {"members": [{"name": name, **empty} for name in ("Anna", "Ben", "Clara", "Dora", "Emil")]}
    )
    here = room(output={"format": "json", "schema": {"type": "object"}})
    assert here.read(*[says(text)] * 4).kind == "done"


@pytest.mark.parametrize(
    "change",
    [
        {"preset": "table"},
        {"prompt": "Read all."},
        {"models": ("glm-ocr",)},
        {"options": {"seed": 2}},
        {"output": {"schema": {"type": "object"}}},
        {"prepare": {"turn": True}},
    ],
)
def test_what_shapes_a_text_is_in_the_rules_under_which_it_was_read(tmp_path, change):
    assert reading_rules(an_inbox(tmp_path, **change)) != reading_rules(an_inbox(tmp_path))


def test_what_was_filled_into_one_schema_is_nothing_for_another(tmp_path):
    rules = {
        reading_rules(an_inbox(tmp_path, output={"schema": {"required": [name]}})) for name in ("a", "b")
    }
    assert len(rules) == 2


def test_the_next_model_of_the_list_has_the_last_word(room):
    here = room(models=("qwen3.5:4b", "qwen3.5:9b"), tries=3)
    engine = ScriptedEngine(
        [EMPTY, EMPTY, says("Good text.", model="qwen3.5:9b")], ("qwen3.5:4b", "qwen3.5:9b")
    )
    here.read(engine=engine)
    assert [recipe.model for recipe in engine.asked] == ["qwen3.5:4b", "qwen3.5:4b", "qwen3.5:9b"]


def test_the_first_model_that_is_installed_is_asked(room):
    here = room(models=("qwen3.5:9b", "qwen3.5:4b"))
    here.read(says("Good text."))
    assert [recipe.model for recipe in here.engine.asked] == ["qwen3.5:4b"]


def test_provenance_tells_where_the_text_comes_from(room):
    here = room(output={"front_matter": True, "sidecar": True, "name": "{inbox}-{stem}"})
    here.read(EMPTY, says("Good text."))
    told = json.loads(here.files["done/inbox-a.meta.json"])
    assert (told["scan"], told["model"], told["tries"], told["verdicts"]) == (
        "a.png",
        "qwen3.5:4b",
        2,
        ["accepted"],
    )
    assert here.files["done/inbox-a.md"].startswith(b'---\nscan: "a.png"\n')
    assert here.files["done/inbox-a.md"].endswith(b"---\n\nGood text.\n")
    assert "done/inbox-a.png" in here.files


def test_a_scan_that_changed_since_it_settled_is_not_yet(room):
    here = room()
    seen = Fingerprint.of((here.inbox.path / "a.png").lstat())
    with (here.inbox.path / "a.png").open("ab") as scan:
        scan.write(b"more")
    with pytest.raises(NotYet):
        transcribe(Waiting(here.inbox, "a.png", seen, young=True, local=True), ScriptedEngine(), here.desk())


def test_a_scan_that_is_taken_away_while_it_is_read_leaves_no_text(room):
    here = room()

    class Thief(ScriptedEngine):
        def ask(self, picture, recipe, *, stop):
            (here.inbox.path / "a.png").unlink()
            return super().ask(picture, recipe, stop=stop)

    with pytest.raises(Withdrawn):
        here.read(engine=Thief())
    assert here.files == {}


# --- JSON

RECEIPT = {
    "type": "object",
    "properties": {"vendor": {"type": "string"}, "total": {"type": "number"}},
    "required": ["vendor", "total"],
    "additionalProperties": False,
}
A_RECEIPT = '{"vendor":"Rewe","total":12.5}'


def test_an_answer_of_the_wrong_form_is_mended_by_handing_back_what_was_wrong(room):
    here = room(output={"format": "json", "schema": RECEIPT})
    filed = here.read(says('{"vendor":"Rewe"}'), says(A_RECEIPT))
    assert filed.kind == "done"
    assert here.files["done/a.json"] == b'{\n  "vendor": "Rewe",\n  "total": 12.5\n}\n'
    first, second = here.engine.asked
    assert first.schema == second.schema == RECEIPT
    assert json.loads(first.prompt.rpartition("\n")[2]) == RECEIPT
    assert "missing total" in second.prompt
    assert '{"vendor":"Rewe"}' in second.prompt
    assert first.options == second.options


def test_a_restart_hands_back_the_same_as_would_have_been_without_it(room):
    script = [says('{"vendor":"Rewe"}'), says("no JSON"), says('{"total":1}')]
    here = room(output={"format": "json", "schema": RECEIPT})
    asked = []
    for answer in script:
        with pytest.raises(Unavailable):
            here.read(answer, Unavailable("http://h refuses connections"))
        asked += here.engine.asked[:-1]
        here.restart()
    here.read(says(A_RECEIPT))
    asked += here.engine.asked
    assert ["refused" in recipe.prompt for recipe in asked] == [False, True, False, True]
    assert "missing vendor" in asked[3].prompt
    assert set(here.files) == {"done/a.png", "done/a.json"}


def test_an_answer_that_never_fits_is_kept_in_the_reason_file(room):
    here = room(output={"format": "json", "schema": RECEIPT}, tries=2)
    assert here.read(says('{"vendor":"Rewe"}'), says('{"vendor":"Rewe AG"}')).kind == "failed"
    reason = here.files["failed/a.png.reason.txt"].decode()
    assert "missing total" in reason
    assert "told what was wrong" in " ".join(reason.split())
    assert '> {"vendor":"Rewe AG"}' in reason


def collecting(room):
    output = {"format": "json", "schema": RECEIPT}
    here = room(output=output)
    # The inbox's folders are known only now.
    file = here.inbox.done / "tables" / "all.csv"
    here.inbox = replace(here.inbox, output=replace(here.inbox.output, collect=file))
    file.parent.mkdir()
    return here, file


def test_a_row_that_cannot_be_written_is_owed_and_nobody_is_asked_before_it_is(room):
    here, file = collecting(room)
    away = file.parent.rename(here.root / "away")
    filed = here.read(says(A_RECEIPT))
    assert filed.kind == "done"
    assert "tables" in filed.owes.reason
    assert set(here.files) == {"done/a.png", "done/a.json"}
    marks.draw(8).save(here.inbox.path / here.name)
    here.restart()
    with pytest.raises(WorldWrong, match="tables"):
        here.read(says(A_RECEIPT))
    assert here.engine.asked == []
    away.rename(file.parent)
    assert here.read(says(A_RECEIPT.replace("12.5", "3"))).owes is None
    header, one, other = file.read_text().splitlines()
    assert header == "vendor,total,filed_as,filed_at"
    assert one.startswith("Rewe,12.5,a.png,")
    assert other.startswith("Rewe,3,a-2.png,")


def test_a_scan_that_failed_has_no_row(room):
    here, file = collecting(room)
    assert here.read(*[says("no")] * 4).kind == "failed"
    assert not file.exists()


def test_the_row_of_a_filing_that_was_stopped_after_the_move_is_written(room):
    here, file = collecting(room)

    class Stopping(Ledger):
        def filed(self, scan_id, *, at):
            raise WorldWrong("the disk is full")

    here.ledger.close()
    here.ledger = Stopping(here.root / "ledger.db")
    with pytest.raises(WorldWrong, match="full"):
        here.read(says(A_RECEIPT))
    here.restart()
    recovery = Recovery(here.ledger, Filer(here.ledger), {"inbox": here.inbox.path}, collecting=(here.inbox,))
    recovery.look(0.0)
    assert file.read_text().splitlines()[1].startswith("Rewe,12.5,a.png,")
