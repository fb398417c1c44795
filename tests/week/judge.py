"""What must not have happened, whatever befell the daemon; each finding is a sentence."""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from dropscribe import schedule
from tests.week.clock import START
from tests.week.plan import HARD, HOST_WORDS, HOUR, READABLE, REASONS, WORLD_WORDS
from tests.week.servers import FIRST_TOKEN, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.week.plan import Arrival, Box, Plan, Trouble
    from tests.week.record import Record, Seen
    from tests.week.servers import World
    from tests.week.world import Folders, Outside

_ATTEMPTS = 3
"""Times that a request is made again at once where a host may be back within seconds (`reading.ask`)."""


def judge(folders: Folders, outside: Outside, record: Record, world: World) -> dict[str, Any]:
    case = Case(folders, outside, record, world)
    findings = {
        "files": list(files(case)),
        "half texts": outside.half,
        "read twice": list(read_twice(case)),
        "unforeseen": record.troubles,
        "order": record.unfair,
        "probes": list(probes(case)),
        "spinning": list(spinning(case)),
        "unsaid": list(unsaid(case)),
        "not resumed": list(not_resumed(case)),
    }
    plan = folders.plan
    return {
        "findings": {name: found[:10] for name, found in findings.items() if found},
        "seed": plan.seed,
        "scans": len(outside.delivered),
        "done": sum(e.outcome == "filed" for e in record.episodes),
        "failed": sum(e.outcome == "failed" for e in record.episodes),
        "asked": len(world.asked),
        "passes": len(record.passes),
        "commits": len(record.commits),
        "days": round((record.passes[-1].at - START) / 86400, 2),
        "most probes in an hour": most_probes_seen(case),
        "most in a parked hour": most_in_a_parked_hour(case),
        "episodes": [
            [e.inbox, e.name, e.kind, e.arrived, e.settled, e.handed, e.ended] for e in record.episodes
        ],
    }


@dataclass(frozen=True)
class Case:
    folders: Folders
    outside: Outside
    record: Record
    world: World

    @property
    def plan(self) -> Plan:
        return self.folders.plan

    def passes(self, start: float, end: float) -> list[Seen]:
        """Those from `start` to `end`, in simulated time."""
        every = self.record.passes
        at = attrgetter("at")
        return every[bisect_left(every, start, key=at) : bisect_right(every, end, key=at)]


# --- where everything is at the end


def files(case: Case) -> Iterator[str]:
    """Each scan once, where it belongs, with its text or its reason beside it, and nothing else."""
    places: dict[str, list[Path]] = {}
    beside: set[Path] = set()
    for folder in (*case.folders.inboxes.values(), case.folders.disks["shelf"]):
        for path in folder.rglob("*"):
            if path.suffix in {".md", ".txt"}:
                beside.add(path)
            elif path.is_symlink() or path.is_file():
                places.setdefault(_identity(path), []).append(path)
    for identity, (arrival, name) in case.outside.delivered.items():
        found = places.pop(f"empty {name}" if identity.startswith("empty") else identity, [])
        if len(found) != 1:
            yield f"{arrival}: lies in {len(found)} places: {found}"
            continue
        yield from _where_it_belongs(case, arrival, name, found[0], beside)
    yield from (f"{path}: nobody brought this" for paths in places.values() for path in paths)
    yield from (f"{path}: belongs to no scan" for path in beside)


