"""Write constraints.txt: the versions that were tested together, without the addresses they came from.

    uv lock --upgrade && uv run python tools/constraints.py

The same versions go into pyproject.toml for uv, so that `uv run` on a fresh machine gets them too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# Tested together; made by tools/constraints.py.\n"
_IN_PYPROJECT = re.compile(r"(constraint-dependencies = \[\n)[^\]]*(\])")


def exported() -> list[str]:
    """One line `name==version ; marker` for each package, as uv resolved it."""
    command = [
        "uv", "export", "--frozen", "--quiet", "--all-extras", "--all-groups",
        "--no-hashes", "--no-annotate", "--no-header", "--no-emit-project",
    ]  # fmt: skip
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.strip() for line in lines if "==" in line]


def in_pyproject(text: str, lines: list[str]) -> str:
    """pyproject.toml with these constraints in it."""
    quoted = "".join(f'    "{line.replace(chr(34), chr(39))}",\n' for line in lines)
    return _IN_PYPROJECT.sub(lambda found: found[1] + quoted + found[2], text)


def main() -> int:
    lines = exported()
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(lines) + "\n")
    project = ROOT / "pyproject.toml"
    project.write_text(in_pyproject(project.read_text(), lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
