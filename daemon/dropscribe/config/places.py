"""Where configurations and state lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from dropscribe.errors import ConfigError
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "dropscribe.yaml"
VARIABLE = "DROPSCRIBE_CONFIG"
_OF_THE_MACHINE = Path("/etc/dropscribe/config.yaml")
_STATE_OF_THE_MACHINE = Path("/var/lib/dropscribe")  # systemd's StateDirectory=


def find(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """The configuration to use: the one named, else the first there is; raises ConfigError."""
    if named := _named(explicit, env, cwd):
        return named
    places = [cwd / NAME, of_the_user(), _OF_THE_MACHINE]
    for place in places:
        if os.path.lexists(place):
            return place
    looked = ", ".join(shown(str(place)) for place in places)
    problem = (
        f"no configuration found: neither -c FILE nor ${VARIABLE} is given, and there is none at {looked}"
    )
    raise ConfigError([f"{problem}; write one with `dropscribe init`"])


def new(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """Where `dropscribe init` puts a configuration."""
    return _named(explicit, env, cwd) or of_the_user()


def _named(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path | None:
    if explicit is not None:
        return cwd / explicit
    text = env.get(VARIABLE)
    return cwd / os.path.expanduser(text) if text else None  # noqa: PTH111 - Path's raises


def of_the_user() -> Path:
    return platformdirs.user_config_path("dropscribe", appauthor=False) / NAME


def state_folder(config_folder: Path) -> Path:
    """The default of `state`: of the user, or of the machine for the configuration of the machine."""
    if config_folder == _OF_THE_MACHINE.parent:
        return _STATE_OF_THE_MACHINE
    return platformdirs.user_state_path("dropscribe", appauthor=False)
