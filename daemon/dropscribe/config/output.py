"""From the checked keys of `output` to final values, with the schema that they name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dropscribe import jsonschemas, prompts
from dropscribe.config import template, values
from dropscribe.config.of_schema import OfSchema
from dropscribe.config.sources import ways
from dropscribe.config.unfit import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.config import schema
    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key
    from dropscribe.config.sources import Sources


@dataclass(frozen=True, slots=True)
class OutputResolver:
    """Of one inbox after the other; what cannot be resolved goes into the findings and is left out."""

    sources: Sources

    @property
    def findings(self) -> Findings:
        return self.sources.findings

    def resolve(self, number: int, keys: schema.Inbox, path: Path, done: Path) -> values.Output:
        """The output of the inbox at `path`, whose scans go to `done`."""
        folder = keys.output.folder
        at = ways(number, "output", "folder")
        self._check_page_in_name(number, keys.output)
        self._warn_of_unused_break(number, keys.output)
        form = self._schema(number, keys)
        fields = OfSchema(self.findings, keys.output, form)
        fields.check_name(ways(number, "output", "name"), ways(number, "output", "schema"))
        return values.Output(
            format=keys.output.format,
            name=keys.output.name,
            folder=done if folder is None else self.sources.absolute(folder, path, *at) or done,
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
        file = self.sources.absolute(output.collect, done, *at)
        if file is not None and file.parent == path:
            self.findings.warning(
                "it lies among the scans, where status tells of it as unsupported; name one in done", *at
            )
        return file

    def _check_page_in_name(self, number: int, output: schema.Output) -> None:
        joined = output.pages == "joined" and not self.findings.broken(*ways(number, "output", "pages"))
        if joined and template.has_page(output.name):
            wanted = Unfit("a name without {page}, as pages are joined", "or set pages: separate beside it")
            self.findings.unfit(wanted, output.name, *ways(number, "output", "name"))

    def _warn_of_unused_break(self, number: int, output: schema.Output) -> None:
        """No problem: the defaults may hold one for those inboxes that can use it."""
        told = {
            "pages are separate": output.pages == "separate",
            "the format is json": output.format == "json",
        }
        why = next((words for words, holds in told.items() if holds), "")
        if output.page_break is not None and why:
            self.findings.warning(f"not used, as {why}", *ways(number, "output", "page_break"))

    def _schema(self, number: int, keys: schema.Inbox) -> Mapping[str, Any] | None:
        at = ways(number, "output", "schema")
        if keys.output.schema_file is None:
            return None
        if self.findings.broken(*ways(number, "output", "format")):
            return None
        if keys.output.format == "text":
            self.findings.problem("only with format json or markdown, and the format is text", *at)
            return None
        if keys.engine == "ocr":
            self.findings.problem("the engine ocr cannot fill in a schema; use the engine ollama", *at)
            return None
        text = self.sources.file(keys.output.schema_file, at)
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
        self.findings.unfit(Unfit("a file with a JSON schema", problem), file, *at)
        return None

    def _warn_of_large_schema(self, found: Mapping[str, Any], at: tuple[Key, ...]) -> None:
        if not prompts.is_named(found):
            room = f"{prompts.SCHEMA_ROOM:,} characters"
            self.findings.warning(
                f"more than {room}: it is sent as the form of the answer, but not told in the prompt", *at
            )
