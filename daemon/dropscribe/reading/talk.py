"""Sentences in which a model talks instead of reading; pure.

They count only at the beginning of a short answer: in a longer text "I'm sorry" is somebody's letter.
"""

from __future__ import annotations

import re

_SHORT = 600  # characters; refusals that explain themselves stay below
_BEGINNING = 160  # characters within which the sentence must start
_NO_TEXT_AT_ALL = 200  # characters: "there is no text in this image" says so and little else

_ENGLISH = r"""
    (?: {cannot}\ (?:help|assist|comply|proceed|continue)(?:\ you)?
        (?: [.,!] | \s*\Z | \ with\ \w+ing\b
          | \ (?:with|in)\ (?:that|this|it|(?:your|the|this|that|these)\ {task})\b )
      | {cannot}\ (?:\w+ly\ )?{see}\b[^.\n]{0,50}\b{picture}
      | \bsorry,?\ (?:but\ )?{cannot}[.!]?\s*\Z
      | \b(?:unable|not\ able)\ to\ {see}\b[^.\n]{0,40}\b{picture}\b(?!\ file\b)
      | \bno\ (?:image|picture|photo|attachment)\b[^.\n]{0,20}
        \b(?:provided|attached|uploaded|included|shared|received)
      | \b(?:do(?:\ not|n['’]t)|did(?:\ not|n['’]t)|can(?:not|['’]t))\ (?:see|find|have|receive)
        \ (?:any\ |an\ |the\ |your\ )?(?:image|picture|photo|attachment)
      | \bplease\ (?:provide|upload|share|re-?upload)\ (?:the|an|your|a)\ (?:\w+\ )?(?:image|picture)\b
        [^.\n]{0,60}\bI\b
      | \byou\ (?:haven['’]t|have\ not|did(?:\ not|n['’]t))\ upload(?:ed)?
        \ (?:an?|any|the|your)\ (?:image|picture)\b
      | \b(?:could|can|would)\ you\ (?:please\ )?(?:re-?)?(?:upload|provide)
        \ (?:an?|the|your)\ (?:\w+\ )?(?:image|picture)\b
      | \A[^\w\n]*(?:I(?:['’]m|\ am)\ sorry,?\ (?:but\ )?|unfortunately,?\ )
        the\ (?:image|picture|photo|scan|text)\b[^.\n]{0,30}
        \b(?:too\ \w+\b[^.\n]{0,30}\b(?:read|transcribe|recogni[sz]e|make\ out)|illegible|not\ legible|unreadable)\b
      | \bas\ an?\ (?:[\w-]+\ ){0,3}(?:AI(?=[,.]|\ (?:\w+\ )?(?:model|assistant|system)\b|\ I\b)|language\ model)\b
    )"""
_ENGLISH_WORDS = {
    "{cannot}": r"\b(?:I|we)\ ?(?:can(?:no|['’]?)t|can\ not|could(?:\ not|n['’]t)|won['’]t\ be\ able\ to"
    r"|(?:am|['’]m|are|['’]re)\ (?:unable|not\ able)\ to|do(?:\ not|n['’]t)\ have\ the\ ability\ to)",
    "{task}": r"(?:request|task|image|picture|photo|document|content|transcription)s?",
    "{see}": r"(?:view|see|read|access|process|open|analy[sz]e|interpret|transcribe|extract|recogni[sz]e)",
    "{picture}": r"(?:images?|pictures?|photos?|attachments?|screenshots?|text\ (?:in|from|on)|this\ text)",
}
_GERMAN = r"""
    (?: \b(?:ich\ kann|kann\ ich)\b (?=[^.\n]*\b(?:nicht|keine?n?)\b) [^.\n]{0,60}
        \b(?:bild\w*|foto\w*|datei\w*|anfrage|dabei|damit|text\w*)\b [^.\n]{0,40}
        \b(?:lesen|sehen|helfen|anzeigen|erkennen|verarbeiten|transkribieren|öffnen|analysieren|behilflich)
      | \bkein\ bild\ (?:bereitgestellt|hochgeladen|übermittelt|angehängt|vorhanden|beigefügt)
      | \bich\ (?:sehe|habe)\ kein\ bild\b
      | \bals\ (?:KI\b|(?:\w+\ )?sprachmodell)
    )"""
