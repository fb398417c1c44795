"""The daemon with a loop that hangs for good as soon as a file `hang` lies beside the configuration."""

import faulthandler
import os
import sys
import threading
from pathlib import Path

from dropscribe.config.load import load
from dropscribe.daemon import Clock, run
from dropscribe.service.notify import manager_in
from dropscribe.stop import Stop


class HangingClock(Clock):
    def __init__(self, hang):
        self._hang = hang

    def now(self):
        if self._hang.exists():
            threading.Event().wait()
        return super().now()


def main():
    faulthandler.enable(2)
    config = Path(sys.argv[-1])
    clock = HangingClock(config.with_name("hang"))
    run(
        load(config, os.environ, Path.cwd()), Stop(), clock=clock, manager=manager_in(os.environ, os.getpid())
    )


if __name__ == "__main__":
    main()
