"""What families of models want besides their pictures: prompts and options of their own; pure.

Only what was published or seen is here. No family gets stop strings: each brings those of its template along, and a
wrong one cuts texts. `think: false` goes to every model, in the engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dropscribe.reading.models import squeezed

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = ("plain", "markdown", "handwriting", "receipt")


@dataclass(frozen=True, slots=True)
class Family:
    """`prompts` by preset, and `options`, go before those of the program; what the user sets, before both."""

    name: str
    pattern: re.Pattern[str]
    prompts: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


FAMILIES = (
    # Its own prompts are fixed, and 4096 tokens gave it empty fences where 10240 gave texts (GLM-OCR#32).
    Family(
        "glm-ocr",
        re.compile("glmocr"),
        {**dict.fromkeys(_TEXTS, "Text Recognition:"), "table": "Table Recognition:"},
        {"num_ctx": 12288},
    ),
    # Of its model card; other prompts break it. Only the second one knows headings and tables.
    Family(
        "deepseek-ocr",
        re.compile("deepseekocr"),
        {
            **dict.fromkeys(_TEXTS, "Free OCR."),
            **dict.fromkeys(("markdown", "table"), "<|grounding|>Convert the document to markdown."),
        },
    ),
    # It answers in tags of its own, which `marks` makes Markdown of.
    Family(
        "granite-docling",
        re.compile("granitedocling|smoldocling"),
        dict.fromkeys((*_TEXTS, "table"), "Convert this page to docling."),
    ),
)


def prompt_for(model: str, preset: str, text: str) -> str:
    """What `model` is asked: `text`, unless it is that of a `preset` for which its family has its own words."""
    family = _find(model)
    return text if family is None else family.prompts.get(preset, text)


def options_for(model: str) -> Mapping[str, Any]:
    """Options that the family of `model` needs in place of our own defaults."""
    family = _find(model)
    return {} if family is None else family.options


def _find(model: str) -> Family | None:
    name = squeezed(model)
    return next((family for family in FAMILIES if family.pattern.search(name)), None)
