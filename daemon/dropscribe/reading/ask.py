"""Asking an engine, with patience for the seconds inside one request; the only importer of tenacity.

Everything longer than seconds is the schedule's business: the two levels must not multiply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from dropscribe.errors import Unavailable

if TYPE_CHECKING:
    from dropscribe.reading.engines import Engine
    from dropscribe.stop import Stop
    from dropscribe.values import Answer, Picture, Recipe

_ATTEMPTS = 3
_FIRST_WAIT = 0.5  # seconds; with jitter and doubling all waits together stay below five seconds
_LONGEST_WAIT = 3.0


def ask(engine: Engine, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
    """The engine's answer, asked again at once where a host is likely to be back within seconds.

    Raises what `Engine.ask` raises; a stop ends the waits at once.
    """
    patience = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.soon),
        stop=stop_any(stop_after_attempt(_ATTEMPTS), stop_when_event_set(stop.event)),
        wait=wait_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT) + wait_random(0, _FIRST_WAIT),
        sleep=lambda seconds: _pause(stop, seconds),
        reraise=True,
    )
    try:
        return patience(engine.ask, picture, recipe, stop=stop)
    except Unavailable:
        # After a stop tenacity raises the last failure again; that must not be held against the host.
        stop.check()
        raise


def _pause(stop: Stop, seconds: float) -> None:
    stop.wait(seconds)
