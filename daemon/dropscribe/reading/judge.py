"""The verdict on an answer, whether it is the text of the page; pure.

A status of 200 proves little: Ollama cuts answers short without saying so, models loop, refuse, think aloud
or repeat their instructions. What is accepted here is what ends in `done/`.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dropscribe.reading.described import asks_for_text, describes
from dropscribe.reading.marks import unmarked
from dropscribe.reading.peel import clean, peel
from dropscribe.reading.repeats import REPEATS, loops, runaway, said_in_json
from dropscribe.reading.talk import talks
from dropscribe.values import Verdict
from dropscribe.words import one_line

if TYPE_CHECKING:
    from dropscribe.values import Answer

__all__ = ["REPEATS", "judge", "judge_ocr", "runaway"]

# Some models and servers leave the reason out (glm-ocr); then `done` alone must do.
_FINISHED = frozenset({"", "stop"})

_NO_TEXT = re.compile(r"[\W_]*no[ _]text[\W_]*", re.IGNORECASE)
_NO_TEXT_AND_WHY = re.compile(r"\W{0,3}\[no[ _]text\][.\s]*\([^()]{1,120}\)\W{0,3}", re.IGNORECASE)
_ILLEGIBLE = re.compile(r"\[illegible\]", re.IGNORECASE)
_THINKING = re.compile(r"</?think", re.IGNORECASE)

_DATA_URI = re.compile(r"data:[\w/+.-]{0,80};base64,\s*[A-Za-z0-9+/=\s]{100}")
# Printed keys come in lines of 64 to 76; only links have longer runs, and hardly one of this length.
_ENCODED = re.compile(r"[A-Za-z0-9+/]{400}")
_TAG = re.compile(r"<[^<>]{0,300}>")
_MARKUP_LENGTH = 4000  # more than a page of blank cells, written as HTML
_MARKUP_TEXT = 0.05

_WORD = re.compile(r"\w+")
# Numbered lines are alike on many pages; that they count to the very limit is what only models do.
_NUMBER = re.compile(r"\d+")
_ECHO_OF_PROMPT = 0.5
_ECHO_OF_ANSWER = 0.7
_ECHO_LOOK = 600  # words
_ECHO_RUN = 3  # words in a row: "the text in" is in every prompt, single words are in every text


def judge(answer: Answer, *, prompt: str, repeats: float, filled: bool = False) -> Verdict:
    """Never raises. `repeats` is the share of surplus words, 0 to 1, above which a text is a loop.

    `filled`: the answer is to be JSON of a schema, whose names stand there again for every item of a list.

    Names: accepted, no text, empty, thinking only, not done, length, cut, loop, refusal, description, echo,
    markup; `verdicts` says what may help after each that is not accepted.
    """
    text = peel(unmarked(answer.text))
    lines = said_in_json(text) if filled else text
    name, sentence = _fault(answer, text, lines, prompt, repeats) or ("accepted", "the model read the page")
    if name == "no text":
        text = ""
    return Verdict(name, sentence, f"{text}\n" if text else "")


def judge_ocr(answer: Answer) -> Verdict:
    """The verdict on what the embedded engine read: it cannot talk, loop or think, only find nothing."""
    text = clean(answer.text)
    if not answer.done:
        return Verdict("not done", "the embedded engine did not finish the page", f"{text}\n" if text else "")
    if not _is_visible(text) or _NO_TEXT.fullmatch(text):
        return Verdict("no text", "the embedded engine found no text on the page")
    return Verdict("accepted", "the embedded engine read the page", f"{text}\n")


def _fault(answer: Answer, text: str, lines: str, prompt: str, repeats: float) -> tuple[str, str] | None:
    """`lines` is the text as its repeats are counted."""
    found = _cut(answer) or _endless(text, lines, repeats) or _unfinished(answer, text, lines, repeats)
    return found or _beside_the_page(text, prompt)


def _cut(answer: Answer) -> tuple[str, str] | None:
    if answer.cut == "loop":
        return "loop", "the model repeated the same words over and over and was stopped"
    if answer.cut:
        return "cut", f"the answer was ended early: {one_line(answer.cut, 200)}"
    return None


def _endless(text: str, lines: str, repeats: float) -> tuple[str, str] | None:
    # Before the length limit: a larger limit would only make these longer.
    if loops(lines, repeats):
        return "loop", "the model repeated the same words over and over"
    if _is_markup(text):
        return "markup", "the model wrote markup or encoded data instead of text"
    return None


def _unfinished(answer: Answer, text: str, lines: str, repeats: float) -> tuple[str, str] | None:
    if not _is_visible(text) and (answer.thinking.strip() or _THINKING.search(answer.text)):
        return "thinking only", "the model only thought about the page and wrote no answer"
    if not answer.done:
        return "not done", "the server ended the answer before the model had finished"
    if answer.done_reason.lower() == "length":
        if loops(_NUMBER.sub("1", lines), repeats):
            return "loop", "the model counted on and on with the same words"
        tokens = f" ({answer.tokens:,} tokens)" if answer.tokens > 0 else ""
        return "length", f"the model's answer was cut off at its length limit{tokens}"
    if answer.done_reason.lower() not in _FINISHED:
        reason = one_line(answer.done_reason, 60)
        return "not done", f'the server ended the answer for another reason than its end: "{reason}"'
    return None


def _beside_the_page(text: str, prompt: str) -> tuple[str, str] | None:
    if _NO_TEXT.fullmatch(text) or _NO_TEXT_AND_WHY.fullmatch(text):
        return "no text", "the model found no text on the page"
    if not _is_visible(text):
        return "empty", "the model's answer was empty"
    if _ILLEGIBLE.search(text) and not _WORD.search(_ILLEGIBLE.sub("", text)):
        return "empty", "the model could not make out a single word"
    if talks(text):
        return "refusal", f'the model talked instead of reading: "{one_line(text, 120)}"'
    if describes(text) and asks_for_text(prompt):
        return (
            "description",
            f'the model described the picture instead of reading it: "{one_line(text, 120)}"',
        )
    if _is_echo(text, prompt):
        return "echo", "the model repeated its instructions instead of reading the page"
    return None


def _is_visible(text: str) -> bool:
    return any(char.isprintable() and not char.isspace() for char in text)


def _is_markup(text: str) -> bool:
    if _DATA_URI.search(text) or _ENCODED.search(text):
        return True
    return len(text) > _MARKUP_LENGTH and len("".join(_TAG.sub("", text).split())) < _MARKUP_TEXT * len(text)


def _is_echo(text: str, prompt: str) -> bool:
    asked, said = _WORD.findall(prompt.casefold()), _WORD.findall(text.casefold())
    if asked == said:
        return bool(asked)
    if len(said) * _ECHO_OF_ANSWER > len(asked):
        return False
    # The comparison may take the product of both lengths.
    asked, said = asked[:_ECHO_LOOK], said[:_ECHO_LOOK]
    blocks = SequenceMatcher(None, asked, said, autojunk=False).get_matching_blocks()
    echoed = sum(block.size for block in blocks if block.size >= _ECHO_RUN)
    return echoed >= max(_ECHO_RUN, _ECHO_OF_PROMPT * len(asked)) and echoed >= _ECHO_OF_ANSWER * len(said)
