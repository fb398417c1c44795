"""How each kind of fault looks from outside.

Early ones strike before the request is looked at, and on any path:
    http  busy  loading  not_found  mllama_500  unauthorized  redirect  reset_before  silence_before
Late ones strike a chat request that is in its slot, with its model loaded and its picture encoded:
    the runner       out_of_memory  runner_died  eof_500  error_line  context_400  load_picture_400
    the connection   reset  close  silence_mid  drip  slow_headers  early_headers  held_open
                     flood  gzip_bomb  malformed
    the answer       no_done  empty  thinking_only  length  loop  repeat_token_guard
                     refusal  echo_prompt  wrap  text  stubborn
"""

from __future__ import annotations

import time
import zlib
from itertools import chain, cycle, islice, repeat
from typing import TYPE_CHECKING

from tests.standin import answers
from tests.standin.refused import Refused, bad_picture, cannot_load, runner_died, too_long
from tests.standin.wire import JSON, chunk, go_json, head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.standin.chat import Answering
    from tests.standin.script import Fault
    from tests.standin.wire import Talk

_EOF = "an error was encountered while running the model: unexpected EOF"
_EARLY_ERRORS = {
    "busy": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "loading": (500, "unexpected server status: llm server loading model"),
    "mllama_500": (500, cannot_load("mllama").text),
}
_RUNNER_ERRORS = {
    "out_of_memory": "model requires more system memory (12.3 GiB) than is available (5.1 GiB)",
    "runner_died": runner_died().text,
    "eof_500": _EOF,
}
_REFUSAL = "I'm sorry, but I can't assist with transcribing this image."
_BLOCK = 65536


def _http(talk: Talk, fault: Fault, _model: str | None) -> None:
    body = go_json({"error": fault.error}) if fault.body is None else fault.body.encode()
    more = {name: value for name, value in fault.headers.items() if name.lower() != "content-type"}
    kind = next((value for name, value in fault.headers.items() if name.lower() == "content-type"), JSON)
    talk.reply(fault.status, body, kind, more)


def _early_error(talk: Talk, fault: Fault, _model: str | None) -> None:
    talk.error(*_EARLY_ERRORS[fault.kind])


def _not_found(talk: Talk, _fault: Fault, model: str | None) -> None:
    talk.error(404, f"model '{model}' not found")


def _unauthorized(talk: Talk, _fault: Fault, _model: str | None) -> None:
    talk.json(
        401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect?name=standin&key=c3Rhbg"}
    )


def _redirect(talk: Talk, fault: Fault, _model: str | None) -> None:
    talk.reply(302, b"", "", {"Location": fault.url})


def _reset_before(talk: Talk, _fault: Fault, _model: str | None) -> None:
    talk.reset()


def _silence_before(talk: Talk, _fault: Fault, _model: str | None) -> None:
    talk.hold()


def _runner_error(a: Answering, fault: Fault) -> None:
    a.standin.runners.drop(a.name)
    a.reply.error(500, _RUNNER_ERRORS[fault.kind])


def _error_line(a: Answering, fault: Fault) -> None:
    _begin(a, fault)
    a.standin.runners.drop(a.name)
    a.reply.error(500, _EOF)


def _context(a: Answering, _fault: Fault) -> None:
    if a.standin.current:
        raise too_long(max(a.prompt, a.num_ctx + 127), a.num_ctx)
    raise Refused(400, "the input length exceeds the context length")


def _load_picture(a: Answering, _fault: Fault) -> None:
    if a.standin.current:
        raise bad_picture()
    raise Refused(500, "Failed to create new sequence: failed to process inputs: image: unknown format")


def _reset(a: Answering, fault: Fault) -> None:
    _begin(a, fault)
    a.talk.reset()


def _close(a: Answering, fault: Fault) -> None:
    _begin(a, fault)
    a.talk.hang_up()


def _silence_mid(a: Answering, fault: Fault) -> None:
    _begin(a, fault)
    a.talk.hold()


def _drip(a: Answering, fault: Fault) -> None:
    """The whole answer is one line, or one object, and it comes byte by byte."""
    line = b""
    if a.reply.stream:
        a.reply.count, line = 1, a.reply.line(a.text())
    else:
        a.reply.piece(a.text())
    a.reply.open()
    a.talk.drip(line + a.closing("stop"), fault.gap, chunk)
    a.reply.finish()


def _slow_headers(a: Answering, fault: Fault) -> None:
    a.reply.open(gap=fault.gap)
    a.answer()


def _early_headers(a: Answering, fault: Fault) -> None:
    """As a proxy does that passes the header on before there is anything to say."""
    a.reply.open()
    a.talk.wait_until(time.monotonic() + fault.gap)
    a.answer()


