"""What is sent to each family of models: sides, tokens and bytes of pages of print and of a photo, as a table.

uv run python -m benchmarks.families
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.pages import KINDS
from dropscribe.reading import picture as pictures
from dropscribe.reading.document import open_document
from dropscribe.reading.models import image_tokens
from dropscribe.reading.recipe import first
from dropscribe.reading.wanted import Limits, Steps, Wanted

MODELS = (
    "qwen3.5:4b", "qwen3-vl:8b-instruct", "qwen2.5vl:7b", "glm-ocr", "deepseek-ocr:3b", "gemma4:e4b",
    "mistral-small3.2", "gemma3:12b", "llama3.2-vision", "llama4", "unknown",
)  # fmt: skip
PAGES = ("A4 300 dpi fax TIFF (G4)", "A4 300 dpi colour JPEG", "phone photo 12 MP JPEG")


def main() -> None:
    print("| model | page | sent as | sides | million pixels | tokens | as PNG | as JPEG |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in PAGES:
            path = Path(folder) / "page"
            path.write_bytes(KINDS[name]())
            for model in MODELS:
                print(_row(model, name, path), flush=True)


def _row(model: str, name: str, path: Path) -> str:
    size = first(engine="ollama", model=model, prompt="", options={}).size
    document = open_document(path, Steps(), Limits())
    (sent,) = pictures.prepare(document.page(1), Wanted(1, size), Steps()).pictures
    page = document.page(1)
    image = page.drawn(pictures.fitting(page.sides, size))
    document.close()
    assert sent.width * sent.height <= size.pixels
    tokens = image_tokens(model, sent.width, sent.height)
    as_png, as_jpeg = (len(pictures.encode(image, kind)) / 1000 for kind in ("PNG", "JPEG"))
    return (
        f"| {model} | {name} | {sent.format} | {sent.width} x {sent.height}"
        f" | {sent.width * sent.height / 1e6:.2f} | {tokens or '?'} | {as_png:,.0f} kB | {as_jpeg:,.0f} kB |"
    )


if __name__ == "__main__":
    main()
