"""The second reader: one for all, in a thread of its own, never a reason to lose a scan."""

import threading
from contextlib import suppress

import pytest

from dropscribe.errors import BadAnswer, Stopped, Unavailable, WorldWrong
from dropscribe.reading.machine import memory
from dropscribe.reading.picture import encoded
from dropscribe.reading.second import SecondReader, lines_of
from dropscribe.stop import Stop
from tests.engines.scripted_reader import ScriptedReader
from tests.reading_pictures.printed import LINES, paper, with_words

PATIENCE = 60.0


def picture():
    image = paper()
    for number, line in enumerate(LINES):
        image = with_words(image, line, (120, 200 + 60 * number), height=34)
    return encoded(image)


# --- the contract of readers


@pytest.fixture(scope="module", params=["scripted", "embedded"])
def reader(request):
    if request.param == "scripted":
        made = ScriptedReader("\n".join(LINES))
    else:
        pytest.importorskip("rapidocr")
        from dropscribe.reading.engines.ocr import PrintReader

        made = PrintReader(background=True)
    yield made
    made.rest()


def test_a_reader_gives_the_lines_of_a_picture_and_how_it_lies(reader):
    read = reader.read(picture(), stop=Stop())
    assert read.turn == 0
    assert [line.text for line in lines_of(read)] == LINES
    assert all(line.sure > 0.9 for line in lines_of(read))


def test_a_reader_that_rested_reads_again(reader):
    reader.rest()
    assert [line.text for line in lines_of(reader.read(picture(), stop=Stop()))] == LINES


def test_a_reader_reads_nothing_after_a_stop(reader):
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        reader.read(picture(), stop=stop)


# --- the thread


class Gate(ScriptedReader):
    """Reads on only when it is let."""

    def __init__(self, *script):
        super().__init__(*script)
        self.begun, self.let, self.rested = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def read(self, picture, *, stop):
        self.begun.release()
        with stop.calls(self.let.release):
            assert self.let.acquire(timeout=PATIENCE)
        return super().read(picture, stop=stop)

    def rest(self):
        super().rest()
        self.rested.set()


@pytest.fixture
def second():
    made = []

    def make(reader, **how):
        made.append(SecondReader(reader, **how))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_whoever_asks_goes_on_while_it_reads_and_pages_come_one_after_another(second):
    reader, stop = Gate("one", "two"), Stop()
    here = second(reader)
    first, other = here.begin(picture, stop=stop), here.begin(picture, stop=stop)
    assert reader.begun.acquire(timeout=PATIENCE)
    assert not reader.begun.acquire(blocking=False)
    reader.let.release(2)
    texts = [lines_of(pending.result(stop=stop))[0].text for pending in (first, other)]
    assert texts == ["one", "two"]


def test_a_single_page_does_not_wait_for_all_those_of_a_long_scan(second):
    reader, stop, order = Gate("text"), Stop(), []

    def page(name):
        return lambda: order.append(name) or picture()

    here = second(reader)
    here.begin(page("long 1"), stop=stop, owner="long")
    assert reader.begun.acquire(timeout=PATIENCE)
    last = [here.begin(page(f"long {number}"), stop=stop, owner="long") for number in (2, 3, 4)][-1]
    here.begin(page("single"), stop=stop, owner="single")
    reader.let.release(5)
    assert last.result(stop=stop) is not None
    assert order == ["long 1", "long 2", "single", "long 3", "long 4"]


def test_a_page_without_a_picture_is_not_read(second):
    reader = ScriptedReader("nothing of this")
    assert second(reader).begin(lambda: None, stop=Stop()).result(stop=Stop()) is None
    assert reader.pictures == []


def test_a_page_that_nobody_waits_for_is_not_begun(second):
    reader, stop = Gate("text"), Stop()
    here = second(reader)
    here.begin(picture, stop=stop)
    assert reader.begun.acquire(timeout=PATIENCE)
    here.begin(picture, stop=stop).drop()
    last = here.begin(picture, stop=stop)
    reader.let.release(2)
    assert last.result(stop=stop) is not None
    assert len(reader.pictures) == 2


