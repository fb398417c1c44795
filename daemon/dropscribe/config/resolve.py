"""From checked keys to final values: what is inherited, where paths lead, what files say."""

from __future__ import annotations

import grp
import json
import os
import re
import stat
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from dropscribe import jsonschemas, prompts
from dropscribe.config import hosts, kinds, paths, places, schema, template, values
from dropscribe.config.of_schema import OfSchema
from dropscribe.config.unfit import Unfit, listed, nearest, quoted, whole_path
from dropscribe.errors import world_wrong
from dropscribe.reading.models import DEFAULT_MODEL, PROMPT_TOKENS, is_mllama, page_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key

LARGEST = 1_000_000
"""Bytes of any file that a configuration names."""

_LETTERS_A_TOKEN = 3  # few, so that languages with long tokens fit as well

# api/types.go, Options and Runner
_OPTIONS = (
    "num_keep", "seed", "num_predict", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "temperature",
    "repeat_penalty", "presence_penalty", "frequency_penalty", "stop", "num_ctx", "num_batch", "num_gpu",
    "main_gpu", "use_mmap", "num_thread", "draft_num_predict",
)  # fmt: skip

S = TypeVar("S", bound=schema.Section)


@dataclass(frozen=True, slots=True)
class World:
    """Where relative paths start, what variables stand for, and whether folders must be there now."""

    base: Path
    env: Mapping[str, str]
    check_folders: bool = True


def over(low: schema.Section, high: S, leave: frozenset[str] = frozenset()) -> S:
    """`high`, and what it leaves out from `low`, key by key, but for the keys in `leave`."""
    taken: dict[str, Any] = {}
    for name in low.model_fields_set - leave:
        below = getattr(low, name)
        if name not in high.model_fields_set:
            taken[name] = below
        elif isinstance(below, schema.Section):
            taken[name] = over(below, getattr(high, name))
    return high.model_copy(update=taken)


def inherit(defaults: schema.Defaults, inbox: schema.Inbox) -> schema.Inbox:
    """The inbox over the defaults; a prompt of its own, in whatever form, is its only one."""
    asks = frozenset({"prompt", "prompt_file"})
    return over(defaults, inbox, asks if asks & inbox.model_fields_set else frozenset())


