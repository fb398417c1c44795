"""Transcripts as the bytes of the files beside a scan; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from dropscribe.fields import value_at
from dropscribe.filing.answer import as_markdown
from dropscribe.filing.pages import PageText, remark
from dropscribe.filing.reason import Reason, TriedRecipe, render_reason
from dropscribe.filing.shelf import page_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dropscribe.fields import Way

__all__ = [
    "PAGE_PART",
    "SIDECAR",
    "Output",
    "PageText",
    "Provenance",
    "Reason",
    "RenderRules",
    "Transcript",
    "TriedRecipe",
    "render",
    "render_reason",
]

Format = Literal["markdown", "text", "json"]
Pages = Literal["joined", "separate"]

SIDECAR = ".meta.json"
PAGE_PART = ".p{page}"
"""The page's part of a name whose template has none."""

_ENDINGS = {"markdown": ".md", "text": ".txt", "json": ".json"}

_NEWLINE = re.compile("\r\n|[\r\x85]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What JSON writes as it is but YAML takes for a line break, refuses, or lets an editor reorder.
_NOT_RAW_IN_YAML = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
# Quoted too: what YAML 1.1 takes for true, false, null or a number.
_PLAIN_KEY = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*", re.IGNORECASE
)
_FENCE = re.compile(r"\A(\s*)(-{3,}|\+{3,})(?=[^\S\n]*(?:\n|\Z))")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Transcript:
    pages: tuple[PageText, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a text comes from; times as ISO 8601, `size` in bytes, `seconds` of all answers together.

    `scan` is the name as the inbox had it, `verdicts` has one word per page. `server` is the version of the server,
    `prompt_sha256` the beginning of that digest, `pictures` the sides and format of each that was sent for the text;
    tokens are those of the pages as they were accepted. `history` has each try at each page, the refused ones
    before the accepted one, and stands in the sidecar alone; `verification` is what a second
    reader found. What is empty is left out.
    """

    scan: str
    inbox: str
    sha256: str
    size: int
    received_at: str = ""
    read_at: str = ""
    engine: str = ""
    model: str = ""
    model_digest: str = ""
    host: str = ""
    recipe: str = ""
    seconds: float = 0.0
    tries: int = 0
    program: str = ""
    verdicts: tuple[str, ...] = ()
    server: str = ""
    prompt_sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    prompt_tokens: int = 0
    tokens: int = 0
    history: tuple[Mapping[str, Any], ...] = ()
    verification: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderRules:
    """`schema`: the pages' texts are JSON that was checked against a schema, and are filed as that; `columns` are
    the ways to its fields, which stand in the front matter.

    `page_break`: the line between two joined pages, None for that of the format. `page_part`: what the name
    of a separate page adds to the stem. Fields of both are {page} and {pages}.
    """

    format: Format = "markdown"
    front_matter: bool = False
    sidecar: bool = False
    pages: Pages = "joined"
    schema: bool = False
    columns: Mapping[str, Way] = field(default_factory=dict)
    page_break: str | None = None
    page_part: str = PAGE_PART


@dataclass(frozen=True, slots=True)
class Output:
    """A file to put beside the scan: `suffix` is what its name adds to the common stem."""

    suffix: str
    data: bytes


def render(transcript: Transcript, provenance: Provenance, rules: RenderRules) -> tuple[Output, ...]:
    """The files of one transcript; UTF-8, one newline at the end of each.

    A scan without any text gives a file that is a single newline, or front matter alone. Joined pages are
    parted by `page_break`, else by a comment that names the page in Markdown and by a form feed in text, which
    no page contains; nothing is done about a page that contains the break. In place of a page that could not
    be read stands a line that says so. With a schema, joined pages of a scan that has several are a list, and a
    page without text is null. Separate pages have `page_part` in their names; a scan of a single page is never
    numbered. The sidecar is about the whole scan.

    Raises ValueError where a schema is promised and a page is not JSON.
    """
    ending = _ENDINGS[rules.format]
    outputs = []
    for infix, pages in _groups(transcript.pages, rules):
        facts = _facts(provenance, pages, numbered=bool(infix))
        outputs.append(Output(infix + ending, _content(pages, facts, rules)))
    if rules.sidecar:
        pages_too = _facts(provenance, transcript.pages, numbered=False)
        if provenance.history:
            pages_too["history"] = [dict(each) for each in provenance.history]
        outputs.append(Output(SIDECAR, _encoded(_pretty(pages_too))))
    return tuple(outputs)


def _groups(pages: tuple[PageText, ...], rules: RenderRules) -> Iterable[tuple[str, tuple[PageText, ...]]]:
    if rules.pages == "joined" or len(pages) < 2:
        return [("", pages)]
    return [(page_name(rules.page_part, page.number, len(pages)), (page,)) for page in pages]


def _content(pages: tuple[PageText, ...], facts: Mapping[str, Any], rules: RenderRules) -> bytes:
    if rules.format == "json":
        return _encoded(_pretty(_schema(pages) if rules.schema else _plain_json(pages, facts, rules)))
    shown = _as_markdown(pages) if rules.schema else pages
    body = _markdown(shown, rules) if rules.format == "markdown" else _text(pages, rules)
    if rules.front_matter:
        body = _front_matter(_under(_of_answer(pages, rules), facts)) + (f"\n{body}" if body.strip() else "")
    return _encoded(body)


# --- answers that follow a schema


def _answers(pages: tuple[PageText, ...]) -> list[Any]:
    return [None if _is_empty(page) else json.loads(page.text) for page in pages]


def _as_markdown(pages: tuple[PageText, ...]) -> tuple[PageText, ...]:
    return tuple(
        page if _is_empty(page) else replace(page, text=as_markdown(answer))
        for page, answer in zip(pages, _answers(pages), strict=True)
    )


def _of_answer(pages: tuple[PageText, ...], rules: RenderRules) -> dict[str, Any]:
    if not rules.schema:
        return {}
    answers = _answers(pages)
    return {name: value_at(answers, way) for name, way in rules.columns.items()}


def _under(first: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Both, one after the other; our own names give way to those of a schema."""
    found = dict(first)
    for name, value in ours.items():
        while name in found:
            name = f"_{name}"  # noqa: PLW2901 - until it is free
        found[name] = value
    return found


# --- bodies


def _markdown(pages: tuple[PageText, ...], rules: RenderRules) -> str:
    parts = [_visible(pages[0])] if pages else []
    if not rules.front_matter:
        parts = [_without_front_matter(part) for part in parts]
    for page in pages[1:]:
        parts += [_break(rules.page_break or "<!-- page {page} -->", page, pages), _visible(page)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _without_front_matter(text: str) -> str:
    """The page's own line of dashes on top would make programs take what follows for facts about the text.

    In Markdown `***` is the same line, and an escaped plus is a plus.
    """
    return _FENCE.sub(lambda found: found[1] + ("***" if "-" in found[2] else f"\\{found[2]}"), text)


def _text(pages: tuple[PageText, ...], rules: RenderRules) -> str:
    parts = [_visible(page) + "\n" for page in pages] or ["\n"]
    if rules.page_break is None:
        return "\f".join(parts)
    breaks = [f"{_break(rules.page_break, page, pages)}\n" for page in pages[1:]]
    return parts[0] + "".join(line + part for line, part in zip(breaks, parts[1:], strict=True))


def _break(line: str, page: PageText, pages: tuple[PageText, ...]) -> str:
    """The line in front of `page`."""
    return line.format(page=page.number, pages=len(pages))


def _schema(pages: tuple[PageText, ...]) -> Any:
    values = _answers(pages)
    return values[0] if len(values) == 1 else values


def _plain_json(pages: tuple[PageText, ...], facts: Mapping[str, Any], rules: RenderRules) -> Any:
    texts = ["" if page.unread else _clean(page.text) for page in pages]
    content: dict[str, Any] = {
        "text": "\n\n".join(text for text in texts if text),
        "pages": [
            {"page": page.number, "text": text} | ({"note": note} if (note := remark(page)) else {})
            for page, text in zip(pages, texts, strict=True)
        ],
    }
    return content | ({"provenance": facts} if rules.front_matter else {})


def _is_empty(page: PageText) -> bool:
    return page.unread or not page.text.strip()


def _visible(page: PageText) -> str:
    """What people read of a page: its text, or that it has none because it could not be read."""
    return f"[page {page.number} {remark(page)}]" if page.unread else _clean(page.text)


def _clean(text: str) -> str:
    """Without what is no text: controls, other systems' line ends, white space at the end."""
    return _CONTROL.sub("", _NEWLINE.sub("\n", text)).rstrip()


# --- provenance


def _facts(provenance: Provenance, pages: tuple[PageText, ...], *, numbered: bool) -> dict[str, Any]:
    facts = {each.name: getattr(provenance, each.name) for each in fields(provenance)}
    facts["scan"] = _name(provenance.scan)
    facts |= {name: list(facts[name]) for name in ("verdicts", "pictures")}
    facts["options"] = dict(provenance.options)
    for name in ("prompt_tokens", "tokens"):
        facts[name] = facts[name] or ""
    del facts["history"]
    facts["notes"] = [f"page {page.number}: {note}" for page in pages if (note := remark(page))]
    told = {key: value for key, value in facts.items() if value not in ("", [], (), {})}
    return ({"page": pages[0].number} if numbered else {}) | told


def _name(name: str) -> str:
    r"""The name of a file exactly, but for bytes that are not UTF-8: they become `\xff`."""
    return _SURROGATE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", name)


def _front_matter(facts: Mapping[str, Any]) -> str:
    lines = [f"{_key(name)}: {_quoted(value)}" for name, value in facts.items()]
    return "\n".join(["---", *lines, "---", ""])


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else _quoted(name)


def _quoted(value: Any) -> str:
    """JSON on one line, which YAML reads as the same value whatever it contains."""
    raw = json.dumps(value, ensure_ascii=False)
    return _NOT_RAW_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", _without_surrogates(raw))


# --- bytes


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _encoded(text: str) -> bytes:
    return _without_surrogates(text).encode()


def _without_surrogates(text: str) -> str:
    """Pairs become the character that they stand for, single ones U+FFFD; UTF-8 has neither."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
