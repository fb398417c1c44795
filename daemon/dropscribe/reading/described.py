"""Answers that tell of a picture instead of copying what stands on it; pure.

Models describe where they should transcribe (paperless-gpt#370). Pages speak of pictures too: a caption, a lesson
("The picture shows Anna …"). So only the first words of an answer count, and only where they name a document, or
where the whole answer is one flowing paragraph, which the lines of a page are not.
"""

from __future__ import annotations

import re

_IMAGE = r"(?:image|picture|photo(?:graph)?|screenshot|scan|scanned (?:image|page|document))"
_SHOWS = (
    r"(?:shows|depicts|displays|presents|features|captures|contains|consists of|appears to (?:be|show|contain)"
    r"|seems to (?:be|show)|is an?|is the(?: \w+){0,3} (?:of|from|with|showing))"
)
_SENT = r"(?: you(?:['’]ve| have)? (?:provided|shared|uploaded)| provided)?"
_ENGLISH = (
    rf"(?:the|this)(?: \w+){{0,2}} {_IMAGE}{_SENT} {_SHOWS}",
    rf"(?:this|it) (?:is|appears to be|seems to be|looks like) an?(?: [\w-]+){{0,3}} {_IMAGE} (?:of|from|showing)",
    rf"(?:based on|according to) (?:the|this)(?: \w+){{0,2}} {_IMAGE}{_SENT},? (?:this|it|the|there)",
    rf"(?:in|on) (?:the|this) {_IMAGE},? (?:there (?:is|are)|we (?:can )?see|you can see|i (?:can )?see)",
)
_GERMAN = (
    r"(?:das|dieses) (?:bild|foto|dokument) (?:zeigt|enthält|ist ein|scheint)",
    r"(?:auf|in) (?:dem|diesem) (?:bild|foto) (?:ist|sind|sieht man|sehen wir|sehe ich)",
    r"es handelt sich um (?:ein|das) (?:bild|foto|dokument|scan)",
)
_FRENCH = (
    r"(?:l['’]|cette )(?:image|photo) (?:montre|présente|représente|contient|est une)",
    r"(?:sur|dans) (?:l['’]|cette )(?:image|photo),? (?:on|nous|je) (?:peut |pouvons |peux )?voi(?:t|r|s)",
)
_SPANISH = (
    r"(?:la|esta) (?:imagen|foto|fotografía) (?:muestra|presenta|contiene|es una)",
    r"en (?:la|esta) (?:imagen|foto),? (?:se (?:ve|observa|muestra)|hay|vemos|podemos ver)",
)
# What stands before it; "Description:" alone may be printed, and what follows is looked at.
_BEFORE = (
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[\W_]*)?"
    r"(?:(?:(?:image|picture|photo|scene) )?(?:description|overview|beschreibung)\b[\W_]*)?"
)
_ANNOUNCED = re.compile(
    rf"[\W_]*(?:(?:sure|certainly|of course)\b[\W_]*)?here(?:['’]s| is) (?:an?|the|your)(?: \w+){{0,2}}"
    rf" description of (?:the|this|your)(?: \w+){{0,2}} (?:{_IMAGE}|document|page)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    rf"[\W_]*{_BEFORE}(?:{'|'.join((*_ENGLISH, *_GERMAN, *_FRENCH, *_SPANISH))})\b", re.IGNORECASE
)

# Where the document itself is named, no picture need be: "This appears to be a receipt from …".
_PAPER = (
    r"(?:invoices?|receipts?|letters?|documents?|forms?|tables?|pages?|notes?|bills?|statements?|certificates?|"
    r"contracts?|menus?|labels?|tickets?|cards?|posters?|handwrit\w+|texts?|scans?|lists?|reports?|rechnung\w*|"
    r"briefe?s?|quittung\w*|kassen(?:bon|zettel)\w*|beleg\w*|vertrag\w*|notiz\w*|"
    r"formular\w*|tabelle\w*|seiten?|facture|lettre|reçu|formulaire|tableau|factura|carta|"
    r"recibo|formulario|tabla|página)"
)
_SEEMS = re.compile(
    rf"[\W_]*(?:this|it) (?:appears|seems|looks) to be (?:an?|part of an?|the)(?: [\w-]+){{0,4}} {_PAPER}\b",
    re.IGNORECASE,
)
_NAMES_PAPER = re.compile(rf"\b{_PAPER}\b", re.IGNORECASE)
_FIRST_SENTENCE = re.compile(r"[^.\n]{0,200}")
_FLOWING = 60  # characters: one line that is shorter is a heading or a caption

# Only a prompt that asks for the text, and for nothing about it, makes a description wrong.
_ASKS_FOR_TEXT = re.compile(
    r"\b(?:transcri\w+|ocr|(?:text|table) recognition|copy|read (?:all|the|every|this)|extract\w*"
    r"|(?:write|type) (?:down|out)|convert (?:the|this) (?:document|page)"
    r"|abschreib\w*|abschrift|lies|transkrib\w+|recopie\w*)\b"
    r"|\b(?:all|every) (?:text|words?)\b",
    re.IGNORECASE,
)
_ASKS_FOR_MORE = re.compile(
    r"\b(?:descri\w+|summar\w+|captions?|explain\w*|tell"
    r"|what (?:is(?! (?:written|printed|typed|on|there)\b)|do you see|can be seen)"
    r"|beschreib\w*|zusammenfass\w*|fasse|erklär\w*|décri\w+|résum\w+|expliqu\w+|resum\w+)\b",
    re.IGNORECASE,
)
_FORBIDS = re.compile(r"\b(?:do not|don['’]t|never|without|nicht|ohne|ne pas|sin|no)\b[^.\n]*", re.IGNORECASE)


def describes(text: str) -> bool:
    """Whether `text` tells of the picture instead of being what stands on the page."""
    if _SEEMS.match(text) or _ANNOUNCED.match(text):
        return True
    found = _OPENING.match(text)
    if found is None:
        return False
    sentence = _FIRST_SENTENCE.match(text, found.end())
    names_paper = sentence is not None and _NAMES_PAPER.search(sentence[0]) is not None
    return names_paper or _is_flowing(text)


def asks_for_text(prompt: str) -> bool:
    """Whether what stands on the page is all that `prompt` asks for; a user's own may ask for anything."""
    asked = _FORBIDS.sub("", prompt)
    return _ASKS_FOR_TEXT.search(asked) is not None and _ASKS_FOR_MORE.search(asked) is None


def _is_flowing(text: str) -> bool:
    return len(text) >= _FLOWING and "\n" not in text.strip()