class Resolver:
    """Makes values of keys; what cannot be resolved goes into the findings and is replaced or left out."""

    def __init__(self, world: World, findings: Findings) -> None:
        self._world = world
        self._findings = findings

    def ollama(self, keys: schema.Ollama) -> values.OllamaRules:
        seen: dict[tuple[str, str, int], int] = {}
        for number, host in enumerate(keys.hosts):
            at: Key = ("ollama", "hosts", number, "url")
            first = seen.setdefault(hosts.identity(host.url), number)
            if first != number:
                self._findings.problem(
                    f"the same host as ollama.hosts[{first}]; raise its parallel instead", at
                )
            if hosts.leaves_out_port(host.url):
                advice = f"{host.url}:11434, or {host.url}:80 if you mean it"
                self._findings.warning(f"http:// without a port means port 80; write {advice}", at)
        return values.OllamaRules(
            hosts=tuple(values.Host(host.url, host.parallel) for host in keys.hosts),
            timeouts=values.Timeouts(**keys.timeouts.model_dump()),
            allow_cloud=tuple(keys.allow_cloud),
        )

    def state(self, text: str | None) -> Path:
        folder = self._default_state() if text is None else self._absolute(text, self._world.base, ("state",))
        if folder is None:
            return self._world.base / "state"  # stands in, to look for other problems
        # Not Path's questions: they raise while a disk cannot be asked, which is no mistake in the config.
        if os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112
            self._findings.problem(f"expected a folder, got the file {whole_path(folder)}", ("state",))
        return folder

    def _default_state(self) -> Path | None:
        try:
            return places.state_folder(self._world.base)
        except Unfit as unfit:
            self._findings.problem(f"{unfit.sentence(None)}, or name a folder here", ("state",))
            return None

    def inbox(self, number: int, keys: schema.Inbox, ollama: schema.Ollama) -> values.Inbox | None:
        """None without a usable path, as everything else hangs on it. `keys` have inherited already."""
        path = self._absolute(keys.path, self._world.base, ("inboxes", number, "path"))
        if path is None:
            return None
        self._check_folder(path, keys, number)
        self._warn_of_braces(number, keys)
        done = self._below(path, keys.done, "done", ways(number, "done"))
        failed = self._below(path, keys.failed, "failed", ways(number, "failed"))
        output = self._output(number, keys, path, done)
        prompt, preset = self._prompt(number, keys, filled=output.schema is not None)
        models = self._models(number, keys, ollama)
        options = over(ollama.options, keys.options)
        self._check_room(number, options, prompts.with_schema(prompt, output.schema), models)
        return values.Inbox(
            name=self._name(number, keys, path),
            path=path,
            create=keys.create,
            prompt=prompt,
            engine=keys.engine,
            models=models,
            options=self._options(number, options),
            keep_alive=ollama.keep_alive if keys.keep_alive is None else keys.keep_alive,
            recursive=keys.recursive,
            patterns=tuple(keys.patterns),
            ignore=tuple(keys.ignore),
            settle=keys.settle,
            rescan=keys.rescan,
            watch=keys.watch,
            give_up_arriving=keys.give_up_arriving,
            pages=keys.pages,
            max_pages=keys.max_pages,
            limits=values.Limits(**keys.limits.model_dump()),
            pdf=values.Pdf(**keys.pdf.model_dump()),
            prepare=values.Prepare(**keys.prepare.model_dump()),
            tries=keys.tries,
            on_bad_page=keys.on_bad_page,
            verify=keys.verify,
            on_check=keys.on_check,
            repeats=keys.repeats,
            free_space=keys.free_space,
            file_mode=keys.file_mode,
            group=self._group(number, keys.group),
            output=output,
            done=done,
            failed=failed,
            review=self._below(path, keys.review, "review", ways(number, "review")),
            preset=preset,
        )

    def _absolute(self, text: str, base: Path, *keys: Key) -> Path | None:
        try:
            return paths.absolute(text, base, self._world.env)
        except Unfit as unfit:
            self._findings.unfit(unfit, text, *keys)
            return None

    def _below(self, path: Path, text: str, otherwise: str, keys: tuple[Key, ...]) -> Path:
        return self._absolute(text, path, *keys) or path / otherwise

    def _check_folder(self, path: Path, keys: schema.Inbox, number: int) -> None:
        at: Key = ("inboxes", number, "path")
        if not self._world.check_folders:
            return
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            if not keys.create:
                wanted = Unfit("a folder that exists", "make it, or set create: true", whole_path(path))
                self._findings.unfit(wanted, keys.path, at)
            return
        except OSError as error:
            self._findings.unfit(Unfit("a folder", _why_unreadable(error), whole_path(path)), keys.path, at)
            return
        if not is_folder:
            self._findings.problem(f"expected a folder, got the file {whole_path(path)}", at)

    def _warn_of_braces(self, number: int, keys: schema.Inbox) -> None:
        for pattern in (one for one in keys.patterns if re.search(r"\{.*,.*\}", one)):
            words = f"{quoted(pattern)}: braces stand for themselves; write a pattern for each ending"
            self._findings.warning(words, *ways(number, "patterns"))

    def _name(self, number: int, keys: schema.Inbox, path: Path) -> str:
        if keys.name is None and (problem := kinds.problem_with_name(path.name)):
            words = f"the folder's name cannot be the name of the inbox: {problem}; add a name"
            self._findings.problem(words, ("inboxes", number, "path"))
        return keys.name or path.name

    def _group(self, number: int, group: str | int | None) -> int | None:
        try:
            return grp.getgrnam(group).gr_gid if isinstance(group, str) else group
        except KeyError:
            known = nearest(str(group), (each.gr_name for each in grp.getgrall()))
            hint = f'did you mean "{known}"?' if known else "`getent group` lists them; a number will do, too"
            self._findings.unfit(Unfit("a group of this machine", hint), group, *ways(number, "group"))
            return None

    def _prompt(self, number: int, keys: schema.Inbox, *, filled: bool) -> tuple[str, str]:
        """The prompt, and its name if it is a preset; a file is always the user's own, even if it is one word."""
        at = ways(number, "prompt_file")
        if keys.prompt_file and keys.prompt:
            self._findings.problem("there is a prompt as well; keep one of the two", *at)
        elif keys.prompt_file:
            return (self._file(keys.prompt_file, at) or "").strip(), ""
        own = (keys.prompt or "").strip()
        preset = own.casefold() if own else prompts.default(keys.output.format)
        if own and preset not in prompts.PRESETS:
            self._refuse_misspelt(number, own)
            return own, ""
        if filled:
            if own:
                words = f"{quoted(own)} is not used, as the model is asked to fill in the schema"
                self._findings.warning(words, *ways(number, "prompt"))
            return prompts.FILL, ""
        return prompts.PRESETS[preset], preset

    def _refuse_misspelt(self, number: int, own: str) -> None:
        """One word that is nearly the name of a preset would be asked for years before somebody noticed."""
        meant = nearest(own, prompts.PRESETS) if re.fullmatch(r"[\w-]+", own) else None
        if meant:
            known = listed(list(prompts.PRESETS))
            hint = f'did you mean "{meant}"? A question of your own has more than one word'
            self._findings.unfit(Unfit(f"a text, or {known}", hint), own, *ways(number, "prompt"))

    def _models(self, number: int, keys: schema.Inbox, ollama: schema.Ollama) -> tuple[str, ...]:
        if keys.engine != "ollama":
            return ()
        models = keys.model or ollama.model
        at: tuple[Key, ...] = (*ways(number, "model"), ("ollama", "model"))
        for model in models:
            in_cloud = model.casefold().endswith((":cloud", "-cloud")) and model not in ollama.allow_cloud
            if in_cloud and not self._findings.broken(("ollama", "allow_cloud")):
                words = "nothing leaves your network, unless you name this model under ollama.allow_cloud"
                self._findings.unfit(Unfit("a model on your own host", words), model, *at)
            if is_mllama(model):
                words = f"{quoted(model)} loads only on Ollama up to 0.24; {DEFAULT_MODEL} reads better"
                self._findings.warning(words, *at)
        return models

    def _options(self, number: int, options: schema.Options) -> Mapping[str, Any]:
        for name in options.model_extra or {}:
            meant = nearest(name, _OPTIONS)
            if meant and name not in _OPTIONS:
                words = f'Ollama leaves out options it does not know; did you mean "{meant}"?'
                self._findings.warning(words, *_option_ways(number, name))
        return MappingProxyType(options.model_dump())

    def _check_room(self, number: int, options: schema.Options, prompt: str, models: tuple[str, ...]) -> None:
        """With less than this the picture would be shrunk until nothing can be read on it."""
        tokens, window = _option_ways(number, "num_predict"), _option_ways(number, "num_ctx")
        if not models or self._findings.broken(*tokens) or self._findings.broken(*window):
            return
        asked = max(PROMPT_TOKENS, len(prompt) // _LETTERS_A_TOKEN)
        picture = max(page_tokens(model) for model in models)
        least = options.num_predict + asked + picture
        if options.num_ctx < least:
            parts = f"num_predict {options.num_predict}, about {asked} for the prompt, {picture} for a page's picture"
            words = f"expected num_ctx to be at least {least} ({parts}), got {options.num_ctx}"
            self._findings.problem(words, *tokens[:2], *window, tokens[2])

    def _output(self, number: int, keys: schema.Inbox, path: Path, done: Path) -> values.Output:
        folder = keys.output.folder
        at = ways(number, "output", "folder")
        self._check_page_in_name(number, keys.output)
        self._warn_of_unused_break(number, keys.output)
        form = self._schema(number, keys)
        fields = OfSchema(self._findings, keys.output, form)
        fields.check_name(ways(number, "output", "name"), ways(number, "output", "schema"))
        return values.Output(
            format=keys.output.format,
            name=keys.output.name,
            folder=done if folder is None else self._absolute(folder, path, *at) or done,
            front_matter=keys.output.front_matter,
            sidecar=keys.output.sidecar,
            pages=keys.output.pages,
            page_break=keys.output.page_break,
            schema=form,
            collect=self._collection(number, keys.output, fields, path, done),
        )

    def _collection(
        self, number: int, output: schema.Output, fields: OfSchema, path: Path, done: Path
    ) -> Path | None:
        at = ways(number, "output", "collect")
        if output.collect is None or not fields.check_columns(at, ways(number, "output", "schema")):
            return None
        file = self._absolute(output.collect, done, *at)
        if file is not None and file.parent == path:
            self._findings.warning(
                "it lies among the scans, where status tells of it as unsupported; name one in done", *at
            )
        return file

    def _check_page_in_name(self, number: int, output: schema.Output) -> None:
        joined = output.pages == "joined" and not self._findings.broken(*ways(number, "output", "pages"))
        if joined and template.has_page(output.name):
            wanted = Unfit("a name without {page}, as pages are joined", "or set pages: separate beside it")
            self._findings.unfit(wanted, output.name, *ways(number, "output", "name"))

    def _warn_of_unused_break(self, number: int, output: schema.Output) -> None:
        """No problem: the defaults may hold one for those inboxes that can use it."""
        told = {
            "pages are separate": output.pages == "separate",
            "the format is json": output.format == "json",
        }
        why = next((words for words, holds in told.items() if holds), "")
        if output.page_break is not None and why:
            self._findings.warning(f"not used, as {why}", *ways(number, "output", "page_break"))

    def _schema(self, number: int, keys: schema.Inbox) -> Mapping[str, Any] | None:
        at = ways(number, "output", "schema")
        if keys.output.schema_file is None:
            return None
        if self._findings.broken(*ways(number, "output", "format")):
            return None
        if keys.output.format == "text":
            self._findings.problem("only with format json or markdown, and the format is text", *at)
            return None
        if keys.engine == "ocr":
            self._findings.problem("the engine ocr cannot fill in a schema; use the engine ollama", *at)
            return None
        text = self._file(keys.output.schema_file, at)
        return None if text is None else self._parsed(text, keys.output.schema_file, at)

    def _parsed(self, text: str, file: str, at: tuple[Key, ...]) -> Mapping[str, Any] | None:
        try:
            schema_found = json.loads(text)
        except json.JSONDecodeError as error:
            problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
        except (ValueError, RecursionError):
            problem = "too deep, or a number too long"
        else:
            problem = jsonschemas.problem_with(schema_found) or ""
            if not problem:
                self._warn_of_large_schema(schema_found, at)
                return MappingProxyType(schema_found)
        self._findings.unfit(Unfit("a file with a JSON schema", problem), file, *at)
        return None

    def _warn_of_large_schema(self, found: Mapping[str, Any], at: tuple[Key, ...]) -> None:
        if not prompts.is_named(found):
            room = f"{prompts.SCHEMA_ROOM:,} characters"
            self._findings.warning(
                f"more than {room}: it is sent as the form of the answer, but not told in the prompt", *at
            )

    def _file(self, text: str, at: tuple[Key, ...]) -> str | None:
        """What the file says; a problem at `at` where it cannot be read."""
        path = self._absolute(text, self._world.base, *at)
        try:
            if path and path.is_fifo():
                raise _not_text(path, "it is a pipe")  # which would be waited for
            return read_text(path) if path else None
        except Unfit as unfit:
            self._findings.unfit(unfit, text, *at)
            return None


def ways(number: int, *names: str) -> tuple[Key, ...]:
    """Where an inbox's value can come from."""
    return ("inboxes", number, *names), ("defaults", *names)


def _option_ways(number: int, name: str) -> tuple[Key, ...]:
    return (*ways(number, "options", name), ("ollama", "options", name))


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file; raises Unfit, whose hint says what is wrong with the file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _not_text(path, _why_unreadable(error)) from None
    if len(data) > LARGEST:
        raise _not_text(path, "it has more than 1 MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_text(path, "it is not UTF-8; save it as UTF-8") from None
    if not text.strip():
        raise _not_text(path, "it is empty")
    return text


def _not_text(path: Path, why: str) -> Unfit:
    return Unfit("a text file", why, whole_path(path))


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return world_wrong(error, "").reason.removeprefix(": ")
