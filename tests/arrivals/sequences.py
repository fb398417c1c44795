"""The write sequences that a set of inboxes must survive, as data: what is written, and what must come of it."""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.arrivals.script import (
    QUIET,
    QUIET_BETWEEN_PAGES,
    SCALE,
    Payload,
    asked,
    complete,
    filed,
    go_on,
    middle,
    pdf,
    picture,
    put,
    put_in_place,
    put_slowly,
    tiff,
    wait,
)

BURST = int(os.environ.get("DROPSCRIBE_ARRIVALS_BURST", "400"))
ROOT = os.geteuid() == 0
ELSEWHERE = Path("/dev/shm")  # noqa: S108 - another file system than the inbox, where there is one

LINK = "links are not read"
ENDS_EARLY = "ends early"
HELD_OPEN = "another program still has it open for writing"


@dataclass(frozen=True)
class Sequence:
    """What one writer does to one inbox, and how that inbox must look in the end.

    `done`: what was read, by name; its text names the marks of its pages in their order. `failed`: what was not,
    with words of the reason. `left`: what stays, with words of the status ("" for what is not spoken of).
    `again`: marks that are asked once more, because their scan changed after it was taken up.
    """

    number: str
    title: str
    script: list
    done: Mapping[str, Payload] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    again: tuple = ()
    unread: tuple = ()  # marks that are asked for although nothing is filed: the scan was taken away
    hold: tuple = ()  # marks whose answer waits until the writer lets it go on
    documents: bool = False
    rules: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, Payload] = field(default_factory=dict)  # lie there before the writer begins
    held: Mapping[str, str] = field(
        default_factory=dict
    )  # `left` while the writer lives: it is ended for the rest
    early: bool = False  # something is read before the writer has said that it is complete

    @property
    def inbox(self):
        return f"s{self.number}"

    @property
    def quiet(self):
        return QUIET_BETWEEN_PAGES if self.documents else QUIET

    @property
    def calls(self):
        """The marks that the model must have been asked for, sorted."""
        marks = [mark for payload in self.done.values() for mark in payload.marks]
        return sorted([*marks, *self.again, *self.unread])


def all_sequences():
    """Each mark belongs to one sequence: its number, then two digits."""
    return [
        *in_one_go(), *page_by_page(), *empty_first(), *with_its_full_size(), *stalled(), *renamed(), *folders(),
        *replaced(), *with_odd_times(), *taken_away(), *not_files(), *names(), *many(), *cut_short(), *held_open(),
    ]  # fmt: skip


def in_one_go():
    a, b, c = picture(101), picture(102, "JPEG"), picture(201)
    yield Sequence(
        "01", "one write, close",
        [*put("a.png", a), *put("b.jpg", b), *complete()],
        done={"a.png": a, "b.jpg": b},
    )  # fmt: skip
    yield Sequence(
        "02", "100-byte pieces",
        [*put_slowly("a.png", c, 100, 8), *complete()],
        done={"a.png": c},
    )  # fmt: skip


def page_by_page():
    for letter, gap in (("a", 0.3), ("b", 4), ("c", 7)):
        numbers = [300 + ord(letter) % 32 * 10 + page for page in range(3)]
        whole = tiff(*numbers)
        steps = put("a.tif", tiff(*numbers[:1]))
        for pages in (2, 3):
            steps += [
                *wait(gap),
                *(middle() if pages == 2 else []),
                ["grow", "a.tif", tiff(*numbers[:pages])],
            ]
        yield Sequence(
            f"03{letter}", f"closed after each page, reopened {gap:g} s later",
            [*steps, *complete()],
            done={"a.tif": whole}, documents=True,
        )  # fmt: skip
    one, two = tiff(400), tiff(400, 401)
    yield Sequence(
        "04a", "a page appended while it is read",
        [*put("a.tif", one), *asked(400), ["grow", "a.tif", two], *complete(), *go_on(400)],
        done={"a.tif": two}, again=(400,), hold=(400,), documents=True, early=True,
    )  # fmt: skip
    one, two = tiff(410), tiff(410, 411)
    yield Sequence(
        "04b", "a page added after it was filed",
        [*put("a.tif", one), *filed("a.tif"), *put("a.tif", two), *complete()],
        done={"a.tif": one, "a-2.tif": two}, documents=True, early=True,
    )  # fmt: skip


def empty_first():
    a, b = picture(501), picture(601)
    yield Sequence(
        "05", "empty for 20 s, then filled",
        [["open", "a.png"], ["close", "a.png"], *wait(10), *middle(), *wait(10), *put("a.png", a), *complete()],
        done={"a.png": a},
    )  # fmt: skip
    yield Sequence(
        "06", "empty beside its .part, renamed over",
        [
            ["open", "a.png"], ["close", "a.png"], *put_slowly("a.png.part", b, 200, 15),
            ["rename", "a.png.part", "a.png"], *complete(),
        ],
        done={"a.png": b},
    )  # fmt: skip


