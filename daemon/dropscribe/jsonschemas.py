"""JSON schemas: is this one, does this follow it; the only importer of jsonschema; nothing is fetched."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import validator_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST = 5
_LONGEST = 160
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_WORDS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "null": "nothing", "array": "a list", "object": "keys and values",
}  # fmt: skip


def problem_with(schema: Any) -> str | None:
    """Why this cannot serve as a schema, in one clause; None when it can."""
    if not isinstance(schema, dict):
        return "a schema is an object in braces"
    try:
        # jsonschema would fetch a reference that leads out of the schema
        outside = next((one for one in _references(schema) if not one.startswith("#")), None)
        if outside is not None:
            return f"the reference {outside[:_LONGEST]} leads out of the file"
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"at {_place(error) or 'the top'}: {error.message[:_LONGEST]}"
    except RecursionError:
        return "it is nested too deeply"
    return None


def problems(instance: Any, schema: Mapping[str, Any]) -> list[str]:
    """What of `instance` does not follow `schema`: at most five sentences without a full stop."""
    plain = dict(schema)
    validator = validator_for(plain, default=Draft202012Validator)(plain)
    try:
        errors = itertools.islice(validator.iter_errors(instance), 10 * _MOST)
        return list(dict.fromkeys(map(_sentence, errors)))[:_MOST]
    except RecursionError:
        return ["it cannot be checked: the schema, or the value, goes round in circles"]
    except Exception as error:  # noqa: BLE001 - a reference that leads nowhere raises what jsonschema keeps private
        return [f"it cannot be checked: {str(error)[:_LONGEST]}"]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in _REFERENCES if isinstance(node.get(name), str))
        for held in node.values():
            yield from _references(held)
    elif isinstance(node, list):
        for held in node:
            yield from _references(held)


def _sentence(error: ValidationError) -> str:
    alternatives = error.context or ()
    if alternatives and error.validator in {"anyOf", "oneOf"}:
        # Of several forms the one that the value comes nearest to: the message of jsonschema is the whole value.
        types = [one for one in alternatives if one.validator == "type" and one.path == alternatives[0].path]
        if len(types) < len(alternatives):
            return _sentence(max(alternatives, key=_nearness))
        rules: list[Any] = [one.validator_value for one in types]
        names = [name for rule in rules for name in _listed(rule)]
        return f"{_place(types[0]) or 'the whole'}: {_unlike(names, types[0].instance)}"[:_LONGEST]
    place = _place(error) or "the whole"
    rule: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "type":
            said = _unlike(_listed(rule), found)
        case "enum":
            known = ", ".join(map(_kind, rule))
            said = f"got {_kind(found)}, expected one of {known}"
        case "required":
            said = f"missing {', '.join(name for name in rule if name not in found)}"
        case _:
            said = error.message
    return f"{place}: {said}"[:_LONGEST]


def _nearness(error: ValidationError) -> tuple[int, bool]:
    return len(error.absolute_path), error.validator != "type"


def _listed(rule: str | list[str]) -> list[str]:
    return [rule] if isinstance(rule, str) else rule


def _unlike(types: Iterable[str], found: Any) -> str:
    wanted = " or ".join(dict.fromkeys(_WORDS.get(name, name) for name in types))
    return f"expected {wanted}, got {_kind(found)}"


def _place(error: ValidationError | SchemaError) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return "".join(parts).removeprefix(".")


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value[:40]}"'
        case int() | float():
            return str(value)[:40]
        case list():
            return "a list"
        case _:
            return "keys and values"