_FRENCH = r"""
    (?: \bje\ ne\ (?:peux|parviens)\ pas\ (?:à\ )?
        (?:voir|lire|afficher|traiter|analyser|transcrire|accéder|extraire)\b [^.\n]{0,40}
        \b(?:images?|photos?|texte|fichier)
      | \bje\ ne\ peux\ pas\ (?:vous\ |t['’])?aider
        \ (?:avec|pour|à)\ (?:cela|ça|cette\ (?:demande|image)|transcrire)
      | \baucune\ image\b [^.\n]{0,25} \b(?:fournie|jointe|téléchargée|reçue)
      | \bje\ ne\ vois\ (?:pas\ d['’]|aucune\ )image
      | \ben\ tant\ qu(?:['’](?:IA|intelligence)|e\ modèle\ de\ langage)
    )"""
_SPANISH = r"""
    (?: \bno\ puedo\ (?:ver|leer|mostrar|procesar|analizar|transcribir|acceder|abrir|extraer)\b [^.\n]{0,40}
        \b(?:imagen|imágenes|fotos?|texto|archivo)
      | \bno\ puedo\ ayudar\w*(?: [.!] | \s*\Z | \ con\ (?:eso|esto|(?:esa|esta)\ (?:solicitud|imagen)) )
      | \bno\ se\ (?:ha\ )?(?:proporcion|adjunt|carg|sub)\w+\ (?:ninguna|una|la)\ imagen
      | \bno\ veo\ ninguna\ imagen
      | \bcomo\ (?:modelo\ de\ lenguaje|IA\b)
    )"""
# Not the agreed marker for a blank page, and said of readable pages too (ollama#15626): worth another try.
_NO_TEXT = r"""
    (?: \bthere\ (?:is|appears\ to\ be|seems\ to\ be)\ no\ (?:\w+\ ){0,2}text\b
      | \b(?:the|this)\ (?:image|picture|photo|page|document)\b [^.\n]{0,20}
        \b(?:does\ not|doesn['’]t)\ (?:appear\ to\ )?(?:contain|have|show|include)
        \ (?:any\ )?(?:\w+\ ){0,2}text\b
      | \b(?:do\ not|don['’]t|cannot|can['’]t)\ (?:see|find|detect)\ any\ (?:\w+\ ){0,2}text\ (?:in|on)
        \ (?:this|the)\ (?:image|picture|photo|page|document)\b
      | \bno\ (?:\w+\ ){0,2}text\ (?:is\ |was\ |can\ be\ )?
        (?:visible|found|detected|discernible|present|readable)
      | \bthe\ (?:image|page|picture)\ (?:is|appears)(?:\ to\ be)?\ (?:\w+ly\ )?(?:blank|empty)\b
      | \b(?:das\ bild|die\ seite)\ enthält\ keinen\ (?:\w+\ )?text\b
      | \bl['’]image\ ne\ contient\ (?:pas\ de|aucun)\ texte\b
      | \bla\ imagen\ no\ contiene\ (?:ningún\ )?texto\b
    )"""


def _compiled(*patterns: str) -> re.Pattern[str]:
    pattern = "|".join(patterns)
    for name, words in _ENGLISH_WORDS.items():
        pattern = pattern.replace(name, words)
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


_TALK = _compiled(_ENGLISH, _GERMAN, _FRENCH, _SPANISH)
_SAYS_NO_TEXT = _compiled(_NO_TEXT)


def talks(text: str) -> bool:
    """Whether `text` is a refusal, or a remark about the picture, and not what stands on a page."""
    if len(text) > _SHORT:
        return False
    found = _TALK.search(text)
    if found is None and len(text) <= _NO_TEXT_AT_ALL:
        found = _SAYS_NO_TEXT.search(text)
    return found is not None and found.start() <= _BEGINNING
