"""One table of all sequences, printed at the end where output is not captured (pytest -s)."""

import pytest

_ROWS = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[_ROWS] = []


@pytest.fixture(scope="session")
def table(pytestconfig):
    """Takes rows: number and title of a sequence, how it was watched, its outcome."""
    return pytestconfig.stash[_ROWS]


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(_ROWS, [])
    if not rows or config.option.capture != "no":
        return
    terminalreporter.section("write sequences; seconds from the first step of the writer")
    terminalreporter.write_line(_line("", "sequence", "watch", "complete", "asked", "calls", "result"))
    for number, title, watch, outcome in sorted(rows, key=lambda row: (row[0], row[2])):
        times = (_seconds(outcome.complete), _seconds(outcome.asked), str(len(outcome.calls)))
        terminalreporter.write_line(_line(number, title, watch, *times, outcome.problem or "as it has to be"))


def _line(number, title, watch, complete, asked, calls, result):
    return f"{number:4} {title:58} {watch:7} {complete:>8} {asked:>7} {calls:>5}  {result}"


def _seconds(time):
    return "-" if time is None else f"{time:.1f}"
