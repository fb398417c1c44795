"""The layout is a rule: which module may import which, and what pure means."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from tools import module_table

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "daemon"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((SOURCE / "dropscribe").rglob("*.py"))
}
ACTS = ("intake", "reading", "filing")
# What an act may lean on: values, words and tools without a will of their own.
TOOLS = {"errors", "values", "fields", "formats", "stop", "words", "prompts", "jsonschemas", "journal", "log"}
IMPURE = {
    "os", "time", "logging", "socket", "random", "threading", "subprocess", "shutil", "tempfile", "sqlite3",
    "signal", "requests", "urllib3", "PIL", "watchdog", "tenacity", "structlog", "rich", "click", "secrets",
}  # fmt: skip
# The import name where it is not the name of the distribution.
IMPORT_NAMES = {"pyyaml": "yaml", "pillow": "PIL", "pillow-heif": "pillow_heif"}
# Pillow is the one library that several rooms share: it is how a picture is a value at all.
SHARED = {"PIL": {"reading", "samples", "sheet", "cli.preview"},
          "click": {"cli"}, "rich": {"cli"}, "pydantic": {"config"}}  # fmt: skip


def imports(path):
    """Module names imported anywhere in a file, type-checking imports included: they are arrows too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    return module.removeprefix("dropscribe").removeprefix(".").partition(".")[0]


def third_party():
    importers = defaultdict(set)
    for module, path in MODULES.items():
        for name in imports(path):
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "dropscribe":
                importers[top].add(module.removeprefix("dropscribe."))
    return importers


@pytest.mark.parametrize("act", ACTS)
def test_the_acts_know_nothing_of_each_other_nor_of_who_conducts_them(act):
    for module, path in MODULES.items():
        if room(module) != act:
            continue
        for name in imports(path):
            if name.startswith("dropscribe.") and name in MODULES:
                assert room(name) in {act, *TOOLS}, f"{module} imports {name}"


def test_tools_import_nothing_but_tools():
    for module, path in MODULES.items():
        if room(module) in TOOLS:
            for name in imports(path):
                if name in MODULES and name != "dropscribe":
                    assert room(name) in TOOLS, f"{module} imports {name}"


def test_pure_modules_touch_neither_clock_nor_disk_nor_network():
    pure = [module for module, path in MODULES.items() if re.search(r"; pure\b", docstring(path))]
    assert len(pure) >= 12
    for module in pure:
        for name in imports(MODULES[module]):
            assert name.partition(".")[0] not in IMPURE, f"{module} says it is pure and imports {name}"


def docstring(path):
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def test_every_module_says_in_one_docstring_what_it_is():
    for module, path in MODULES.items():
        assert docstring(path), f"{module} has no docstring"


def test_each_library_is_imported_in_one_place():
    for library, importers in third_party().items():
        allowed = SHARED.get(library)
        if allowed is None:
            assert len(importers) == 1, f"{library} is imported by {sorted(importers)}"
        else:
            for module in importers:
                assert module in allowed or module.partition(".")[0] in allowed, f"{module} imports {library}"


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return {re.split(r"[<>=!~ \[]", line)[0].lower() for line in project["dependencies"]}, {
        re.split(r"[<>=!~ \[]", line)[0].lower() for line in extras
    }


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    core, extras = declared()
    imported = set(third_party())
    # onnxruntime is what rapidocr runs its models on.
    wanted = {IMPORT_NAMES.get(name, name) for name in core | extras} - {"onnxruntime"}
    assert imported - {"onnxruntime", "numpy", "cv2"} == wanted


def test_architectures_table_of_modules_is_what_the_modules_say():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert module_table.updated(text) == text, "run `uv run python tools/module_table.py`"
    assert text.count("| `") > 50


def test_architecture_names_every_library():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    core, extras = declared()
    table = text.partition("## Libraries")[2].partition("\n## ")[0].lower()
    rows = set(re.findall(r"^\| `?([a-z0-9-]+)`? \|", table, re.MULTILINE)) - {"library"}
    assert rows == core | extras


# The second signal, where everything else may hang; and processes for decoding, which their daemon has left.
LEAVE_AT_ONCE = {"dropscribe.signals", "dropscribe.reading.process"}


def test_nobody_but_the_command_line_exits():
    for module, path in MODULES.items():
        if room(module) in {"cli", "__main__"}:
            continue
        leaves = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                leaves.add(f"{node.value.id}.{node.attr}")
        assert "sys.exit" not in leaves, f"{module} exits"
        assert "os._exit" not in leaves or module in LEAVE_AT_ONCE, f"{module} exits"
