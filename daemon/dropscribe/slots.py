"""The slots: one thread for each request that a host may be given at once."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Protocol

from dropscribe import log
from dropscribe.errors import BadAnswer, Failure, Misconfigured, Stopped, Withdrawn
from dropscribe.jobs import Result
from dropscribe.read_page import NO_ANSWER, base_recipe, models_of
from dropscribe.reading.prove import prove, usable
from dropscribe.transcribe import transcribe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dropscribe.desk import Desk
    from dropscribe.jobs import Job
    from dropscribe.reading.engines import Engine, ModelState
    from dropscribe.stop import Stop
    from dropscribe.values import Answer, Picture, Recipe


_IDLE = 600.0
"""Seconds without work after which the decoding processes give their memory back."""


class Wake(Protocol):
    def __call__(self) -> None: ...


class Slots:
    """Threads that work off jobs, each with an engine of its own; results are collected until asked for."""

    def __init__(self, engines: Mapping[str, Sequence[Callable[[], Engine]]], desk: Desk, wake: Wake) -> None:
        self._desk = desk
        self._wake = wake
        self._jobs: dict[str, queue.SimpleQueue[Job | None]] = {host: queue.SimpleQueue() for host in engines}
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(host, make), name=f"slot {host}", daemon=True)
            for host, makers in engines.items()
            for make in makers
        ]
        for thread in self._threads:
            thread.start()

    def give(self, job: Job) -> None:
        self._jobs[job.host].put(job)

    def results(self) -> Iterable[Result]:
        while True:
            try:
                yield self._results.get_nowait()
            except queue.Empty:
                return

    def close(self, patience: float) -> bool:
        """True when all threads have ended within `patience` seconds; they are daemons, so none holds us up."""
        for host, jobs in self._jobs.items():
            for thread in self._threads:
                if thread.name == f"slot {host}":
                    jobs.put(None)
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, host: str, make: Callable[[], Engine]) -> None:
        engine = make()
        try:
            while (job := self._next(host, engine)) is not None:
                self._results.put(self._do(job, engine))
                self._wake()
        finally:
            engine.close()

    def _next(self, host: str, engine: Engine) -> Job | None:
        try:
            return self._jobs[host].get(timeout=_IDLE)
        except queue.Empty:
            self._desk.decoding.rest()
            engine.rest()
            return self._jobs[host].get()

    def _do(self, job: Job, engine: Engine) -> Result:
        proven, state = False, None
        heard = _Heard(engine)
        try:
            if job.check or job.probe:
                state = self._prove(job, engine)
                proven = True
            if job.check:
                return Result(job, proven=True, state=state)
            filed = transcribe(job.scan, heard, self._desk)
            return Result(job, filed, proven=proven, answered=heard.answered)
        except Misconfigured as error:
            # A look that was refused has said it all; only a request with a picture leaves the model to be looked at.
            state = state or (None if job.check else self._state_of(job, engine))
            return Result(job, error=error, proven=proven, answered=heard.answered, state=state)
        except (Failure, Withdrawn, Stopped) as error:
            return Result(job, error=error, proven=proven, answered=heard.answered)
        except Exception as error:  # noqa: BLE001 - the one boundary per scan
            log.trouble("broke down", error, inbox=job.scan.inbox.name, scan=job.scan.name)
            return Result(job, error=error, proven=proven, answered=heard.answered)

    def _prove(self, job: Job, engine: Engine) -> ModelState:
        inbox = job.scan.inbox
        model = usable(engine, models_of(inbox), stop=self._desk.stop)[0]
        recipe = base_recipe(inbox, model)
        state = prove(engine, recipe, stop=self._desk.stop, deep=job.deep)
        if job.evidence:
            self._desk.ledger.confirm(job.evidence, NO_ANSWER)
        return state

    def _state_of(self, job: Job, engine: Engine) -> ModelState | None:
        """What the model was when it failed: nothing is asked of it again until that has changed."""
        try:
            return engine.check(models_of(job.scan.inbox)[0], stop=self._desk.stop)
        except (Failure, Stopped):
            return None


class _Heard:
    """An engine, and whether it has answered anything: only that shows that its host reads pictures."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.answered = False

    @property
    def host(self) -> str:
        return self._engine.host

    def check(self, model: str, *, stop: Stop) -> ModelState:
        return self._engine.check(model, stop=stop)

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        try:
            answer = self._engine.ask(picture, recipe, stop=stop)
        except BadAnswer:  # about this picture it said no, so it lives
            self.answered = True
            raise
        self.answered = True
        return answer

    def new_scan(self) -> None:
        self._engine.new_scan()

    def rest(self) -> None:
        self._engine.rest()

    def close(self) -> None:
        self._engine.close()
