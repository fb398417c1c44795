"""What may help: one table, in which no verdict is missing and none is made up."""

import ast
from pathlib import Path

import dropscribe
from dropscribe import read_page
from dropscribe.reading.verdicts import HELP, what_helps
from dropscribe.values import Verdict

SOURCE = Path(dropscribe.__file__).parent
GIVERS = {"BadAnswer", "Verdict", "_other_recipe"}
NEVER_SEEN = {read_page.SUSPECT}  # which is confirmed, forgotten, or still open
UNASKED = {read_page.BLANK, read_page.TEXT_LAYER}


def given():
    """Every verdict that some line of the program gives, by its literal name."""
    for path in [*(SOURCE / "reading").rglob("*.py"), SOURCE / "read_page.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GIVERS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value
            if path.name == "judge.py" and isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                yield node.value.elts[0].value
    yield read_page.NO_ANSWER


def test_every_verdict_that_is_given_has_its_help_and_no_other_has():
    bad = {name for name in given() if not Verdict(name, "").accepted} - NEVER_SEEN
    assert len(bad) >= 14
    assert bad == set(HELP)


def test_help_is_a_clause_that_fits_behind_what_helps():
    for words in HELP.values():
        assert words[0].islower()
        assert not words.endswith(".")
        assert words.isprintable()


def test_what_needs_no_help_has_none():
    for name in ("accepted", "no text", *UNASKED, *NEVER_SEEN, "a verdict of an older version"):
        assert what_helps(name) == ""
