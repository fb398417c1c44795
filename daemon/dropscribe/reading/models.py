"""What is known of vision models by their names: the largest picture worth sending, and what it costs; pure.

Limits are those of llama.cpp's `tools/mtmd/clip.cpp`, which Ollama inherits and no request option changes,
and of `model/models/*` in Ollama up to 0.24. What is larger is scaled down by the server, after it was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, floor, sqrt

from dropscribe.values import Size

RECOMMENDED = ((8, "qwen3.5:4b"), (16, "qwen3.5:9b"), (24, "qwen3.6:27b"))
"""(gigabytes of memory, model): the best readers of their size in what was published of olmOCR-bench in 2026, the
largest in a local comparison. The one table: example, `init` and documents tell what stands here.
"""

DEFAULT_MODEL = RECOMMENDED[0][1]

IN_WORDS = ", ".join(
    f"{model} for {memory} GB{' of memory' if memory == RECOMMENDED[0][0] else ''}"
    for memory, model in RECOMMENDED
)
"""`qwen3.5:4b for 8 GB of memory, …`: the same table in a sentence."""

PROMPT_TOKENS = 512
"""Room kept for the prompt and the template around it."""

EMBEDDED = Size(2_000_000, 4000)
"""For the embedded engine: A4 at 144 dpi, and a long receipt keeps its width."""

_LETTERS_A_TOKEN = 3  # few, so that languages with long tokens fit as well
_LEAST_TOKENS = 256  # a picture smaller than this cannot be read; a context without room for it is an error
_TARGET = (
    2304 * 32 * 32
)  # 2.36 million pixels: A4 at 156 dpi; more made small-context models worse (paperless-gpt#880)
_UNKNOWN_PAGE = 1000
_TALL = 3000  # pixels: a long receipt keeps its width, the pixels alone bound a page


@dataclass(frozen=True, slots=True)
class _Family:
    """`cell` is the side in pixels of the square that becomes a token; without one, pictures cost `most`."""

    name: re.Pattern[str]
    size: Size
    cell: int
    least: int
    most: int


def _family(name: str, pixels: int, side: int, *, cell: int = 0, tokens: tuple[int, int]) -> _Family:
    return _Family(re.compile(name), Size(pixels, side), cell, *tokens)


_FAMILIES = (
    # Ollama itself raises the least tokens of these to 1024 (llm/llama_server.go, qwenVLServerArgs).
    _family("qwen25?vl|olmocr|nanonets", _TARGET, _TALL, cell=28, tokens=(1024, 4096)),
    _family("qwen3vl", _TARGET, _TALL, cell=32, tokens=(1024, 4096)),
    _family("qwen3[5-9]", _TARGET, _TALL, cell=32, tokens=(8, 4096)),
    _family("glmocr|glm4[0-9]*v", 4096 * 28 * 28, _TALL, cell=28, tokens=(8, 4096)),
    # One square whatever the page: weak on full pages.
    _family("gemma3", 896 * 896, 896, tokens=(256, 256)),
    # ollama#15626: 280 unless the server's LLAMA_ARG_IMAGE_MAX_TOKENS says more.
    _family("gemma4", 280 * 48 * 48, 1600, cell=48, tokens=(40, 280)),
    _family("mistral|ministral|pixtral|lightonocr", 1024 * 28 * 28, 1540, cell=28, tokens=(8, 1024)),
    # Four tiles of 560; a picture counts as one token there, it is read by cross-attention.
    _family("mllama|llama32.*vision", 1120 * 1120, 1120, tokens=(1, 1)),
    _family("llama4", 1008 * 1008, 1008, tokens=(1500, 1500)),
    # An overview of 1024 and up to nine tiles of 640.
    _family("deepseekocr", 1920 * 1920, 1920, tokens=(1200, 1200)),
)
_UNKNOWN = _family("", 2_000_000, 1800, cell=28, tokens=(1, 2_000_000))


def useful_size(model: str, *, num_ctx: int, num_predict: int) -> Size:
    """The largest picture that `model` makes use of and that leaves room for prompt and answer in `num_ctx`.

    An answer without limit (`num_predict` below 1) is given half of the context.
    """
    family = _find(model) or _UNKNOWN
    if not family.cell:
        return family.size
    answer = num_predict if num_predict > 0 else num_ctx // 2
    room = max(_LEAST_TOKENS, num_ctx - answer - PROMPT_TOKENS)
    # Sides are rounded to whole cells: up to half a cell along each of them.
    cells = max(_LEAST_TOKENS // 2, room - family.size.side // family.cell)
    return Size(min(family.size.pixels, cells * family.cell**2), family.size.side)


def image_tokens(model: str, width: int, height: int) -> int | None:
    """What a picture of `width` times `height` pixels costs, or None where the family is unknown."""
    family = _find(model)
    if family is None:
        return None
    if not family.cell:
        return family.most
    columns, rows = _grid(family, max(1, width), max(1, height))
    return columns * rows


def picture_tokens(model: str, size: Size) -> int:
    """What the largest picture within `size` costs, guessed where the family is unknown."""
    side = int(sqrt(size.pixels))
    return image_tokens(model, side, side) or size.pixels // _UNKNOWN.cell**2


def prompt_tokens(prompt: str) -> int:
    """What a prompt costs at most, with the template around it."""
    return max(PROMPT_TOKENS, len(prompt) // _LETTERS_A_TOKEN)


def page_tokens(model: str) -> int:
    """What a page costs at the least resolution at which ordinary print can be read: A4 at 100 dpi."""
    return image_tokens(model, 827, 1169) or _UNKNOWN_PAGE


def is_mllama(model: str) -> bool:
    """Whether the name is of llama3.2-vision, which no Ollama since 0.30 loads (ollama#16490, #18486)."""
    return re.search("mllama|llama32.*vision", squeezed(model)) is not None


def _find(model: str) -> _Family | None:
    name = squeezed(model)
    return next((family for family in _FAMILIES if family.name.search(name)), None)


def squeezed(model: str) -> str:
    """`hf.co/x/Qwen3-VL-8B-GGUF:Q4` as `qwen3vl8bgguf`."""
    name = model.lower().rpartition("/")[2].partition(":")[0]
    return re.sub("[^a-z0-9]", "", name)


def _grid(family: _Family, width: int, height: int) -> tuple[int, int]:
    """Columns and rows as clip.cpp computes them: rounded to whole cells, then scaled into the limits."""
    area, cell = width * height, family.cell
    columns, rows = max(1, round(width / cell)), max(1, round(height / cell))
    if columns * rows > family.most:
        scale = cell * sqrt(area / (family.most * cell * cell))
        return max(1, floor(width / scale)), max(1, floor(height / scale))
    if columns * rows < family.least:
        scale = cell * sqrt(area / (family.least * cell * cell))
        return ceil(width / scale), ceil(height / scale)
    return columns, rows
