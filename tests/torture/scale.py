"""How much is tried: a seeded part of it on every change, all of it at night."""

from __future__ import annotations

import os
import queue
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from tests.torture.homes import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONG = bool(os.environ.get("DROPSCRIBE_LONG"))
SEED = int(os.environ.get("DROPSCRIBE_SEED", str(random.SystemRandom().randrange(10**6))))
_WORKERS = max(2, os.cpu_count() or 1)

T = TypeVar("T")


def some(all_of_them: Sequence[T], short: int) -> list[T]:
    """`short` of them, or all in the long form."""
    if LONG or len(all_of_them) <= short:
        return list(all_of_them)
    return random.Random(SEED).sample(list(all_of_them), short)


def each(cases: Sequence[T], attempt: Callable[[Bench, T, int], None]) -> list[str]:
    """Attempt all cases, several at once, each with its number; what went wrong with which."""
    failures: list[str] = []
    lock = threading.Lock()
    benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()

    def one(number: int) -> None:
        bench = benches.get()
        try:
            attempt(bench, cases[number], number)
        except AssertionError as error:
            with lock:
                failures.append(f"{cases[number]}: {error}")
        finally:
            benches.put(bench)

    with ExitStack() as stack:
        for _ in range(_WORKERS):
            benches.put(stack.enter_context(Bench()))
        pool = stack.enter_context(ThreadPoolExecutor(_WORKERS))
        for done in [pool.submit(one, number) for number in range(len(cases))]:
            done.result()
    return failures


def report(what: str, tried: int, failures: Sequence[str]) -> None:
    """Said in every run, then judged."""
    print(f"{what}: {tried} tried, {len(failures)} failed; repeat with DROPSCRIBE_SEED={SEED}")
    print(*failures[:20], sep="\n")
    assert not failures, "\n".join([f"{len(failures)} of {tried}, seed {SEED}", *failures[:20]])
