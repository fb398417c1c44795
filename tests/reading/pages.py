"""Honest pages that repeat themselves, and what models do to pages; for the tests of verdicts."""

import os
from pathlib import Path

import pytest

from dropscribe.prompts import MARKDOWN
from dropscribe.reading.judge import REPEATS, judge
from dropscribe.values import Answer

CORPUS = Path(os.environ.get("DROPSCRIBE_CORPUS", "/nonexistent"))

LETTER = """\
Dear Mrs Whitcombe,

thank you for your letter of 3 May. The roof of the garden house was mended last week; the invoice over
1,284.50 EUR is enclosed. Please transfer the amount within fourteen days to the account named below.

The gutter on the north side will have to wait until the scaffolding of the neighbours has gone. I have asked
them, and they expect to be done before the summer. Until then a bucket must do.

Yours sincerely
Harold Pym
"""

REFRAIN = """\
Row on, row on, the tide is high,
the lamps are lit along the shore,
and we shall sing as we go by
"""
VERSES = (
    "The baker rose before the sun\nand laid his loaves out one by one,\nthe streets were grey\n",
    "The smith has hung his hammer up,\nthe landlord fills another cup,\nand far away\n",
    "My mother kept a silver spoon\nthat hung reflected like the moon,\nunused at all\n",
    "There is a road that no one takes\nbetween the orchard and the lakes,\nthey say at night\n",
    "When all is told and all is paid\nand every bed at last is made,\nlet in the day\n",
)
NAMES = ("Introduction", "Materials", "The first winter", "Cost", "Letters from Oslo", "Appendix", "Index")
DRINKS = ("Cola", "Fanta", "Apple juice", "Water", "Wheat beer", "White wine", "Cider", "Tonic", "Tea")
QUESTIONS = (
    "Were you ever treated in hospital?", "Do you take medicine at present?", "Do you smoke?",
    "Is there diabetes in your family?", "Have you ever fainted at work?", "Do you wear glasses or lenses?",
    "Are you allergic to penicillin?", "Have you been abroad in the last year?", "Do you sleep badly?",
)  # fmt: skip
ASKED = [f"{number}. {question}\n" for number, question in enumerate(QUESTIONS * 4)]
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n"

HONEST = {
    "a letter": LETTER,
    "one word": "6",
    "a hymn with its refrain after each of five verses": "\n".join(verse + REFRAIN for verse in VERSES),
    "a table of contents": "".join(f"{name} {'.' * 140} {at * 17}\n" for at, name in enumerate(NAMES)),
    "dot leaders alone": "." * 250,
    "lines to write on": ("_" * 90 + "\n") * 40,
    "a table of zeros": "Month | A | B | C | D\n" + "| 0.00 | 0.00 | 0.00 | 0.00 | 0.00 |\n" * 50,
    "a table of dashes": "Konto Soll Haben Saldo\n" + "- - - -\n" * 45,
    "a table of blank cells": "| Datum | Name | Betrag |\n|---|---|---|\n" + "|  |  |  |\n" * 60,
    "a table of blank cells in HTML": (
        "<table><tr><th>Day</th><th>Name of the visitor</th><th>From</th><th>To</th></tr>"
        + "<tr><td></td><td></td><td></td><td></td></tr>" * 30
        + "</table>"
    ),
    "a list of attendance": "".join(f"{name} {'x ' * 31}\n" for name in NAMES * 4),
    "rows of a form": "Visitors\n" + "Date: ______ Name: ____________ Signature: ____________\n" * 30,
    "a form with answers beside the questions": "☐ yes ☐ no ☐ not known\n".join(ASKED),
    "a form with its answers read as a column": "".join(ASKED) + "☐ yes ☐ no ☐ n/a\n" * 36,
    "a column of yes and no": "".join(ASKED) + "Yes No\n" * 36,
    "a price list": "".join(f"{name} 0.2 l  EUR 2.50\n{name} 0.4 l  EUR 4.50\n" for name in DRINKS),
    "pairs of rows that are alike": "".join(f"0{day} Aug Transfer 400.00 EUR\n" * 2 for day in range(1, 10)),
    "a typing exercise": f"Type this.\n{'The quick brown dog jumped over the lazy fox. ' * 4}",
    "a few words over and over": "cat " * 16,
    "three equal vouchers on a sheet": LETTER.partition("\n\n")[2] * 3,
    "a fox that laughs": "Ha ha ha ha ha ha ha ha ha ha ha ha ha! said the fox, and ran.",
    "code in a fence within a page": "Install:\n\n```\npip install x\n```\n\nRun:\n\n```\nx\n```",
    "Chinese": "發票號碼 2047\n日期 二〇二四年五月\n品名 數量 單價\n茶葉 二 一百\n合計 二百元整",
    "Arabic": "فاتورة رقم ٢٠٤٧\nالمبلغ الإجمالي ١٢٨٠٫٥٠ يورو\nشكرا لكم",
    "a printed key": f"-----BEGIN PUBLIC KEY-----\n{KEY * 3}-----END PUBLIC KEY-----",
}


def verdict(text, *, prompt=MARKDOWN, repeats=REPEATS, **changes):
    return judge(
        Answer(**{"text": text, "done": True, "done_reason": "stop", **changes}),
        prompt=prompt,
        repeats=repeats,
    )


def real_pages():
    """The true texts of the corpus, as parameters; skipped without one."""
    if not (CORPUS / "MANIFEST.csv").is_file():
        return [pytest.param("", marks=pytest.mark.skip(reason="DROPSCRIBE_CORPUS names no folder"))]
    return [pytest.param(path.read_text("utf-8"), id=path.name) for path in sorted(CORPUS.glob("*.gt.txt"))]


def honest_pages():
    return [pytest.param(text, id=name) for name, text in HONEST.items()]
