"""The command line: one module per verb, loaded only when it is used; the only place that exits."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import os
import sys
from typing import Any

import click

from dropscribe import __version__
from dropscribe.errors import DropscribeError, Failure, UsageError
from dropscribe.journal import is_journal, with_priority
from dropscribe.words import shown

_VERBS = {
    "demo": "See everything work on a sample inbox, with no configuration.",
    "init": "Write a commented configuration and make its inbox.",
    "run": "Watch the inboxes in the foreground until told to stop.",
    "once": "Read what is there, show progress, end.",
    "try": "Print the text of one picture and change nothing.",
    "check": "Check the configuration and name all its problems at once.",
    "status": "Show what waits where and why.",
    "service": "Have the daemon run by systemd or launchd.",
}
_OF_SERVICE = ("show", "install", "uninstall")
_MODULES = {"try": "try_"}  # `try` is no name for a module


class _Verbs(click.Group):
    """Imports a verb's module when the verb is used: `--help` must not pay for what `run` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            meant = difflib.get_close_matches(cmd_name, _VERBS, 1)
            if meant:
                ctx.fail(f'there is no command "{shown(cmd_name)}"; did you mean "{meant[0]}"?')
            return None
        module = importlib.import_module(f"dropscribe.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's form
    if wanted:
        click.echo(f"dropscribe {__version__}")
        ctx.exit()


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Show the version and exit.",
)  # fmt: skip
@click.option("-c", "--config", metavar="FILE", hidden=True, help="Belongs behind the verb, works here too.")
@click.pass_context
def group(ctx: click.Context, config: str | None) -> None:
    """Watches inboxes for scans, has a local vision model read them, and files scan and text together.

    Start with `dropscribe demo`, then `dropscribe init`.
    """
    if config is not None:
        named: dict[str, Any] = {"config": config}
        ctx.default_map = dict.fromkeys(_VERBS, named) | {"service": dict.fromkeys(_OF_SERVICE, named)}


def main(args: list[str] | None = None) -> int:
    """Run a verb; its exit code: 0 fine, 1 something failed, 2 wrong use or wrong config."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter must not end us
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`dropscribe status | head`); nothing more can be said to it.
        code = _give_up_output()
    except OSError as error:
        # Files are handled where they are used; what comes up to here is our own output.
        code = _give_up_output()
        click.echo(f"the output cannot be written: {error.strerror or error}", err=True)
    return code


def _open_streams() -> None:
    """What was closed by who started us leads nowhere from now on.

    The next file that is opened would get its number otherwise, and what some library prints would go into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - its own form
    os.close(descriptor)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - a number, for good
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def _run(args: list[str] | None) -> int:
    try:
        code = group.main(args, prog_name="dropscribe", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UsageError as error:
        _complain(str(error))
        return 2
    except Failure as failure:
        _complain(f"{failure.reason}{'; ' + failure.fix if failure.fix else ''}")
        return 1
    except DropscribeError as error:
        _complain(str(error) or type(error).__name__)
        return 1
    return code if isinstance(code, int) else 0


def _complain(text: str) -> None:
    """Why a service does not start is what is looked for in the journal first."""
    click.echo(with_priority(text, "error") if is_journal(sys.stderr) else text, err=True)


def _give_up_output() -> int:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
