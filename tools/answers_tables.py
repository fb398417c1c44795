"""The tables of docs/answers.md, from the program itself.

uv run python -m tools.answers_tables
"""

from __future__ import annotations

import re
from pathlib import Path

from dropscribe.prompts import PRESETS
from dropscribe.reading.families import FAMILIES
from dropscribe.reading.models import RECOMMENDED
from dropscribe.reading.recipe import LADDER
from dropscribe.reading.verdicts import HELP

PAGE = Path(__file__).parent.parent / "docs" / "answers.md"
_TRIES = 3


def ladder() -> list[str]:
    lines = ["| verdict | second try | third | fourth | what may help you |", "|---|---|---|---|---|"]
    for verdict, rungs in LADDER.items():
        steps = [rungs[at].value if at < len(rungs) else "warmer" for at in range(_TRIES)]
        lines.append(f"| {verdict} | {' | '.join(steps)} | {HELP[verdict]} |")
    return lines


def models() -> list[str]:
    lines = ["| memory | model |", "|---|---|"]
    return [*lines, *(f"| {memory} GB | `{model}` |" for memory, model in RECOMMENDED)]


def prompts() -> list[str]:
    names = [family.name for family in FAMILIES]
    lines = [f"| `prompt:` | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for preset in PRESETS:
        words = [family.prompts.get(preset) for family in FAMILIES]
        cells = [f"`{text.replace('|', chr(92) + '|')}`" if text else "as for others" for text in words]
        lines.append(f"| `{preset}` | {' | '.join(cells)} |")
    return lines


TABLES = {"ladder": ladder, "models": models, "prompts": prompts}


def updated(text: str) -> str:
    """`text` with the present tables between their marks."""
    for name, table in TABLES.items():
        inside = "\n".join(table())
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda found, inside=inside: f"{found[1]}{inside}\n{found[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
