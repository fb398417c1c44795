"""Plays sequences: one real daemon on one inbox for each, one writing process for each, one stand-in for all."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.arrivals.script import SCALE, Payload
from tests.e2e.harness import Household, until
from tests.standin import Standin, answers

PATIENCE = 40 + 150 * SCALE  # seconds; only a hang meets this
AT_ONCE = 8
_WRITER = Path(__file__).with_name("writer.py")


@dataclass
class Outcome:
    """What became of one sequence; seconds from the first step of its writer, None where it did not happen."""

    calls: list
    complete: float | None
    asked: float | None
    reasons: dict = field(repr=False)
    problem: str = ""


class Theatre:
    """A household in which sequences are played; its daemon is started by whoever plays."""

    def __init__(self, root, watch, sequences):
        self.root = root
        self.sequences = {each.inbox: each for each in sequences}
        self._held = {mark: threading.Event() for each in sequences for mark in each.hold}
        self.gates = root / "gates"
        for folder in (self.gates, root / "staging", root / "payloads"):
            folder.mkdir()
        self.server = Standin(parallel=AT_ONCE, reader=self._read)
        inboxes = [
            {"path": str(root / "scans" / each.inbox), "name": each.inbox, **rules(each, watch), **each.rules}
            for each in sequences
        ]
        hosts = [{"url": self.server.url, "parallel": AT_ONCE}]
        self.home = Household(
            root, self.server.url, tuple(self.sequences), {"inboxes": inboxes, "ollama": {"hosts": hosts}}
        )
        self.writers = {}
        self._right = set()
        self._payloads = {}

    def _read(self, request):
        """The answer; for some pages only once their writer has done what it does meanwhile."""
        mark = request.mark
        if mark in self._held:
            (self.gates / f"asked-{mark}").touch()
            until((self.gates / f"go-on-{mark}").exists, f"the writer lets {mark} go on", PATIENCE)
        return answers.reading(request)

    def write(self):
        """Begin to write into all inboxes, once all writers are there: the start of others would hold some up."""
        for inbox in self.sequences:
            self._call(inbox)
        until(lambda: all(writer.is_there for writer in self.writers.values()), "all writers", PATIENCE)
        (self.gates / "begin").touch()

    def _call(self, inbox):
        each = self.sequences[inbox]
        folder = self.home.inbox(inbox)
        for name, payload in each.files.items():
            (folder / name).write_bytes(payload.data)
        script = [[self._plain(value, folder) for value in step] for step in each.script]
        self.writers[inbox] = started_writer(script, folder, self.gates / "begin")

    def _plain(self, value, inbox):
        if isinstance(value, str):
            return value.replace("{inbox}", str(inbox)).replace("{root}", str(self.root))
        if not isinstance(value, Payload):
            return value
        if value not in self._payloads:
            path = self.root / "payloads" / str(len(self._payloads))
            path.write_bytes(value.data)
            self._payloads[value] = str(path)
        return self._payloads[value]

    def is_right(self, inbox):
        """Whether its writer has ended and its tree was as it has to be; what was so once is not looked at again."""
        if inbox not in self._right and self.writers[inbox].over and not self.wrong(inbox):
            self._right.add(inbox)
        return inbox in self._right

    def wrong(self, inbox):
        """What is wrong with the tree of an inbox, in words; empty if it is as it has to be."""
        return differences(self.sequences[inbox], self.home.inbox(inbox))

    def calls(self, inbox):
        mine = marks_of(self.sequences[inbox])
        return sorted(mark for mark in self._asked() if mark in mine)

    def asked_at(self, inbox):
        mine = marks_of(self.sequences[inbox])
        times = [r.at for r in self.server.received if r.path == "/api/chat" and r.mark in mine]
        return min(times, default=None)

    def _asked(self):
        return [r.mark for r in self.server.received if r.path == "/api/chat" and r.mark is not None]

    def __enter__(self):
        self.server.up()
        return self

    def __exit__(self, *_):
        for writer in self.writers.values():
            writer.end()
        for gate in self._held:
            (self.gates / f"go-on-{gate}").mkdir(exist_ok=True)
        if self.home.process is not None and self.home.process.poll() is None:
            self.home.kill()
        self.server.close()


class started_writer:  # noqa: N801 - used as a verb
    """A writing process; `times` are its clock before it waits for `begin`, after that, and at each `complete`."""

    def __init__(self, script, folder, begin):
        self._said = ""
        self.process = subprocess.Popen(
            [sys.executable, str(_WRITER)], cwd=folder, text=True, encoding="utf-8", errors="surrogateescape",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.process.stdin.write(json.dumps([["complete"], ["until", str(begin)], ["complete"], *script]))
        self.process.stdin.close()
        self.times = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        self.times += map(float, self.process.stdout)

    @property
    def over(self):
        return self.process.poll() is not None

    @property
    def is_there(self):
        return bool(self.times) or self.over

    @property
    def is_complete(self):
        return len(self.times) > 2

    def end(self):
        """What it had to complain about."""
        if not self.over:
            self.process.kill()
        self.process.wait()
        if not self.process.stderr.closed:
            self._thread.join()
            self.process.stdout.close()
            self._said = self.process.stderr.read()
            self.process.stderr.close()
        return self._said


def rules(sequence, watch):
    """The quiet times that people get, as long as the sequences are played as they were seen."""
    looks = {"watch": watch, **({"rescan": f"{max(1, round(10 * SCALE))}s"} if watch == "poll" else {})}
    return looks if SCALE == 1 else {"settle": f"{sequence.quiet * SCALE * 1000:.0f}ms", **looks}


def marks_of(sequence):
    """All marks that its writer writes."""
    payloads = [value for step in sequence.script for value in step if isinstance(value, Payload)]
    return {mark for payload in (*payloads, *sequence.files.values()) for mark in payload.marks}


def play(root, watch, sequences, *, late=False):
    """The outcome of each sequence; `late`: the daemon is started when all of them are in their middle."""
    with Theatre(root, watch, sequences) as theatre:
        if late:
            theatre.write()
            until(lambda: all_waiting(theatre), "all writers are in their middle", PATIENCE)
        theatre.home.start()
        until(lambda: "started" in theatre.home.said(), "the daemon has started", PATIENCE)
        (theatre.gates / "started").touch()
        if not late:
            theatre.write()
        return finish(theatre)


def all_waiting(theatre):
    """No file has changed between two looks, which are further apart than two steps of any writer."""
    before = _stats(theatre.root / "scans")
    threading.Event().wait(2.5 * SCALE + 0.5)
    return before == _stats(theatre.root / "scans") and bool(before)


def _stats(folder):
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def finish(theatre):
    """Wait until every inbox is as it has to be, or nothing changes any more, then until nothing more comes."""
    waits = {inbox for inbox, each in theatre.sequences.items() if each.held}
    with suppress(AssertionError):  # what did not come about shows in the outcomes, with its name
        until(lambda: _ended(theatre, waits), "the sequences", PATIENCE)
    held = _while_held(theatre, waits)
    for inbox in waits:
        theatre.writers[inbox].end()
    with suppress(AssertionError):
        until(lambda: _ended(theatre, ()), "the last ones", PATIENCE / 2)
    longest = max((each.quiet for each in theatre.sequences.values()), default=0) * SCALE
    threading.Event().wait(1.5 * longest + 0.5)  # what would be read twice is read again now
    status = {each["name"]: each for each in theatre.home.status()["inboxes"]}
    outcomes = {inbox: _outcome(theatre, inbox, status[inbox], held) for inbox in theatre.sequences}
    code = theatre.home.terminate()
    for outcome in outcomes.values():
        outcome.problem = outcome.problem or (f"the daemon ended with {code}" if code else "")
    return outcomes


def _ended(theatre, but):
    right = [theatre.is_right(inbox) for inbox in theatre.sequences if inbox not in but]
    return all(right) and all(theatre.writers[inbox].is_complete for inbox in but)


def _while_held(theatre, waits):
    if not waits:
        return {}
    found = {}

    def said():
        for inbox in theatre.home.status()["inboxes"]:
            if inbox["name"] in waits:
                reasons = {scan["name"]: scan["reason"] for scan in inbox["scans"]}
                found[inbox["name"]] = {"reasons": reasons, "calls": theatre.calls(inbox["name"])}
        return all(
            words in found[inbox]["reasons"].get(name, "")
            for inbox in waits
            for name, words in theatre.sequences[inbox].held.items()
        )

    with suppress(AssertionError):
        until(said, "the status says why it waits", PATIENCE / 4)
    return found


def _outcome(theatre, inbox, status, held):
    each, writer = theatre.sequences[inbox], theatre.writers[inbox]
    over = writer.over
    said = writer.end()
    began, *complete = writer.times[1:] or [0.0]
    asked = theatre.asked_at(inbox)
    reasons = {scan["name"]: scan["reason"] for scan in status["scans"]}
    problem = ""
    if said:
        problem = f"its writer broke down: {said.splitlines()[-1]}"
    elif not over or not complete:
        problem = "its writer did not come to its end"
    problem = problem or theatre.wrong(inbox) or _calls_differ(each, theatre.calls(inbox))
    problem = problem or _unspoken(each.left, reasons)
    if not problem and each.held:
        seen = held.get(inbox, {"reasons": {}, "calls": []})
        problem = _unspoken(each.held, seen["reasons"]) or (
            "asked while it was held" if seen["calls"] else ""
        )
    if not problem and not each.early and asked is not None and asked < complete[-1]:
        problem = f"asked {complete[-1] - asked:.1f} s before it was complete"
    return Outcome(
        calls=theatre.calls(inbox),
        complete=complete[-1] - began if complete else None,
        asked=asked - began if asked is not None else None,
        reasons=reasons,
        problem=problem,
    )


def _calls_differ(each, calls):
    if calls == each.calls:
        return ""
    missing = sorted((Counter(each.calls) - Counter(calls)).elements())
    more = sorted((Counter(calls) - Counter(each.calls)).elements())
    return f"asked for {more} too often, for {missing} not often enough"


def _unspoken(expected, reasons):
    for name, words in expected.items():
        if words and words not in reasons.get(name, ""):
            return f"{name!r}: status says {reasons.get(name)!r}, not {words!r}"
    return ""


def differences(each, folder):
    """The first thing about the tree of an inbox that is not as it has to be, in words."""
    try:
        return (
            _wrong_inbox(each, folder)
            or _wrong_done(each, folder / "done")
            or _wrong_failed(each, folder / "failed")
        )
    except OSError as error:  # it changes while it is looked at, or is not there
        return str(error)


def _wrong_inbox(each, folder):
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    found |= {path.name for path in folder.iterdir() if path.is_dir() and path.name in each.left}
    waiting = {name for name in found if not name.startswith(("done/", "failed/"))}
    if waiting != set(each.left):
        return f"in the inbox lie {sorted(waiting)[:5]}, not {sorted(each.left)[:5]}"
    return ""


def _wrong_done(each, folder):
    texts = {}
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name in each.done:
            if path.read_bytes() != each.done[name].data:
                return f"done/{name} has other content"
        else:
            texts[name] = path
    if missing := [name for name in each.done if not os.path.lexists(folder / name)]:
        return f"done/ lacks {missing[:3]}"
    for name, payload in each.done.items():
        text = texts.pop(_text_of(name), None)
        if text is None:
            return f"done/{name} has no text"
        if marks_in(text.read_text(encoding="utf-8")) != list(payload.marks):
            return f"the text of {name} names {marks_in(text.read_text(encoding='utf-8'))}"
    return f"done/ has {sorted(texts)[:3]} too many" if texts else ""


def _text_of(name):
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    return folder + slash + (stem if dot and ending else last.rstrip(".") if dot else last) + ".md"


def _wrong_failed(each, folder):
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    expected = {*each.failed, *(f"{name}.reason.txt" for name in each.failed)}
    if there != expected:
        return f"failed/ holds {sorted(there ^ expected)[:3]} too many or not"
    for name, words in each.failed.items():
        if words not in (folder / f"{name}.reason.txt").read_text(encoding="utf-8"):
            return f"the reason of {name} does not say {words!r}"
    return ""


def files_below(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def marks_in(text):
    """The pages that the stand-in has read into a text, in their order."""
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith("scan ")]
