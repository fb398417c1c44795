"""What a service is made of: the program, the configuration, and the folders that it has to write to."""

from __future__ import annotations

import ipaddress
import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dropscribe.errors import UsageError
from dropscribe.words import shown

if TYPE_CHECKING:
    from dropscribe.config.values import Config

ACCOUNT = "dropscribe"
"""The account that a service of the machine has, unless another is named."""

_HOME = "/srv/dropscribe"


@dataclass(frozen=True, slots=True)
class Service:
    """All that a unit or plist says. `program` is the command before its verb, `config` and `state` are absolute.

    `folders`: the inboxes and what they file into outside themselves, none inside another: each becomes a mount of
    its own, and a scan cannot be renamed from one mount to another. `addresses`: those of all hosts, None where one
    is a name. `environment`: what the configuration took from the variables of whoever rendered this.
    """

    program: tuple[str, ...]
    config: Path
    state: Path
    folders: tuple[Path, ...]
    addresses: tuple[str, ...] | None = ()
    read: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


class Read(Mapping[str, str]):
    """Variables of an environment, remembering which of them were read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name in self._variables:
            self.read.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def service_of(
    config: Config, environment: Read, *, user: str = "", program: tuple[str, ...] = ()
) -> Service:
    """The service that runs `config`, which was loaded with `environment`, by this very installation.

    Raises UsageError where it could not be written down.
    """
    assert config.path is not None, "a service needs a configuration in a file"
    # HOME is set by whoever starts the service, to that of the same user.
    names = environment.read - {"HOME", "DROPSCRIBE_CONFIG"}
    state_home = environment.get("XDG_STATE_HOME")
    if state_home and config.state.is_relative_to(state_home):
        names |= {"XDG_STATE_HOME"}
    program = program or this_program()
    path = Path(os.path.abspath(config.path))  # noqa: PTH100 - its links stay
    service = Service(
        program=program,
        config=path,
        state=config.state,
        folders=folders_of(config),
        addresses=_addresses(config),
        read=tuple(dict.fromkeys((Path(program[0]), *_interpreter(program), path, path.resolve()))),
        environment={name: environment[name] for name in sorted(names)},
        user=user,
    )
    _check(service)
    return service


def folders_of(config: Config) -> tuple[Path, ...]:
    """Every folder that filing writes to, the outermost ones only."""
    wanted = dict.fromkeys(folder for inbox in config.inboxes for folder in (inbox.path, *inbox.folders))
    return tuple(folder for folder in wanted if not any(other in folder.parents for other in wanted))


def this_program() -> tuple[str, ...]:
    """The command that runs this installation, whatever PATH a service has."""
    script = Path(sys.executable).with_name("dropscribe")
    # Beside a Python that others use too may lie the program of another installation.
    if sys.prefix != sys.base_prefix and os.access(script, os.X_OK):
        return (str(script),)
    return (sys.executable, "-P", "-m", "dropscribe")


def _interpreter(program: tuple[str, ...]) -> tuple[Path, ...]:
    """The Python that this installation runs on, if that is the program: an environment only links to it."""
    return (Path(sys.executable).resolve(),) if program == this_program() else ()


def home_of(user: str, *, must_exist: bool) -> str:
    """The home folder of an account; one that is not there yet has the home that we advise to give it."""
    try:
        return pwd.getpwnam(user).pw_dir
    except KeyError:
        if not must_exist:
            return _HOME
        words = f"there is no account {shown(user)} on this machine; name another with --run-as, or make it: "
        words += f"useradd --system --create-home --home-dir {_HOME} --shell /usr/sbin/nologin {ACCOUNT}"
        raise UsageError(words) from None


def _check(service: Service) -> None:
    """A line break in a name would become a line of the unit."""
    paths = map(str, (service.config, service.state, *service.folders))
    for word in (*service.program, *service.environment.values(), *paths):
        if word != shown(word):
            words = f"{shown(word)}: a service cannot name this, for its control or undecodable characters"
            raise UsageError(f"{words}; rename it")


def _addresses(config: Config) -> tuple[str, ...] | None:
    """Of all hosts but this machine; None where a name has to be looked up, which asks other machines."""
    if not any(inbox.models for inbox in config.inboxes):
        return ()
    found = []
    for host in config.ollama.hosts:
        name = urlsplit(host.url).hostname or ""
        if name == "localhost":
            continue
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return None
        if not address.is_loopback:
            found.append(str(address))
    return tuple(found)
