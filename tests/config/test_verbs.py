"""`dropscribe check` and `dropscribe init` as a person meets them."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from dropscribe import cli
from dropscribe.cli import init
from dropscribe.cli.check import schema_text
from dropscribe.config import example
from dropscribe.config.load import load
from dropscribe.errors import UsageError
from tests.config.folder import write


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.fixture
def run(here, capfd):
    def run_it(*args):
        code = cli.main(list(args))
        said = capfd.readouterr()
        return code, said.out, said.err

    return run_it


def test_check_names_each_problem_and_their_number(here, run):
    write(here, "inboxes:\n  - path: in\n    tries: 9\n    promt: x\n")
    assert run("check") == (
        2,
        "",
        (
            "dropscribe.yaml:3:12: inboxes[0].tries: expected a whole number from 1 to 8, got 9\n"
            'dropscribe.yaml:4:5: inboxes[0].promt: unknown key; did you mean "prompt"?\n'
            "2 problems\n"
        ),
    )


def test_check_of_a_good_configuration_is_a_line_for_each_inbox(here, run):
    write(
        here,
        "inboxes:\n  - path: in\n  - {path: b, create: true, engine: ocr, output: {format: text, folder: /t}}\n",
    )
    code, out, err = run("check", "-c", "dropscribe.yaml")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["in", str(here / "in"), "ollama", "qwen3.5:4b", "markdown", "in", "done"],
        ["b", str(here / "b"), "ocr", "text", "in", "/t"],
    ]
    assert err == f"{here / 'dropscribe.yaml'}: 2 inboxes, no problems\n"


def test_check_tells_warnings_and_is_content_all_the_same(here, run):
    write(here, "inboxes: [{path: in}]").chmod(0o666)
    code, _, err = run("check")
    assert code == 0
    assert err.startswith("warning: dropscribe.yaml: other users")


def test_check_without_a_configuration_names_the_places_and_the_way_out(run):
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert "no configuration found" in err
    assert "dropscribe init" in err
    assert err.endswith("\n1 problem\n")


def test_check_prints_the_schema_for_editors(run):
    assert run("check", "--schema") == (0, schema_text(), "")


def test_init_makes_an_inbox_and_a_configuration_that_passes_check(here, run):
    code, out, _ = run("init")
    home = os.environ["HOME"]
    assert code == 0
    assert Path(home, "Scans/inbox").is_dir()
    assert "dropscribe check\n" in out
    assert "dropscribe run\n" in out
    assert "ollama pull qwen3.5:4b" in out
    assert "engine: ocr" in out
    code, out, err = run("check")
    assert (code, out.split()[:2]) == (0, ["inbox", f"{home}/Scans/inbox"])
    assert "warning" not in err


def test_init_takes_a_folder_and_a_file_of_ones_own(here, run):
    code, out, _ = run("init", "my scans/new", "--config", "conf/rules.yaml")
    assert code == 0
    assert f"dropscribe check -c {here / 'conf/rules.yaml'}\n" in out
    (inbox,) = load(here / "conf/rules.yaml", {}, here).inboxes
    assert inbox.path == here / "my scans/new"
    assert inbox.path.is_dir()


def test_init_never_overwrites_a_configuration(here, run):
    for make in (lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")):
        path = here / "rules.yaml"
        path.unlink(missing_ok=True)
        make(path)
        code, out, err = run("init", "new", "-c", "rules.yaml")
        assert (code, out) == (2, "")
        assert err == f"{path} exists already and is left as it is; `dropscribe check` checks it\n"
        assert not (here / "new").exists()
    assert str(path.readlink()) == "nowhere"


def test_init_does_not_overwrite_what_another_wrote_a_moment_ago(here):
    (here / "rules.yaml").write_text("theirs")
    with pytest.raises(UsageError, match="exists already"):
        init._write(here / "rules.yaml", "mine")
    assert (here / "rules.yaml").read_text() == "theirs"


def test_init_refuses_a_folder_that_cannot_be_an_inbox_and_makes_nothing(here, run):
    before = sorted(here.rglob("*"))
    for folder, words in {
        ".hidden": "must not begin with a dot",
        os.environ["HOME"]: "the state folder",
    }.items():
        code, _, err = run("init", folder, "-c", "rules.yaml")
        assert code == 2
        assert words in err
    assert sorted(here.rglob("*")) == before


def test_init_says_in_plain_words_why_a_folder_cannot_be_made(here, run):
    (here / "file").touch()
    code, _, err = run("init", "file/new", "-c", "rules.yaml")
    assert code == 1
    assert str(here / "file/new") in err
    assert not (here / "rules.yaml").exists()


@pytest.mark.parametrize("home", ["", "rel"])
def test_a_home_that_leads_nowhere_is_told_and_nothing_is_made(here, run, monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    before = sorted(here.rglob("*"))
    words = f'expected HOME to be an absolute path, got "{home}"; set it to your home folder, or '
    assert run("init") == (2, "", words + "name the configuration with -c FILE\n")
    code, _, err = run("init", "-c", "rules.yaml")
    assert code == 2
    assert words + "name a folder here\n" in err
    assert "expected a home folder" in err  # for the inbox in ~/Scans
    assert sorted(here.rglob("*")) == before
    write(here, "state: st\ninboxes: [{path: in}]\n")
    assert run("check")[0] == 0


def test_init_writes_a_file_that_nobody_else_may_change(here, run):
    old = os.umask(0)
    try:
        run("init", "new", "-c", "rules.yaml")
    finally:
        os.umask(old)
    assert (here / "rules.yaml").stat().st_mode & 0o022 == 0


def test_init_prints_the_full_example(here, run):
    assert run("init", "--example") == (0, example.full(), "")


def test_the_help_of_both_verbs_names_the_option_for_the_file():
    for verb in ("check", "init"):
        result = CliRunner().invoke(cli.group, [verb, "--help"])
        assert result.exit_code == 0
        assert "-c, --config FILE" in result.output
