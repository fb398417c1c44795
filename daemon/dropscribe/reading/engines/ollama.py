"""The `ollama` engine: native `/api/chat`, always streamed.

Facts about the server are from ollama/ollama's source (`server/routes.go`, `api/types.go`, `llm/llama_server.go`)
at v0.24.0 and v0.33.0, and from what real servers of both lines answered.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable
from dropscribe.reading.engines import ModelState
from dropscribe.reading.engines.refusals import classify, retry_after
from dropscribe.reading.engines.wire import Stream, Timeouts, Wire
from dropscribe.reading.models import DEFAULT_MODEL
from dropscribe.reading.repeats import LOOK_BACK, LOOK_BACK_IN_JSON, runaway, runaway_json
from dropscribe.values import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dropscribe.errors import Failure
    from dropscribe.stop import Stop
    from dropscribe.values import Picture, Recipe

_PLACE: Final = "@picture@"
_LOOK_EVERY: Final = 64  # new characters between two looks
_BELIEVED: Final = 60.0
"""Seconds for which a look at a model is believed: its name may mean another one by then, or one in the cloud."""


class OllamaEngine:
    """One request at a time to one Ollama server; several of these share a host that works in parallel."""

    def __init__(self, url: str, timeouts: Timeouts, allow_cloud: Collection[str] = ()) -> None:
        self.host = url
        self._wire = Wire(url, timeouts)
        self._allow_cloud = frozenset(allow_cloud)
        self._states: dict[str, tuple[ModelState, float]] = {}

    def new_scan(self) -> None:
        self._states.clear()

    def rest(self) -> None:
        pass

    def close(self) -> None:
        self._wire.close()

    def check(self, model: str, *, stop: Stop) -> ModelState:
        version = self._get("/api/version", stop).get("version")
        listed = _find(model, self._get("/api/tags", stop).get("models"))
        if listed is None:
            raise Misconfigured(
                f"the model {model} is not installed at {self.host}", f"run `ollama pull {model}` there"
            )
        status, body = self._wire.small("POST", "/api/show", {"model": model}, stop=stop)
        if status != 200:
            raise self._not_said("/api/show", status, body, model)
        self._refuse_unfit(model, listed, _object(body))
        state = ModelState(str(listed.get("digest") or ""), str(version or ""))
        self._states[model] = state, time.monotonic()
        return state

    def _known(self, model: str, stop: Stop) -> ModelState:
        state, at = self._states.get(model, (None, 0.0))
        if state is not None and time.monotonic() < at + _BELIEVED:
            return state
        return self.check(model, stop=stop)

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        # Before 0.30 a model without vision silently ignores the picture and answers 200: ask first.
        state = self._known(recipe.model, stop)
        began = time.monotonic()
        with self._wire.post("/api/chat", _body(picture, recipe), stop=stop) as stream:
            if stream.status != 200:
                raise self._refused(stream, recipe)
            reply = _Reply(filled=recipe.schema is not None)
            self._listen(stream, reply, recipe)
        return Answer(
            text=_joined(reply.pieces),
            done=reply.done,
            done_reason=reply.done_reason,
            thinking=_joined(reply.thoughts),
            cut=reply.cut,
            model=recipe.model,
            model_digest=state.digest,
            host=self.host,
            server=state.version,
            prompt_tokens=reply.prompt_tokens,
            tokens=reply.tokens,
            seconds=time.monotonic() - began,
        )

    def installed(self, *, stop: Stop) -> tuple[str, ...]:
        """The names of all models at this host; raises Unavailable, Misconfigured, Stopped."""
        models = self._get("/api/tags", stop).get("models")
        return tuple(str(m.get("name")) for m in models or () if isinstance(m, dict))

    def _listen(self, stream: Stream, reply: _Reply, recipe: Recipe) -> None:
        for line in stream.lines():
            if not line.strip():
                continue
            message = _object(line)
            if "error" in message:
                raise self._remember(classify(500, _text(line), model=recipe.model, streamed=True), recipe)
            # An endless loop is cut here: the server itself would go on for up to ten times num_ctx tokens.
            if not reply.take(message) or reply.loops():
                return
            if reply.done:
                # What a server still sends is no part of the answer, and one that sends nothing costs it nothing.
                stream.finish()
                return

    def _refused(self, stream: Stream, recipe: Recipe) -> Exception:
        moved = stream.headers.get("Location", "")
        failure = classify(stream.status, _text(stream.body()), model=recipe.model, location=moved)
        if isinstance(failure, Unavailable):
            failure.after = retry_after(stream.headers) or 0.0
        return self._remember(failure, recipe)

    def _remember(self, failure: Exception, recipe: Recipe) -> Exception:
        # Whatever it was, the next request looks again at what the server has.
        self._states.pop(recipe.model, None)
        return failure

    def _refuse_unfit(self, model: str, listed: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
        remote = listed.get("remote_host") or shown.get("remote_host")
        if remote and model not in self._allow_cloud:
            raise Misconfigured(
                f"the model {model} runs at {remote}, outside your network",
                "use a local model, or name this one under ollama.allow_cloud",
            )
        # Servers before 2025 send no list of capabilities.
        capabilities = shown.get("capabilities")
        if isinstance(capabilities, list) and "vision" not in capabilities:
            raise Misconfigured(
                f"the model {model} at {self.host} cannot see pictures",
                f"choose a model with vision, for instance `ollama pull {DEFAULT_MODEL}`",
            )

    def _get(self, path: str, stop: Stop) -> Mapping[str, Any]:
        status, body = self._wire.small("GET", path, stop=stop)
        if status != 200:
            raise self._not_said(path, status, body, "")
        answer = _object(body)
        if not answer:
            raise Unavailable(f"{self.host} did not answer {path} like an Ollama server", "check the URL")
        return answer

    def _not_said(self, path: str, status: int, body: bytes, model: str) -> Failure:
        """No picture was sent, so none can be at fault."""
        failure = classify(status, _text(body), model=model)
        if isinstance(failure, BadAnswer):
            return Unavailable(
                f"{self.host} does not answer {path} (status {status})", "look at the server's log"
            )
        return failure


class _Reply:
    """An answer under way; `filled`: it is to be JSON."""

    def __init__(self, *, filled: bool = False) -> None:
        self._filled = filled
        self._look_back = LOOK_BACK_IN_JSON if filled else LOOK_BACK
        self.pieces: list[str] = []
        self.thoughts: list[str] = []
        self.done = False
        self.done_reason = ""
        self.cut = ""
        self.prompt_tokens = 0
        self.tokens = 0
        self._tail = ""
        self._unseen = 0

    def take(self, message: Mapping[str, Any]) -> bool:
        """Add one line; false if it was none, so that what follows is not worth reading."""
        part = message.get("message")
        if not isinstance(part, dict):
            return bool(message)
        piece = _string(part.get("content"))
        self.pieces.append(piece)
        self.thoughts.append(_string(part.get("thinking")))
        self._tail = (self._tail + piece)[-self._look_back :]
        self._unseen += len(piece)
        if message.get("done") is True:
            self.done = True
            self.done_reason = _string(message.get("done_reason"))
            self.prompt_tokens = _count(message.get("prompt_eval_count"))
            self.tokens = _count(message.get("eval_count"))
        return True

    def loops(self) -> bool:
        if self.done or self._unseen < _LOOK_EVERY:
            return False
        self._unseen = 0
        if runaway_json(self._tail) if self._filled else runaway(self._tail):
            self.cut = "loop"
        return bool(self.cut)


def _body(picture: Picture, recipe: Recipe) -> bytes:
    """The request, with the picture spliced in: json.dumps over a megabyte of base64 costs milliseconds."""
    message = {"role": "user", "content": recipe.prompt, "images": [_PLACE]}
    request: dict[str, Any] = {
        "model": recipe.model,
        "stream": True,
        # Left out, the server turns thinking on for every model that can.
        "think": False,
        # num_ctx and num_predict are always in the options: the server's own defaults are 4096 and endless.
        "options": dict(recipe.options),
    }
    if recipe.keep_alive is not None:
        request["keep_alive"] = recipe.keep_alive
    if recipe.schema is not None:
        request["format"] = dict(recipe.schema)
    # Last, so that the last place for a picture is ours whatever prompt and schema say.
    request["messages"] = [message]
    head, _, tail = json.dumps(request).encode().rpartition(_PLACE.encode())
    return b"".join((head, base64.b64encode(picture.data), tail))


def _find(model: str, models: object) -> Mapping[str, Any] | None:
    wanted = model.lower() if ":" in model.rpartition("/")[2] else f"{model.lower()}:latest"
    for listed in models if isinstance(models, list) else ():
        if isinstance(listed, dict) and _string(listed.get("name")).lower() == wanted:
            return listed
    return None


def _object(data: bytes) -> Mapping[str, Any]:
    """The JSON object in `data`, or an empty one: an unfinished or foreign line is no message."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _joined(pieces: Sequence[str]) -> str:
    """The text; a character beyond U+FFFF whose halves came in two lines becomes whole."""
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
