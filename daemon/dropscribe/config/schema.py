"""Every key with its kind, default and use: the one source of checks, example and JSON schema; pure.

A default is written as a user would write it, and is checked like one.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from dropscribe.config.kinds import (
    AUTO,
    AutoOrFlag,
    Break,
    Collection,
    File,
    FileMode,
    Flag,
    Folder,
    Group,
    KeepAlive,
    Model,
    Models,
    Name,
    Option,
    OrNothing,
    Pattern,
    Template,
    Text,
    Url,
    Verify,
    auto_or_duration,
    duration,
    number,
    size,
    whole,
)
from dropscribe.reading.models import DEFAULT_MODEL, IN_WORDS, RECOMMENDED


def key(default: Any, about: str) -> Any:
    return Field(default=default, validate_default=True, description=about)


class Section(BaseModel):
    """Keys and values; anything else than its keys is a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class Host(Section):
    url: Url = key(..., "Where Ollama answers; with http:// in front the port must be named.")
    parallel: Annotated[int, whole(1, 64)] = key(
        1, "Requests at once; more than 1 helps where the server has OLLAMA_NUM_PARALLEL."
    )


class Options(Section):
    """Open for every option that Ollama knows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Option] = Field(init=False)

    temperature: Annotated[float, number(0, 2)] = key(0, "0 reads what is there; more invents.")
    num_ctx: Annotated[int, whole(2048, 1_048_576)] = key(
        8192, "Tokens for picture, prompt and text together."
    )
    num_predict: Annotated[int, whole(1, 1_048_575)] = key(4096, "Tokens for the text of one page.")


class Timeouts(Section):
    connect: Annotated[float, duration("100ms", "10m")] = key("5s", "Until the host accepts a connection.")
    first_token: Annotated[float, duration("1s", "1d")] = key(
        "10m", "Until the first word, loading the model and looking at the picture included."
    )
    silence: Annotated[float, duration("1s", "1d")] = key("2m", "Between two words.")
    total: Annotated[float, duration("1s", "1d")] = key("30m", "For one page, whatever happens.")


class Ollama(Section):
    hosts: Annotated[list[Host], Field(min_length=1)] = key(
        [{"url": "http://localhost:11434"}],
        "The machines that run Ollama. Nothing but these is ever called.",
    )
    model: Models = key(
        DEFAULT_MODEL,
        f"A vision model that `ollama pull` has fetched: {IN_WORDS}.\n"
        f"A list is an order of fallback: [{RECOMMENDED[1][1]}, {RECOMMENDED[0][1]}].",
    )
    allow_cloud: list[Model] = key(
        [], "Cloud models you allow by name. Every other one is refused: nothing leaves your network."
    )
    keep_alive: KeepAlive = key(
        "30m",
        "How long the model stays in memory after a page: a duration, a number of seconds, -1 for ever.",
    )
    options: Annotated[Options, OrNothing()] = key(
        {},
        "Passed to the model, with any other option that Ollama knows. num_ctx must hold num_predict, the\n"
        "prompt and the picture, for which most models want 1000 tokens or more.",
    )
    timeouts: Annotated[Timeouts, OrNothing()] = key(
        {}, "After these a request is given up. The scan stays in its inbox and is tried again."
    )


class Limits(Section):
    bytes: Annotated[int, size("1kB", "10GB")] = key("500MB", "For one file.")
    pixels: Annotated[int, whole(10_000, 1_000_000_000)] = key(
        100_000_000, "For one page: width times height."
    )
    decoding: Annotated[float, duration("1s", "1h")] = key(
        "60s", "For opening a scan, and again for each of its pages."
    )
    memory: Annotated[int, size("128MB", "64GB")] = key("1GB", "For opening a scan and drawing its pages.")


class Pdf(Section):
    text_layer: Literal["ignore", "prefer"] = key(
        "ignore", "prefer: a page that already has text is not read by the model; its text is used as it is."
    )
    dpi: Annotated[int, whole(50, 600)] = key(
        200, "Pages of text and lines are drawn at most so fine; scanned ones keep their resolution."
    )


class Prepare(Section):
    turn: AutoOrFlag = key(
        AUTO,
        "Turn a page that lies on its side: auto, only one that gave no text; true, any. Needs the extra `ocr`.",
    )
    deskew: Flag = key(default=False, about="true: pages that lie a little askew are straightened.")
    contrast: Flag = key(default=False, about="true: faint pages get more contrast.")
    bands: Literal["auto", "dense", "never"] = key(
        "auto",
        "auto: very long receipts go in pieces. dense: so do full pages, for models with small pictures.",
    )
    blank: Literal["skip", "ask"] = key(
        "skip", "skip: a page with nothing on it is not sent and becomes an empty page with a note."
    )


class Output(Section):
    format: Literal["markdown", "text", "json"] = key(
        "markdown", "markdown (.md), text (.txt) or json (.json)."
    )
    name: Template = key(
        "{stem}",
        "The name of scan and text without its ending, made of {stem} {ext} {inbox} {date} {date:%Y-%m-%d}\n"
        "{sha256} {sha256:8} {pages} and, with a schema, {field:NAME} for a field of the answer, made harmless.\n"
        "A name that is taken gets -2, -3 and so on; nothing is overwritten.\n"
        "With separate pages, {page} may stand behind these; that part is for the texts alone:\n"
        '"{stem}_{page}of{pages}" makes letter.pdf, letter_1of3.md, letter_2of3.md, letter_3of3.md.',
    )
    folder: Folder | None = key(
        None,
        "Where texts go: below the inbox, or an absolute path. Empty: next to the scan, in the done folder.",
    )
    front_matter: Flag = key(
        default=False,
        about="true: model, date and digest of the scan on top of the text; with a schema its fields, too.",
    )
    sidecar: Flag = key(default=False, about="true: the same in a file of its own, NAME.meta.json.")
    pages: Literal["joined", "separate"] = key(
        "joined", "Scans of several pages: joined in one text, or separate."
    )
    page_break: Break | None = key(
        None,
        'With joined pages, a line to stand between two of them: "--- page {page} of {pages} ---". Empty:\n'
        "a comment with the page's number in Markdown, a form feed in text.",
    )
    schema_file: File | None = Field(
        default=None,
        alias="schema",
        description="With format json or markdown: a file with a JSON schema, which the answer must follow.",
    )
    collect: Collection | None = key(
        None,
        "With a schema: a table (.csv) or a list of JSON lines (.jsonl) to which each scan adds a row, such as\n"
        "receipts.csv. Below the done folder, or an absolute path.",
    )


class Defaults(Section):
    """What every inbox may set for itself, and all may share."""

    create: Flag = key(
        default=False,
        about="true: make the folder at start if it is missing. Not for a share that may be unmounted.",
    )
    prompt: Text | None = key(
        None,
        "What the model is asked: plain, markdown, table, handwriting, receipt or describe, or a text of your own.\n"
        "Empty: markdown or plain, as the output is, or to fill in the schema. A prompt of several lines begins\n"
        "with `prompt: |`.",
    )
    prompt_file: File | None = key(
        None, "The same from a file. Relative paths start at the folder of this file."
    )
    engine: Literal["ollama", "ocr"] = key(
        "ollama", "ollama, or ocr for the embedded reader of print, which needs no model and no server."
    )
    model: Models | None = key(None, "Another model, or list of models, than ollama.model.")
    options: Annotated[Options, OrNothing()] = key({}, "Put over ollama.options, one by one.")
    keep_alive: KeepAlive | None = key(None, "Another than ollama.keep_alive.")
    recursive: Flag = key(
        default=False, about="true: scans in subfolders too; done and failed get the same subfolders."
    )
    patterns: Annotated[list[Pattern], Field(min_length=1)] = key(
        ["*"], 'Names of scans, such as ["*.pdf", "scan-*"]. Files that are no scans are never touched.'
    )
    ignore: list[Pattern] = key(
        [], "Names to leave alone, besides hidden, temporary and partial files, which always are."
    )
    settle: Annotated[float | None, auto_or_duration("0s", "1h")] = key(
        AUTO,
        "How long a scan must lie unchanged before it is read. auto: 5s, for TIFF and PDF 10s, twice that\n"
        "on a network share, and longer where a scanner was seen to add pages after a longer pause.",
    )
    rescan: Annotated[float | None, auto_or_duration("1s", "1d")] = key(
        AUTO,
        "How often to look even when nothing was announced. auto: 60s, on a network share 10s. At least every\n"
        "10s where changes turn out not to be announced.",
    )
    watch: Literal["auto", "events", "poll"] = key(
        "auto",
        "auto: listen for changes on local disks, and prove by a hidden file that is made and removed now and\n"
        "then that they are announced. events: on network shares too, where such a file proves nothing about\n"
        "what other machines write. poll: never listen, only look.",
    )
    give_up_arriving: Annotated[float, duration("10s", "30d")] = key(
        "30m", "An incomplete scan that has not changed for so long goes to failed."
    )
    pages: Literal["auto", "all"] = key(
        "auto",
        "auto: every page of a document, but only the first picture of an animation. all: each of its pictures.",
    )
    max_pages: Annotated[int, whole(1, 10_000)] = key(500, "A scan with more pages goes to failed unread.")
    limits: Annotated[Limits, OrNothing()] = key({}, "A scan that needs more than this goes to failed.")
    pdf: Annotated[Pdf, OrNothing()] = key({}, "How the pages of a PDF become pictures.")
    prepare: Annotated[Prepare, OrNothing()] = key({}, "What is done to a page before it is sent.")
    tries: Annotated[int, whole(1, 8)] = key(
        4, "Recipes (sizes of the picture, options, models) tried on a page before it counts as bad."
    )
    on_bad_page: Literal["fail", "mark"] = key(
        "fail",
        "A page that cannot be read. fail: the scan goes to failed, and its reason file keeps the pages that\n"
        "were read. mark: the text is filed, with a visible note in place of the page.",
    )
    verify: Verify = key(
        AUTO,
        "Whether an embedded second reader (the extra `ocr`) looks for each text on its page. auto: where it is\n"
        "installed and there is memory for it, but not with a schema, whose values need not stand on the page.\n"
        "Write: auto, on or off.",
    )
    on_check: Literal["done", "review"] = key(
        "done",
        "A scan of which something was not found. done: it is filed like all others, with what was found in its\n"
        "front matter or sidecar. review: it goes to the review folder; moving it to done is all that is left to do.",
    )
    repeats: Annotated[float, number(0.01, 1)] = key(
        0.3,
        "An answer of which more than this share is repeated lines or groups of words is a loop; 1: never.",
    )
    free_space: Annotated[int, size("0B", "1000TB")] = key(
        "200MB", "With less room than this in a folder that it writes to, the inbox waits."
    )
    file_mode: FileMode = key(
        AUTO,
        'Rights of texts and reason files, such as "0664"; folders that are made get the same with x. auto: who\n'
        "may read or write the inbox may do so with these. A scan keeps its own.",
    )
    group: Group = key(
        AUTO,
        "Group of the same, by name or number; the user that runs dropscribe must be in it. auto: the inbox's.",
    )
    output: Annotated[Output, OrNothing()] = key({}, "The text.")
    done: Folder = key("done", "Where scans go that were read: below the inbox, or an absolute path.")
    failed: Folder = key("failed", "Where scans go that could not be read, each with a file that says why.")
    review: Folder = key("review", "Where scans go with `on_check: review`, each with its text.")


class Inbox(Defaults):
    path: Folder = key(
        ...,
        "The folder where scans arrive. It must exist; ~ and $VARIABLES are understood, $$ is a dollar sign.",
    )
    name: Name | None = key(None, "Its name in commands, log and status. Empty: the name of the folder.")


class Log(Section):
    format: Literal["auto", "console", "plain", "json"] = key(
        "auto", "auto: colours on a terminal, plain lines elsewhere, with priorities under systemd."
    )
    level: Literal["debug", "info", "warning", "error"] = key(
        "info", "The least important step that is logged."
    )


class Top(Section):
    ollama: Annotated[Ollama, OrNothing()] = key({}, "The hosts and the model that read the scans.")
    state: Folder | None = key(
        None,
        "The folder of ledger, lock and spool, on a local disk. Empty: the user's state folder, on Linux\n"
        "~/.local/state/dropscribe; /var/lib/dropscribe for /etc/dropscribe/config.yaml.",
    )
    log: Annotated[Log, OrNothing()] = key({}, "What is told, and how.")
    defaults: Annotated[Defaults, OrNothing()] = key(
        {}, "Any key of an inbox but path and name, for all inboxes that do not set it themselves."
    )
    inboxes: Annotated[list[Inbox], Field(min_length=1)] = key(
        ..., "The folders to watch, each with its own prompt and rules."
    )


def json_schema() -> dict[str, Any]:
    """JSON schema of the whole file, for editors."""
    shape = Top.model_json_schema(by_alias=True, schema_generator=_Untitled)
    return {"$schema": _Untitled.schema_dialect} | shape | {"title": "The configuration of dropscribe"}


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def inner(model: type[Section]) -> dict[str, type[Section]]:
    """Those keys of a section that hold a section, or a list of them."""
    found = {}
    for name, field in model.model_fields.items():
        held = [field.annotation, *get_args(field.annotation)]
        section = next((one for one in held if isinstance(one, type) and issubclass(one, Section)), None)
        if section:
            found[field.alias or name] = section
    return found


def keys(model: type[Section]) -> dict[str, FieldInfo]:
    """The keys of a section in the order in which people look for them: its own before those it shares."""
    shared = {name for base in model.__bases__ for name in getattr(base, "model_fields", {})}
    by_name = sorted(model.model_fields.items(), key=lambda item: item[0] in shared)
    return {field.alias or name: field for name, field in by_name}
