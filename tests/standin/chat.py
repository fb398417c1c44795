"""POST /api/chat: from a well-formed request to its answer, checked in the order of the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.standin import answers, models
from tests.standin.faults import LATE
from tests.standin.options import check_format, check_options
from tests.standin.refused import Refused, cannot_load, nested, too_long
from tests.standin.reply import Clock, Reply
from tests.standin.wire import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tests.standin.asked import Request
    from tests.standin.models import Model
    from tests.standin.script import Fault
    from tests.standin.server import Standin
    from tests.standin.wire import Talk

_ASSERT = (
    "an error was encountered while running the model: GGML_ASSERT(hparams.n_pos_per_embd() == 1 && "
    '"seq_add() is only supported for n_pos_per_embd() == 1") failed\nsignal arrived during cgo execution'
)
_REPEATS = 30


class Answering:
    """One request in its slot: what will be said, how much of it, and the way to say it."""

    def __init__(self, standin: Standin, talk: Talk, request: Request, name: str, model: Model) -> None:
        self.standin = standin
        self.name = name
        self.talk = talk
        self.request = request
        self.model = model
        self.clock = Clock(standin.first_token_seconds, standin.token_seconds)
        self.options = check_options(request.options)
        self.num_ctx = model.num_ctx(self.options.get("num_ctx"))
        self.prompt = answers.prompt_tokens(request)
        self.blind = False
        more = {"remote_host": model.remote_host} if model.remote_host else {}
        self.reply = Reply(talk, request.model, more, stream=request.stream)

    @property
    def limit(self) -> int:
        asked: int = self.options.get("num_predict", -1)
        limit = asked if asked >= 0 else 10 * self.num_ctx
        # only from 0.30 on does an answer end where the context is full
        return min(limit, self.num_ctx - self.prompt) if self.standin.current else limit

    def text(self) -> str:
        read = self.standin.reader
        plain = read(self.request) if read else answers.reading(self.request, blind=self.blind)
        return answers.shaped(plain, self.request.format, self.request.mark or 0)

    def admit(self) -> None:
        """Raises Refused for pictures and prompts that the runner does not take."""
        check_format(self.request.format)
        sights = self.request.sights
        if sights and not self.model.vision:
            self._no_vision()
            return
        if self.model.architecture == "mllama" and len(sights) > 1:
            raise Refused(500, "this model only supports one image while more than one image requested")
        for sight in sights:
            if sight.problem:
                raise sight.problem
            self.prompt += self.model.tokens(sight.width, sight.height, current=self.standin.current)
        if self.prompt >= self.num_ctx:
            self._overflow()

    def answer(self, text: str | None = None) -> None:
        """Says `text`, or what it reads in the picture, and ends as a model does."""
        think = self.request.think
        if self.model.thinking and (think is None or think):
            self.say(answers.pieces(answers.THINKING), thinking=True)
        said = self.text() if text is None else text
        self.end(self.say(answers.pieces(self._until_stop(said))))

    def say(self, pieces: Iterable[str], *, thinking: bool = False) -> str:
        """Piece by piece as they are due; returns `done_reason`, empty when the server gave up on repeats."""
        last, repeats = None, 0
        for piece in pieces:
            if self.reply.count >= self.limit:
                return "length"
            repeats = repeats + 1 if piece.strip() == last else 0
            last = piece.strip()
            if repeats > _REPEATS and self.model.rendered:
                return ""
            self.talk.wait_until(self.clock.token(self.reply.count))
            self.reply.piece(piece, thinking=thinking)
        return "length" if self.reply.count >= self.limit else "stop"

    def end(self, reason: str) -> None:
        self.reply.finish(self.closing(reason) if reason else self.reply.unfinished())

    def closing(self, reason: str) -> bytes:
        count = self.reply.count + (reason == "stop")
        return self.reply.closing(reason, self.clock.counters(self.prompt, count))

    def _until_stop(self, text: str) -> str:
        places = [text.find(stop) for stop in self.options.get("stop", ()) if stop]
        return text[: min((place for place in places if place >= 0), default=len(text))]

    def _no_vision(self) -> None:
        if not self.standin.current:
            self.blind = True
        elif self.model.rendered:
            message = "Multimodal data provided, but model does not support multimodal requests."
            raise nested(400, message, "invalid_request_error")
        else:
            hint = "hint: if this is unexpected, you may need to provide the mmproj"
            raise nested(500, f"image input is not supported - {hint}", "server_error")

    def _overflow(self) -> None:
        if self.standin.current:
            raise too_long(self.prompt, self.num_ctx)
        if not self.request.truncate:
            raise Refused(400, "the input length exceeds the context length")
        if self.model.architecture == "qwen2vl":
            raise Refused(500, _ASSERT)
        self.prompt, self.blind = self.num_ctx, True  # the front of the prompt went, and the picture with it


def chat(standin: Standin, talk: Talk, request: Request, fault: Fault | None) -> None:
    """Answers `request`; raises Refused as long as nothing was sent."""
    name, model = _installed(standin, request)
    if not request.messages and request.keep_seconds == 0:
        standin.runners.drop(name)
        talk.json(200, _empty(request, "unload"))
        return
    _check_abilities(request, model)
    answering = Answering(standin, talk, request, name, model)
    if model.architecture == "mllama" and standin.current:
        raise cannot_load(model.architecture)
    with standin.runners.slot(
        name, answering.num_ctx, request.keep_seconds, standin.parallel, talk
    ) as runner:
        standin.runners.load(runner, answering.num_ctx, standin.load_seconds, talk)
        answering.clock.load()
        if not request.messages:
            talk.json(200, _empty(request, "load"))
            return
        answering.admit()
        talk.work_until(answering.clock.evaluated)
        if fault is None:
            answering.answer()
        else:
            LATE[fault.kind](answering, fault)


def _installed(standin: Standin, request: Request) -> tuple[str, Model]:
    found = models.find(standin.models, request.model)
    if found:
        return found
    if request.model.endswith(("-cloud", ":cloud")):
        raise Refused(401, "unauthorized")
    raise Refused(404, f"model '{request.model}' not found")


def _check_abilities(request: Request, model: Model) -> None:
    if request.think and not model.thinking:
        raise Refused(400, f'"{request.model}" does not support thinking')
    if "completion" not in model.capabilities:
        raise Refused(400, f'"{request.model}" does not support chat')


def _empty(request: Request, reason: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": ""}
    return {
        "model": request.model,
        "created_at": stamp(),
        "message": message,
        "done": True,
        "done_reason": reason,
    }