def _held_open(a: Answering, _fault: Fault) -> None:
    """The whole answer, but never the end of the HTTP body."""
    a.say(answers.pieces(a.text()))
    a.reply.raw(a.closing("stop"))
    a.talk.hold()


def _flood(a: Answering, fault: Fault) -> None:
    """One line of `size` bytes, valid if it ever ends."""
    line = a.reply.line("|")
    if not a.reply.stream:
        a.reply.piece("|")
        line = a.closing("stop")
    before, after = line.split(b"|")
    a.reply.raw(before)
    for block in _blocks(b"x", fault.size):
        a.reply.raw(block)
    a.reply.raw(after)
    a.reply.finish(a.closing("stop") if a.reply.stream else b"")


def _gzip_bomb(a: Answering, fault: Fault) -> None:
    """A small body that unpacks to `size` bytes of blanks in one line."""
    squeeze = zlib.compressobj(wbits=31)
    a.talk.status = 200
    fields = {"Content-Type": JSON, "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    a.talk.send(head(200, fields))
    for block in chain(_blocks(b" ", fault.size), [a.closing("stop")]):
        if packed := squeeze.compress(block):
            a.talk.send(chunk(packed))
    a.talk.send(chunk(squeeze.flush()) + b"0\r\n\r\n", last=True)


def _malformed(a: Answering, fault: Fault) -> None:
    _begin(a, fault)
    a.reply.raw(a.reply.line("the rest of this")[:-25] + b"\n")
    a.reply.finish()


def _no_done(a: Answering, _fault: Fault) -> None:
    a.say(answers.pieces(a.text()))
    a.end("")


def _empty(a: Answering, _fault: Fault) -> None:
    a.end("stop")


def _thinking_only(a: Answering, _fault: Fault) -> None:
    a.say(answers.pieces(f"{answers.THINKING} {a.text()}"), thinking=True)
    a.end("stop")


def _length(a: Answering, _fault: Fault) -> None:
    pieces = answers.pieces(a.text())
    a.say(pieces[: len(pieces) // 2 + 1])
    a.end("length")


def _loop(a: Answering, fault: Fault) -> None:
    pieces = answers.pieces(a.text())
    turn = [f" again{place}" for place in range(fault.period - 1)] + [" again\n"]
    a.end(a.say(chain(pieces[: fault.lines], cycle(turn))))


def _repeat_token_guard(a: Answering, _fault: Fault) -> None:
    a.say(islice(repeat(" INVOICE"), 31))
    a.end("")


def _says(tell: Callable[[Answering, Fault], str]) -> Callable[[Answering, Fault], None]:
    def strike(a: Answering, fault: Fault) -> None:
        a.answer(tell(a, fault))

    return strike


def _begin(a: Answering, fault: Fault) -> None:
    a.say(answers.pieces(a.text())[: fault.lines])


def _blocks(byte: bytes, size: int | None) -> Iterator[bytes]:
    if size is None:
        yield from repeat(byte * _BLOCK)
        return
    whole, rest = divmod(size, _BLOCK)
    yield from repeat(byte * _BLOCK, whole)
    yield byte * max(1, rest)


EARLY: dict[str, Callable[[Talk, Fault, str | None], None]] = {
    **dict.fromkeys(_EARLY_ERRORS, _early_error),
    "http": _http,
    "not_found": _not_found,
    "unauthorized": _unauthorized,
    "redirect": _redirect,
    "reset_before": _reset_before,
    "silence_before": _silence_before,
}
LATE: dict[str, Callable[[Answering, Fault], None]] = {
    **dict.fromkeys(_RUNNER_ERRORS, _runner_error),
    "error_line": _error_line,
    "context_400": _context,
    "load_picture_400": _load_picture,
    "reset": _reset,
    "close": _close,
    "silence_mid": _silence_mid,
    "drip": _drip,
    "slow_headers": _slow_headers,
    "early_headers": _early_headers,
    "held_open": _held_open,
    "flood": _flood,
    "gzip_bomb": _gzip_bomb,
    "malformed": _malformed,
    "no_done": _no_done,
    "empty": _empty,
    "thinking_only": _thinking_only,
    "length": _length,
    "loop": _loop,
    "repeat_token_guard": _repeat_token_guard,
    "refusal": _says(lambda _a, _fault: _REFUSAL),
    "echo_prompt": _says(lambda a, _fault: a.request.prompt),
    "wrap": _says(lambda a, _fault: f"Here is the text:\n\n```\n{a.text()}\n```"),
    # The wrong text, until the prompt says `body`.
    "stubborn": _says(
        lambda a, fault: a.text() if fault.body and fault.body in a.request.prompt else fault.text
    ),
    "text": _says(lambda _a, fault: fault.text),
}
