"""docs/hostile-inbox.md is true: each test that it names exists, and so does each module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "hostile-inbox.md").read_text()


def rows():
    """The cells of each row of the table."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(cell):
    return [part.strip("`") for part in cell.split()]


def functions_in(path):
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_threat_has_a_defence_and_a_test():
    assert len(rows()) > 30
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_a_row_names_exists(row):
    _, _, modules, tests = row
    for module in quoted(modules):
        path = ROOT / "daemon" / "dropscribe" / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__init__.py").exists(), module
    for test in quoted(tests):
        path, _, name = test.partition("::")
        assert name.startswith("test_"), test
        assert name in functions_in(path), test


def test_no_test_of_the_running_daemon_is_left_out():
    named = {test.partition("::")[2] for row in rows() for test in quoted(row[3])}
    played = {name for name in functions_in("e2e/test_hostile.py") if name.startswith("test_")}
    assert played - named == {"test_a_hard_link_is_read_as_soon_as_it_is_a_file_of_its_own"}
