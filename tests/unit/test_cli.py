"""The command line from outside: streams that are closed or no terminal, options before the verb."""

import os
import subprocess
import sys

import pytest

from tests.standin import Standin


@pytest.fixture
def config(tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "rules.yaml"
    path.write_text("state: state\ninboxes: [{path: in, engine: ocr}]\n")
    path.chmod(0o600)
    return path


def shell(line, **variables):
    """Exit code, output and errors of `line`, in which $DROPSCRIBE is the program."""
    variables["DROPSCRIBE"] = f"{sys.executable} -m dropscribe"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_nothing(config, closed):
    code, out, err = shell(f'$DROPSCRIBE once -c "$FILE" {closed}', FILE=str(config))
    assert code == 0
    assert "Traceback" not in err
    if closed == "2>&-":
        assert out.split()[4:] == ["in", "0", "0", "0"]


def test_nothing_is_wrapped_or_cut_where_there_is_no_terminal(config):
    name = "a rather long name that somebody has given to an inbox, so that all see what it is for"
    config.write_text(f"state: state\ninboxes: [{{path: in, engine: ocr, name: '{name}'}}]\n")
    for verb in ("status", "once"):
        code, out, _ = shell(f'$DROPSCRIBE {verb} -c "$FILE"', FILE=str(config), COLUMNS="80")
        assert code == 0
        assert name in out
        assert max(map(len, out.splitlines())) < 300


def test_an_inbox_below_another_is_no_folder_that_was_forgotten(config):
    (config.parent / "in" / "inner" / "2026").mkdir(parents=True)
    config.write_text("state: state\ndefaults: {engine: ocr}\ninboxes: [{path: in}, {path: in/inner}]\n")
    code, out, _ = shell('$DROPSCRIBE status -c "$FILE"', FILE=str(config))
    assert code == 0
    assert "in: " not in out
    assert "inner: 1 folder is not looked into (2026)" in out


def test_the_config_may_be_named_before_the_verb(config):
    code, out, _ = shell('$DROPSCRIBE -c "$FILE" check', FILE=str(config))
    assert (code, out.split()[0]) == (0, "in")
    other = config.with_name("other.yaml")
    other.write_text(config.read_text().replace("path: in", "path: in, name: other"))
    code, out, _ = shell('$DROPSCRIBE -c "$FILE" check -c "$OTHER"', FILE=str(config), OTHER=str(other))
    assert (code, out.split()[0]) == (0, "other")


def test_a_verb_that_is_nearly_one_is_answered_with_the_right_one():
    code, _, err = shell("$DROPSCRIBE chekc")
    assert code == 2
    assert 'there is no command "chekc"; did you mean "check"?' in err


def test_the_demo_in_a_pipe_says_of_each_scan_when_it_was_read():
    with Standin() as server:
        code, out, _ = shell(f"$DROPSCRIBE demo --ollama {server.url}")
    assert code == 0
    lines = [line for line in out.splitlines() if " of 5: " in line]
    assert [line[:7] for line in lines] == [f"{n} of 5: "[:7] for n in range(1, 6)]
    assert all(line.endswith(" is in done/") for line in lines)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            "verify: off, on_check: review",
            ["on_check: review is not used: nothing is verified with verify: off"],
        ),
        (
            "on_check: review, output: {format: json, schema: form.json}",
            ["on_check: review is not used: answers that follow a schema are verified only with verify: on"],
        ),
        (
            "verify: on, on_check: review, engine: ocr",
            [
                "verify: on is not used: the embedded engine cannot vouch for itself",
                "on_check: review is not used: the embedded engine cannot vouch for itself",
            ],
        ),
        ("verify: off", []),
        ("verify: on, on_check: review", []),
    ],
)
def test_a_wish_for_verified_texts_that_nothing_comes_of_is_warned_of(config, rules, told):
    pytest.importorskip("rapidocr")
    (config.parent / "form.json").write_text(
        '{"type": "object", "properties": {"total": {"type": "number"}}}'
    )
    config.write_text(f"state: state\ninboxes: [{{path: in, {rules}}}]\n")
    code, _, err = shell('$DROPSCRIBE check -c "$FILE"', FILE=str(config))
    assert code == 0
    assert [line for line in err.splitlines() if "is not used" in line] == [
        f"warning: in: {each}" for each in told
    ]
