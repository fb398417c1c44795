"""What a model puts around a page's text, taken off line by line; pure.

Only what encloses the text goes: leaked thinking before it, a line that announces it, a code fence around all
of it, a parting sentence after it. What could as well be printed on the page stays.
"""

from __future__ import annotations

import re

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff]")
# JSON may carry half a surrogate pair, which no file can hold as UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT_START = re.compile(r"<think(?:ing)?>", re.IGNORECASE)

_FENCE = re.compile(r"(`{3,})([^`]*)")
_FENCES_ONLY = re.compile(r"(?:\s*`{3,}[\w+-]*)+")

_SURE = (
    r"(?:¡?(?:sure|certainly|of course|absolutely|ok(?:ay)?|alright|natürlich|gerne?|klar|selbstverständlich|"
    r"bien sûr|certainement|d['’]accord|claro|por supuesto)(?: thing| que sí)?\s?[!.,:]*\s+)?"
)
_SHOWN = r"(?:here(?:['’]s| is| are)|below is|hier (?:ist|sind|kommt)|voici|aquí (?:está|tienes?|va))"
_TEXT = (
    r"(?:text|transcri(?:pt|ption)|contents?|transkript(?:ion)?|abschrift|inhalts?|"
    r"texte|contenu|texto|transcripción|contenido)"
)
_IMAGE = r"(?:image|picture|photo|scan|screenshot|bild(?:e?s)?|fotos?|imagen)"
_PAGE = (
    rf"(?:{_IMAGE}|page|document|seite|dokuments?|página|documento|markdown|request(?:ed)?|provided|shown)"
)
_READ = (
    r"(?:transcribed|extracted|recogni[sz]ed|transkribierte[rn]?|extrahierte[rn]?|erkannte[rn]?|"
    r"transcrite?|extraite?|transcrit[oa]|extraíd[oa])"
)
_SAYS = r"(?:contains|reads|says|shows|enthält|zeigt|contient|indique|contiene|dice|muestra)"
# Each ends in a colon and names the text and the reading or the picture of it: "Contents:" may be printed.
_ANNOUNCED = "|".join(
    (
        rf"{_SHOWN}(?: [\w'’-]+){{1,4}}? {_TEXT}\b(?:[^\n:]{{0,60}}\b(?:{_PAGE}|{_READ})\b[^\n:]{{0,40}})?",
        rf"(?:[\w]+ )?{_READ} {_TEXT}\b[^\n:]{{0,60}}",
        rf"(?:[\w]+ )?{_TEXT} {_READ}\b[^\n:]{{0,60}}",
        rf"(?:[\w]+ )?{_TEXT}\b[^\n:]{{0,25}}\b{_IMAGE}\b[^\n:]{{0,40}}",
        rf"\w+['’ ]{_IMAGE}\b[^\n:]{{0,25}}\b{_SAYS}\b[^\n:]{{0,40}}\b{_TEXT}\b[^\n:]{{0,20}}",
    )
)
_RULE = r"(?:-{3,}|\*{3,})"
_OPENING = re.compile(
    rf"[#*_> ]{{0,8}}{_SURE}(?:{_ANNOUNCED})\s?:[*_ ]{{0,4}}\n\s*(?:{_RULE}\s*\n\s*)?(?=\S)", re.IGNORECASE
)

# Not "let me know if you have any questions": letters end like that.
_MORE = r"\b(?:anything else|further|more help|help|assist\w*|transcri\w*|translat\w*|image|corrections?)\b"
_PARTING = "|".join(
    (
        rf"(?:please )?(?:let me know|feel free to (?:ask|let me know))\b[^\n]{{0,60}}{_MORE}[^\n]{{0,60}}",
        r"i hope (?:this|that) (?:helps|is helpful)\b[^\n]{0,40}?",
        rf"if you (?:need|want|would like)\b[^\n]{{0,60}}{_MORE}[^\n]{{0,60}}\b(?:let me know|ask)\b",
        r"is there anything else (?:i can|you(?:['’]d| would) like)\b[^\n]{0,60}",
        r"(?:bitte )?lass(?:en)? (?:sie )?(?:es )?mich (?:bitte )?wissen\b[^\n]{0,80}",
        r"ich hoffe,? (?:das|dies) hilft\b[^\n]{0,40}?",
        r"(?:n['’]hésitez pas à (?:me )?(?:demander|le faire savoir)|faites-moi savoir)\b[^\n]{0,80}",
        r"j['’]espère que (?:cela|ça) (?:vous aide|t['’]aide|aide)\b[^\n]{0,40}?",
        r"(?:avísame|avíseme|hága(?:me|melo) saber|no dud(?:e|es) en preguntar)\b[^\n]{0,80}",
        r"espero que (?:esto )?(?:te |le )?(?:ayude|sirva|sea útil)\b[^\n]{0,40}?",
    )
)
_CLOSING = re.compile(
    rf"(?<=\S)\n[^\S\n]*\n\s*(?:{_RULE}\s*\n\s*)?[*_(]{{0,3}}(?:(?:{_PARTING})[.!?]*\s?){{1,2}}[*_)]{{0,3}}\Z",
    re.IGNORECASE,
)


def peel(text: str) -> str:
    """`text` without its wrappers, as often as there is one; without trailing spaces, and stripped.

    Never raises; peeling the result again changes nothing.
    """
    text = clean(text)
    while (inner := clean(_peel_once(text))) != text:
        text = inner
    return text


def clean(text: str) -> str:
    """`text` with line feeds as its only line ends and no other control characters than tabs, stripped."""
    text = _BREAKS.sub("\n", text)
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def _peel_once(text: str) -> str:
    text = _without_thinking(text)
    text = _OPENING.sub("", text, count=1) if _OPENING.match(text) else text
    return _unfenced(_CLOSING.sub("", text))


def _without_thinking(text: str) -> str:
    if thought := _THOUGHT.match(text):
        return text[thought.end() :]
    # Where the template itself opens the thinking, the answer holds only its end.
    end = _THOUGHT_END.search(text)
    if end and not _THOUGHT_START.search(text, 0, end.start()):
        return text[end.end() :]
    return text


def _unfenced(text: str) -> str:
    """The inside of the one fence that runs from the first line to the last, else `text`."""
    lines = text.split("\n")
    opener = _FENCE.fullmatch(lines[0])
    if opener is None:
        return text
    if _FENCES_ONLY.fullmatch(text):
        return ""
    depth = 1
    for number, line in enumerate(lines[1:], 1):
        fence = _FENCE.fullmatch(line.strip())
        if fence is None or len(fence[1]) < len(opener[1]):
            continue
        depth += 1 if fence[2].strip() else -1
        if depth == 0:
            return "\n".join(lines[1:number]) if number == len(lines) - 1 else text
    return text
