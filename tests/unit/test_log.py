import io
import json
import logging
import os
import re
import subprocess
import sys

import pytest

from dropscribe import log


@pytest.fixture
def out():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    log.configure()


def test_one_step_is_one_line_whatever_the_name_says(out):
    log.configure("plain", stream=out)
    log.step("settled", inbox="in", scan="a\n2026-01-01 00:00:00 filed\x1b[2J\udcff.png")
    (line,) = out.getvalue().splitlines()
    assert r"in/a\x0a2026-01-01 00:00:00 filed\x1b[2J\xff.png  settled" in line


def test_no_name_can_pass_for_a_step_or_a_fact(out):
    log.configure("plain", stream=out)
    log.step("failed", inbox="in", scan="a  filed  to=done .png", reason="b  \t tokens=5")
    (line,) = out.getvalue().splitlines()
    assert line.split("  ")[1:] == ["failed", r"reason=b \x20\x09 tokens=5"]


def test_facts_follow_and_empty_ones_are_left_out(out):
    log.configure("plain", stream=out)
    log.step("asked", inbox="in", scan="a.png", page=1, tokens=None, reason="")
    assert re.fullmatch(r"[\d-]+ [\d:]+ in/a.png  asked  page=1\n", out.getvalue())


def test_the_journal_gets_priorities_and_no_times(out):
    log.configure("journal", stream=out)
    log.step("filed", inbox="in", scan="a.png")
    log.step("resting", level="warning", host="h")
    assert out.getvalue() == "<6>in/a.png  filed\n<4>resting  host=h\n"


def under_the_journal(line, folder, *, elsewhere=False):
    """What a program writes that systemd started, into the stream that systemd has connected or into another."""
    journal = folder / "journal"
    with journal.open("wb") as stream:
        found = os.fstat(stream.fileno())
        variables = {
            "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}",
            "DROPSCRIBE": f"{sys.executable} -m dropscribe",
        }
        into = f" 2>{folder}/elsewhere" if elsewhere else ""
        subprocess.run(
            ["sh", "-c", line + into],
            stdout=stream,
            stderr=stream,
            check=False,
            env={**os.environ, **variables},
        )
    return ((folder / "elsewhere") if elsewhere else journal).read_text()


STEPS = f"""{sys.executable} -c 'from dropscribe import log; log.configure(); log.step("filed", inbox="in");
log.step("parked", level="warning", inbox="in"); log.trouble("broke down", ValueError("x"))'"""


def test_the_journal_is_known_by_its_stream(tmp_path):
    said = under_the_journal(STEPS, tmp_path)
    assert said.splitlines()[:3] == [
        "<6>in  filed",
        "<4>in  parked",
        "<3>broke down  error=ValueError('x')",
    ]
    assert all(line.startswith("<3>") for line in said.splitlines()[3:])
    assert "\x1b" not in said


def test_what_a_service_sends_elsewhere_is_no_journal(tmp_path):
    said = under_the_journal(STEPS, tmp_path, elsewhere=True)
    assert re.match(r"[\d-]+ [\d:]+ in  filed\n", said)


def test_why_a_service_does_not_start_is_an_error_in_the_journal(tmp_path):
    said = under_the_journal(f"$DROPSCRIBE run -c {tmp_path}/none.yaml", tmp_path)
    assert said.startswith("<3>")
    assert "none.yaml" in said
    (tmp_path / "bad.yaml").write_text("inboxes: [{path: 5}, {pth: x}]\n")
    lines = under_the_journal(f"$DROPSCRIBE run -c {tmp_path}/bad.yaml", tmp_path).splitlines()
    assert len(lines) > 1
    assert all(line.startswith("<3>") for line in lines)


def test_json_on_request(out):
    log.configure("json", stream=out)
    log.step("filed", inbox="in", scan="a\udcff.png", seconds=1.5)
    said = json.loads(out.getvalue())
    assert (said["scan"], said["event"], said["seconds"], said["level"]) == (
        r"a\xff.png",
        "filed",
        1.5,
        "info",
    )


def test_what_is_less_important_than_asked_for_is_left_out(out):
    log.configure("plain", "warning", stream=out)
    log.step("filed")
    log.step("parked", level="warning", inbox="in")
    assert out.getvalue().endswith("WARNING in  parked\n")
    assert out.getvalue().count("\n") == 1


def test_a_traceback_is_told_in_lines_of_the_log(out):
    log.configure("plain", stream=out)
    try:
        int("a bug")
    except ValueError as error:
        log.trouble("broke down", error, inbox="in", scan="a.png")
    lines = out.getvalue().splitlines()
    assert "in/a.png  broke down  error=ValueError(" in lines[0]
    assert len(lines) > 3
    assert all("ERROR" in line for line in lines)


def test_libraries_speak_into_the_same_log(out):
    log.configure("plain", stream=out)
    logging.getLogger("somebody").warning("is %s", "unhappy")
    assert "library" in out.getvalue()
    assert "message=is unhappy" in out.getvalue()