def with_its_full_size():
    """Held open, and closed between the pieces: then only the structure tells, as it is on a share."""
    for number, backwards in (("07", False), ("08", True)):
        base = 100 * int(number)
        for letter, closing in (("a", False), ("b", True)):
            shift = base + 10 * closing
            scans = {
                "a.png": picture(shift), "b.jpg": picture(shift + 1, "JPEG"), "c.tif": tiff(shift + 2),
                "d.pdf": pdf(shift + 3),
            }  # fmt: skip
            steps = []
            for name, scan in scans.items():
                steps += [
                    ["open", name],
                    *([] if backwards else [["fallocate", name, len(scan)]]),
                    ["close", name],
                ]
                steps += [["truncate", name, len(scan)]] if backwards else []
            for name, scan in scans.items():
                steps += put_in_place(name, scan, backwards=backwards, closing=closing, seconds=18)
            yield Sequence(
                f"{number}{letter}",
                f"full size at once, filled from the {'end' if backwards else 'start'}"
                + (", closed between" if closing else ""),
                [*steps, *complete()],
                done=scans, early=True,
            )  # fmt: skip


def stalled():
    a, b, c = picture(901, "JPEG"), picture(911, "JPEG"), pdf(912)
    half = len(a) // 2
    yield Sequence(
        "09a", "stalls for 3 times the quiet time, open",
        [
            ["open", "a.jpg"], ["write", "a.jpg", a, 0, half], *wait(7), *middle(), *wait(8),
            ["write", "a.jpg", a, half], ["close", "a.jpg"], *complete(),
        ],
        done={"a.jpg": a},
    )  # fmt: skip
    steps = []
    for name, scan in (("a.jpg", b), ("b.pdf", c)):
        half = len(scan) // 2
        steps += [
            ["open", name], ["write", name, scan, 0, half], ["close", name], *wait(15), *middle(), *wait(15),
            ["open", name, "ab"], ["write", name, scan, half], ["close", name],
        ]  # fmt: skip
    yield Sequence(
        "09b", "stalls for 3 times the quiet time, closed",
        [*steps, *complete()],
        done={"a.jpg": b, "b.pdf": c}, documents=True, early=True,
    )  # fmt: skip
    scan = picture(1001)
    yield Sequence(
        "10", "created, deleted, created, filled, then ._name",
        [
            ["open", "a.png"], ["close", "a.png"], *wait(0.3), ["unlink", "a.png"], *wait(0.3), ["open", "a.png"],
            ["close", "a.png"], *wait(2), *put_slowly("a.png", scan, 500, 3),
            *put("._a.png", Payload(b"\0\5\x16\7 a companion", ())), *complete(),
        ],
        done={"a.png": scan}, left={"._a.png": ""},
    )  # fmt: skip


def renamed():
    a, b, c, d = picture(1101), picture(1102), picture(1201), picture(1211)
    elsewhere = f"{ELSEWHERE if ELSEWHERE.is_dir() else '../../staging'}/dropscribe-arrival-{os.getpid()}.png"
    yield Sequence(
        "11", "temporary name in the same folder, renamed",
        [
            *put_slowly(".a.png.Xy12Zz", a, 500, 8), ["rename", ".a.png.Xy12Zz", "a.png"],
            *put_slowly("tmp0001.png", b, 500, 3), ["rename", "tmp0001.png", "b.png"], *complete(),
        ],
        done={"a.png": a, "b.png": b}, early=True,
    )  # fmt: skip
    yield Sequence(
        "12a", "renamed in from another folder",
        [*put("../../staging/12a.png", c), ["rename", "../../staging/12a.png", "a.png"], *complete()],
        done={"a.png": c},
    )  # fmt: skip
    yield Sequence(
        "12b", "moved in from another file system",
        [*put(elsewhere, d), ["move", elsewhere, "a.png"], *complete()],
        done={"a.png": d},
    )  # fmt: skip


def folders():
    a, b, c = picture(1301), picture(1302), picture(1311)
    there = "../../staging/tree"
    yield Sequence(
        "13a", "a tree of folders moved in",
        [
            ["mkdir", f"{there}/x/y"], *put(f"{there}/x/a.png", a), *put(f"{there}/x/y/b.png", b),
            ["rename", there, "tree"], *complete(),
        ],
        done={"tree/x/a.png": a, "tree/x/y/b.png": b}, rules={"recursive": True},
    )  # fmt: skip
    yield Sequence(
        "13b", "folders made and written to at once",
        [["mkdir", "p/q/r"], *put("p/q/r/a.png", c), *complete()],
        done={"p/q/r/a.png": c}, rules={"recursive": True},
    )  # fmt: skip


def replaced():
    old, new = picture(1401), picture(1402)
    yield Sequence(
        "14", "another file renamed over it while it is read",
        [
            *put("a.png", old), *asked(1401), *put("../../staging/14.png", new),
            ["rename", "../../staging/14.png", "a.png"], *complete(), *go_on(1401),
        ],
        done={"a.png": new}, unread=(1401,), hold=(1401,), early=True,
    )  # fmt: skip
    old, new = picture(1501), picture(1502)
    yield Sequence(
        "15", "truncated and rewritten while it is read",
        [*put("a.png", old), *asked(1501), *put("a.png", new), *complete(), *go_on(1501)],
        done={"a.png": new}, unread=(1501,), hold=(1501,), early=True,
    )  # fmt: skip
    first, second = picture(2101), picture(2102)
    yield Sequence(
        "21", "the same name comes back with other content",
        [*put("a.png", first), *filed("a.png"), *put("a.png", second), *complete()],
        done={"a.png": first, "a-2.png": second}, early=True,
    )  # fmt: skip


