"""Where configurations and state lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from dropscribe.config.unfit import Unfit, quoted
from dropscribe.errors import ConfigError
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "dropscribe.yaml"
VARIABLE = "DROPSCRIBE_CONFIG"
_OF_THE_MACHINE = Path("/etc/dropscribe/config.yaml")
_STATE_OF_THE_MACHINE = Path("/var/lib/dropscribe")  # systemd's StateDirectory=


def find(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """The configuration to use: the one named, else the first there is; raises ConfigError."""
    if named := _named(explicit, env, cwd):
        return named
    places = []
    for place in _places(cwd):
        if os.path.lexists(place):
            return place
        places.append(shown(str(place)))
    problem = f"no configuration found: neither -c FILE nor ${VARIABLE} is given, and there is none at "
    problem += ", ".join(places)
    raise ConfigError([f"{problem}; write one with `dropscribe init`"])


def _places(cwd: Path) -> Iterator[Path]:
    yield cwd / NAME
    yield _of_the_user()
    yield _OF_THE_MACHINE


def new(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """Where `dropscribe init` puts a configuration; raises ConfigError."""
    return _named(explicit, env, cwd) or _of_the_user()


def _named(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path | None:
    if explicit is not None:
        return cwd / explicit
    text = env.get(VARIABLE)
    return cwd / os.path.expanduser(text) if text else None  # noqa: PTH111 - Path's raises


def _of_the_user() -> Path:
    try:
        check_home()
    except Unfit as unfit:
        raise ConfigError([f"{unfit.sentence(None)}, or name the configuration with -c FILE"]) from None
    return platformdirs.user_config_path("dropscribe", appauthor=False) / NAME


def state_folder(config_folder: Path) -> Path:
    """The default of `state`: of the user, or of the machine for the configuration of the machine; raises Unfit."""
    if config_folder == _OF_THE_MACHINE.parent:
        return _STATE_OF_THE_MACHINE
    check_home()
    return platformdirs.user_state_path("dropscribe", appauthor=False)


def check_home() -> None:
    """Raises Unfit where HOME would make paths start wherever the program happens to be started."""
    home = os.environ.get("HOME")
    if home is not None and not home.startswith("/"):
        raise Unfit("HOME to be an absolute path", "set it to your home folder", quoted(home))
