"""`dropscribe service`: the unit or plist by which the daemon is run, shown, installed, removed."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dropscribe.cli.options import config_option
from dropscribe.config.load import load
from dropscribe.errors import UsageError
from dropscribe.service import plan, systemd
from dropscribe.service.plist import launchd_plist
from dropscribe.service.unit import system_unit, user_unit
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropscribe.config.values import Config
    from dropscribe.service.plan import Service

_MAC = sys.platform == "darwin"


def _kind(*, launchd: bool) -> Callable[[Any], Any]:
    """The options that say for whom; `kind` is None when nobody said."""
    flags = [
        ("--user", "user", "For you, with your rights; the default, but for root."),
        ("--system", "system", "For the machine, as an account of its own."),
    ]
    if launchd:
        flags.append(("--launchd", "launchd", "For you on macOS; the default there."))

    def options(command: Any) -> Any:
        for flag, value, text in reversed(flags):
            command = click.option(flag, "kind", flag_value=value, help=text, default=None)(command)
        return command

    return options


_run_as = click.option(
    "--run-as", metavar="NAME", default=plan.ACCOUNT, show_default=True, help="With --system: that account."
)


@click.group("service")
def command() -> None:
    """Have the daemon run by systemd or launchd, from the start of the machine or from your login on."""


@command.command("show")
@config_option
@_kind(launchd=True)
@_run_as
def show(config: Path | None, kind: str | None, run_as: str) -> None:
    """Print the unit, or the property list for launchd, that fits this configuration."""
    kind = kind or ("launchd" if _MAC else _default())
    click.echo(_Rendered.of(config, kind, run_as, installing=False).text, nl=False)


@command.command("install")
@config_option
@_kind(launchd=False)
@_run_as
def install(config: Path | None, kind: str | None, run_as: str) -> None:
    """Write the unit for systemd, enable it and start it.

    Safe to repeat, and to be repeated after the folders in the configuration have changed. A unit that
    was not written by this command is never replaced.
    """
    manager = _manager(kind or _default())
    rendered = _Rendered.of(config, kind or _default(), run_as, installing=True)
    manager.install(rendered.text)
    for line in _advice(rendered):
        click.echo(shown(line))


@command.command("uninstall")
@config_option
@_kind(launchd=False)
def uninstall(config: Path | None, kind: str | None) -> None:  # noqa: ARG001 - every verb takes it
    """Stop the service and remove its unit; configuration, state and scans stay as they are."""
    manager = _manager(kind or _default())
    if manager.uninstall():
        click.echo("configuration, state folder and scans are left as they are")
    else:
        click.echo(f"there is no {manager.unit}, so there is nothing to remove")


def _default() -> str:
    return "user" if os.geteuid() else "system"


def _manager(kind: str) -> systemd.Systemd:
    if _MAC:
        raise UsageError("this writes units for systemd; for macOS, docs/service.md has the two commands")
    say = partial(click.echo)
    if kind == "user":
        return systemd.Systemd(systemd.user_units(os.environ), "--user", say)
    if os.geteuid():
        raise UsageError("a service of the machine is root's to install; use sudo, or --user for your own")
    return systemd.Systemd(systemd.MACHINE_UNITS, "--system", say)


@dataclass(frozen=True, slots=True)
class _Rendered:
    kind: str
    service: Service
    text: str

    @classmethod
    def of(cls, path: Path | None, kind: str, run_as: str, *, installing: bool) -> _Rendered:
        user = run_as if kind == "system" else ""
        environment = plan.Read(_environment(user, must_exist=installing))
        config = load(path, environment, Path.cwd(), check_folders=installing)
        if user and installing:
            _check_folders(config, user)
        service = plan.service_of(config, environment, user=user)
        if kind == "launchd":
            return cls(kind, service, launchd_plist(service, str(Path.home())))
        return cls(kind, service, (system_unit if user else user_unit)(service))


def _environment(user: str, *, must_exist: bool) -> dict[str, str]:
    """The variables by which the configuration is read: as the service will see them.

    What the shell of whoever installs a service of the machine has set is not meant for its account.
    """
    if not user:
        return dict(os.environ)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["HOME"] = plan.home_of(user, must_exist=must_exist)
    return {name: os.environ[name] for name in ("HOME", "DROPSCRIBE_CONFIG") if name in os.environ}


def _check_folders(config: Config, user: str) -> None:
    """A service for which all else is read-only cannot make what is missing."""
    missing = [folder for folder in plan.folders_of(config) if not folder.is_dir()]
    if not config.state.is_dir() and Path("/var/lib") not in config.state.parents:
        missing.append(config.state)
    if missing:
        names = " ".join(f"'{folder}'" for folder in missing)
        raise UsageError(shown(f"not there, or no folder: {names}; make it: install -d -o {user} {names}"))


def _advice(rendered: _Rendered) -> list[str]:
    service = rendered.service
    status = shlex.join([*service.program, "status", "-c", str(service.config)])
    if rendered.kind == "system":
        return [f"what it does: sudo -u {service.user} {status}", "its log: journalctl -u dropscribe"]
    lines = [f"what it does: {status}", "its log: journalctl --user -u dropscribe"]
    if not systemd.lingers(user := getpass.getuser()):
        lines.append(f"it ends when you log out; to have it run always: loginctl enable-linger {user}")
    return lines
