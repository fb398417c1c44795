"""The unit by which systemd runs dropscribe, for one user or for the machine; pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dropscribe.service.plan import Service

MARK = (
    "# Written by `dropscribe service`, which may replace it; your own settings: `systemctl edit dropscribe`."
)
"""The first line of every unit that is ours to replace and to remove: whoever changes it orphans those before."""

WATCHDOG = 600
"""Seconds without a turn of the loop. A look at 40,000 new scans on a share at 10 ms a file takes 400."""

_UNIT = (
    "Description=dropscribe: reads scans in inboxes with a local vision model",
    "# However often it ends, it is started again.",
    "StartLimitIntervalSec=0",
)

_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - nothing is written there
_OF_THE_MACHINE = Path("/var/lib")
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


def user_unit(service: Service) -> str:
    """For `systemctl --user`. Without the keys that make a view of the file system of its own.

    Those need name spaces, which an ordinary user may not have on every machine; the unit would not start there.
    """
    return _text(
        [
            "[Unit]",
            *_UNIT,
            "",
            "[Service]",
            *_service(service),
            "",
            *_LOCKED,
            "",
            "[Install]",
            "WantedBy=default.target",
        ]
    )


def system_unit(service: Service) -> str:
    """For the machine: as `service.user`, with the rest of the machine out of reach."""
    return _text(
        [
            "[Unit]",
            *_UNIT,
            "Wants=network-online.target",
            "After=network-online.target remote-fs.target",
            *_disks(service),
            "",
            "[Service]",
            f"User={_quoted(service.user)}",
            *_service(service),
            "UMask=0027",
            "",
            *_reach(service),
            "",
            *_CAPABILITIES,
            *_LOCKED,
            *_LOCKED_MACHINE,
            "",
            *_network(service),
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
    )


def _text(lines: Iterable[str]) -> str:
    return "\n".join([MARK, *lines]) + "\n"


def _service(service: Service) -> Iterator[str]:
    command = " ".join(_argument(word) for word in (*service.program, "run", "--config", str(service.config)))
    yield "Type=notify"
    yield "NotifyAccess=main"
    yield f"ExecStart={command}"
    for name, value in service.environment.items():
        yield f"Environment={_quoted(f'{name}={value}')}"
    yield f"WatchdogSec={WATCHDOG}"
    yield f"TimeoutStartSec={WATCHDOG}"
    yield "TimeoutStopSec=30"
    yield "KillMode=mixed"
    yield "Restart=always"
    yield "RestartSec=5"
    yield "# 2 is a wrong config: trying again would not help."
    yield "RestartPreventExitStatus=2"
    yield "# A process that decodes and needs too much memory costs one scan, not the service."
    yield "OOMPolicy=continue"
    yield "OOMScoreAdjust=200"
    yield "# A core file would hold scans."
    yield "LimitCORE=0"


def _disks(service: Service) -> Iterator[str]:
    # Not for inboxes: one that is away parks itself and must not keep the others waiting.
    if not _state_directory(service):
        yield f"RequiresMountsFor={_quoted(str(service.state))}"


def _reach(service: Service) -> Iterator[str]:
    files = [*service.read, service.state, *service.folders]
    yield '# Everything is read-only but these; "-" lets the service start while a share is away.'
    yield "ProtectSystem=strict"
    if directory := _state_directory(service):
        yield f"StateDirectory={directory}"
        yield "StateDirectoryMode=0700"
    else:
        yield f"ReadWritePaths={_quoted(f'-{service.state}')}"
    for folder in service.folders:
        yield f"ReadWritePaths={_quoted(f'-{folder}')}"
    yield f"ProtectHome={'read-only' if _any_below(files, _HOMES) else 'yes'}"
    yield f"PrivateTmp={'no' if _any_below(files, _TEMPORARY) else 'yes'}"
    yield "PrivateDevices=yes"
    yield "PrivateIPC=yes"
    yield "ProtectProc=invisible"


def _network(service: Service) -> Iterator[str]:
    yield "# AF_UNIX: `dropscribe status`, and the processes that decode. AF_INET and AF_INET6: Ollama."
    yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"
    if service.addresses is None:
        yield "# A host is called by its name, so which addresses it needs only the name service knows."
        return
    yield "IPAddressDeny=any"
    yield f"IPAddressAllow={' '.join(['localhost', *service.addresses])}"


_CAPABILITIES = (
    "# Whether another user's program still writes a scan (a file server, say) may only be asked with this right.",
    "CapabilityBoundingSet=CAP_LEASE",
    "AmbientCapabilities=CAP_LEASE",
)

_LOCKED = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)

_LOCKED_MACHINE = (
    "# @chown is put back: texts get the group of their inbox.",
    "SystemCallFilter=~@privileged",
    "SystemCallFilter=@chown",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RemoveIPC=yes",
)


def _state_directory(service: Service) -> str:
    """What systemd itself makes below /var/lib and gives to the user, or nothing where it cannot."""
    if _OF_THE_MACHINE not in service.state.parents:
        return ""
    below = str(service.state.relative_to(_OF_THE_MACHINE))
    return below if _PLAIN.fullmatch(below) else ""


def _any_below(paths: Iterable[Path], folders: Iterable[Path]) -> bool:
    return any(folder in (path, *path.parents) for path in paths for folder in folders)


# --- how systemd reads values (systemd.syntax(7), systemd.service(5))


def _argument(word: str) -> str:
    """One word of a command line."""
    return _quoted(word.replace("$", "$$"))


def _quoted(word: str) -> str:
    """One word of a value."""
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    return '"{}"'.format(word.replace("\\", "\\\\").replace('"', '\\"'))
