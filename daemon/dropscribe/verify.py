"""Whether the second reader found on its page what an accepted text says, and the one more try when it did not.

Pages are verified when all of a scan were read: while a model reads the later ones, the second reader is at work on
those before. Each finding is in the ledger before the next step, so that a stop costs no answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dropscribe import log
from dropscribe.errors import BadAnswer, BadScan, Failure
from dropscribe.ledger import Try
from dropscribe.read_page import BLANK, IN_DOUBT, TEXT_LAYER
from dropscribe.reading.crosscheck import CrossCheck, cross_check
from dropscribe.reading.second import lines_of
from dropscribe.reading.valuecheck import value_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dropscribe.config.values import Inbox
    from dropscribe.ledger import Ledger, Page
    from dropscribe.pages import Pages
    from dropscribe.read_page import PageReader
    from dropscribe.reading.crosscheck import Line
    from dropscribe.reading.second import SecondReader
    from dropscribe.stop import Stop

_NOT_ASKED = frozenset({BLANK, TEXT_LAYER})
_WORST_FIRST = ("check", "unverifiable", "verified")


def wanted(inbox: Inbox) -> bool:
    """Whether pages of this inbox are to be verified where that can be done."""
    if inbox.verify == "off" or inbox.engine == "ocr":  # which cannot vouch for itself
        return False
    return inbox.verify == "on" or inbox.output.schema is None


def why_not(inbox: Inbox, second: SecondReader) -> str:
    """Why pages of this inbox are not verified though they were to be, for the status; else empty."""
    failure = second.why_not(asked_for=inbox.verify == "on") if wanted(inbox) else None
    return f"{failure.reason}; {failure.fix}" if failure else ""


def compare(inbox: Inbox, text: str, found: Sequence[Line]) -> CrossCheck:
    """What the lines that the second reader found on a page say about the text that this inbox has of it."""
    return cross_check(text, found) if inbox.output.schema is None else value_check(text, found)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies the pages of one scan."""

    inbox: Inbox
    pages: Pages
    ledger: Ledger
    scan_id: int
    scan: str
    reader: PageReader
    out: Failure | None
    stop: Stop

    def verified(self, page: Page) -> Page:
        """The page with what was found about it, its text perhaps another one.

        Raises what asking a model raises when its host or the world fails; the page is kept all the same.
        """
        if page.verdict in _NOT_ASKED or (page.verification and not page.doubted):
            return page
        try:
            return self._verified(page)
        finally:
            self.pages.forget_second(page.page)

    def _verified(self, page: Page) -> Page:
        found, turn = self._look(page.page)
        check = self._check(page, found)
        if page.doubted and check.name == "unverifiable":
            # Nothing could be said for a second answer either; what was found of the first still holds.
            kept = replace(page, doubted=False)
            self.ledger.accept(self.scan_id, kept)
            return kept
        if check.name == "check" and (better := self._again(page, check, found, turn)):
            return better
        return self._keep(page, check, tried_again=self.reader.asked_since(page))

    # --- looking

    def _look(self, number: int) -> tuple[list[Line] | CrossCheck, int]:
        """What the second reader read, or why it cannot say anything; and how the page lies."""
        if self.out is not None:
            return CrossCheck("unverifiable", self.out.reason), 0
        pending = self.pages.read_by_second(number)
        if not pending.is_over and (out := self.pages.second.why_not(asked_for=self.inbox.verify == "on")):
            # It broke down on the pages before, each of which may have waited for minutes.
            return CrossCheck("unverifiable", out.reason), 0
        try:
            read = pending.result(stop=self.stop)
        except Failure as failure:
            return CrossCheck("unverifiable", failure.reason), 0
        return (lines_of(read), read.turn) if read else ([], 0)

    def _check(self, page: Page, found: list[Line] | CrossCheck) -> CrossCheck:
        return found if isinstance(found, CrossCheck) else compare(self.inbox, page.text, found)

    # --- one more try

    def _again(self, page: Page, check: CrossCheck, found: list[Line] | CrossCheck, turn: int) -> Page | None:
        """The better of two answers, kept; None where there is no second one."""
        if not page.doubted:
            page = replace(page, verification=_facts(check), doubted=True)
            self.ledger.accept(self.scan_id, page)
            self._tell("in doubt", page.page, check)
        may_turn = self.inbox.prepare.turn is not False
        was_turned = page.asked.turn if page.asked else self.pages.turn_of(page.page)
        lay_so = may_turn and bool(turn) and not was_turned
        turned = lay_so and bool(self.pages.turn(page.page))
        try:
            other = self.reader.again(page, turned=turned)
        except (BadScan, BadAnswer):
            return None
        if other is None:
            return None
        their = self._check(other, found)
        if their.worth > check.worth:
            return self._keep(other, their, instead_of=self._not_kept(page, check), tried_again=True)
        return self._keep(page, check, instead_of=self._not_kept(other, their), tried_again=True)

    def _not_kept(self, page: Page, check: CrossCheck) -> Try:
        sentence = "; ".join(check.told())
        when = page.seconds, page.at
        return Try(page.page, page.recipe, IN_DOUBT, sentence, page.text, *when, page.rules, page.asked)

    def _keep(
        self, page: Page, check: CrossCheck, *, instead_of: Try | None = None, tried_again: bool = False
    ) -> Page:
        kept = replace(page, verification=_facts(check), doubted=False)
        self.ledger.accept(self.scan_id, kept, instead_of)
        step = "verified" if check.name == "verified" else "not verified"
        self._tell(step, page.page, check, tried_again=tried_again)
        return kept

    def _tell(self, step: str, number: int, check: CrossCheck, *, tried_again: bool = False) -> None:
        log.step(
            step,
            level="info" if check.name == "verified" else "warning",
            inbox=self.inbox.name,
            scan=self.scan,
            page=number,
            verdict=check.name,
            found="; ".join(check.told()),
            tried_again=tried_again or None,
        )


# --- what is kept of it, and what is made of that


def _facts(check: CrossCheck) -> str:
    facts = {
        "verdict": check.name,
        "reason": check.reason,
        "supported": None if check.supported is None else round(check.supported, 3),
        "covered": None if check.covered is None else round(check.covered, 3),
        "unsupported": check.unsupported,
        "missing": check.missing,
        "numbers": check.numbers,
    }
    told = {name: value for name, value in facts.items() if value not in ("", None, ())}
    return json.dumps(told, ensure_ascii=False)


def verdict_of(page: Page) -> str:
    """The word on this page: verified, check, unverifiable; empty where nobody looked."""
    return str(json.loads(page.verification)["verdict"]) if page.verification else ""


def verdict_of_scan(pages: Iterable[Page]) -> str:
    """The worst of its pages."""
    found = {verdict_of(page) for page in pages}
    return next((word for word in _WORST_FIRST if word in found), "")


def facts_of(pages: Iterable[Page]) -> dict[str, Any]:
    """What is filed with a text: the scan's verdict, and each verified page's with its figures and quotes."""
    pages = tuple(pages)
    looked = [{"page": page.page, **json.loads(page.verification)} for page in pages if page.verification]
    return {"verdict": verdict_of_scan(pages), "pages": looked} if looked else {}
