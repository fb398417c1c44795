"""The daemon with its second reader: real pages, a stand-in server that answers what a test wants, real folders."""

import csv
import json
import os
import re
import shutil
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.harness import PATIENCE, tree, until
from tests.reading_pictures.printed import LINES, paper, with_words

pytest.importorskip("rapidocr")

INVENTED = (
    "The shipment left the warehouse before noon although nobody had signed for any of the heavy boxes."
)
TRUE = "\n".join(LINES)
BAD = {
    "invented": "\n".join([*LINES[:3], INVENTED, *LINES[3:]]),
    "left_out": "\n".join(LINES[:3]),
    "number": TRUE.replace("47", "41"),
    "nothing": "[no text]",
}
OCR_SECONDS = 120.0  # for the pages of a test, on a busy machine
CORPUS = Path(os.environ.get("DROPSCRIBE_CORPUS", "/nonexistent"))
REAL = (
    "bank_statement_table.png",
    "french_pangram.pdf",
    "invoice_table_scan.jpg",
    "book_page_with_typo.jpg",
    "typewriter_dutch.png",
    "two_column_brochure_300dpi.png",
)
"""The first two in every run, all of them with DROPSCRIBE_LONG."""


def printed(path, *, degrees=0):
    image = paper()
    for number, line in enumerate(LINES):
        image = with_words(image, line, (120, 200 + 60 * number), height=34)
    image.rotate(degrees, expand=True).save(path)


class Answers:
    """What the model says in each inbox, known by its prompt: the texts in turn, the last one from then on."""

    def __init__(self, texts):
        self.texts = texts
        self.asked = Counter()
        self.gate = threading.Event()
        self.gate.set()
        self.hold_from = 0  # the how manieth question of an inbox waits for the gate
        self._lock = threading.Lock()

    def __call__(self, request):
        inbox = request.prompt.split("\n", 1)[0].removeprefix("Prompt of ")
        with self._lock:
            number = self.asked[inbox]
            self.asked[inbox] += 1
        if self.hold_from and number + 1 >= self.hold_from:
            self.gate.wait(PATIENCE)
        texts = self.texts[inbox]
        return texts[min(number, len(texts) - 1)]


@pytest.fixture
def daemon(server, household):
    """A daemon with an inbox for each set of answers, and one page in each."""

    def make(texts, *, page=printed, **rules):
        server.reader = Answers(texts)
        rules = {"verify": "on", "output": {"sidecar": True}, **rules}
        home = household(*texts, each=dict.fromkeys(texts, rules))
        for name in texts:
            page(home.inbox(name) / "page.png")
        return home

    yield make
    server.reader.gate.set()


def finding(home, inbox, folder="done"):
    return json.loads((home.inbox(inbox) / folder / "page.meta.json").read_text())["verification"]


def text(home, inbox, folder="done"):
    return (home.inbox(inbox) / folder / "page.md").read_text().rstrip("\n")


def left(home):
    return [name for name in home.names if (home.inbox(name) / "page.png").exists()]


def all_filed(home):
    until(lambda: not left(home), "every page is filed", OCR_SECONDS)


def prompts(server):
    return {request.prompt for request in server.received if request.path == "/api/chat"}


