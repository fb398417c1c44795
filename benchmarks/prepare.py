"""What it costs to decode and prepare one page, beside plain Pillow (or pdfium) doing the least that has to be done.

    uv run python -m benchmarks.prepare

For each kind of page the two are run in turn, each in a process of its own: CPU milliseconds for one page (median of
the pages after the first), and the peak of memory over that of the process before its first page. The least: decode,
to the same sides, as JPEG; no orientation, no paper, no check for blank pages, no choice between PNG and JPEG.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.pages import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = (2_359_296, 3000)  # pixels, side: what qwen3.5 is sent
ROUNDS = 3
PAGES = 5  # in one process


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
        return
    print(f"{'':30} {'least':>16} {'dropscribe':>17}")
    print(f"{'':30} {'ms':>7} {'MB':>8} {'ms':>8} {'MB':>8} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in KINDS.items():
            path = Path(folder) / "page"
            path.write_bytes(make())
            runs = [(_run("least", path), _run("ours", path)) for _ in range(ROUNDS)]
            least, ours = ([run[side] for run in runs] for side in (0, 1))
            ratio = median(b["ms"] / a["ms"] for a, b in runs)
            print(f"{name:30} {_cells(least)} {_cells(ours)} {ratio:7.2f}", flush=True)


def _cells(runs: list[dict[str, float]]) -> str:
    return f"{median(r['ms'] for r in runs):7.0f} {median(r['mb'] for r in runs):8.0f}"


def _run(what: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.prepare", what, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _measured(what: str, path: Path) -> dict[str, float]:
    work = _ours() if what == "ours" else _least
    before = _peak()
    took = []
    for _ in range(PAGES):
        began = time.process_time()
        work(path)
        took.append(time.process_time() - began)
    return {"ms": 1000 * median(took[1:]), "mb": _peak() - before}


def _peak() -> float:
    """Megabytes that this process has ever needed; getrusage also counts what stood there before it was started."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _ours() -> Callable[[Path], None]:
    from dropscribe.reading import heif, pdf, raster  # noqa: F401, PLC0415 - the warm process has them
    from dropscribe.reading.document import open_document  # noqa: PLC0415
    from dropscribe.reading.picture import prepare  # noqa: PLC0415
    from dropscribe.reading.wanted import Limits, Steps, Wanted  # noqa: PLC0415
    from dropscribe.values import Size  # noqa: PLC0415

    steps = Steps(blank=True, bands="long")

    def work(path: Path) -> None:
        document = open_document(path, steps, Limits())
        assert prepare(document.page(1), Wanted(1, Size(*SIZE)), steps).pictures
        document.close()

    return work


def _least(path: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    if path.read_bytes()[:5] == b"%PDF-":
        import pypdfium2  # noqa: PLC0415

        pdf = pypdfium2.PdfDocument(path)
        page = pdf[0]
        width, height = _fitting(*(side * 300 / 72 for side in page.get_size()))
        image = page.render(scale=width / page.get_width(), grayscale=True).to_pil()
    else:
        from pillow_heif import register_heif_opener  # noqa: PLC0415

        register_heif_opener()
        image = Image.open(path)
        width, height = _fitting(*image.size)
        image.draft(None, (2 * width, 2 * height))
        if image.mode not in {"L", "RGB"}:
            image = image.convert("L")
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
    image.save(BytesIO(), "JPEG", quality=90)


def _fitting(width: float, height: float) -> tuple[int, int]:
    scale = min(1.0, SIZE[1] / max(width, height), math.sqrt(SIZE[0] / (width * height)))
    return int(width * scale), int(height * scale)


if __name__ == "__main__":
    main()
