"""Documents are executed: what they name exists, and what exists is named."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tools import answers_tables
from tools.nightly import EVERY

from dropscribe.cli import _VERBS, main
from dropscribe.config import example
from dropscribe.config.load import from_text
from dropscribe.fields import columns, value_at
from dropscribe.filing import collection
from dropscribe.jsonschemas import problems
from dropscribe.prompts import PRESETS, is_named
from dropscribe.reading.models import IN_WORDS, RECOMMENDED, image_tokens
from dropscribe.reading.picture import fitting
from dropscribe.reading.recipe import first
from dropscribe.reading.verdicts import HELP

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_readme_has_every_verb_and_no_other():
    named = set(re.findall(r"^\| `dropscribe (\w+)", README, re.MULTILINE))
    assert named == set(_VERBS)


def test_every_verb_explains_itself(capsys):
    for verb in _VERBS:
        assert main([verb, "--help"]) == 0
        assert "Usage: dropscribe" in capsys.readouterr().out


def test_the_readmes_config_is_one(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    config = from_text(example, tmp_path / "dropscribe.yaml", {"HOME": str(tmp_path)}, check_folders=False)
    assert [inbox.name for inbox in config.inboxes] == ["receipts", "letters"]


def test_ci_runs_the_readmes_own_test_command():
    (command,) = re.findall(r"^    (uv run pytest)$", README, re.MULTILINE)
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text()


def test_the_long_form_of_each_test_is_documented_as_it_runs_at_night():
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    told = re.findall(r"`((?:DROPSCRIBE_\w+=\w+ )+)uv run pytest -s (tests/\S+)`", contributing)
    at_night = {long.tests: long.settings for long in EVERY.values()}
    assert {tests: dict(pair.split("=") for pair in said.split()) for said, tests in told} == at_night
    assert all((ROOT / tests).exists() for tests in at_night)


def test_every_file_that_the_documents_link_to_is_there():
    for page in ROOT.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (ROOT / link).exists(), f"{page.name} links to {link}"


def test_the_example_of_json_goes_from_its_schema_to_its_table(tmp_path):
    page = (ROOT / "docs" / "json.md").read_text()
    schema, answer = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    config, _ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (table,) = re.findall(r"```\n(vendor,.*?)```", page, re.DOTALL)
    (tmp_path / "receipt.json").write_text(json.dumps(schema))
    path = tmp_path / "dropscribe.yaml"
    (inbox,) = from_text(config, path, {"HOME": str(tmp_path)}, check_folders=False).inboxes
    assert inbox.output.schema == schema
    assert inbox.output.collect == tmp_path / "Scans" / "receipts" / "done" / "receipts.csv"
    assert problems(answer, schema) == []
    assert is_named(schema)
    cells = {name: value_at([answer], way) for name, way in columns(schema).items()}
    row = collection.named(cells, "2026-01-31-Rewe.jpg", "2026-01-31T09:15:02.117+01:00")
    assert collection.line(row, b"", is_table=True).decode().splitlines() == table.splitlines()


def constraints():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_constraints_name_versions_and_no_addresses():
    assert constraints()
    for line in constraints():
        assert "://" not in line
        assert Requirement(line).specifier


def test_pip_and_uv_get_the_same_tested_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert [line.replace('"', "'") for line in constraints()] == project["tool"]["uv"][
        "constraint-dependencies"
    ]


def test_the_tested_versions_are_allowed_by_the_minimums():
    tested = {Requirement(line).name.lower(): Requirement(line) for line in constraints()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["ocr"]]:
        wanted = Requirement(line)
        (version,) = (spec.version for spec in tested[wanted.name.lower()].specifier)
        assert wanted.specifier.contains(version), line


def test_help_loads_neither_libraries_nor_engines():
    code = (
        "import sys; from dropscribe.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"pydantic", "requests", "PIL", "watchdog", "rich", "yaml", "sqlite3", "structlog"}


def test_the_table_of_pictures_tells_what_each_family_is_sent():
    """Sides and tokens in docs/pictures.md are those of the code; bytes are what was measured."""
    told = 0
    for line in (ROOT / "docs" / "pictures.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 8 or " x " not in cells[3]:
            continue
        model, sides, tokens = cells[0], tuple(map(int, cells[3].split(" x "))), cells[5]
        size = first(engine="ollama", model=model, prompt="", options={}).size
        natural = (2994, 3992) if "photo" in cells[1] else (2481, 3507)
        assert sides == pytest.approx(fitting(natural, size), abs=2), line
        assert tokens == str(image_tokens(model, *sides) or "?"), line
        told += 1
    assert told >= 30


ANSWERS = (ROOT / "docs" / "answers.md").read_text()


def rows_under(heading):
    """The first cells of the first table under a heading."""
    table = ANSWERS.partition(f"## {heading}\n")[2].partition("\n| ")[2].partition("\n\n")[0]
    return [line.split(" | ")[0].strip("| ") for line in table.split("\n")[2:]]


def test_the_tables_of_answers_are_what_the_program_does():
    assert answers_tables.updated(ANSWERS) == ANSWERS, "run `uv run python -m tools.answers_tables`"
    for verdict in HELP:
        assert f"\n| {verdict} | " in answers_tables.updated(ANSWERS)


def test_every_verdict_and_every_prompt_is_explained():
    told = [
        name for row in rows_under("Verdicts, and what changes on the next try") for name in row.split(", ")
    ]
    assert sorted(told) == sorted(HELP)
    assert rows_under("Prompts") == [f"`{name}`" for name in PRESETS]


def test_example_init_readme_and_answers_recommend_the_same_models():
    short = example.short("/scans")
    assert IN_WORDS in (ROOT / "config.example.yaml").read_text()
    assert IN_WORDS in short
    for memory, model in RECOMMENDED:
        assert f"{model} for {memory} GB" in IN_WORDS
        assert f"| {memory} GB | `{model}` |" in ANSWERS
    named = re.findall(r"ollama pull (\S+) +# (.*)", README)
    assert named == [(RECOMMENDED[0][1], f"a good reader: {IN_WORDS}")]
