"""One page of one scan: ask by one recipe after the other until an answer is accepted."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dropscribe import log, provenance
from dropscribe.errors import BadAnswer, Unavailable
from dropscribe.ledger import Page, Try
from dropscribe.pages import BROKE, DEATHS
from dropscribe.prompts import with_schema, without_schema
from dropscribe.reading.ask import ask
from dropscribe.reading.join import joined
from dropscribe.reading.judge import judge, judge_ocr
from dropscribe.reading.recipe import Means, Tried, describe, first, next_recipe
from dropscribe.reading.structured import judge_json
from dropscribe.reading.verdicts import what_helps
from dropscribe.values import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dropscribe.config.values import Inbox
    from dropscribe.ledger import Asked, Ledger
    from dropscribe.pages import Pages
    from dropscribe.reading.engines import Engine
    from dropscribe.reading.wanted import Prepared
    from dropscribe.stop import Stop
    from dropscribe.values import Answer, Picture, Recipe

SUSPECT = "suspect"
"""Verdict of a try that ended with the host; it counts against the scan only once the host has answered since."""

NO_ANSWER = "no answer"
"""Verdict of a suspect try whose host has answered something else since."""

IN_DOUBT = "check"
"""Verdict of an answer that the second reader did not find on the page."""

BLANK = "blank"
TEXT_LAYER = "text layer"
"""Verdicts of pages that no engine was asked about."""

_NO_RECIPE = frozenset({SUSPECT, BROKE})


def _nothing(_number: int) -> None:
    pass


def models_of(inbox: Inbox) -> tuple[str, ...]:
    """The models that this inbox may ask, in order; the embedded engine has one, without a name."""
    return ("",) if inbox.engine == "ocr" else inbox.models


def base_recipe(inbox: Inbox, model: str) -> Recipe:
    """The first recipe of an inbox's ladder."""
    return first(
        engine=inbox.engine,
        model=model,
        prompt=with_schema(inbox.prompt, inbox.output.schema),
        preset=inbox.preset,
        options=inbox.options,
        keep_alive=inbox.keep_alive,
        schema=inbox.output.schema,
    )


