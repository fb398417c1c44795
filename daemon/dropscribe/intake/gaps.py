"""How long a scanner was quiet before it went on with a document, and how long to wait because of it; pure.

A document is whole after each of its pages, so that another one follows only time can tell: where one device was
seen to go on after 7 s, 10 s are too near. Times are monotonic, but for `at`, which is Unix time and only tells
how old a memory is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropscribe import formats
from dropscribe.values import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropscribe.intake.settle import Settling
    from dropscribe.values import Fingerprint

DOCUMENTS = frozenset({"TIFF", "PDF"})
"""What devices add pages to. A picture that goes on was cut short before, which its structure tells."""

MARGIN = 1.5
LONGEST_WAIT = 600.0
LONGEST_GUESS = 30.0
"""A longer gap is believed only of a scan that had been whole: an upload over a bad line stalls too."""

LATEST_SIGHT = 30.0
"""Seconds by which the first sight of a change may come late where nothing announces it."""

HALVED_AFTER = 14 * 86400.0
"""Seconds in which half of a gap is forgotten: scanners are replaced, and so are habits."""


def document(name: str) -> str | None:
    """The format of a scan by its name, if devices add pages to such."""
    kind = formats.by_name(name)
    return kind if kind in DOCUMENTS else None


def remembered(gap: Gap, at: float) -> float:
    """How long the gap still counts as at `at`."""
    fraction: float = 0.5 ** (max(0.0, at - gap.at) / HALVED_AFTER)
    return gap.seconds * fraction


def wait_for(gap: Gap | None, quiet: float, at: float) -> float:
    """Seconds without change before a scan has settled, where `quiet` is what is waited unlearned."""
    return quiet if gap is None else max(quiet, min(MARGIN * remembered(gap, at), LONGEST_WAIT))


def learn(known: Gap | None, seconds: float, quiet: float, at: float) -> Gap | None:
    """What is known after a gap of so many seconds; `known` itself where that changes nothing."""
    if seconds * MARGIN <= quiet or (known is not None and remembered(known, at) >= seconds):
        return known
    return Gap(min(seconds, LONGEST_WAIT / MARGIN), at)


def gap_between(before: Fingerprint, since: float, after: Fingerprint, now: float) -> float:
    """Seconds between the last change of `before`, seen from `since` on, and what made it `after`, seen at `now`.

    Looks come late, the first one as well as the last. The two time stamps do not, which one clock has made; but
    whoever copies a file may have given it another one's.
    """
    stamps = (after.mtime_ns - before.mtime_ns) / 1e9
    seen = now - since
    return stamps if 0 < stamps <= seen + LATEST_SIGHT else seen


def went_on(before: Settling, after: Settling, looked_at: float, now: float) -> Mapping[str, float]:
    """The arriving documents that grew after they had been quiet, and for how long; the last look was `looked_at`.

    A look that merely comes late cannot tell a gap from steady growth: only a scan that was seen to be the same
    for half of the time was quiet. One that was not whole when it was taken up stalled, and teaches nothing.
    """
    found: dict[str, float] = {}
    for name, watched in before.arriving.items():
        now_seen = after.arriving.get(name)
        if now_seen is None or name in before.doubts or document(name) is None:
            continue
        if 0 < watched.fingerprint.size < now_seen.fingerprint.size:
            gap = gap_between(watched.fingerprint, watched.since, now_seen.fingerprint, now)
            if 2 * (looked_at - watched.since) >= now - watched.since and gap <= LONGEST_GUESS:
                found[name] = gap
    return found


def halfway(state: Settling, now: float, quiet: Callable[[str], float]) -> float | None:
    """When the next arriving document will have been quiet for half of its time: `went_on` needs that look."""
    times = (
        watched.since + quiet(name) / 2
        for name, watched in state.arriving.items()
        if watched.fingerprint.size and document(name) is not None
    )
    return min((time for time in times if time > now), default=None)
