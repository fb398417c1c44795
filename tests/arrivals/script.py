"""Scripts for `writer`: what one sequence writes, put together from steps; paths are relative to its inbox."""

import io
import os
from dataclasses import dataclass
from functools import cache

from tests.standin import marks

SCALE = float(os.environ.get("DROPSCRIBE_ARRIVALS_SCALE", "0.2"))
"""What a second of a sequence takes here; 1 is how it was seen, with the quiet times that people get."""

QUIET = 5.0
QUIET_BETWEEN_PAGES = 10.0
"""Seconds, before they are scaled, that a picture and a document lie unchanged before they are read."""

STARTED = "../../gates/started"
"""Is there once the daemon has begun to look: a sequence waits here in its middle."""


@dataclass(frozen=True)
class Payload:
    """A whole scan: `marks` are in its pages."""

    data: bytes
    marks: tuple

    def __len__(self):
        return len(self.data)


@cache
def picture(mark, kind="PNG", size=(200, 150)):
    stream = io.BytesIO()
    marks.draw(mark, width=size[0], height=size[1]).save(stream, kind)
    return Payload(stream.getvalue(), (mark,))


@cache
def tiff(*numbers):
    """Each longer one begins as the shorter ones do, but for the pointer to its next page."""
    stream = io.BytesIO()
    first, *others = (marks.draw(number, width=200, height=150).convert("L") for number in numbers)
    first.save(stream, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")
    return Payload(stream.getvalue(), numbers)


@cache
def pdf(*numbers):
    stream = io.BytesIO()
    first, *others = (marks.draw(number, width=200, height=150) for number in numbers)
    first.save(stream, "PDF", save_all=True, append_images=others)
    return Payload(stream.getvalue(), numbers)


def wait(seconds):
    return [["wait", seconds * SCALE]]


def complete():
    return [["complete"]]


def middle():
    return [["until", STARTED]]


def asked(mark):
    """Until the model is at work on the page with this mark; it goes on only when the sequence says so."""
    return [["until", f"../../gates/asked-{mark}"]]


def go_on(mark):
    return [["mkdir", f"../../gates/go-on-{mark}"]]


def filed(name):
    return [["until", f"done/{name}"], ["until_gone", name]]


def put(name, payload):
    """One write, close."""
    return [["open", name], ["write", name, payload], ["close", name]]


def put_slowly(name, payload, size, seconds, *, each=()):
    """In pieces of `size` bytes, with the file open, over `seconds`; after each of them the steps `each`."""
    starts = range(0, len(payload), size)
    steps = [["open", name]]
    for number, start in enumerate(starts):
        steps += [["write", name, payload, start, start + size], *each, *wait(seconds / len(starts))]
        steps += middle() if number == len(starts) // 2 else []
    return [*steps, ["close", name]]


def put_in_place(name, payload, *, backwards=False, closing=False, seconds=0, pieces=6):
    """Into a file that has its full size: piece by piece, `closing` it in between, over `seconds`."""
    size = -(-len(payload) // pieces)
    starts = list(range(0, len(payload), size))
    steps = [] if closing else [["open", name, "r+b"]]
    for number, start in enumerate(reversed(starts) if backwards else starts):
        piece = [["write", name, payload, start, start + size, start]]
        steps += [["open", name, "r+b"], *piece, ["close", name]] if closing else piece
        steps += wait(seconds / pieces)
        steps += middle() if number == len(starts) // 2 else []
    return steps if closing else [*steps, ["close", name]]
