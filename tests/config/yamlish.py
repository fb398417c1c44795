"""Texts and data that look like configurations, more or less."""

import json

from hypothesis import strategies as st

from dropscribe.config import schema


def _names(model):
    yield from schema.keys(model)
    for inner in schema.inner(model).values():
        yield from _names(inner)


NAMES = sorted(set(_names(schema.Top)))
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([
        "in", "other", ".", "..", "done", "~", "~x/y", "$X", "auto", "5s", "1:30", "50MB", "json", "ocr", "x:cloud",
        "{stem}", "http://nas", "a\x00b", "*.jpg", "s.json", 0, 1, 8192, 0.5,
    ])
)  # fmt: skip
_KEYS = st.sampled_from(NAMES) | st.text(max_size=5)
DATA = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)


def _section(model, depth=0):
    """A mapping with keys of this section, most of them with values of the right kind of shape."""
    inner = schema.inner(model)
    values = {
        name: _section(inner[name], depth + 1) if name in inner and depth < 3 else DATA
        for name in schema.keys(model)
    }
    for name in ("inboxes", "hosts"):
        if name in values:
            values[name] = st.lists(values[name], max_size=3)
    return st.fixed_dictionaries({}, optional=values) | DATA


CONFIGS = _section(schema.Top)
_LINES = st.builds(
    lambda indent, dash, name, value: f"{' ' * indent}{dash}{name}: {value}",
    st.integers(0, 6), st.sampled_from(["", "- ", "\t", "? ", "<<"]), st.sampled_from(NAMES),
    _SCALARS.map(str)
    | st.sampled_from(["&a [b]", "*a", "|", "{x}", "[", "'", '"\\U00110000"', "!!int x", "\ud800", "@"]),
)  # fmt: skip
_VALUES = {
    "url": ["nas", "http://nas:11434"], "parallel": [1, 64], "temperature": [0, 0.5], "num_ctx": [8192, 16384],
    "num_predict": [1, 4096], "connect": ["5s", "500ms"], "first_token": ["1m 30s"], "silence": ["1.5m"],
    "total": ["1d"], "model": ["a", ["a", "b:4b"]], "allow_cloud": [[], ["x:cloud"]], "keep_alive": ["-1s", 0, -1],
    "bytes": ["1kB", "2GiB", "1.5 mb"], "pixels": [10_000], "format": ["markdown", "text", "json"],
    "name": ["{stem}", "{date:%Y}-{sha256:8}", "{stem}-{pages}p"], "folder": [None, "texts"], "front_matter": [True],
    "sidecar": [False], "pages": ["joined", "separate"], "prompt": [None, "Read."], "engine": ["ollama", "ocr"],
    "create": [True, False], "recursive": [True], "patterns": [["*.png"]], "ignore": [[], ["x"]],
    "settle": ["auto", "0s"], "rescan": ["auto", "1h"], "watch": ["poll"], "give_up_arriving": ["30d"], "tries": [8],
    "verify": ["auto", "on", True, "off", False], "on_check": ["done", "review"], "review": ["r"],
    "repeats": [1, 0.5], "free_space": ["0B"], "done": ["d", "/archive"], "failed": ["f"], "level": ["debug"],
    "state": [None, "state"], "decoding": ["1m30s"], "memory": ["2GB"], "max_pages": [1, 10_000], "on_bad_page":
    ["fail", "mark"], "text_layer": ["prefer"], "dpi": [50, 600], "turn": ["auto"], "deskew": [False], "contrast":
    [True], "bands": ["auto", "never"], "blank": ["skip", "ask"], "page_break": [None, "- {page}/{pages} -", "***"],
}  # fmt: skip
_PAGES_OF_A_SCAN = ["auto", "all"]  # output has other ones by the same name


def _values(model, name):
    return _PAGES_OF_A_SCAN if name == "pages" and issubclass(model, schema.Defaults) else _VALUES[name]


def _good(model, **fixed):
    inner = schema.inner(model)
    values = {
        name: _good(inner[name]) | st.none() if name in inner else st.sampled_from(_values(model, name))
        for name in schema.keys(model)
        if name in inner or name in _VALUES
    }
    return st.fixed_dictionaries(
        fixed, optional={name: held for name, held in values.items() if name not in fixed}
    )


_HOSTS = st.just([{"url": "nas"}, {"url": "other", "parallel": 2}])
_LOG = st.just({"format": "plain"})
GOOD = _good(
    schema.Top,
    inboxes=st.tuples(_good(schema.Inbox, path=st.just("in"), name=st.sampled_from([None, "x"]))).map(list),
    ollama=_good(schema.Ollama, hosts=_HOSTS),
    log=_LOG,
    defaults=_good(schema.Defaults),
)
YAMLISH = st.lists(_LINES, max_size=8).map("\n".join) | CONFIGS.map(lambda data: json.dumps(data, indent=1))
