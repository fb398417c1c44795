"""From checked keys to final values: what is inherited, where paths lead, what files say."""

from __future__ import annotations

import grp
import os
import re
import stat
from typing import TYPE_CHECKING, Any, TypeVar

from dropscribe import prompts
from dropscribe.config import hosts, kinds, places, schema, values
from dropscribe.config.output import OutputResolver
from dropscribe.config.question import QuestionResolver
from dropscribe.config.sources import Sources, ways, why_unreadable
from dropscribe.config.unfit import Unfit, nearest, quoted, whole_path

if TYPE_CHECKING:
    from pathlib import Path

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key
    from dropscribe.config.sources import World

S = TypeVar("S", bound=schema.Section)


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
        self._sources = Sources(world, findings)
        self._output = OutputResolver(self._sources)
        self._question = QuestionResolver(self._sources)

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
        folder = (
            self._default_state()
            if text is None
            else self._sources.absolute(text, self._world.base, ("state",))
        )
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
        path = self._sources.absolute(keys.path, self._world.base, ("inboxes", number, "path"))
        if path is None:
            return None
        self._check_folder(path, keys, number)
        self._warn_of_braces(number, keys)
        done = self._sources.below(path, keys.done, "done", ways(number, "done"))
        failed = self._sources.below(path, keys.failed, "failed", ways(number, "failed"))
        output = self._output.resolve(number, keys, path, done)
        prompt, preset = self._question.prompt(number, keys, filled=output.schema is not None)
        models = self._question.models(number, keys, ollama)
        options = over(ollama.options, keys.options)
        self._question.check_room(number, options, prompts.with_schema(prompt, output.schema), models)
        return values.Inbox(
            name=self._name(number, keys, path),
            path=path,
            create=keys.create,
            prompt=prompt,
            engine=keys.engine,
            models=models,
            options=self._question.options(number, options),
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
            review=self._sources.below(path, keys.review, "review", ways(number, "review")),
            preset=preset,
        )

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
            self._findings.unfit(Unfit("a folder", why_unreadable(error), whole_path(path)), keys.path, at)
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