def readers_of(pid):
    """The processes of the embedded engine that a daemon has."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = folder.joinpath("cmdline").read_text()
        except OSError:
            continue
        if parent == pid and "ocr_worker" in command:
            found.append(int(folder.name))
    return found


def test_true_texts_are_verified_and_bad_ones_asked_for_once_more_in_favour_of_the_better(server, daemon):
    texts = {"true": [TRUE], **{f"once_{name}": [bad, TRUE] for name, bad in BAD.items()}}
    home = daemon(texts, on_check="review")
    with home:
        all_filed(home)
        status = home.status()
        home.terminate()
    for name in texts:
        assert text(home, name) == TRUE
        assert finding(home, name)["verdict"] == "verified"
        assert server.reader.asked[name] == (1 if name == "true" else 2), name
        assert not list((home.inbox(name) / "review").iterdir())
    assert prompts(server) == {f"Prompt of {name}\nRead all text." for name in texts}
    assert all(inbox["pages"] == {"verified": 1} for inbox in status["inboxes"])


def test_what_stays_in_doubt_waits_in_review_with_its_finding_until_somebody_moves_it_to_done(server, daemon):
    home = daemon({name: [bad, bad] for name, bad in BAD.items()}, on_check="review")
    with home:
        all_filed(home)
        until(
            lambda: all(i["counts"]["to_review"] == 1 for i in home.status()["inboxes"]), "they are counted"
        )
        for name in home.names:
            assert list(tree(home.inbox(name))) == [
                f"review/page{end}" for end in (".md", ".meta.json", ".png")
            ]
            assert finding(home, name, "review")["verdict"] == "check"
            assert server.reader.asked[name] == 2
        assert finding(home, "invented", "review")["pages"][0]["unsupported"][0] in INVENTED
        assert finding(home, "number", "review")["pages"][0]["numbers"] == ["41"]
        for part in sorted((home.inbox("number") / "review").iterdir()):
            part.rename(home.inbox("number") / "done" / part.name)
        (number,) = (i for i in range(len(home.names)) if home.names[i] == "number")
        until(lambda: home.status()["inboxes"][number]["counts"]["to_review"] == 0, "it is counted no more")
        home.terminate()
    assert server.reader.asked["number"] == 2
    assert text(home, "number") == BAD["number"]


def test_a_page_that_lies_upside_down_is_turned_and_asked_about_again(server, daemon):
    home = daemon({"inbox": [LINES[0], TRUE]}, page=lambda path: printed(path, degrees=180))
    with home:
        all_filed(home)
        home.terminate()
    assert text(home, "inbox") == TRUE
    first, second = (r for r in server.received if r.path == "/api/chat")
    assert first.options == second.options
    assert first.picture_sha256 != second.picture_sha256
    assert first.picture_size == second.picture_size


def test_after_a_kill_in_the_second_question_only_that_is_asked_again(server, daemon):
    home = daemon({"inbox": [BAD["left_out"], TRUE]})
    server.reader.gate.clear()
    server.reader.hold_from = 2
    home.start()
    until(lambda: server.reader.asked["inbox"] == 2, "the second question", OCR_SECONDS)
    home.kill()
    server.reader.gate.set()
    with home:
        all_filed(home)
        home.terminate()
    assert server.reader.asked["inbox"] == 3
    assert text(home, "inbox") == TRUE
    temperatures = [r.options["temperature"] for r in server.received if r.path == "/api/chat"]
    assert temperatures == [0, 0.1, 0.1]


def test_after_a_kill_while_the_page_is_verified_nothing_is_asked_again(server, daemon):
    home = daemon({"inbox": [TRUE]})
    home.start()
    until(lambda: " accepted " in f" {home.said()} ", "the answer", OCR_SECONDS)
    home.kill()
    with home:
        all_filed(home)
        home.terminate()
    assert server.reader.asked["inbox"] == 1
    assert finding(home, "inbox")["verdict"] == "verified"


def test_a_stop_ends_the_second_reader_too(server, daemon):
    home = daemon({"inbox": [TRUE]})
    server.reader.gate.clear()
    server.reader.hold_from = 1
    with home:
        until(lambda: readers_of(home.process.pid), "the second reader runs", OCR_SECONDS)
        readers = readers_of(home.process.pid)
        assert home.terminate(timeout=10) == 0
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in readers), "it has ended")
    assert (home.inbox() / "page.png").exists()


def test_where_the_second_reader_does_not_start_scans_are_read_all_the_same(
    server, daemon, tmp_path, monkeypatch
):
    hidden = tmp_path / "without"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'rapidocr' else find(name, *more)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    home = daemon({"inbox": [BAD["invented"]]})
    code, _, said = home.run("check")
    assert code == 0
    assert "inbox: verify: on is not used: the embedded engine is not installed; run `pip install" in said
    with home:
        all_filed(home)
        (status,) = home.status()["inboxes"]
        _, table, _ = home.run("status")
        home.terminate()
    assert server.reader.asked["inbox"] == 1
    assert finding(home, "inbox")["verdict"] == "unverifiable"
    assert status["unverified"].startswith("the embedded engine is not installed")
    assert "texts are not verified: the embedded engine is not installed" in " ".join(table.split())
    assert home.said().count("goes on without verifying") == 1


# --- real pages


def _real():
    wanted = REAL if os.environ.get("DROPSCRIBE_LONG") else REAL[:2]
    with (CORPUS / "MANIFEST.csv").open(newline="", encoding="utf-8") as rows:
        found = {row["file"]: CORPUS / row["ground_truth_file"] for row in csv.DictReader(rows)}
    return {file: found[file] for file in wanted}


@pytest.mark.slow
@pytest.mark.skipif(not (CORPUS / "MANIFEST.csv").exists(), reason="DROPSCRIBE_CORPUS names no folder")
def test_on_real_pages_true_texts_are_verified_and_inventions_and_omissions_found(server, household):
    truths = {
        file.partition(".")[0]: (CORPUS / file, truth.read_text(encoding="utf-8").partition("\f")[0])
        for file, truth in _real().items()
    }
    texts, sources = {}, {}
    for name, (source, truth) in truths.items():
        lines = truth.split("\n")
        middle = len(lines) // 2
        longest = max(re.findall(r"\d+", truth) or [""], key=len)
        spoilt = {
            "true": [truth],
            "mended": ["\n".join([*lines[:middle], INVENTED, *lines[middle:]]), truth],
            "invented": ["\n".join([*lines[:middle], INVENTED, *lines[middle:]])],
            "half": [truth[: len(truth) // 2]],
        }
        if len(longest) > 3:
            digit = "1" if longest[-1] != "1" else "7"
            spoilt["number"] = [truth.replace(longest, longest[:-1] + digit)]
        for kind, answers in spoilt.items():
            texts[f"{name}-{kind}"] = answers
            sources[f"{name}-{kind}"] = source
    server.reader = Answers(texts)
    rules = {"verify": "on", "on_check": "review", "output": {"sidecar": True}}
    home = household(*texts, each=dict.fromkeys(texts, rules))
    for name, source in sources.items():
        shutil.copy(source, home.inbox(name) / source.name)
    with home:
        until(lambda: not any(_scans(home.inbox(name)) for name in texts), "all are filed", 600.0)
        home.terminate()
    found = {
        name: next((f for f in ("done", "review") if _scans(home.inbox(name) / f)), "failed")
        for name in texts
    }
    print(json.dumps(found, indent=1))
    for name, where in found.items():
        kind = name.rpartition("-")[2]
        assert where == ("done" if kind in {"true", "mended"} else "review"), name
        assert server.reader.asked[name] == (1 if kind == "true" else 2), name


def _scans(folder):
    return [p for p in folder.iterdir() if p.is_file() and p.name in REAL]
