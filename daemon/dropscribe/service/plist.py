"""The property list by which launchd runs dropscribe for the user who is logged in (macOS); pure."""

from __future__ import annotations

import plistlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropscribe.service.plan import Service

LABEL = "dropscribe"


def launchd_plist(service: Service, home: str) -> str:
    """An agent of the user, whose rights to folders such as Documents can be granted; a daemon's cannot.

    launchd starts it again unless it ended well, no sooner than 30 s after the last start; it knows no exit code
    that should keep it from that. launchd.plist(5).
    """
    content: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": [*service.program, "run", "--config", str(service.config)],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ExitTimeOut": 30,
        "ProcessType": "Background",
        "HardResourceLimits": {"Core": 0},
        "SoftResourceLimits": {"Core": 0},
        "StandardOutPath": f"{home}/Library/Logs/dropscribe.log",
        "StandardErrorPath": f"{home}/Library/Logs/dropscribe.log",
    }
    if service.environment:
        content["EnvironmentVariables"] = dict(service.environment)
    return plistlib.dumps(content, sort_keys=False).decode()
