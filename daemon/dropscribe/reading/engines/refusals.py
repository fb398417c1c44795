"""Everything an Ollama server says instead of an answer, by what it demands of us; pure.

Texts are those of ollama/ollama (`server/routes.go`, `server/sched.go`, `llm/llama_server.go`) and llama.cpp
(`tools/server/`), seen on servers of both lines: Ollama's own engine up to 0.24, llama-server from 0.30 on.
The status alone does not say whether a retry helps: an option of the wrong type is a 500.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from dropscribe.errors import BadAnswer, Failure, Misconfigured, Unavailable
from dropscribe.reading.engines.said import Said, read
from dropscribe.reading.models import DEFAULT_MODEL, RECOMMENDED, is_mllama
from dropscribe.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Made = Callable[[Said], Failure]
    Rule = tuple[str, Made]

_REASON_LIMIT: Final = 400
_LONGEST_WAIT: Final = 300.0  # seconds


def classify(status: int, body: str, *, model: str, streamed: bool = False, location: str = "") -> Failure:
    """The failure that an answer other than a finished one means; never raises.

    `streamed`: `body` is a line of an answer that had begun with a 200. `location`: the header of a redirect.
    """
    said = read(body, model)
    failure = _by_text(said, server_failed=streamed or status >= 500)
    if failure is None:
        failure = _IN_MID_ANSWER(said) if streamed else _by_status(status, said, location)
    failure.reason = one_line(failure.reason, _REASON_LIMIT)
    failure.args = (failure.reason,)
    return failure


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks us to wait, at most 300; a date counts from the answer's own `Date`."""
    found = {name.lower(): str(value).strip() for name, value in headers.items()}
    wanted = found.get("retry-after", "")
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", wanted):
        return min(float(wanted), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(wanted) - parsedate_to_datetime(found.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait.total_seconds(), 0.0), _LONGEST_WAIT)


# --- how a failure is made; {model}, {words} and {default} stand for what they say


def _parked(reason: str, fix: str = "", *, lasting: bool = False) -> Made:
    return lambda said: Misconfigured(_filled(reason, said), _filled(fix, said), lasting=lasting)


def _rests(reason: str, fix: str = "", *, suspect: bool = False, soon: bool = False) -> Made:
    return lambda said: Unavailable(_filled(reason, said), _filled(fix, said), suspect=suspect, soon=soon)


def _other_recipe(verdict: str, reason: str) -> Made:
    return lambda said: BadAnswer(verdict, _filled(reason, said))


def _filled(template: str, said: Said) -> str:
    return template.format(model=said.model, words=said.words, default=DEFAULT_MODEL)


def _cannot_load(said: Said) -> Failure:
    if "mllama" in said.text.lower() or is_mllama(said.model):
        return _MLLAMA(said)
    return _parked(
        "this Ollama server cannot load {model}: {words}",
        "update Ollama on the server, or use another model: run `ollama pull {default}` there",
        lasting=True,
    )(said)


def _too_long(said: Said) -> Failure:
    needed, room = said.number("n_prompt_tokens"), said.number("n_ctx")
    if needed and room:
        return BadAnswer("context", f"picture and prompt take {needed:,} tokens, and num_ctx allows {room:,}")
    return BadAnswer("context", "picture and prompt are larger than num_ctx allows")


_USE_DEFAULT = "run `ollama pull {default}` on the server and set `model: {default}`"
_MLLAMA = _parked(
    "this Ollama server cannot load {model}: only servers up to 0.24 read the llama3.2-vision family",
    f"use {', '.join(f'{name} for {memory} GB of memory' for memory, name in RECOMMENDED)}: {_USE_DEFAULT}",
    lasting=True,
)
_BLIND = _parked(
    "the model {model} cannot see pictures", f"use a model with vision: {_USE_DEFAULT}", lasting=True
)
_PICTURE = _other_recipe("picture", "the server could not decode the picture")
_CLOUD = _parked(
    "{model} runs in the cloud, and the server may not use it: {words}", f"use a local model: {_USE_DEFAULT}"
)
_SETTING = _parked(
    "the server does not take a setting: {words}", "correct `options` or `keep_alive` in the config"
)
_SCHEMA = _parked(
    "the server does not take the JSON schema: {words}", "correct `output.schema` in the config"
)
_MEMORY = _rests(
    "the server has too little memory for {model}: {words}",
    "close other programs there, or use a smaller model or a smaller num_ctx",
)
_DIED = _rests(
    "the program that runs {model} on the server died: {words}",
    "look at the server's log; memory may be short",
    suspect=True,
)
_IN_MID_ANSWER = _rests("the server failed in the middle of its answer: {words}", suspect=True)


# --- by what it says: the first that matches counts, for several texts contain those of a later rule

