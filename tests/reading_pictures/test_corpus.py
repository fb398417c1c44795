"""Real scans, good and bad, from the folder named by DROPSCRIBE_CORPUS with its MANIFEST.csv."""

import csv
import os
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from dropscribe.errors import BadScan
from dropscribe.reading.document import open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.values import Size

CORPUS = Path(os.environ.get("DROPSCRIBE_CORPUS", "/nonexistent"))
SIZE = Size(pixels=2_300_000, side=1900)


def _rows():
    manifest = CORPUS / "MANIFEST.csv"
    if not manifest.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="DROPSCRIBE_CORPUS names no folder"))]
    with manifest.open(newline="", encoding="utf-8") as lines:
        return [pytest.param(row, id=row["file"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize("row", _rows())
def test_a_real_scan_becomes_pictures_or_a_reason(row, capsys):
    pictures, failure = [], None
    try:
        with closing(open_document(CORPUS / row["file"], Steps(), Limits())) as document:
            for number in range(1, document.count + 1):
                pictures += prepare(document.page(number), Wanted(number, SIZE), Steps()).pictures
    except BadScan as raised:
        failure = raised
        with capsys.disabled():
            print(f"\n{row['file']}: {failure.reason}")
    if failure is not None:
        assert row["ground_truth_kind"].startswith("error"), failure.reason
    else:
        assert row["ground_truth_kind"] != "error"
        animation = row["file"].endswith(".gif")
        assert len(pictures) == (1 if animation or not row["pages"].isdigit() else int(row["pages"]))
    for picture in pictures:
        shown = Image.open(BytesIO(picture.data))
        assert shown.mode in {"L", "RGB"}
        assert shown.width * shown.height <= SIZE.pixels
        assert max(shown.size) <= SIZE.side
