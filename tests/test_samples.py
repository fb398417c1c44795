from io import BytesIO

import pytest
from PIL import Image

from dropscribe import formats
from dropscribe.reading.document import open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.samples import SAMPLES
from dropscribe.stop import Stop
from dropscribe.values import Recipe, Size

SIZE = Size(pixels=2_000_000, side=1800)
each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


@pytest.fixture(scope="module")
def engine():
    pytest.importorskip("rapidocr")
    from dropscribe.reading.engines.ocr import OcrEngine

    engine = OcrEngine()
    yield engine
    engine.close()


@pytest.fixture
def read(tmp_path, engine):
    def text_of(sample):
        path = tmp_path / sample.name
        path.write_bytes(sample.make())
        document = open_document(path, Steps(), Limits())
        (picture,) = prepare(document.page(1), Wanted(1, SIZE), Steps()).pictures
        document.close()
        return engine.ask(picture, Recipe("ocr", "", "", {}, SIZE), stop=Stop()).text

    return text_of


def test_there_are_five_of_different_names_and_titles():
    assert len({sample.name for sample in SAMPLES}) == len({sample.title for sample in SAMPLES}) == 5


@each
def test_a_sample_is_what_its_name_says_and_the_same_every_time(sample):
    data = sample.make()
    assert formats.sniff(data) == formats.by_name(sample.name)
    assert data == sample.make()
    assert len(data) < 500_000


def test_the_photo_is_stored_sideways():
    photo = Image.open(BytesIO(SAMPLES[-1].make()))
    assert photo.width > photo.height
    assert photo.getexif()[0x0112] == 6


@each
def test_the_embedded_engine_reads_every_word_of_a_sample_in_order(sample, read):
    assert read(sample).split() == sample.text.split()


@pytest.mark.parametrize("name", ["receipt.jpg", "table.png"])
def test_the_rows_of_receipt_and_table_come_as_lines(name, read):
    sample = next(sample for sample in SAMPLES if sample.name == name)
    lines = [line.split() for line in read(sample).splitlines() if line]
    assert lines == [line.split() for line in sample.text.splitlines() if line]
