"""The fields of answers that follow a JSON schema, named by dots: `vendor`, `seller.name`, `items.0.price`; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Way = tuple[str | int, ...]
"""Keys and numbers of items that lead from the whole answer to a value."""

_DEEPEST = 8
"""Objects inside each other that become columns; a schema that holds itself would have no end."""
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


def columns(schema: Mapping[str, Any]) -> dict[str, Way]:
    """The way to each field by its dotted name, in the order of the schema.

    Objects are gone into, lists are one field each. Empty where the schema names none.
    """
    found: dict[str, Way] = {}
    for way in _leaves(schema, schema, ()):
        if way:
            found.setdefault(".".join(map(str, way)), way)
    return found


def way_to(schema: Mapping[str, Any], name: str) -> Way | None:
    """The way to the one value, or the list of single values, with this dotted name; None if there is none.

    Items of lists have their numbers from 0.
    """
    return _way(schema, schema, name)


def value_at(answers: Iterable[Any], way: Way) -> Any:
    """The value of the first answer that has one there: of many pages, that of the first page that tells it.

    An empty text, list or object counts only where no page tells more: it is not the same as null.
    """
    found = None
    for answer in answers:
        value = _follow(answer, way)
        if value is not None and value not in ("", [], {}):
            return value
        found = value if found is None else found
    return found


def in_words(value: Any) -> str:
    """A value as text: nothing for null, single values of a list with commas between them, JSON for the rest."""
    match value:
        case None | {} if not value:
            return ""
        case str():
            return value
        case list() if not any(isinstance(one, list | dict) for one in value):
            return ", ".join(in_words(one) for one in value)
    return json.dumps(value, ensure_ascii=False)


# --- the schema


def _leaves(
    node: Any, root: Mapping[str, Any], way: Way, around: frozenset[str] = frozenset()
) -> Iterator[Way]:
    """What stands inside itself is gone into once: a person's mother is one field, not all of hers."""
    named, referred = _properties(node, root), _references(node, root)
    if not named or len(way) >= _DEEPEST or referred & around:
        yield way
        return
    for name, held in named.items():
        yield from _leaves(held, root, (*way, name), around | referred)


def _way(node: Any, root: Mapping[str, Any], name: str, depth: int = 0) -> Way | None:
    if depth > _DEEPEST:
        return None
    for key, held in _steps(node, root, name):
        if name == str(key):
            return (key,) if _is_one_value(held, root) else None
        rest = name.removeprefix(f"{key}.")
        if rest != name and (further := _way(held, root, rest, depth + 1)) is not None:
            return (key, *further)
    return None


def _steps(node: Any, root: Mapping[str, Any], name: str) -> Iterator[tuple[str | int, Any]]:
    yield from _properties(node, root).items()
    first = name.partition(".")[0]
    items = _items(node, root)
    if items is not None and first.isascii() and first.isdigit() and len(first) < 5:
        yield int(first), items


def _is_one_value(node: Any, root: Mapping[str, Any]) -> bool:
    if _properties(node, root):
        return False
    items = _items(node, root)
    return items is None or not (_properties(items, root) or _items(items, root) is not None)


def _properties(node: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for form in _forms(node, root):
        named = form.get("properties")
        if isinstance(named, dict):
            found = {**named, **found}
    return found


def _items(node: Any, root: Mapping[str, Any]) -> Any:
    for form in _forms(node, root):
        if isinstance(form.get("items"), dict):
            return form["items"]
    return None


def _forms(node: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The schema itself and all that it refers to or offers as alternatives for the same value."""
    if not hasattr(node, "get") or depth > _DEEPEST:
        return
    yield node
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield from _forms(_referred(reference, root), root, depth + 1)
    for word in _ALTERNATIVES:
        for form in node.get(word) or ():
            yield from _forms(form, root, depth + 1)


def _references(node: Any, root: Mapping[str, Any]) -> frozenset[str]:
    found = (form.get("$ref") for form in _forms(node, root))
    return frozenset(one for one in found if isinstance(one, str))


def _referred(reference: str, root: Any) -> Any:
    target = root
    for step in reference.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        target = target.get(key) if hasattr(target, "get") else None
    return target


# --- an answer


def _follow(value: Any, way: Way) -> Any:
    for step in way:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            return None
    return value
