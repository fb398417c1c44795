"""YAML to plain data, and where in the text each key and each value stands.

Only the safe subset: text, numbers, true and false, nothing, lists and mappings. What only YAML 1.1 takes for
numbers (`1:30`, `010`), and dates, stay the text they look like.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from dropscribe.errors import ConfigError
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[str | int, ...]
"""The way to a value: `("inboxes", 1, "settle")` is `inboxes[1].settle`."""

LARGEST = 1_000_000
"""Characters; a longer text is no configuration."""

_MOST_VALUES = 20_000  # aliases of aliases, and merges of merges, can stand for billions
_DEEPEST = 20
_RAW = 60


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Line and column in the text, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data with the spots of its values and keys; `raw` is how the text writes what is not text."""

    data: Any
    values: Mapping[Key, Spot] = field(default_factory=dict)
    keys: Mapping[Key, Spot] = field(default_factory=dict)
    raw: Mapping[Key, str] = field(default_factory=dict)
    problems: tuple[tuple[Spot, Key, str], ...] = ()


def parse(text: str, file: str) -> Document:
    """Raises ConfigError when `text` is not YAML at all; lesser problems are in the document."""
    text = text.removeprefix("\ufeff")
    lines = _Lines(text)
    if len(text) > LARGEST:
        raise ConfigError(
            [f"{shown(file)}:1:1: expected a configuration, got more than {LARGEST} characters"]
        )
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Walk(text, lines).document(root) if root else Document(None)
    except yaml.YAMLError as error:
        index, words = _in_words(error, text)
    except _TooMuch as error:
        index, words = (
            error.index,
            "too many values, or an alias inside its own anchor",
        )
    except RecursionError:
        index, words = 0, "too many levels inside each other"
    except (ValueError, OverflowError):  # from chr()
        index, words = max(text.find("\\U"), 0), "a number behind \\U is not that of a character"
    spot = lines.spot(index)
    raise ConfigError([f"{shown(file)}:{spot.line}:{spot.column}: not valid YAML: {words}"])


class _TooMuch(Exception):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class _Lines:
    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def spot(self, index: int) -> Spot:
        line = bisect.bisect_right(self._starts, index)
        return Spot(line, index - self._starts[line - 1] + 1)