def with_odd_times():
    for letter, title, each in (
        ("a", "of 1999", [["mtime", "a.png", 920_000_000]]),
        ("b", "of 2099", [["mtime", "a.png", 4_080_000_000]]),
        ("c", "going back with each write", [["mtime_back", "a.png", 3600]]),
    ):
        scan = picture(1600 + ord(letter))
        yield Sequence(
            f"16{letter}", f"modified times {title}",
            [*put_slowly("a.png", scan, 400, 12, each=each), *each, *complete()],
            done={"a.png": scan},
        )  # fmt: skip


def taken_away():
    yield Sequence(
        "17a", "deleted before it settles",
        [*put("a.png", picture(1701)), *wait(2), ["unlink", "a.png"], *complete()],
    )  # fmt: skip
    yield Sequence(
        "17b", "deleted while it is read",
        [*put("a.png", picture(1711)), *asked(1711), ["unlink", "a.png"], *complete(), *go_on(1711)],
        unread=(1711,), hold=(1711,), early=True,
    )  # fmt: skip


def not_files():
    scan = picture(1801)
    device = [["device", "n.png"]] if ROOT else []
    yield Sequence(
        "18", "links, a pipe, a folder, a device",
        [
            *put("../../staging/18.png", scan), ["link", "../../staging/18.png", "hard.png"],
            ["symlink", "../../staging/18.png", "out.png"], ["symlink", "hard.png", "in.png"],
            ["symlink", "nowhere.png", "dangling.png"],
            ["fifo", "p.png"], ["mkdir", "x.jpg"], *device, *complete(),
        ],
        done={"hard.png": scan},
        failed={"out.png": LINK, "in.png": LINK, "dangling.png": LINK},
        left={"p.png": "it is a pipe", "x.jpg": ""} | ({"n.png": "it is a device"} if ROOT else {}),
    )  # fmt: skip


def names():
    odd = [
        "two\nlines.png", "\N{PARTY POPPER}.png", unicodedata.normalize("NFC", "é.png"),
        unicodedata.normalize("NFD", "é.png"), "n" * 251 + ".png", "dot.png.", "space .png", " blank.png",
        "-rf.png", "\udcff\udcfe.png", "'; rm -rf $HOME; '.png", "%s{stem}.png",
    ]  # fmt: skip
    scans = {name: picture(1900 + number) for number, name in enumerate(odd)}
    # The text of a name of 255 bytes needs no more room than the scan; one with a number would.
    yield Sequence(
        "19", "names of all kinds",
        [*(step for name, scan in scans.items() for step in put(name, scan)), *complete()],
        done=scans,
    )  # fmt: skip
    scans = {
        "SCAN.JPG": picture(2001, "JPEG"), "scan.jpeg": picture(2002, "JPEG"), "png.jpg": picture(2003),
        "none": picture(2004), "tiff.pdf": tiff(2005), "Page.TiFf": tiff(2006),
    }  # fmt: skip
    yield Sequence(
        "20", "endings large, long, wrong, none",
        [*(step for name, scan in scans.items() for step in put(name, scan)), *complete()],
        done=scans, documents=True,
    )  # fmt: skip
    one = picture(2201)
    yield Sequence(
        "22", "the same content under two names",
        [*put("a.png", one), *put("b.png", one), *complete()],
        done={"a.png": one, "b.png": one},
    )  # fmt: skip


def many():
    scans = {f"{number:05}.png": picture(10_000_000 + number, size=(160, 120)) for number in range(BURST)}
    yield Sequence(
        "23", f"{BURST} files in one burst",
        [*(step for name, scan in scans.items() for step in put(name, scan)), *complete()],
        done=scans, early=True,
    )  # fmt: skip


def cut_short():
    """They may still be arriving for as long as the config says; then they are failed, and nobody is asked."""
    steps, failed = [], {}
    for name, scan in (("png", picture(2801)), ("jpg", picture(2802, "JPEG")), ("tif", tiff(2803))):
        for tenth in range(1, 10):
            part = Payload(scan.data[: len(scan) * tenth // 10], ())
            steps += put(f"{tenth}.{name}", part)
            failed[f"{tenth}.{name}"] = ENDS_EARLY
    yield Sequence(
        "28", "cut short at each tenth of its length", [*steps, *complete()],
        failed=failed, documents=True, rules={"give_up_arriving": f"{max(10, 30 * SCALE):.0f}s"},
    )  # fmt: skip


def held_open():
    scan = picture(2901)
    yield Sequence(
        "29", "whole, but kept open and silent for ever",
        [["open", "a.png"], ["write", "a.png", scan], *complete(), ["for_ever"]],
        done={"a.png": scan}, held={"a.png": HELD_OPEN},
    )  # fmt: skip