def _identity(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    data = path.read_bytes()
    # An empty scan has nothing but its name, which a second one of that name may not keep.
    return hashlib.sha256(data).hexdigest() if data else f"empty {path.name}"


def _where_it_belongs(
    case: Case, arrival: Arrival, name: str, path: Path, beside: set[Path]
) -> Iterator[str]:
    readable = arrival.kind in READABLE
    folder = (case.folders.done if readable else case.folders.failed)[arrival.inbox]
    if path.parent != folder:
        yield f"{arrival}: lies in {path}, not in {folder}"
        return
    companion = path.with_suffix(".md") if readable else path.with_name(f"{path.name}.reason.txt")
    if companion not in beside:
        yield f"{arrival}: has no {companion}"
        return
    beside.discard(companion)
    content = companion.read_text()
    if readable and content != text_of(arrival.number) + "\n":
        yield f"{arrival}: its text is {content!r}"
    said = " ".join(content.split())  # its lines are wrapped
    if not readable and not re.search(REASONS[arrival.kind], said, re.IGNORECASE):
        yield f"{arrival}: its reason is {content!r}"


def read_twice(case: Case) -> Iterator[str]:
    """An answer may be lost when it cannot be written down, or when its scan is away: one for each slot."""
    answered = Counter(asked.number for asked in case.world.asked if asked.outcome == "answered")
    again = [
        number
        for number, times in answered.items()
        if number and case.world.kinds[number] in {"good", "slow", "in pieces"} and times > 1
    ]
    slots = sum(server.parallel for server in case.plan.servers)
    allowed = slots * sum(trouble.kind in WORLD_WORDS for trouble in case.plan.troubles)
    if len(again) > allowed:
        yield f"{len(again)} scans were read more than once, {allowed} may have been: {again[:10]}"


# --- how often a host is asked that does not answer, and what all of that costs


def most_rests(seconds: float) -> int:
    """How often a host that never answers may be tried within so many seconds, by the schedule's own rule."""
    host, now, times = schedule.Host("any", "ollama"), 0.0, 0
    while now <= seconds:
        host = schedule.failed(host, now, "down", draw=0.0)
        now, times = host.rests_until, times + 1
    return times


def most_probes(case: Case, trouble: Trouble) -> int:
    """Requests in an hour that a host in this trouble may get."""
    server = next(server for server in case.plan.servers if server.name == trouble.what)
    first = server.parallel * (_ATTEMPTS + 1)  # those that noticed, and what was under way
    checks = len(case.plan.boxes) * math.ceil(HOUR / schedule.PARK_CHECK + 1)
    if trouble.kind in HARD:
        return first + most_rests(HOUR)
    if trouble.kind == "model removed":
        return first + checks + most_rests(HOUR)
    # It answers a look at its model: then comes a blank picture at most, then a scan with patience.
    return first + most_rests(HOUR) * (2 + _ATTEMPTS)


def _probes(case: Case, trouble: Trouble) -> list[float]:
    return sorted(
        asked.began
        for asked in case.world.asked
        if asked.host == trouble.what and trouble.during(asked.began - START)
    )


def _most_in_an_hour(times: list[float]) -> int:
    return max((bisect_right(times, t + HOUR) - i for i, t in enumerate(times)), default=0)


def probes(case: Case) -> Iterator[str]:
    for trouble in case.plan.troubles:
        if trouble.kind in HOST_WORDS:
            most, allowed = _most_in_an_hour(_probes(case, trouble)), most_probes(case, trouble)
            if most > allowed:
                yield f"{trouble}: {most} requests in an hour, expected at most {allowed}"


def most_probes_seen(case: Case) -> dict[str, list[int]]:
    """By kind of trouble: the most requests that a host got in an hour, and how many it may get."""
    found: dict[str, list[int]] = {}
    for trouble in case.plan.troubles:
        if trouble.kind in HOST_WORDS:
            here = [_most_in_an_hour(_probes(case, trouble)), most_probes(case, trouble)]
            found[trouble.kind] = max(found.get(trouble.kind, here), here)
    return found


@dataclass(frozen=True)
class Hour:
    start: float
    passes: int
    commits: int
    arrivals: int
    asked: int
    parked: int  # most inboxes that were parked at once


def parked_hours(case: Case) -> Iterator[Hour]:
    """The full hours in which at no time any host could read for any inbox."""
    commits = sorted(case.record.commits)
    arrivals = sorted(START + arrival.at for arrival in case.plan.arrivals)
    begun = sorted(asked.began for asked in case.world.asked)
    for number in range(int(case.plan.seconds / HOUR)):
        start = START + number * HOUR
        passes = case.passes(start, start + HOUR)
        if passes and all(all(seen.hosts.values()) or all(seen.inboxes.values()) for seen in passes):
            yield Hour(
                start,
                len(passes),
                _within(commits, start),
                _within(arrivals, start),
                _within(begun, start),
                max(sum(map(bool, seen.inboxes.values())) for seen in passes),
            )


def _within(times: list[float], start: float) -> int:
    return bisect_right(times, start + HOUR) - bisect_left(times, start)


def passes_allowed(boxes: list[Box], hour: Hour) -> int:
    """Each cause of a pass: a look is due, something arrived and settles, a host answered or may be tried."""
    looks = sum(math.ceil(HOUR / box.rescan) + 1 for box in boxes)
    worlds = hour.parked * math.ceil(HOUR / schedule.WORLD_CHECK + 1)
    recovery = math.ceil(HOUR / schedule.PARK_CHECK + 1)
    return looks + worlds + recovery + 4 * hour.arrivals + 3 * hour.asked


def commits_allowed(hour: Hour) -> int:
    """Whether the ledger can be written to is tried with each look at the world; the rest comes from requests."""
    return hour.parked * math.ceil(HOUR / schedule.WORLD_CHECK + 1) + 6 * hour.asked + 2 * hour.arrivals


def spinning(case: Case) -> Iterator[str]:
    for hour in parked_hours(case):
        allowed = passes_allowed(list(case.plan.boxes), hour)
        if hour.passes > allowed:
            yield f"{hour}: expected at most {allowed} passes"
        if hour.commits > commits_allowed(hour):
            yield f"{hour}: expected at most {commits_allowed(hour)} commits"


def most_in_a_parked_hour(case: Case) -> dict[str, int]:
    hours = list(parked_hours(case))
    return {
        "hours": len(hours),
        "passes": max((hour.passes for hour in hours), default=0),
        "commits": max((hour.commits for hour in hours), default=0),
    }


# --- what the status said, and how soon it went on


def unsaid(case: Case) -> Iterator[str]:
    """A trouble that the daemon must have met, and of which no status said a word in time."""
    for trouble in case.plan.troubles:
        words = (HOST_WORDS | WORLD_WORDS)[trouble.kind]
        met = _met(case, trouble)
        if met is None:
            continue
        seen = case.passes(met, START + trouble.end)
        if seen and not any(re.search(words, reason) for each in seen for reason in each.reasons):
            yield f"{trouble}: no status between {met:.0f} and its end said `{words}`"


def _met(case: Case, trouble: Trouble) -> float | None:
    """When the daemon had to know: the first request that failed, or the look that cannot miss it."""
    if trouble.kind == "model removed" and not _everywhere(case, trouble):
        return None  # the others read on, so nothing waits for this
    if trouble.kind in HOST_WORDS:
        ended = [
            asked.ended
            for asked in case.world.asked
            if asked.host == trouble.what
            and trouble.during(asked.began - START)
            and asked.ended - START < trouble.end
            and asked.outcome not in {"answered", "Stopped"}
        ]
        # A request is made again within seconds, and only then it has failed.
        return ended[min(len(ended), _ATTEMPTS) - 1] if len(ended) >= _ATTEMPTS else None
    begun = case.outside.began[trouble]
    if trouble.kind == "disk full":
        return _could_be_handed_out(case, trouble.what, begun, START + trouble.end)
    due = begun + max(box.rescan for box in case.plan.boxes)
    return due if due < START + trouble.end else None


def _could_be_handed_out(case: Case, disk: str, start: float, end: float) -> float | None:
    """When a scan that will be filed on `disk` was handed out or nothing kept it: the disk is looked at before."""
    boxes = [box.name for box in case.plan.boxes if disk == "state" or box.shelf]
    for seen in case.passes(start, end):
        stands = any(seen.waiting[box] and not seen.inboxes[box] for box in boxes)
        if seen.at > start and (seen.handed.intersection(boxes) or (seen.idle and stands)):
            return seen.at
    return None


def _everywhere(case: Case, trouble: Trouble) -> bool:
    """Whether all hosts are in the same trouble all the while."""
    same = {
        other.what
        for other in case.plan.troubles
        if other.kind == trouble.kind and other.start <= trouble.start and other.end >= trouble.end
    }
    return same == {server.name for server in case.plan.servers}


def not_resumed(case: Case) -> Iterator[str]:
    """A trouble that is over, and that an inbox or host still speaks of when it should have looked again."""
    for trouble in case.plan.troubles:
        end = START + trouble.end
        patience = _patience(case, trouble)
        over = [t for t in case.plan.troubles if t is not trouble and t.start <= trouble.end + patience]
        if any(t.end > trouble.end for t in over):
            continue  # something else is wrong meanwhile
        after = case.passes(end, end + patience)
        later = case.passes(end + patience, math.inf)[:1]
        words = (HOST_WORDS | WORLD_WORDS)[trouble.kind]
        stuck = [seen for seen in (*after, *later) if _still(seen, trouble, words)]
        if len(stuck) == len(after) + len(later) and after:
            yield f"{trouble}: {patience:.0f} s after its end it is still said that `{stuck[-1].reasons}`"


def _still(seen: Seen, trouble: Trouble, words: str) -> bool:
    """Whether it is held up by what is over; a host that nobody needs may rest for as long as it likes."""
    if trouble.kind in WORLD_WORDS:
        return any(re.search(words, reason) for reason in seen.inboxes.values())
    if trouble.kind == "model removed":
        return any(re.search(words, reason) for reason in seen.inboxes.values())
    return bool(re.search(words, seen.hosts[trouble.what])) and any(seen.waiting.values())


def _patience(case: Case, trouble: Trouble) -> float:
    """Seconds after its end within which the daemon has to have looked again, by the schedule's own rules."""
    if trouble.kind in WORLD_WORDS:
        return schedule.WORLD_CHECK + 1
    slowest = max(server.slowest for server in case.plan.servers) * 5
    if trouble.kind == "model removed":
        # The refusal of a picture is believed for longer each time that it comes back.
        return schedule.PARK_CHECK + schedule.parked_for(1) + slowest
    return schedule.LONGEST_REST + FIRST_TOKEN + slowest