class _Walk:
    """One walk over the nodes of a text."""

    def __init__(self, text: str, lines: _Lines) -> None:
        self._text = text
        self._lines = lines
        self._left = _MOST_VALUES
        self._values: dict[Key, Spot] = {}
        self._keys: dict[Key, Spot] = {}
        self._raw: dict[Key, str] = {}
        self._problems: list[tuple[Spot, Key, str]] = []

    def document(self, root: yaml.Node) -> Document:
        data = self._value(root, ())
        return Document(data, self._values, self._keys, self._raw, tuple(self._problems))

    def _value(self, node: yaml.Node, key: Key) -> Any:
        self._values[key] = self._spot(node)
        self._spend(node)
        if len(key) > _DEEPEST:
            raise _TooMuch(node.start_mark.index)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        self._remember_raw(node, key)
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._value(item, (*key, number)) for number, item in enumerate(node.value)]
        return self._unknown_tag(node, key)

    def _spend(self, node: yaml.Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch(node.start_mark.index)

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        try:
            value = _plain_scalar(node)
        except LookupError:
            return self._unknown_tag(node, key)
        if not isinstance(value, str):
            self._remember_raw(node, key)
        elif not _encodes(value):
            self._problem(node, key, "expected text, got half a character (a lone surrogate)")
            return None
        return value

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for name_node, value_node in node.value:
            if _is_merge(name_node):
                merged.append(value_node)
                continue
            name = self._name(name_node, key)
            if name is None:
                continue
            if name in plain:
                first = self._keys[*key, name]
                self._problem(name_node, (*key, name), f"given twice; the first is on line {first.line}")
                continue
            self._keys[*key, name] = self._spot(name_node)
            plain[name] = self._value(value_node, (*key, name))
        for value_node in merged:
            self._merge(value_node, key, plain)
        return plain

    def _merge(self, node: yaml.Node, key: Key, plain: dict[str, Any]) -> None:
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self._problem(source, key, 'expected keys and values behind "<<"')
                continue
            self._spend(source)
            for name_node, value_node in source.value:
                self._spend(name_node)  # also for what is given already and leaves no value
                if _is_merge(name_node):
                    self._merge(value_node, key, plain)
                else:
                    self._inherit(name_node, value_node, key, plain)

    def _inherit(self, name_node: yaml.Node, value_node: yaml.Node, key: Key, plain: dict[str, Any]) -> None:
        name = self._name(name_node, key)
        if name is not None and name not in plain:
            self._keys[*key, name] = self._spot(name_node)
            plain[name] = self._value(value_node, (*key, name))

    def _name(self, node: yaml.Node, key: Key) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._problem(node, key, "expected a key, got a list or a mapping")
            return None
        return shown(node.value)

    def _unknown_tag(self, node: yaml.Node, key: Key) -> None:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem(node, key, f"the tag {shown(tag[:_RAW])} is not understood here; leave it out")

    def _remember_raw(self, node: yaml.Node, key: Key) -> None:
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            return
        raw = self._text[node.start_mark.index : node.end_mark.index]
        if raw and "\n" not in raw and len(raw) <= _RAW:
            self._raw[key] = raw

    def _problem(self, node: yaml.Node, key: Key, words: str) -> None:
        self._problems.append((self._spot(node), key, words))

    def _spot(self, node: yaml.Node) -> Spot:
        return self._lines.spot(node.start_mark.index)


def _is_merge(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:merge")


def _plain_scalar(node: yaml.ScalarNode) -> Any:
    """Raises LookupError for a tag that is not plain; what does not fit its tag stays text."""
    kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), node.value
    if kind in {"str", "timestamp", "merge", "value"}:
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return yaml.SafeLoader.bool_values.get(text.lower(), text)
    if kind not in {"int", "float"}:
        raise LookupError(kind)
    if re.match(r"[-+]?0[0-9_]", text):
        return text
    plain = text.replace("_", "")
    try:
        return int(plain, 0) if kind == "int" else float(re.sub(r"(?i)\.(?=inf|nan)", "", plain))
    except ValueError:
        return text


def _encodes(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


# What PyYAML says; whether the cause is where its context began, or where it noticed; what a person can do.
_HINTS: tuple[tuple[str, bool, str], ...] = (
    ("scanning an alias", True, "put text that starts with {char} in quotes"),
    ("scanning an anchor", True, "put text that starts with {char} in quotes"),
    ("undefined alias", False, "put text that starts with * in quotes (without them it names an anchor)"),
    ("'\\t' that cannot start", False, "a tab cannot indent; use spaces"),
    ("cannot start any token", False, "put text that starts with {char} in quotes"),
    (
        "mapping values are not allowed",
        False,
        'this ":" is one too many; put text that contains ": " in quotes, or check the indentation',
    ),
    ("escape", False, "inside double quotes a backslash is written twice; or use single quotes"),
    ("quoted scalar", True, "the quote {char} that begins here does not end properly"),
    ("flow sequence", True, "the bracket {char} that begins here does not end properly"),
    ("flow mapping", True, "the bracket {char} that begins here does not end properly"),
    ("text goes on", False, "nothing may follow the closing bracket or quote; put the whole text in quotes"),
    ("expected <block end>", False, "this does not line up with the lines above; check the indentation"),
    ("another document", False, "a second document begins here; keep one"),
    ("could not find expected ':'", False, 'expected "key: value"'),
    ("<stream end>", False, "the text ends too early; is a bracket or a quote not closed?"),
    ("node content", False, "expected a value here"),
    ("sequence entries", False, "a list begins on a line of its own"),
)


def _in_words(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Where in the text, and what a person who has never heard of tokens can do about it."""
    if isinstance(error, yaml.reader.ReaderError):
        return error.position, f"the character U+{ord(text[error.position]):04X} must not be in the file"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return 0, shown(str(error))
    index = error.problem_mark.index
    start = error.context_mark.index if error.context_mark else index
    said = f"{error.context}; {error.problem}"
    before = text[text.rfind("\n", 0, index) + 1 : index]
    if "<block end>" in said and re.search(r"[\]}\"']\s*$", before):
        said = f"text goes on; {said}"
    for needle, at_start, hint in _HINTS:
        if needle in said:
            at = start if at_start else index
            return at, hint.format(char=text[at : at + 1])
    return index, shown(error.problem or "unknown")
