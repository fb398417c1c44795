"""Why an inbox, or one host for it, cannot be used now, and when that is looked at again; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe import schedule

if TYPE_CHECKING:
    from dropscribe.errors import Misconfigured
    from dropscribe.jobs import Result
    from dropscribe.reading.engines import ModelState


@dataclass(frozen=True, slots=True)
class Parked:
    """Why an inbox cannot work now, since when (Unix time), and when to look again (monotonic)."""

    reason: str
    fix: str
    since: float
    check_at: float


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why one host cannot serve one inbox; `state` is what the model was when a request failed there.

    `lasting`: until that changes; otherwise until a good look at the model after `resume_at`, which is later
    each time that the same refusal comes back, `times` in a row.
    """

    reason: str
    fix: str
    since: float
    check_at: float
    state: ModelState | None
    lasting: bool = False
    resume_at: float = 0.0
    times: int = 1

    def is_over(self, state: ModelState | None, now: float) -> bool:
        """Whether a look at the model that went well, and saw it as `state`, ends this."""
        if self.lasting:
            return self.state != state
        return now >= self.resume_at or (self.state is not None and self.state != state)


def obstacle_of(
    failure: Misconfigured, result: Result, before: Obstacle | None, now: float, at: float
) -> Obstacle:
    """What a failure with a picture or a look at the model puts in the way; `before` was there last.

    `now` is monotonic, `at` Unix time.
    """
    again = before is not None and before.reason == failure.reason
    times = before.times if before is not None and again else 0
    if not result.job.check:
        times += 1
    return Obstacle(
        failure.reason,
        failure.fix,
        at,
        now + schedule.PARK_CHECK,
        result.state,
        failure.lasting,
        now if result.job.check else now + schedule.parked_for(times),
        times,
    )
