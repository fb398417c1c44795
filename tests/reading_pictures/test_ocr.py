import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image, ImageDraw, ImageFont

from dropscribe.errors import Misconfigured, Stopped
from dropscribe.prompts import NO_TEXT
from dropscribe.stop import Stop
from dropscribe.values import Picture, Recipe, Size

pytest.importorskip("rapidocr")

from dropscribe.reading.engines.ocr import OcrEngine

RECIPE = Recipe("ocr", "", "", {}, Size(2_000_000, 1800))
LINES = ["The quick brown fox jumps over", "the lazy dog, and 12 dogs", "sleep through all of it."]


@pytest.fixture(scope="module")
def engine():
    engine = OcrEngine()
    yield engine
    engine.close()


def picture(image):
    stream = BytesIO()
    image.save(stream, "PNG")
    return Picture(stream.getvalue(), "PNG", *image.size)


def page():
    image = Image.new("L", (700, 400), 250)
    for number, line in enumerate(LINES):
        ImageDraw.Draw(image).text((60, 60 + 60 * number), line, 20, ImageFont.load_default(34))
    return image


def test_a_printed_page_is_read_line_by_line(engine):
    answer = engine.ask(picture(page()), RECIPE, stop=Stop())
    assert answer.text.splitlines() == LINES
    assert (answer.done, answer.done_reason, answer.cut) == (True, "stop", "")
    assert answer.model.startswith("rapidocr 3.")
    assert len(answer.model_digest) == 64


@pytest.mark.parametrize(
    "turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
)
def test_a_page_that_lies_turned_is_read_upright(engine, turn):
    answer = engine.ask(picture(page().transpose(turn)), RECIPE, stop=Stop())
    assert answer.text.splitlines() == LINES


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_page_without_text_is_told_as_such(engine, shade):
    assert (
        engine.ask(picture(Image.new("RGB", (400, 300), (shade,) * 3)), RECIPE, stop=Stop()).text == NO_TEXT
    )


def test_the_smallest_picture_that_is_ever_sent_can_be_read(engine):
    assert engine.ask(picture(Image.new("L", (64, 64), 255)), RECIPE, stop=Stop()).text == NO_TEXT


@pytest.mark.parametrize("places", [(200,), (200, 1500), (1500,), (60, 820, 1600)])
def test_a_few_words_on_a_large_white_page_are_found(engine, places):
    page_ = Image.new("L", (1189, 1681), 255)
    for number, place in enumerate(places):
        ImageDraw.Draw(page_).text((150, place), f"Invoice {number} paid", 0, ImageFont.load_default(24))
    answer = engine.ask(picture(page_), RECIPE, stop=Stop())
    found = [line for line in answer.text.splitlines() if line]
    assert found == [f"Invoice {number} paid" for number in range(len(places))]


def test_the_words_of_a_picture_that_is_larger_than_useful_are_found(engine):
    large = page().resize((4200, 2400))
    assert engine.ask(picture(large), RECIPE, stop=Stop()).text.splitlines() == LINES


def test_nothing_is_read_after_a_stop(engine):
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        engine.ask(picture(page()), RECIPE, stop=stop)


def test_the_state_names_the_version_and_the_models():
    state = OcrEngine().check("", stop=Stop())
    assert state.version.startswith("3.")
    assert len(state.digest) == 64


@pytest.mark.parametrize("missing", ["rapidocr", "onnxruntime"])
def test_without_its_packages_the_engine_names_the_command_that_installs_them(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)  # how Python notes that there is no such module
    engine = OcrEngine()
    for act in (
        lambda: engine.check("", stop=Stop()),
        lambda: engine.ask(picture(page()), RECIPE, stop=Stop()),
    ):
        with pytest.raises(Misconfigured) as refused:
            act()
        assert refused.value.reason == "the embedded engine is not installed"
        assert refused.value.fix == "run `pip install 'dropscribe[ocr]'` (in a clone: `pip install '.[ocr]'`)"


ALONE = """
import sys
def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.sendmsg"}:
        raise SystemExit(f"the network was used: {event} {arguments}")
sys.addaudithook(refuse)
from tests.reading_pictures.test_ocr import RECIPE, OcrEngine, Stop, page, picture
print(OcrEngine().ask(picture(page()), RECIPE, stop=Stop()).text)
"""


def test_reading_uses_no_network_and_prints_nothing(request):
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == (LINES, "")
