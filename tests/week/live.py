"""Lives one plan, in a process of its own: `python -m tests.week.live ROOT PLAN SEED` prints what was found."""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe.config.load import load
from dropscribe.daemon import run
from dropscribe.stop import Stop
from tests.torture.decoders import open_nursery
from tests.week import decoders, plan
from tests.week.clock import START, Simulation
from tests.week.judge import judge
from tests.week.plan import HOUR
from tests.week.record import Record
from tests.week.servers import Host, World
from tests.week.world import Folders, Outside

if TYPE_CHECKING:
    from dropscribe.status import Status
    from tests.week.plan import Plan

_LONGEST_DRAIN = 24 * HOUR


def live(root: Path, wanted: Plan, *, mounted: bool) -> dict:
    """Until everything has been filed, or a day too long; what went wrong, and figures."""
    random.seed(wanted.seed)
    simulation = Simulation()
    folders = Folders(root, wanted)
    config = load(folders.make(mounted=mounted), {}, root)
    outside = Outside(folders, simulation)
    outside.expect()
    record = Record(simulation, outside.newest)
    record.listen()
    record.count_commits()
    kinds = {arrival.number: arrival.kind for arrival in wanted.arrivals}
    world = World(simulation, kinds, wanted.troubles, wanted.seed)
    hosts = [(s.name, "ollama", [Host(world, s).engine] * s.parallel) for s in wanted.servers]
    last_look = max(box.rescan for box in wanted.boxes)
    over = START + max(wanted.seconds, wanted.end_of_troubles) + 2 * last_look

    def ends(status: Status) -> bool:
        simulation.busy = sum(host.busy for host in status.hosts)
        record.note(status)
        now, last = simulation.now(), record.passes[-1]
        quiet = not last.left and not simulation.busy and not any(last.inboxes.values())
        return now > over + _LONGEST_DRAIN or (now > over and quiet)

    began = time.monotonic()
    run(config, Stop(), until=ends, clock=simulation, hosts=hosts)
    outside.look_for_half_texts()
    return judge(folders, outside, record, world) | {"real seconds": round(time.monotonic() - began, 1)}


def main() -> None:
    root, name, seed, mounted = sys.argv[1:]
    Path(root).mkdir(parents=True, exist_ok=True)
    sys.executable = open_nursery(Path(root).parent, decoders.main)
    wanted: Plan = getattr(plan, name)(int(seed))
    print(json.dumps(live(Path(root), wanted, mounted=mounted == "mounted")))


if __name__ == "__main__":
    main()