_ALWAYS: Final[tuple[Rule, ...]] = (
    ("unknown model architecture", _cannot_load),
    ("may be incompatible with your version of ollama", _cannot_load),
    (
        "no longer compatible with your version of ollama",
        _parked(
            "{model} was downloaded for an older Ollama and cannot be loaded by this one",
            "run `ollama pull {model}` on the server, or use {default}",
            lasting=True,
        ),
    ),
    ("image input is not supported|missing data required for image input", _BLIND),
    ("does not support multimodal", _BLIND),
    ("exceed_context_size|exceeds the available context|exceeds the context length", _too_long),
    ("entire prompt removed by truncation|samebatch may not be specified", _too_long),
    # Up to 0.24 the runner shortens the prompt of a model like qwen2.5vl, and dies of it.
    (r"seq_add\(\) is only supported", _too_long),
    ("failed to load image or audio file|invalid image input|image: unknown format", _PICTURE),
    ("(?:jpeg|png|bmp|webp|tiff|gif): |invalid jpeg|unsupported jpeg", _PICTURE),
    ("failed to process inputs: unexpected eof", _PICTURE),
    ("cloud is disabled|remote model is unavailable", _CLOUD),
    ("error reaching cloud", _rests("the server cannot reach the cloud service that runs {model}")),
    ("maximum pending requests|server busy", _rests("the server is busy: its queue is full", soon=True)),
    (
        "model is required|invalid model name|use either :local or :cloud",
        _parked(
            'the server does not take "{model}" as the name of a model: {words}',
            "correct `model` in the config; an example is {default}",
        ),
    ),
    (
        "does not support (?:chat|generate)",
        _parked(
            "the model {model} is not made to answer questions",
            f"use a model with vision: {_USE_DEFAULT}",
            lasting=True,
        ),
    ),
    (r"option \S+ must be of type|does not support (?:thinking|tools)|invalid think value", _SETTING),
    ("invalid duration|missing unit in duration|unknown unit", _SETTING),
    ("invalid format:|json schema|grammar|unable to generate parser", _SCHEMA),
)
_SERVER_FAILED: Final[tuple[Rule, ...]] = (
    ("more system memory|unable to load full model on gpu|out of memory|cudamalloc failed", _MEMORY),
    ("(?:failed|unable) to allocate|(?:not enough|insufficient) memory", _MEMORY),
    (
        "error loading model",
        _parked(
            "the server cannot load {model}: {words}",
            "run `ollama pull {model}` on the server again, or update Ollama there",
            lasting=True,
        ),
    ),
    (
        r"timed out waiting for llama|\bloading model",
        _rests("the server has not finished loading {model}", "wait, or look at the server's log"),
    ),
    (
        "no longer running|unexpected server status|health resp",
        _rests("the program that runs {model} on the server is not running", soon=True),
    ),
    ("request cancell?ed|context canceled", _rests("the server cancelled the request")),
    (
        "failed to process mtmd chunk",
        _rests("the server failed while it looked at the picture", suspect=True),
    ),
    ("unexpectedly stopped|process has terminated|unexpected eof|ggml_assert|cuda error", _DIED),
    ("while running the model|signal arrived during cgo", _DIED),
)
_REFUSED: Final[tuple[Rule, ...]] = (
    (
        "model .*not found",
        _parked(
            "the model {model} is not installed on the server", "run `ollama pull {model}` on the server"
        ),
    ),
    (
        "missing request body|unexpected eof|cannot unmarshal|illegal base64|invalid character",
        _parked(
            "the server did not understand the request: {words}",
            "make sure that no proxy on the way changes requests; if there is none, report a bug",
        ),
    ),
)


def _by_text(said: Said, *, server_failed: bool) -> Failure | None:
    own = _SERVER_FAILED if server_failed else _REFUSED if said.is_json else ()
    text = f"{said.text} {said.fields.get('type')}"
    return next(
        (made(said) for found, made in (*_ALWAYS, *own) if re.search(found, text, re.IGNORECASE)), None
    )


# --- by its status, where the words are unknown

_STATUSES: Final[Mapping[int, Made]] = {
    401: _parked(
        "the server wants a login for {model}, as for a cloud model", f"use a local model: {_USE_DEFAULT}"
    ),
    402: _parked(
        "the server wants a payment for {model}, a cloud model", f"use a local model: {_USE_DEFAULT}"
    ),
    408: _rests("the request took too long to arrive"),
    413: _other_recipe("picture", "the picture is larger than the server, or a proxy before it, takes"),
    429: _rests("the server asks for fewer requests"),
    499: _rests("the server cancelled the request"),
    502: _rests("a proxy does not reach the server just now", soon=True),
    503: _rests("the server cannot answer just now", soon=True),
    504: _rests("a proxy gave up waiting for the server", "raise the proxy's time-out to 30 minutes"),
}
_HOST_NAME = _parked(
    "the server refuses requests under the host name in `url`",
    "start it with OLLAMA_HOST=0.0.0.0, or let the proxy before it send `Host: localhost`",
)


def _by_status(status: int, said: Said, location: str) -> Failure:
    if status in _STATUSES:
        return _STATUSES[status](said)
    if status >= 500:
        words = f": {said.words}" if said.words else " and did not say why"
        return Unavailable(f"the server failed (status {status}){words}", suspect=True)
    if 300 <= status < 400:
        where = f" to {one_line(location, 200)}" if location else ""
        return Misconfigured(
            f"the server redirects{where}, and redirects are not followed",
            "put the address where Ollama really answers into `url`",
        )
    if status == 403 and not said.words:
        return _HOST_NAME(said)
    if said.is_json and status not in {404, 405}:
        return Misconfigured(f"the server refuses the request (status {status}): {said.words}")
    return Misconfigured(
        f"this is not an Ollama server, or the URL has a stray path (status {status})",
        "`url` is the bare address, for instance http://localhost:11434",
    )
