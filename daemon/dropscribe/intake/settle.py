"""When an arriving scan has settled, from our own sightings of it alone; pure.

Every `now` is a reading of the monotonic clock in seconds: no time stamp of a file is ever compared with a
clock, because copying tools set old ones and shares have clocks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from dropscribe import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropscribe.values import Fingerprint

QUIET = 5.0
QUIET_BETWEEN_PAGES = 10.0
"""For formats that hold many pages: devices close the file after each page and go on within 7 s
(paperless-ngx#43, #494, #984)."""

LONGEST_DOUBT = 60.0
"""A scan that settled and was not whole is tried again at least this often."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A scan as it was seen at every look from `since` on."""

    fingerprint: Fingerprint
    since: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A scan that settled but was not whole, `times` times; unchanged at least from `since` on."""

    fingerprint: Fingerprint
    since: float
    times: int


@dataclass(frozen=True, slots=True)
class Settling:
    """What is remembered of an inbox between two looks; `look_again_at` is the earliest time worth one."""

    arriving: Mapping[str, Watched] = field(default_factory=dict)
    settled: Mapping[str, Fingerprint] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    look_again_at: float | None = None


def settle(
    state: Settling,
    seen: Mapping[str, Fingerprint | None],
    now: float,
    quiet: Callable[[str], float],
    *,
    ended: float | None = None,
    give_up: float = inf,
) -> Settling:
    """The memory after a look that saw `seen` (None: it had settled and was not asked again).

    It began at `now` or later and was over at `ended`, much later where there are many names or a share is slow.
    What is seen first counts from the end, what is seen again up to the beginning: so no scan settles too soon.
    A scan settles when it was seen unchanged for `quiet(name)` seconds, an empty one after `give_up`: browsers hold
    a name with an empty file for as long as a download takes.
    """
    arriving: dict[str, Watched] = {}
    newly: dict[str, Fingerprint] = {}
    deadlines: list[float] = []
    first_seen = now if ended is None else ended
    for name, fingerprint in seen.items():
        if fingerprint is None or state.settled.get(name) == fingerprint:
            continue
        watched = _still_watched(state.arriving.get(name), fingerprint) or Watched(fingerprint, first_seen)
        patience = (
            _patience(state.doubts.get(name), fingerprint, quiet(name)) if fingerprint.size else give_up
        )
        deadline = watched.since + patience
        if deadline <= now:
            newly[name] = fingerprint
        else:
            arriving[name] = watched
            if deadline < inf:
                deadlines.append(deadline)
    return Settling(
        arriving=arriving,
        settled=_settled(state.settled, seen, arriving, newly),
        doubts={name: doubt for name, doubt in state.doubts.items() if _stands(name, doubt, seen)},
        look_again_at=min(deadlines, default=None),
    )


def unsettle(state: Settling, name: str, now: float, fingerprint: Fingerprint) -> Settling:
    """`name` turned out not to be whole when it was taken up: it arrives again, for longer each time."""
    before = state.doubts.get(name)
    if before and before.fingerprint == fingerprint:
        doubt = Doubt(fingerprint, before.since, before.times + 1)
    else:
        doubt = Doubt(fingerprint, now, 1)
    return Settling(
        arriving={**state.arriving, name: Watched(fingerprint, now)},
        settled={other: seen for other, seen in state.settled.items() if other != name},
        doubts={**state.doubts, name: doubt},
        look_again_at=now,
    )


def unchanged_since(state: Settling, name: str) -> float | None:
    """Since when `name` is known to be as it is; None when it settled and was never doubted."""
    watched = state.arriving.get(name)
    doubt = state.doubts.get(name)
    fingerprint = watched.fingerprint if watched else state.settled.get(name)
    if doubt and doubt.fingerprint == fingerprint:
        return doubt.since
    return watched.since if watched else None


def quiet_time(name: str, *, settle: float | None, network: bool) -> float:
    """Seconds without change before `name` has settled: as configured, else by its format and its mount."""
    if settle is not None:
        return settle
    quiet = QUIET_BETWEEN_PAGES if formats.by_name(name) in {"TIFF", "PDF"} else QUIET
    return quiet * 2 if network else quiet


def _still_watched(watched: Watched | None, fingerprint: Fingerprint) -> Watched | None:
    return watched if watched and watched.fingerprint == fingerprint else None


def _patience(doubt: Doubt | None, fingerprint: Fingerprint, quiet: float) -> float:
    if doubt is None or doubt.fingerprint != fingerprint:
        return quiet
    doubled: float = quiet * 2 ** min(doubt.times, 10)
    return max(quiet, min(doubled, LONGEST_DOUBT))


def _settled(
    settled: Mapping[str, Fingerprint],
    seen: Mapping[str, Fingerprint | None],
    arriving: Mapping[str, Watched],
    newly: dict[str, Fingerprint],
) -> Mapping[str, Fingerprint]:
    """The old mapping itself when nothing changed: most looks at a long queue end here."""
    if not newly and settled.keys() <= seen.keys() and settled.keys().isdisjoint(arriving):
        return settled
    kept = {name: known for name, known in settled.items() if name in seen and name not in arriving}
    return kept | newly


def _stands(name: str, doubt: Doubt, seen: Mapping[str, Fingerprint | None]) -> bool:
    return name in seen and (seen[name] is None or seen[name] == doubt.fingerprint)