@dataclass(frozen=True, slots=True)
class PageReader:
    """Reads the pages of one scan, on the ladder that begins with the first of `models`.

    `asking` is told the number of each page about which an engine is asked, when its picture is ready.
    """

    engine: Engine
    ledger: Ledger
    inbox: Inbox
    pages: Pages
    scan_id: int
    scan: str
    rules: str
    models: tuple[str, ...]
    stop: Stop
    asking: Callable[[int], object] = _nothing

    def read(self, number: int) -> Page:
        """The accepted page; every try is in the ledger before the next one begins.

        Raises BadAnswer after the last recipe, and what `Engine.ask` and `Pages.page` raise.
        """
        tried = self._replay(number)
        while (recipe := self._next(tried)) is not None:
            prepared = self._prepared(number, recipe)
            if not prepared.pictures:
                return self._accept_unasked(number, prepared)
            self.asking(number)
            verdict, answer = self._try(number, recipe, prepared)
            if verdict.accepted and answer is not None:
                return self._accept(number, recipe, verdict, answer)
            tried.append(_tried(recipe, self._tries(number)[-1]))
        last = self._tries(number)[-1]
        raise BadAnswer(last.verdict, last.sentence, what_helps(last.verdict))

    def again(self, doubted: Page, *, turned: bool) -> Page | None:
        """One answer more about a page, which nobody has accepted yet; None where there is none.

        By the next recipe of the ladder; by the same one where the page was `turned` since. Raises what
        `Engine.ask` and `Pages.page` raise.
        """
        number = doubted.page
        if self.asked_since(doubted):
            return None  # and a stop came before anybody could say so
        tried = self._replay(number)
        recipe = self._next(tried)
        if recipe is not None and not turned:
            recipe = self._next([*tried, Tried(recipe, IN_DOUBT)])
        if recipe is None:
            return None
        prepared = self._prepared(number, recipe)
        if not prepared.pictures:
            return None
        verdict, answer = self._try(number, recipe, prepared)
        return self._page(number, recipe, verdict, answer) if verdict.accepted and answer else None

    def asked_since(self, page: Page) -> bool:
        """Whether an answer about it was refused after it was accepted."""
        return any(tried.at > page.at for tried in self._tries(page.page))

    def _tries(self, number: int) -> list[Try]:
        """What another prompt or model did says nothing about these."""
        tries = self.ledger.tries(self.scan_id, number, rules=self.rules)
        return [each for each in tries if each.rules == self.rules and each.verdict not in _NO_RECIPE]

    def _next(self, tried: Sequence[Tried]) -> Recipe | None:
        limit = self.inbox.tries
        if self.inbox.engine == "ocr":
            # It says the same however often it is asked, unless somebody ended it.
            limit = min(DEATHS, 1 + sum(one.verdict == NO_ANSWER for one in tried))
        bases = [base_recipe(self.inbox, model) for model in self.models]
        return next_recipe(bases, tried, limit=limit, means=self._means())

    def _prepared(self, number: int, recipe: Recipe) -> Prepared:
        """What a try sends; asked for again right after it, it costs nothing."""
        return self.pages.page(number, recipe.size, bands=recipe.bands, turn=recipe.turn)

    def _asked(self, number: int, recipe: Recipe, answer: Answer | None) -> Asked:
        base = base_recipe(self.inbox, self.models[0])
        turn = self.pages.turn_of(number, wanted=recipe.turn)
        return provenance.asked(recipe, base, self._prepared(number, recipe), turn, answer)

    def _means(self) -> Means:
        """Bands of a page would be several values where one is wanted."""
        bands = self.inbox.prepare.bands != "never" and self.inbox.output.schema is None
        return Means(turn=self.pages.can_turn, bands=bands)

    def _replay(self, number: int) -> list[Tried]:
        """Where on the ladder this page stands: recipes follow from tries, so only those are remembered."""
        tried: list[Tried] = []
        for done in self._tries(number):
            recipe = self._next(tried)
            if recipe is not None:
                tried.append(_tried(recipe, done))
        return tried

    # --- asking

    def _try(self, number: int, recipe: Recipe, prepared: Prepared) -> tuple[Verdict, Answer | None]:
        log.step(
            "asked",
            inbox=self.inbox.name,
            scan=self.scan,
            page=number,
            bands=len(prepared.pictures) if len(prepared.pictures) > 1 else None,
            recipe=describe(recipe),
        )
        began = time.monotonic()
        try:
            verdict, answer = self._ask_all(recipe, prepared)
        except BadAnswer as bad:
            verdict, answer = Verdict(bad.verdict, bad.reason), None
        except Unavailable as failure:
            if failure.suspect:
                self._suspect(number, recipe, failure, time.monotonic() - began)
            raise
        if not verdict.accepted:
            self._refuse(number, recipe, verdict, answer, time.monotonic() - began)
        return verdict, answer

    def _ask_all(self, recipe: Recipe, prepared: Prepared) -> tuple[Verdict, Answer]:
        """The verdict on the page: on its one picture, or on all of its bands, of which none may be bad."""
        read = []
        for band, picture in enumerate(prepared.pictures, 1):
            verdict, answer = self._ask(recipe, picture)
            if len(prepared.pictures) == 1:
                return verdict, answer
            if not verdict.accepted:
                where = f"in band {band} of {len(prepared.pictures)}"
                return replace(verdict, sentence=f"{where}: {verdict.sentence}"), answer
            read.append((verdict, answer))
        return _together(read, prepared.overlaps)

    def _ask(self, recipe: Recipe, picture: Picture) -> tuple[Verdict, Answer]:
        answer = ask(self.engine, picture, recipe, stop=self.stop)
        return self._judge(answer, recipe), answer

    def _judge(self, answer: Answer, recipe: Recipe) -> Verdict:
        if recipe.engine == "ocr":
            return judge_ocr(answer)
        # Without what stands below it: the schema and an earlier answer, which a good answer is like.
        filled = recipe.schema is not None
        asked = without_schema(recipe.prompt)
        verdict = judge(answer, prompt=asked, repeats=self.inbox.repeats, filled=filled)
        if recipe.schema is not None and verdict.accepted:
            return judge_json(verdict, recipe.schema)
        return verdict

    # --- what became of it

    def _accept(self, number: int, recipe: Recipe, verdict: Verdict, answer: Answer) -> Page:
        return self._keep(self._page(number, recipe, verdict, answer), tokens=answer.tokens or None)

    def _page(self, number: int, recipe: Recipe, verdict: Verdict, answer: Answer) -> Page:
        return Page(
            page=number,
            rules=self.rules,
            text=verdict.text,
            verdict=verdict.name,
            model=answer.model,
            digest=answer.model_digest,
            host=answer.host,
            recipe=describe(recipe),
            seconds=answer.seconds,
            at=time.time(),
            asked=self._asked(number, recipe, answer),
        )

    def _accept_unasked(self, number: int, prepared: Prepared) -> Page:
        page = Page(
            page=number,
            rules=self.rules,
            text="" if prepared.text is None else prepared.text,
            verdict=BLANK if prepared.text is None else TEXT_LAYER,
            model="",
            digest="",
            host="",
            recipe="",
            seconds=0.0,
            at=time.time(),
            note="blank, not read" if prepared.text is None else "",
        )
        return self._keep(page)

    def _keep(self, page: Page, tokens: int | None = None) -> Page:
        self.ledger.accept(self.scan_id, page)
        log.step(
            "accepted",
            inbox=self.inbox.name,
            scan=self.scan,
            page=page.page,
            verdict=page.verdict,
            seconds=round(page.seconds, 1),
            tokens=tokens,
        )
        return page

    def _refuse(
        self, number: int, recipe: Recipe, verdict: Verdict, answer: Answer | None, seconds: float
    ) -> None:
        text = answer.text if answer is not None else ""
        asked = self._asked(number, recipe, answer)
        self._write_down(number, asked, recipe, verdict.name, verdict.sentence, text, seconds)
        log.step(
            "bad answer",
            level="warning",
            inbox=self.inbox.name,
            scan=self.scan,
            page=number,
            verdict=verdict.name,
            reason=verdict.sentence,
        )

    def _suspect(self, number: int, recipe: Recipe, failure: Unavailable, seconds: float) -> None:
        asked = self._asked(number, recipe, None)
        failure.evidence = self._write_down(number, asked, recipe, SUSPECT, failure.reason, "", seconds)

    def _write_down(
        self,
        number: int,
        asked: Asked,
        recipe: Recipe,
        verdict: str,
        sentence: str,
        text: str,
        seconds: float,
    ) -> int:
        tried = Try(
            number, describe(recipe), verdict, sentence, text, seconds, time.time(), self.rules, asked
        )
        return self.ledger.add_try(self.scan_id, tried)


def _tried(recipe: Recipe, written: Try) -> Tried:
    """From the ledger in the first place too, so that a ladder goes on after a stop as it would have without."""
    return Tried(recipe, written.verdict, written.sentence, written.text)


def _together(read: Sequence[tuple[Verdict, Answer]], overlaps: Sequence[bool]) -> tuple[Verdict, Answer]:
    """Verdict and answer of a page whose bands were all accepted."""
    verdict, answer = read[0]
    text = joined([verdict.text for verdict, _ in read], overlaps)
    best = next((verdict for verdict, _ in read if verdict.name == "accepted"), verdict)
    whole = replace(
        answer,
        text=text,
        tokens=sum(answer.tokens for _, answer in read),
        prompt_tokens=sum(answer.prompt_tokens for _, answer in read),
        seconds=sum(answer.seconds for _, answer in read),
    )
    return replace(best, text=text), whole
