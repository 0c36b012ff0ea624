"""The `kallan` command. Exit 0: good; 1: the answer is no (an expectation failed, drift was found); 2: wrong use."""

import os
import sys
import warnings
from collections.abc import Sequence
from keyword import iskeyword
from typing import TextIO

import click

from streams.contracts.errors import KallanError


class _Commands(click.Group):
    """Loads a command's module when it is called, so that `kallan --help` and every worker start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        import importlib

        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"deploy.cli.{module}"), f"{name}_" if iskeyword(name) else name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command


_MODULES = {
    "up": "stack",
    "demo": "stack",
    "migrate": "stack",
    "compose": "compose",
    "token": "stack",
    "status": "status",
    "backup": "backup",
    "restore": "backup",
    "offsets": "backup",
    "rebuild": "rebuild",
    "erase": "erase",
    "return": "erase",
    "export": "portable",
    "import": "portable",
    "ingest": "workers",
    "relay": "workers",
    "evaluate": "workers",
    "execute": "workers",
    "api": "workers",
    "load": "sources",
    "loads": "sources",
    "municipality": "sources",
    "reorganisation": "reorganisation",
    "replay": "replay",
    "bench": "bench",
    "person": "reading",
    "explain": "reading",
    "state": "reading",
    "conflicts": "reading",
    "report": "reading",
    "dlq": "letters",
    "merge": "rulings",
    "split": "rulings",
    "undo-death": "rulings",
    "protection": "protection",
    "catalogue": "contracts",
    "openapi": "contracts",
}


@click.group(cls=_Commands)
@click.version_option(package_name="kallan")
def cli() -> None:
    """Källan: master data and provisioning, a fact fetched at its source and given only once."""


def main(arguments: Sequence[str] | None = None, stdin: TextIO | None = None) -> None:
    """Run the command line (None: this process's own arguments and standard input); errors are printed with their code, in
    English and Swedish. Raises SystemExit where the answer is no or the use is wrong."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="ldap3|pyasn1")
    try:
        code = cli(args=None if arguments is None else list(arguments), standalone_mode=False, obj=stdin)
        if isinstance(code, int) and code:  # click hands back the code of an Exit instead of raising it
            sys.exit(code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except BrokenPipeError:  # whoever read what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KallanError as error:
        _show(error)
        sys.exit(2 if error.text.status < 500 else 1)
    except Exception as error:
        if sys.excepthook is not sys.__excepthook__:
            raise  # a process with a log: it tells there what nobody caught, see deploy.operations.logs
        _show(without_a_code(error))
        sys.exit(1)


def without_a_code(error: Exception) -> KallanError:
    """An error of a library as one of ours. Its own text is not told: it may hold what it is about."""
    from streams.failures import transient
    from streams.log_texts import of_error, where

    what = f"{of_error(error)} at {where(error)}"
    return KallanError("service.unavailable" if transient(error) else "internal.unexpected", what)


def _show(error: KallanError) -> None:
    detail = f" ({error.detail})" if error.detail else ""
    click.echo(f"{error.code}: {error.text.en}{detail}\n{' ' * len(error.code)}  {error.text.sv}", err=True)
