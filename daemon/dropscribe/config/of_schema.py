"""The checks of what a configuration says about fields of a schema: in names, and as columns of a collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropscribe import fields
from dropscribe.config import template
from dropscribe.config.unfit import Unfit, nearest, quoted
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key
    from dropscribe.config.schema import Output


@dataclass(frozen=True, slots=True)
class OfSchema:
    """Checks the keys of `output` against its schema, None where there is none that could be used."""

    findings: Findings
    output: Output
    schema: Mapping[str, Any] | None

    def check_name(self, at: tuple[Key, ...], at_schema: tuple[Key, ...]) -> None:
        """Each {field:…} of the name has to be a single value of the schema."""
        asked = () if self.findings.broken(*at) else template.fields_in(self.output.name)
        if not asked or self._lacks_schema(f"{{field:{shown(asked[0])}}}", at, at_schema):
            return
        assert self.schema is not None
        for name in asked:
            if fields.way_to(self.schema, name) is None:
                hint = self._hint(name)
                self.findings.unfit(Unfit("fields of the schema", hint), self.output.name, *at)
                return

    def check_columns(self, at: tuple[Key, ...], at_schema: tuple[Key, ...]) -> bool:
        """Whether there is a schema that names columns."""
        if self._lacks_schema("a collection", at, at_schema):
            return False
        assert self.schema is not None
        if not fields.columns(self.schema):
            self.findings.problem("the schema names no fields (properties) that could be columns", *at)
            return False
        return True

    def _lacks_schema(self, what: str, at: tuple[Key, ...], at_schema: tuple[Key, ...]) -> bool:
        if self.output.schema_file is None and not self.findings.broken(*at_schema):
            self.findings.problem(f"{what} needs a schema beside it", *at)
        return self.schema is None

    def _hint(self, name: str) -> str:
        assert self.schema is not None
        known = list(fields.columns(self.schema))
        if name in known or any(one.startswith(f"{name}.") for one in known):
            return (
                f"{quoted(name)} holds more than one value; name one of them, such as {_inside(name, known)}"
            )
        meant = nearest(name, known)
        if meant and fields.way_to(self.schema, meant):
            return f'did you mean "{{field:{meant}}}"?'
        return f"{quoted(name)} is unknown; it has {', '.join(known[:8]) or 'none'}"


def _inside(name: str, known: list[str]) -> str:
    below = next((one for one in known if one.startswith(f"{name}.")), f"{name}.0.NAME")
    return f"{{field:{below}}}"
