"""What the daemon learns of the gaps in which an inbox's scanner adds pages; used by the main thread alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropscribe.intake import gaps
from dropscribe.status import LearnedStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from dropscribe.intake.settle import Settling
    from dropscribe.ledger import Page
    from dropscribe.values import Fingerprint, Gap


@dataclass(frozen=True, slots=True)
class _Whole:
    """A document as it was taken up, unchanged from `since` on; `texts` are those of its pages once it is filed."""

    fingerprint: Fingerprint
    since: float
    texts: tuple[str, ...] = ()


@dataclass(slots=True)
class Learned:
    """The gaps of one inbox by format, `quiet` is what is waited without them; asleep unless `awake`.

    Learned is from a document that grows before it has settled, that grows while it is read, and that comes
    back with more pages after it was filed.
    """

    quiet: Callable[[str], float]
    awake: bool = True
    gaps: dict[str, Gap] = field(default_factory=dict)
    news: dict[str, Gap] = field(default_factory=dict)  # not in the ledger yet
    _settled_since: dict[str, float] = field(default_factory=dict)
    _grown: dict[str, float] = field(default_factory=dict)  # while they were read: the gaps
    _changed: dict[str, _Whole] = field(
        default_factory=dict
    )  # their reading was given up since the last look
    _filed: dict[str, _Whole] = field(default_factory=dict)
    _back: dict[str, float] = field(default_factory=dict)  # under the name of one that was filed: the gaps
    _looked_at: float = 0.0

    def wait_for(self, name: str) -> float:
        """Seconds that `name` has to lie unchanged."""
        kind = gaps.document(name)
        return gaps.wait_for(self.gaps.get(kind) if kind else None, self.quiet(name), time.time())

    def look(self, before: Settling, after: Settling, reading: Container[str], now: float) -> float | None:
        """Learn from what a look at `now` has changed; when another look is worth it for this alone."""
        if not self.awake:
            return None
        for name, seconds in gaps.went_on(before, after, self._looked_at, now).items():
            self._learn(name, seconds)
        for name, watched in after.arriving.items():
            if before.arriving.get(name) is not watched:
                self._changed_to(name, before.settled.get(name), watched.fingerprint, reading, now)
        self._keep_times(before, after, reading, now)
        self._looked_at = now
        return gaps.halfway(after, now, self.wait_for)

    def _changed_to(
        self, name: str, old: Fingerprint | None, found: Fingerprint, reading: Container[str], now: float
    ) -> None:
        if (whole := self._changed.pop(name, None)) and found.size > whole.fingerprint.size:
            self._learn(name, gaps.gap_between(whole.fingerprint, whole.since, found, now))
        elif whole := self._filed.get(name):
            self._back.setdefault(name, gaps.gap_between(whole.fingerprint, whole.since, found, now))
        elif old and name in reading and old.size < found.size and name in self._settled_since:
            since = self._settled_since[name]
            self._grown.setdefault(name, gaps.gap_between(old, since, found, now))

    def _keep_times(self, before: Settling, after: Settling, reading: Container[str], now: float) -> None:
        """Since when those that have settled are unchanged, and only for as long as that may matter."""
        if after.settled is not before.settled:
            for name in after.settled.keys() - before.settled.keys():
                if gaps.document(name):
                    watched = before.arriving.get(name)
                    self._settled_since[name] = watched.since if watched else now
            for name in [n for n in self._settled_since if n not in after.settled and n not in reading]:
                del self._settled_since[name]
        self._changed.clear()  # what the first look after did not see has gone
        for name in [name for name, whole in self._filed.items() if whole.since + gaps.LONGEST_WAIT < now]:
            del self._filed[name]
        for name in self._back.keys() - self._filed.keys():
            del self._back[name]

    # --- what became of a scan that was taken up

    def taken_up(self, name: str) -> None:
        """It is read now; how an earlier reading ended said nothing of whether it had been whole."""
        self._grown.pop(name, None)

    def given_up(self, name: str, fingerprint: Fingerprint) -> None:
        """It was whole, and then it changed while it was read."""
        grown = self._grown.pop(name, None)
        since = self._settled_since.pop(name, None)
        if grown is not None:
            self._learn(name, grown)
        elif since is not None and self.awake:
            self._changed[name] = _Whole(fingerprint, since)

    def filed(self, name: str, fingerprint: Fingerprint, pages: Sequence[Page]) -> None:
        """It was read and has left."""
        self._grown.pop(name, None)
        since = self._settled_since.pop(name, None)
        if since is None or not self.awake:
            return
        texts = tuple(page.text for page in pages)
        old, seconds = self._filed.get(name), self._back.pop(name, None)
        if old and seconds is not None and old.texts and old.texts == texts[: len(old.texts)] != texts:
            self._learn(name, seconds)
        self._filed[name] = _Whole(fingerprint, since, texts)

    def take_news(self) -> dict[str, Gap]:
        """What is not in the ledger yet, by format."""
        news, self.news = self.news, {}
        return news

    def _learn(self, name: str, seconds: float) -> None:
        kind = gaps.document(name)
        if kind is None:
            return
        known = self.gaps.get(kind)
        gap = gaps.learn(known, seconds, self.quiet(name), time.time())
        if gap is not None and gap is not known:
            self.gaps[kind] = self.news[kind] = gap

    def status(self) -> Iterator[LearnedStatus]:
        """Each gap that makes scans of this inbox wait longer than they would."""
        for kind, gap in sorted(self.gaps.items()) if self.awake else ():
            name = f"x.{kind}"
            if (wait := self.wait_for(name)) > self.quiet(name):
                yield LearnedStatus(kind, round(wait, 1), round(gap.seconds, 1), gap.at)
