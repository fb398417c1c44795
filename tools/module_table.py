"""Bring ARCHITECTURE.md's table of modules up to date with what the modules say of themselves.

uv run python tools/module_table.py
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "daemon" / "dropscribe"
_TABLE = re.compile(r"(\| module \| what it is \|\n\|---\|---\|\n)(?:\|.*\n)*")


def rows() -> str:
    """One line for each module but the package itself: its name and the first line of its docstring."""
    lines = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        if module not in {"__init__", "__main__"}:
            said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
            lines.append(f"| `{module}` | {said.rstrip('.')} |\n")
    return "".join(lines)


def updated(text: str) -> str:
    return _TABLE.sub(lambda found: found[1] + rows(), text)


def main() -> int:
    page = ROOT / "ARCHITECTURE.md"
    page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
