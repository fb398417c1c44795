"""Render the examples in systemd/ as `dropscribe service show` renders them for config.example.yaml.

uv run python tools/service_examples.py
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe.config import example
from dropscribe.config.load import from_text
from dropscribe.service import plan
from dropscribe.service.plist import launchd_plist
from dropscribe.service.unit import system_unit, user_unit

if TYPE_CHECKING:
    from dropscribe.service.plan import Service

ROOT = Path(__file__).parent.parent / "systemd"


def rendered() -> dict[str, str]:
    """The text of each example, by its path below systemd/."""
    return {
        "system/dropscribe.service": system_unit(
            _service("/srv/dropscribe", "", "/opt/dropscribe", "dropscribe")
        ),
        "user/dropscribe.service": user_unit(_user("/home/anna", "/home/anna/.config/dropscribe")),
        "launchd/dropscribe.plist": launchd_plist(
            _user("/Users/anna", "/Users/anna/Library/Application Support/dropscribe"), "/Users/anna"
        ),
    }


def _user(home: str, folder: str) -> Service:
    return _service(home, f"{folder}/dropscribe.yaml", f"{home}/.local/share/uv/tools/dropscribe", "")


def _service(home: str, file: str, program: str, user: str) -> Service:
    environment = plan.Read({"HOME": home})
    config = from_text(
        example.full(), file or "/etc/dropscribe/config.yaml", environment, check_folders=False
    )
    if file:
        config = replace(config, state=Path(home) / ".local/state/dropscribe")
    return plan.service_of(config, environment, user=user, program=(f"{program}/bin/dropscribe",))


def main() -> int:
    for name, text in rendered().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
