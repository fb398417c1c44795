"""`python -m tests.standin`: the stand-in as a process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path

from tests.standin.models import Model, default_models
from tests.standin.server import VERSION, Standin


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--log", type=Path, help="file to which each request is appended, at arrival and at its end"
    )
    parser.add_argument("--version", default=VERSION)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--load-seconds", type=float, default=0)
    parser.add_argument("--first-token-seconds", type=float, default=0)
    parser.add_argument("--token-seconds", type=float, default=0)
    parser.add_argument(
        "--model", action="append", help="a vision model to have, instead of the default ones"
    )
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(arguments.log.open("a", encoding="utf-8")) if arguments.log else None
        server = stack.enter_context(
            Standin(
                port=arguments.port,
                version=arguments.version,
                models=_models(arguments.model),
                parallel=arguments.parallel,
                load_seconds=arguments.load_seconds,
                first_token_seconds=arguments.first_token_seconds,
                token_seconds=arguments.token_seconds,
                log=log,
            )
        )
        print(f"listening on {server.url}", flush=True)
        stop.wait()
    return 0


def _models(names: list[str] | None) -> dict[str, Model] | None:
    return {name: default_models().get(name, Model()) for name in names} if names else None


if __name__ == "__main__":
    sys.exit(main())
