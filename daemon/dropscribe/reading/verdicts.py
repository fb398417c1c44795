"""What may help a person after each verdict: the one place where the words stand; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLEARER = "scan it again, upright, sharper and with more contrast"
_LARGER = "a larger model (`model` in the config)"

HELP: Mapping[str, str] = {
    "empty": f"{_CLEARER}, or try {_LARGER}",
    "thinking only": "use a model that answers without thinking, such as an `-instruct` one",
    "not done": "look at the log of the server, then try it again; newer servers end fewer answers early",
    "length": "raise num_predict, and num_ctx by as much, or cut dense pages into bands (`prepare: {bands: dense}`)",
    "cut": "try it again, or another model (`model` in the config)",
    "flood": "look at what answers under the host's address: Ollama sends no such lines",
    "loop": f"try {_LARGER}, or cut the page into smaller scans; if the page truly repeats itself so much,"
    " raise `repeats` in the config",
    "markup": "ask for plain text (`prompt: plain`), or try another model (`model` in the config)",
    "refusal": f"say in the prompt that the page is your own and has to be copied, or try {_LARGER}",
    "description": "ask for the text alone (`prompt: plain`), or say `prompt: describe` if a description is what"
    " you want",
    "echo": f"make the prompt shorter (`prompt: plain`), or try {_LARGER}",
    "schema": "make the schema simpler, let its values be null, or try a larger model (`model` in the config)",
    "context": "raise num_ctx in the config, or lower num_predict",
    "picture": "save the scan again with another program; if a proxy stands before the server, let it pass 20 MB",
    "no answer": "look at the log of the server: its memory may be short; a smaller model needs less",
}
"""Verdict to what may help, as a clause without a full stop. What is accepted needs no help and is not here."""


def what_helps(verdict: str) -> str:
    """Empty for a verdict that no answer gets, such as those of older versions."""
    return HELP.get(verdict, "")
