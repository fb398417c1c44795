"""One of the processes of a flood: python -m tests.e2e.flooding FOLDER FIRST BEHIND.

Draws the scans FIRST to BEHIND, says `ready`, and at a line on its standard input writes them all at once, each
under its own name from the first byte on, as the hastiest sender would. Says how many seconds that took.
"""

import io
import sys
import time
from pathlib import Path

from tests.standin import marks


def name_of(number):
    return f"scan{number:05}.png"


def drawn(number):
    """The smallest picture that carries a number, with nothing written below it: only the strip is read."""
    data = io.BytesIO()
    marks.draw(number, width=marks.SMALLEST[0], height=marks.SMALLEST[1]).convert("L").save(data, "PNG")
    return data.getvalue()


def main(folder, first, behind):
    scans = [(folder / name_of(number), drawn(number)) for number in range(first, behind)]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for path, data in scans:
        path.write_bytes(data)
    print(time.monotonic() - began, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
