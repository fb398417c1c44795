"""The answer to a chat request, as NDJSON lines or as one object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.standin.wire import JSON, LAST_CHUNK, NDJSON, chunk, go_json, head, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.standin.wire import Talk


class Reply:
    """Nothing, not even the status, leaves before the first piece; if not streamed, before the end."""

    def __init__(self, talk: Talk, model: str, more: Mapping[str, object], *, stream: bool) -> None:
        self.talk = talk
        self.stream = stream
        self._model = model
        self._more = more
        self._opened = False
        self._content: list[str] = []
        self._thinking: list[str] = []
        self.count = 0

    def piece(self, content: str, *, thinking: bool = False) -> None:
        self.count += 1
        self.talk.pieces = self.count
        if self.stream:
            self.raw(self.line(content, thinking=thinking))
        else:
            (self._thinking if thinking else self._content).append(content)

    def line(self, content: str, *, thinking: bool = False) -> bytes:
        message = {"content": "", "thinking": content} if thinking else {"content": content}
        return self._object(message, done=False)

    def closing(self, reason: str, counters: Mapping[str, int]) -> bytes:
        """The last line, or the whole object; counters that are zero are left out as Go does."""
        counted = {name: value for name, value in counters.items() if value}
        return self._object(self._message(), done=True, done_reason=reason, **counted)

    def unfinished(self) -> bytes:
        """The end without `done`: no line at all, or an object that says `"done":false`."""
        return b"" if self.stream else self._object(self._message(), done=False)

    def error(self, status: int, text: str) -> None:
        """A status of its own as long as nothing was sent, else a last line under the 200."""
        if self._opened:
            self.finish(go_json({"error": text}) + b"\n")
        else:
            self.talk.error(status, text)

    def open(self, *, gap: float | None = None) -> None:
        """The header of a 200, with `gap` seconds between its bytes if given."""
        self._opened = True
        self.talk.status = 200
        kind = NDJSON if self.stream else JSON
        data = head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})
        if gap is None:
            self.talk.send(data)
        else:
            self.talk.drip(data, gap)

    def raw(self, data: bytes) -> None:
        """Bytes of the body, whatever they are."""
        if not self._opened:
            self.open()
        self.talk.send(chunk(data))

    def finish(self, data: bytes = b"") -> None:
        """The last bytes of the body and its end."""
        if not self.stream and not self._opened:
            self.talk.reply(200, data, JSON)
            return
        if not self._opened:
            self.open()
        self.talk.send((chunk(data) if data else b"") + LAST_CHUNK, last=True)

    def _message(self) -> dict[str, str]:
        message = {"content": "".join(self._content)}  # both lists are empty when streaming
        return message | ({"thinking": "".join(self._thinking)} if self._thinking else {})

    def _object(self, message: Mapping[str, str], **more: object) -> bytes:
        value = {
            "model": self._model,
            **self._more,
            "created_at": stamp(),
            "message": {"role": "assistant", **message},
            **more,
        }
        return go_json(value) + (b"\n" if self.stream else b"")


class Clock:
    """When what is due: fixed service times on the monotonic clock, so that delays do not add up."""

    def __init__(self, first_token: float, token: float) -> None:
        self.started = time.monotonic()
        self.loaded = self.started
        self.evaluated = self.started
        self._first_token = first_token
        self._token = token

    def load(self) -> None:
        self.loaded = time.monotonic()
        self.evaluated = self.loaded + self._first_token

    def token(self, count: int) -> float:
        """The moment at which the piece number `count` is ready, from 0."""
        return self.evaluated + count * self._token

    def counters(self, prompt: int, answer: int) -> dict[str, int]:
        now = time.monotonic()
        spans = (now - self.started, self.loaded - self.started, self._first_token, now - self.evaluated)
        total, load, evaluated, generated = (max(1000, int(span * 1e9)) for span in spans)
        return {
            "total_duration": total,
            "load_duration": load,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": evaluated,
            "eval_count": answer,
            "eval_duration": generated,
        }
