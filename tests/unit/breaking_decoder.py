"""The decoding process, but that it dies where the file named by DROPSCRIBE_TEST_BREAKS says so.

The file holds {"number of a page": how often}; page 0 is the opening of the scan.
"""

import json
import os
import sys
from pathlib import Path

from dropscribe.reading import process
from dropscribe.reading.decoder import Decoder

BREAKS = "DROPSCRIBE_TEST_BREAKS"


def work(request, data):
    page = (
        str(request["wanted"]["number"])
        if request["do"] == "page"
        else "0"
        if request["do"] == "open"
        else ""
    )
    path = Path(os.environ[BREAKS])
    left = json.loads(path.read_text())
    if left.get(page, 0):
        left[page] -= 1
        path.write_text(json.dumps(left))
        os.abort()
    return decoder.work(request, data)


if __name__ == "__main__":
    decoder = Decoder()
    process.serve(int(sys.argv[1]), work)