def test_a_stop_ends_the_wait_though_the_page_is_not_read(second):
    reader, stop, waiter = Gate("text"), Stop(), Stop()
    pending = second(reader).begin(picture, stop=stop)
    assert reader.begun.acquire(timeout=PATIENCE)
    waiter.set()
    with pytest.raises(Stopped):
        pending.result(stop=waiter)
    stop.set()  # and the reader's own


def test_what_goes_wrong_belongs_to_whoever_waits_and_to_nobody_else(second):
    here = second(ScriptedReader(BadAnswer("not done", "too dense"), "text"))
    bad, good = here.begin(picture, stop=Stop()), here.begin(picture, stop=Stop())
    with pytest.raises(BadAnswer, match="too dense"):
        bad.result(stop=Stop())
    assert good.result(stop=Stop()) is not None


def test_its_memory_is_given_back_when_it_has_nothing_to_do(second):
    reader = Gate("text")
    here = second(reader, idle=0.01)
    reader.let.release(2)
    here.begin(picture, stop=Stop()).result(stop=Stop())
    assert reader.rested.wait(PATIENCE)
    assert here.begin(picture, stop=Stop()).result(stop=Stop()) is not None


@pytest.mark.parametrize(
    "broke",
    [
        Unavailable("the embedded engine broke down: it was ended by SIGKILL"),
        BadAnswer("not done", "the embedded engine took longer than 300 s"),
    ],
)
def test_it_is_left_alone_for_a_while_after_three_break_downs_in_a_row(second, broke):
    pytest.importorskip("rapidocr")
    here = second(ScriptedReader(broke, broke, "text", broke))
    why = []
    for _ in range(6):
        with suppress(type(broke)):
            here.begin(picture, stop=Stop()).result(stop=Stop())
        why.append(here.why_not(asked_for=True))
    assert why == [None] * 5 + [broke]


def test_what_went_wrong_with_a_page_that_nobody_waits_for_any_more_counts_against_nobody(second):
    pytest.importorskip("rapidocr")
    here = second(ScriptedReader("text"))

    for _ in range(4):
        begun, told = threading.Event(), threading.Event()

        def late(begun=begun, told=told):
            begun.set()
            assert told.wait(PATIENCE)
            raise WorldWrong("spool/abc: it does not exist")

        pending = here.begin(late, stop=Stop())
        assert begun.wait(PATIENCE)
        pending.drop()
        told.set()
        with pytest.raises(WorldWrong):
            pending.result(stop=Stop())
    assert here.why_not(asked_for=True) is None


def test_nothing_is_begun_after_the_end(second):
    here = second(ScriptedReader("text"))
    here.close()
    with pytest.raises(Stopped):
        here.begin(picture, stop=Stop())


# --- where it cannot work


@pytest.mark.parametrize(("room", "fits"), [(1_999_999_999, False), (2_000_000_000, True), (None, True)])
def test_a_small_machine_is_spared_unless_somebody_asked_for_it(second, room, fits):
    pytest.importorskip("rapidocr")
    here = second(ScriptedReader("text"), room=lambda: room)
    why = here.why_not(asked_for=False)
    assert (why is None) == fits
    assert why is None or "there are 1,999 MB of memory, and verifying wants 2,000" in why.reason
    assert here.why_not(asked_for=True) is None


def test_memory_is_that_of_the_tightest_group_around(tmp_path):
    groups, own = tmp_path / "fs" / "cgroup", tmp_path / "own"
    inner = groups / "system.slice" / "scans.service"
    inner.mkdir(parents=True)
    own.write_text("0::/system.slice/scans.service\n")
    assert memory(own, groups) == memory(tmp_path / "nowhere", groups)
    (inner / "memory.max").write_text("max\n")
    (groups / "system.slice" / "memory.max").write_text("1500000\n")
    assert memory(own, groups) == 1_500_000
    (inner / "memory.max").write_text("900000\n")
    assert memory(own, groups) == 900_000
