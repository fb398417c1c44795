"""POST /api/pull: the progress of a download, after which the model is installed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.standin import models
from tests.standin.refused import Refused
from tests.standin.wire import LAST_CHUNK, NDJSON, chunk, go_json, head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.standin.server import Standin
    from tests.standin.wire import Talk

_SIZE = 3389983735
_STEPS = 4


def pull(standin: Standin, talk: Talk, given: dict[str, Any]) -> None:
    wanted = given.get("model") or given.get("name") or ""
    name = models.full_name(wanted)
    known = standin.registry is None or wanted in standin.registry
    if given.get("stream") is False:
        _whole(standin, talk, name, known=known)
        return
    talk.status = 200
    talk.send(head(200, {"Content-Type": NDJSON, "Transfer-Encoding": "chunked"}))
    for line in _progress(standin, name, known=known):
        talk.wait_until(time.monotonic() + standin.token_seconds)
        last = line.get("status") == "success" or "error" in line
        talk.send(chunk(go_json(line) + b"\n") + (LAST_CHUNK if last else b""), last=last)


def _whole(standin: Standin, talk: Talk, name: str, *, known: bool) -> None:
    *_, last = _progress(standin, name, known=known)
    if "error" in last:
        raise Refused(500, str(last["error"]))
    talk.json(200, last)


def _progress(standin: Standin, name: str, *, known: bool) -> Iterator[dict[str, object]]:
    yield {"status": "pulling manifest"}
    if not known:
        yield {"error": "pull model manifest: file does not exist"}
        return
    model = (standin.registry or {}).get(name.removesuffix(":latest")) or (standin.registry or {}).get(name)
    model = model or models.default_models().get(name) or models.Model()
    layer = models.digest(name, model)
    for step in range(_STEPS + 1):
        done = {"completed": _SIZE * step // _STEPS} if step else {}
        yield {"status": f"pulling {layer[:12]}", "digest": f"sha256:{layer}", "total": _SIZE, **done}
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    standin.models[name] = model
    yield {"status": "success"}
