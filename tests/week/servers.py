"""Hosts in simulated time: an engine that says and raises what the `ollama` engine does with real servers.

In the process and not by HTTP, because a time-out of ten minutes has to pass in no time. Words and kinds of what a
server answers come from the engine's own table; those of what never arrives are as in `engines/wire.py`.
"""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from dropscribe.errors import Misconfigured, Unavailable
from dropscribe.reading.engines import ModelState
from dropscribe.reading.engines.refusals import classify
from dropscribe.values import Answer
from tests.standin import marks
from tests.week.clock import START
from tests.week.plan import HARD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropscribe.errors import Failure
    from dropscribe.stop import Stop
    from dropscribe.values import Picture, Recipe
    from tests.week.clock import Pause, Simulation
    from tests.week.plan import Server, Trouble

CONNECT, FIRST_TOKEN, SILENCE, SMALL = 5.0, 600.0, 120.0, 30.0
"""Seconds after which the engine gives up, as configured by default."""
DYING = 8.0
"""Seconds until a runner dies of a picture."""
BLANK = 2.0
MODEL = "qwen3.5:4b"


def text_of(number: int) -> str:
    return f"scan {number}\nThe page that bears the number {number} ends here."


@dataclass(frozen=True)
class Asked:
    """One request to a host: `number` of the picture, 0 for a blank one, None for a look at the model."""

    began: float
    ended: float
    host: str
    number: int | None
    outcome: str
    suspect: bool = False


@dataclass
class World:
    """What all hosts share: the time, the pictures' kinds, the troubles, and the list of what was asked."""

    simulation: Simulation
    kinds: Mapping[int, str]
    troubles: Sequence[Trouble] = ()
    seed: int = 0
    asked: list[Asked] = field(default_factory=list)
    times: Counter[int] = field(default_factory=Counter)

    def trouble(self, host: str, at: float) -> Trouble | None:
        own = [t for t in self.troubles if t.what == host and t.during(at - START)]
        return next((t for t in own if t.kind in HARD), own[0] if own else None)

    def next_hard(self, host: str, after: float) -> Trouble | None:
        own = (t for t in self.troubles if t.what == host and t.kind in HARD and t.start > after - START)
        return min(own, key=lambda t: t.start, default=None)


class Host:
    """One server with its runner; makes an engine for each slot."""

    def __init__(self, world: World, server: Server) -> None:
        self.world = world
        self.server = server
        self.answering: set[Pause] = set()
        self.killed: set[Pause] = set()

    def engine(self) -> SimulatedEngine:
        return SimulatedEngine(self)

    def runner_dies(self) -> None:
        """All that it was answering ends with it."""
        for pause in self.answering:
            self.killed.add(pause)
            self.world.simulation.hasten(pause)


