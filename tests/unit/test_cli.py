"""The command line from outside: streams that are closed or no terminal, options before the verb."""

import os
import subprocess
import sys

import pytest


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
