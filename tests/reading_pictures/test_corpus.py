"""Real scans, good and bad, from the folder named by DROPSCRIBE_CORPUS with its MANIFEST.csv."""

import csv
import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from dropscribe.errors import BadScan, Unsupported
from dropscribe.reading.document import Limits, open_document
from dropscribe.reading.picture import prepare
from dropscribe.values import Size

CORPUS = Path(os.environ.get("DROPSCRIBE_CORPUS", "/nonexistent"))
LIMITS = Limits(bytes=100_000_000, pixels=100_000_000)
SIZE = Size(pixels=2_300_000, side=1900)
WAITING = {".pdf", ".heic"}


def _rows():
    manifest = CORPUS / "MANIFEST.csv"
    if not manifest.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="DROPSCRIBE_CORPUS names no folder"))]
    with manifest.open(newline="", encoding="utf-8") as lines:
        return [pytest.param(row, id=row["file"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize("row", _rows())
def test_a_real_scan_becomes_a_picture_or_a_reason(row, capsys):
    path = CORPUS / row["file"]
    waits = path.suffix in WAITING or (path.suffix == ".tiff" and row["pages"] == "3")
    picture = failure = None
    try:
        with open_document(path, LIMITS) as document:
            picture = prepare(document.page(1), SIZE)
    except (BadScan, Unsupported) as raised:
        failure = raised
        with capsys.disabled():
            print(f"\n{path.name}: {failure.reason}")
    assert isinstance(failure, Unsupported) == waits
    if isinstance(failure, BadScan):
        assert row["ground_truth_kind"].startswith("error"), failure.reason
    elif picture is not None:
        assert row["ground_truth_kind"] != "error"
        shown = Image.open(BytesIO(picture.data))
        assert shown.mode in {"L", "RGB"}
        assert shown.width * shown.height <= SIZE.pixels
        assert max(shown.size) <= SIZE.side
