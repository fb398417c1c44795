"""The models that are installed, what the server tells about them, and what a picture costs them; pure."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass

from tests.standin.refused import Refused

CHANGED = "2026-11-23T23:50:24.519728864Z"

# pixels per token, the fewest and the most tokens of one picture: from 0.30 on, and in Ollama's own engine
_NOW = {
    "qwen2vl": (28, 1024, 4096),
    "qwen25vl": (28, 1024, 4096),
    "qwen3vl": (32, 1024, 4096),
    "qwen35": (32, 8, 4096),
    "gemma3": (56, 256, 256),
    "gemma4": (48, 70, 1120),
    "mistral3": (28, 8, 1024),
    "glmocr": (28, 8, 4096),
}
_BEFORE = _NOW | {
    "qwen2vl": (28, 4, 2675),
    "qwen25vl": (28, 4, 2675),
    "qwen3vl": (32, 64, 2048),
    "qwen35": (32, 64, 2048),
    "mistral3": (28, 8, 2145),
    "mllama": (560, 1, 1),
}


@dataclass(frozen=True, slots=True)
class Model:
    """An installed model.

    `picture_tokens` replaces what the architecture would need for a picture. `rendered`: Ollama renders the
    prompt, as for nearly all library models; only then it ends an answer that repeats one piece for ever.
    """

    architecture: str = "qwen35"
    capabilities: tuple[str, ...] = ("completion", "vision")
    digest: str = ""
    remote_host: str | None = None
    picture_tokens: int | None = None
    context_length: int = 262144
    rendered: bool = True

    @property
    def vision(self) -> bool:
        return "vision" in self.capabilities

    @property
    def thinking(self) -> bool:
        return "thinking" in self.capabilities

    def num_ctx(self, asked: int | None) -> int:
        """What the server makes of the `num_ctx` of a request."""
        return min(max(asked or 4096, 2048 if self.vision else 1), self.context_length)

    def tokens(self, width: int, height: int, *, current: bool) -> int:
        """What a picture of this size adds to the prompt."""
        if self.picture_tokens is not None:
            return self.picture_tokens
        table = _NOW if current else _BEFORE
        side, fewest, most = table.get(self.architecture.removesuffix("moe"), (28, 8, 4096))
        return _fit(width / side, height / side, fewest, most)


def _fit(across: float, down: float, fewest: int, most: int) -> int:
    tokens = max(1, round(across)) * max(1, round(down))
    if tokens > most:
        shrink = math.sqrt(across * down / most)
        return max(1, int(across / shrink)) * max(1, int(down / shrink))
    if tokens < fewest:
        grow = math.sqrt(fewest / (across * down))
        return min(most, math.ceil(across * grow) * math.ceil(down * grow))
    return tokens


def default_models() -> dict[str, Model]:
    return {
        "qwen3.5:4b": Model("qwen35", ("completion", "vision", "tools", "thinking")),
        "llama3.2-vision:11b": Model("mllama", ("completion", "vision"), context_length=131072),
        "tinytext:1b": Model("qwen2", ("completion",), context_length=32768),
        "big:cloud": Model("qwen3vl", ("completion", "vision"), remote_host="https://ollama.com:443"),
    }


_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAME = re.compile(rf"(?:{_PART}(?::\d+)?/)?(?:{_PART}/)?{_PART}(?::{_PART})?")


def full_name(name: str) -> str:
    """`name` with its tag; raises Refused where a real server calls it invalid."""
    if not name.strip():
        raise Refused(400, "model is required")
    if not _NAME.fullmatch(name):
        raise Refused(400, "invalid model name")
    short = name.removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def find(models: dict[str, Model], name: str) -> tuple[str, Model] | None:
    """The installed name and model that `name` stands for, whatever its case."""
    wanted = full_name(name).lower()
    return next(
        (
            (installed, model)
            for installed, model in list(models.items())
            if full_name(installed).lower() == wanted
        ),
        None,
    )


def digest(name: str, model: Model) -> str:
    return model.digest or hashlib.sha256(full_name(name).encode()).hexdigest()


def details(model: Model) -> dict[str, object]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.architecture,
        "families": [model.architecture],
        "parameter_size": "4.7B",
        "quantization_level": "Q4_K_M",
    }


def tag(name: str, model: Model, *, current: bool) -> dict[str, object]:
    """One entry of /api/tags; capabilities and lengths are new in 2026."""
    full = full_name(name)
    entry: dict[str, object] = {"name": full, "model": full}
    if model.remote_host:
        entry |= {"remote_model": full.removesuffix(":cloud"), "remote_host": model.remote_host}
    entry |= {"modified_at": CHANGED, "size": 3389983735, "digest": digest(name, model)}
    if not current:
        return entry | {"details": details(model)}
    lengths = {"context_length": model.context_length, "embedding_length": 2560}
    return entry | {"details": details(model) | lengths, "capabilities": list(model.capabilities)}


def show(name: str, model: Model) -> dict[str, object]:
    kind = model.architecture
    info: dict[str, object] = {
        "general.architecture": kind,
        f"{kind}.context_length": model.context_length,
        f"{kind}.embedding_length": 2560,
    }
    if model.vision:
        info |= {f"{kind}.vision.block_count": 24}
    shown: dict[str, object] = {
        "modelfile": f'# Modelfile generated by "ollama show"\nFROM {name}\nTEMPLATE {{{{ .Prompt }}}}\n',
        "parameters": "temperature                    1",
        "template": "{{ .Prompt }}",
        "details": details(model),
        "model_info": info,
        "tensors": [
            {"name": f"blk.{n}.attn_q.weight", "type": "Q4_K", "shape": [2560, 4096]} for n in range(32)
        ],
        "capabilities": list(model.capabilities),
        "modified_at": CHANGED,
    }
    return shown | ({"remote_host": model.remote_host} if model.remote_host else {})
