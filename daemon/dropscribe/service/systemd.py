"""Installs and removes the unit, by systemctl: each step is said and can be repeated."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe.errors import UsageError, WorldWrong, world_wrong
from dropscribe.service.unit import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNIT = "dropscribe.service"

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_PATIENCE = 900.0  # seconds; a start may take as long as its first look


@dataclass(frozen=True, slots=True)
class Systemd:
    """The manager of one user, or of the machine; `folder` is where units of its administrator lie."""

    folder: Path
    scope: str  # --user or --system
    say: Callable[[str], None]
    booted: Path = _BOOTED

    @property
    def unit(self) -> Path:
        return self.folder / UNIT

    def install(self, text: str) -> None:
        """Write the unit, enable it and have it run. Raises UsageError, WorldWrong."""
        self._check()
        known = self._known()
        if known == text:
            self.say(f"{self.unit} is as it should be")
        else:
            self._write(text)
            self.say(f"{'replaced' if known else 'wrote'} {self.unit}")
        self._call("daemon-reload")
        self._call("enable", UNIT)
        # A daemon that runs by these very rules is left alone.
        self._call("start" if known == text else "restart", UNIT)
        self.say("dropscribe runs, and starts by itself from now on")

    def uninstall(self) -> bool:
        """Stop it and remove the unit, if that is ours; whether there was one. Raises UsageError, WorldWrong."""
        if self._known() is None:
            return False
        self._check()
        self._call("disable", "--now", UNIT)
        try:
            self.unit.unlink()
        except OSError as error:
            raise world_wrong(error, self.unit) from error
        self.say(f"removed {self.unit}")
        self._call("daemon-reload")
        return True

    def _check(self) -> None:
        if not self.booted.is_dir():
            words = "systemd does not run this machine, so there is nobody to hand a service to"
            raise UsageError(f"{words}; have `dropscribe run` started by what does, docs/service.md says how")

    def _known(self) -> str | None:
        """The unit that is there; raises UsageError when it is not one of ours."""
        if not os.path.lexists(self.unit):
            return None
        text = None
        with suppress(OSError, UnicodeDecodeError):
            text = None if self.unit.is_symlink() else self.unit.read_text(encoding="utf-8")
        if text is None or text.partition("\n")[0] != MARK:
            words = f"{self.unit} was not written by `dropscribe service`, so it is left as it is"
            raise UsageError(f"{words}; move it away, or look after it by yourself")
        return text

    def _write(self, text: str) -> None:
        part = self.folder / f".{UNIT}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(text, encoding="utf-8")
            part.chmod(0o644)
            part.replace(self.unit)
        except OSError as error:
            raise world_wrong(error, self.unit) from error

    def _call(self, *words: str) -> None:
        command = ["systemctl", self.scope, *words]
        self.say(" ".join(command))
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False
            )
        except FileNotFoundError:
            raise WorldWrong("there is no systemctl on this machine", "install systemd's tools") from None
        except subprocess.TimeoutExpired:
            raise WorldWrong(f"`{' '.join(command)}` did not end", self._where_to_look()) from None
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"it ended with code {done.returncode}"
            raise WorldWrong(f"`{' '.join(command)}` failed: {said}", self._fix(said))

    def _fix(self, said: str) -> str:
        if "connect to bus" in said:
            return "log in as that user itself, not by su or sudo, then try again"
        return self._where_to_look()

    def _where_to_look(self) -> str:
        return f"`journalctl {'--user ' if self.scope == '--user' else ''}-u dropscribe -n 20` says why"


def user_units(environment: Mapping[str, str]) -> Path:
    """Where the units of the user who asks lie (systemd.unit(5))."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME") or Path.home()) / ".config")
    return Path(home) / "systemd" / "user"


MACHINE_UNITS = Path("/etc/systemd/system")


def lingers(user: str, folder: Path = Path("/var/lib/systemd/linger")) -> bool:
    """Whether the services of this user run while nobody is logged in (loginctl(1))."""
    return (folder / user).exists()