class SimulatedEngine:
    def __init__(self, host: Host) -> None:
        self.host = host.server.name
        self._host = host
        self._world = host.world
        self._time = host.world.simulation

    # --- as in the protocol

    def check(self, model: str, *, stop: Stop) -> ModelState:
        stop.check()
        with self._noted(None):
            return self._check(model, stop)

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        stop.check()
        number = _number(picture)
        with self._noted(number):
            state = self._check(recipe.model, stop)
            self._refuse_at_once(stop)
            began = self._time.now()
            text, reason = self._answer(number, stop)
        return Answer(
            text,
            done=True,
            done_reason=reason,
            model=recipe.model,
            model_digest=state.digest,
            host=self.host,
            tokens=len(text.split()),
            seconds=self._time.now() - began,
        )

    def new_scan(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def close(self) -> None:
        pass

    # --- how a server is

    def _check(self, model: str, stop: Stop) -> ModelState:
        trouble = self._trouble()
        match trouble.kind if trouble else "":
            case "refused" | "restarting":
                raise self._unreached("refuses connections")
            case "away":
                self._time.pause(CONNECT, stop)
                raise self._unreached("does not answer")
            case "silent":
                self._time.pause(SMALL, stop)
                words = f"{self.host} sent nothing in the time allowed for the first token"
                raise Unavailable(words, "look at the server's log", suspect=True)
            case "model removed":
                raise self._not_installed(model)
        if model != MODEL:
            raise self._not_installed(model)
        return ModelState("sha256:0", "0.33.0")

    def _refuse_at_once(self, stop: Stop) -> None:
        trouble = self._trouble()
        match trouble.kind if trouble else "":
            case "queue full":
                raise _said(503, "server busy, please try again.  maximum pending requests exceeded")
            case "no memory":
                self._time.pause(10.0, stop)
                raise _said(500, "model requires more system memory (9.1 GiB) than is available (3.2 GiB)")

    def _answer(self, number: int, stop: Stop) -> tuple[str, str]:
        """Text and reason of the end; the time that it takes passes."""
        kind = self._world.kinds.get(number, "good")
        self._world.times[number] += 1
        draw = random.Random(f"{self._world.seed} {number} {self._world.times[number]}")
        seconds = draw.uniform(self._host.server.fastest, self._host.server.slowest)
        seconds *= 5 if kind == "slow" else 1
        self._generate(BLANK if not number else DYING if kind == "kills the runner" else seconds, stop)
        if kind == "kills the runner":
            self._host.runner_dies()
            raise _died()
        if kind == "always empty":
            return "", "stop"
        if kind == "bad first" and self._world.times[number] == 1:
            return draw.choice([("", "stop"), (f"scan {number}", "length"), ("I'm sorry, I can't.", "stop")])
        return text_of(number) if number else "NO TEXT", "stop"

    def _generate(self, seconds: float, stop: Stop) -> None:
        """Answering for so long, unless the host or its runner goes away meanwhile."""
        now = self._time.now()
        cut = self._world.next_hard(self.host, now)
        is_cut = cut is not None and cut.start + START < now + seconds
        pause = self._time.a_pause(cut.start + START - now if is_cut and cut else seconds)
        self._host.answering.add(pause)
        try:
            self._time.spend(pause, stop)
        finally:
            self._host.answering.discard(pause)
        if pause in self._host.killed:
            self._host.killed.discard(pause)
            raise _died()
        if is_cut and cut is not None:
            self._cut(cut, stop)

    def _cut(self, trouble: Trouble, stop: Stop) -> None:
        if trouble.kind in {"silent", "away"}:
            self._time.pause(SILENCE, stop)
            words = f"{self.host} fell silent in the middle of its answer"
            raise Unavailable(words, "look at the server's log", suspect=True)
        raise Unavailable(f"{self.host} broke off in the middle of its answer", suspect=True)

    def _trouble(self) -> Trouble | None:
        return self._world.trouble(self.host, self._time.now())

    def _unreached(self, what: str) -> Unavailable:
        return Unavailable(f"{self.host} {what}", "check that Ollama runs there", soon=True)

    def _not_installed(self, model: str) -> Misconfigured:
        words = f"the model {model} is not installed at {self.host}"
        return Misconfigured(words, f"run `ollama pull {model}` there")

    def _noted(self, number: int | None) -> _Noted:
        return _Noted(self._world, self._time.now(), self.host, number)


@dataclass
class _Noted:
    world: World
    began: float
    host: str
    number: int | None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        outcome = "answered" if error is None else getattr(error, "reason", type(error).__name__)
        suspect = bool(getattr(error, "suspect", False))
        now = self.world.simulation.now()
        self.world.asked.append(Asked(self.began, now, self.host, self.number, outcome, suspect))


def _said(status: int, words: str) -> Failure:
    return classify(status, json.dumps({"error": words}), model=MODEL)


def _died() -> Failure:
    words = (
        "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"
    )
    return _said(500, words)


def _number(picture: Picture) -> int:
    with Image.open(io.BytesIO(picture.data)) as image:
        return marks.read(image) or 0
