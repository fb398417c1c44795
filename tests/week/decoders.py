"""The decoding process as it is, but that certain scans always break it, as a bug in a library would."""

from __future__ import annotations

import os
import signal
from pathlib import Path

BREAKS = b"this scan breaks decoders"


def main(descriptor: int) -> None:
    from dropscribe.reading import process
    from dropscribe.reading.decoder import Decoder

    decoder = Decoder()

    def work(request, data):
        if request["do"] == "page" and BREAKS in Path(request["path"]).read_bytes():
            os.kill(os.getpid(), signal.SIGSEGV)
        return decoder.work(request, data)

    process.renounce()
    process.serve(descriptor, work)
