"""Documents of a hundred pages: each page is asked once, whatever happens, and memory does not grow with them."""

from pathlib import Path

import pytest

from tests.e2e.harness import asked, until
from tests.reading_pictures.pdfs import scanned_pdf
from tests.reading_pictures.scans import saved
from tests.standin import marks

MANY, FEW = 100, 5


def document(kind, pages):
    first, *others = [marks.draw(number).convert("L") for number in range(1, pages + 1)]
    if kind == "PDF":
        return scanned_pdf(first, *others)
    return saved(first, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")


def deliver(inbox, kind, pages):
    name = f"long.{kind.lower()}"
    (inbox / ".long.part").write_bytes(document(kind, pages))
    (inbox / ".long.part").rename(inbox / name)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_a_kill_in_the_middle_costs_at_most_the_page_in_flight(server, household, kind):
    home = household()
    inbox = home.inbox()
    server.token_seconds = 0.001
    name = deliver(inbox, kind, MANY)
    home.start()
    until(lambda: len(asked(server)) >= MANY // 2, "half of the pages")
    home.kill()
    before = len(asked(server))
    with home:
        until((inbox / "done" / name).exists, "the document")
        assert home.terminate() == 0
    pages = asked(server)
    assert MANY - before <= len(pages) - before <= MANY - before + 1
    assert sorted(set(pages)) == list(range(1, MANY + 1))
    text = (inbox / "done" / "long.md").read_text()
    assert [int(line.split()[1]) for line in text.splitlines() if line.startswith("scan ")] == list(
        range(1, MANY + 1)
    )


def most_memory(process):
    """Bytes that the process and its children have ever needed, each by itself, added up."""
    pids = [process.pid]
    for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
        pids += [int(pid) for pid in children.read_text().split()]
    return sum(
        int(line.split()[1]) * 1024
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_a_hundred_pages_need_no_more_memory_than_five(server, household, kind):
    needed = {}
    for pages in (FEW, MANY):
        home = household(f"pages{pages}")
        inbox = home.inbox(f"pages{pages}")
        with home:
            name = deliver(inbox, kind, pages)
            until((inbox / "done" / name).exists, "the document")
            needed[pages] = most_memory(home.process)
            home.terminate()
    assert needed[MANY] < 1.2 * needed[FEW], needed
