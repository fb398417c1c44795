"""A request that the server answers with an error; pure."""

from __future__ import annotations

import json


class Refused(Exception):
    """`text` goes into `{"error": text}` under `status`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def nested(status: int, message: str, kind: str, **more: object) -> Refused:
    """An error of llama-server, which Ollama hands on as a string of JSON inside its own error."""
    error = {"code": status, "message": message, "type": kind, **more}
    return Refused(status, json.dumps({"error": error}, separators=(",", ":")))


def bad_picture() -> Refused:
    return nested(400, "Failed to load image or audio file", "invalid_request_error")


def too_long(tokens: int, num_ctx: int) -> Refused:
    message = (
        f"request ({tokens} tokens) exceeds the available context size ({num_ctx} tokens), try increasing it"
    )
    return nested(400, message, "exceed_context_size_error", n_prompt_tokens=tokens, n_ctx=num_ctx)


def cannot_load(architecture: str) -> Refused:
    """What a server from 0.30 on says of a model like llama3.2-vision (ollama#16490)."""
    why = f"error loading model: unknown model architecture: '{architecture}'"
    return Refused(500, f"llama-server process has terminated: exit status 1: {why}\n{why}")


def runner_died() -> Refused:
    why = "this may be due to resource limitations or an internal error, check ollama server logs for details"
    return Refused(500, f"model runner has unexpectedly stopped, {why}")
