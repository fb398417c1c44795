"""What a model is asked: from checked keys to prompt, models and options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dropscribe import prompts
from dropscribe.config.sources import ways
from dropscribe.config.unfit import Unfit, listed, nearest, quoted
from dropscribe.reading.models import DEFAULT_MODEL, is_mllama, page_tokens, prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropscribe.config import schema
    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key
    from dropscribe.config.sources import Sources

# api/types.go, Options and Runner
_OPTIONS = (
    "num_keep", "seed", "num_predict", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "temperature",
    "repeat_penalty", "presence_penalty", "frequency_penalty", "stop", "num_ctx", "num_batch", "num_gpu",
    "main_gpu", "use_mmap", "num_thread", "draft_num_predict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuestionResolver:
    """Of one inbox after the other; what cannot be resolved goes into the findings and is left out."""

    sources: Sources

    @property
    def findings(self) -> Findings:
        return self.sources.findings

    def prompt(self, number: int, keys: schema.Inbox, *, filled: bool) -> tuple[str, str]:
        """The prompt, and its name if it is a preset; a file is always the user's own, even if it is one word."""
        at = ways(number, "prompt_file")
        if keys.prompt_file and keys.prompt:
            self.findings.problem("there is a prompt as well; keep one of the two", *at)
        elif keys.prompt_file:
            return (self.sources.file(keys.prompt_file, at) or "").strip(), ""
        own = (keys.prompt or "").strip()
        preset = own.casefold() if own else prompts.default(keys.output.format)
        if own and preset not in prompts.PRESETS:
            self._refuse_misspelt(number, own)
            return own, ""
        if filled:
            if own:
                words = f"{quoted(own)} is not used, as the model is asked to fill in the schema"
                self.findings.warning(words, *ways(number, "prompt"))
            return prompts.FILL, ""
        return prompts.PRESETS[preset], preset

    def _refuse_misspelt(self, number: int, own: str) -> None:
        """One word that is nearly the name of a preset would be asked for years before somebody noticed."""
        meant = nearest(own, prompts.PRESETS) if re.fullmatch(r"[\w-]+", own) else None
        if meant:
            known = listed(list(prompts.PRESETS))
            hint = f'did you mean "{meant}"? A question of your own has more than one word'
            self.findings.unfit(Unfit(f"a text, or {known}", hint), own, *ways(number, "prompt"))

    def models(self, number: int, keys: schema.Inbox, ollama: schema.Ollama) -> tuple[str, ...]:
        """In order of fallback; none for the embedded engine."""
        if keys.engine != "ollama":
            return ()
        models = keys.model or ollama.model
        at: tuple[Key, ...] = (*ways(number, "model"), ("ollama", "model"))
        for model in models:
            in_cloud = model.casefold().endswith((":cloud", "-cloud")) and model not in ollama.allow_cloud
            if in_cloud and not self.findings.broken(("ollama", "allow_cloud")):
                words = "nothing leaves your network, unless you name this model under ollama.allow_cloud"
                self.findings.unfit(Unfit("a model on your own host", words), model, *at)
            if is_mllama(model):
                words = f"{quoted(model)} loads only on Ollama up to 0.24; {DEFAULT_MODEL} reads better"
                self.findings.warning(words, *at)
        return models

    def options(self, number: int, options: schema.Options) -> Mapping[str, Any]:
        """As they are sent."""
        for name in options.model_extra or {}:
            meant = nearest(name, _OPTIONS)
            if meant and name not in _OPTIONS:
                words = f'Ollama leaves out options it does not know; did you mean "{meant}"?'
                self.findings.warning(words, *_option_ways(number, name))
        return MappingProxyType(options.model_dump())

    def check_room(self, number: int, options: schema.Options, prompt: str, models: tuple[str, ...]) -> None:
        """With less than this the picture would be shrunk until nothing can be read on it."""
        tokens, window = _option_ways(number, "num_predict"), _option_ways(number, "num_ctx")
        if not models or self.findings.broken(*tokens) or self.findings.broken(*window):
            return
        asked = prompt_tokens(prompt)
        picture = max(page_tokens(model) for model in models)
        least = options.num_predict + asked + picture
        if options.num_ctx < least:
            parts = f"num_predict {options.num_predict}, about {asked} for the prompt, {picture} for a page's picture"
            words = f"expected num_ctx to be at least {least} ({parts}), got {options.num_ctx}"
            self.findings.problem(words, *tokens[:2], *window, tokens[2])


def _option_ways(number: int, name: str) -> tuple[Key, ...]:
    return (*ways(number, "options", name), ("ollama", "options", name))
