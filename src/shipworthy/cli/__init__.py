"""The command line. Each command is a module that is imported when it is asked for."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import Any, NoReturn

from shipworthy import __version__
from shipworthy.errors import EnvironmentFailure, ExitCode, ShipworthyError

# name -> (module, what it does)
COMMANDS = {
    "run": ("run", "run a pipeline: ml, dev or all"),
    "scan": ("scan", "look at files and folders with every check, and decide"),
    "merge": ("merge", "put the shards of a divided scan together, and decide"),
    "verify": ("verify", "verify a stored or signed model, back to its datasets"),
    "init": ("init", "write a settings file for this repository"),
    "doctor": ("doctor", "fire a known-bad sample through every check and wrapped tool"),
    "demo": ("demo", "copy the example project, run it, and attack it"),
    "explain": ("explain", "explain a rule, or what loading a model file would do"),
    "waive": ("waive", "accept a finding: with an owner, a reason and a last day"),
    "keys": ("keys", "make and show signing keys"),
    "revoke": ("revoke", "say that a dataset, dependency or model must not be used any more"),
    "impact": ("impact", "what rests on a dataset, dependency or model: every release, and by which way"),
    "bundle": ("bundle", "pack a release and its chain into one file, for a machine without a network"),
    "log": ("log", "a transparency log of your own: add, verify, prove"),
    "sign": ("sign", "sign a file or folder (OpenSSF Model Signing)"),
    "report": ("report", "show a run again, in any format"),
    "import": ("import_report", "take in the report of another model scanner as a witness"),
    "db": ("db", "vulnerability database: status, import, update"),
    "tools": ("tools", "other scanners: which are here; install one into an environment of its own"),
    "guard": ("guard", "protect a running service: a reverse proxy that looks at requests and answers"),
    "up": ("up", "serve a stored image: verified, isolated, behind the guard"),
    "hub": ("hub", "what the field knows: search it, read it, learn it; linked to stages, checks and controls"),
    "serve": ("serve", "show the hub and the runs of this workspace in a browser"),
    "new-check": ("new_check", "write a new check, its test and its documentation"),
}
EPILOG = """examples:
  shipworthy                          what is here, and what would be looked at
  shipworthy scan .                   look at everything, and decide
  shipworthy scan model.pt --format json
  shipworthy run ml                   the whole pipeline, from trigger to signed and stored model
  shipworthy demo --attack all        watch the example project being attacked

exit codes: 0 shipworthy, 1 a gate said no, 2 wrong usage or settings, 3 something could not be looked at,
4 evidence does not verify, 5 the environment failed; of verify: 6 does not meet the policy, 7 is missing;
130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _main(arguments) if argv is not None else _alone(arguments)
    except ShipworthyError as error:
        return _fatal(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        from shipworthy.cli.output import let_go

        let_go()
        return int(ExitCode.ENVIRONMENT)
    except OSError as error:  # a disk that fails, a folder that is closed to us: whatever was being done with it
        return _fatal(EnvironmentFailure(error.strerror or str(error), where=str(error.filename or "")))


def _alone(arguments: list[str]) -> int:
    """The command as a process of its own: the next one removes what it leaves in the temporary folder when killed."""
    gc.set_threshold(50_000, 20, 20)  # importing makes much and leaves no garbage: looking for it takes a tenth
    if next((word for word in arguments if not word.startswith("-")), None) in ("run", "scan", "up", "doctor", "demo"):
        from shipworthy.cli.leftovers import use_own_temporary_folder

        use_own_temporary_folder()
    code = _main(arguments)
    gc.freeze()  # the process ends: what is left need not be looked through once more
    return code


def _main(arguments: list[str]) -> int:
    if arguments and (name := arguments[0]) in COMMANDS:
        code = _module(COMMANDS[name][0])
        alone = _Parser(prog=f"shipworthy {name}", **_described(code))  # the others need not be made
        code.add_arguments(alone)
        options, unknown = alone.parse_known_args(arguments[1:])
        if not unknown:
            return int(code.run(options))
    options = _parser(next((word for word in arguments if not word.startswith("-")), None)).parse_args(arguments)
    if options.command is None:
        return int(_module("overview").run(options))
    return int(_module(COMMANDS[options.command][0]).run(options))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"shipworthy.cli.{name}")


def _described(code: ModuleType) -> dict[str, Any]:
    return {"description": (code.__doc__ or "").strip(), "epilog": code.EXAMPLES, "formatter_class": _Formatter}


def _parser(wanted: str | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="shipworthy",
        description="Is this model, and the software around it, worthy to ship?",
        epilog=EPILOG,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"shipworthy {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, (module, text) in COMMANDS.items():
        if name == wanted:
            code = _module(module)
            code.add_arguments(commands.add_parser(name, help=text, **_described(code)))
        else:
            commands.add_parser(name, help=text, add_help=False)
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Of the terminal's width, for which the standard one imports `shutil` at every option that is declared."""

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdigit() else 0
        if not width:
            with contextlib.suppress(AttributeError, ValueError, OSError):
                width = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
        super().__init__(prog, width=(width or 80) - 2)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong and how to get help, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        import difflib

        wrong = re.match(r"argument COMMAND: invalid choice: '([^']{1,40})'", message)
        near = difflib.get_close_matches(wrong[1], COMMANDS, 1) if wrong else []
        if wrong:
            message = f"there is no command `{wrong[1]}`" + (f"; did you mean {near[0]}?" if near else "")
        self.exit(int(ExitCode.USAGE), f"error: {message}\n  what to do: {self.prog} --help\n")


def _fatal(error: ShipworthyError) -> int:
    from shipworthy.cli.output import plain

    print(f"error: {plain(str(error))}", file=sys.stderr)
    if error.remedy:
        print(f"  what to do: {plain(error.remedy)}", file=sys.stderr)
    return int(error.exit_code)


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
