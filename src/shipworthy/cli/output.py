"""What every command shares: options, where output goes, progress."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.errors import ExitCode, UsageError
from shipworthy.model import Run, Status
from shipworthy.paths import is_there

if TYPE_CHECKING:
    from rich.console import Console

    from shipworthy.config import Settings

FORMATS = ("table", "json", "sarif", "html", "junit", "markdown", "cyclonedx")


def report_options(parser: argparse.ArgumentParser) -> None:
    """`--format`, `--output`, `--quiet`."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="how to report (default: table)")
    parser.add_argument("--output", metavar="FILE", type=output_file, help="write the report to FILE instead of stdout")
    quiet_option(parser)


def output_file(text: str) -> Path:
    """A file in a folder that is there: a folder that a slip of the pen names is not made."""
    path = Path(text)
    if not (is_there(path.parent) and path.parent.is_dir()):
        raise argparse.ArgumentTypeError(f"there is no folder {plain(str(path.parent)[:300])}")
    if is_there(path) and path.is_dir():
        raise argparse.ArgumentTypeError(f"{plain(str(path))} is a folder; name a file")
    return path


def named(text: str) -> Path:
    """The path that an argument gives: an empty one is a slip, and not this folder."""
    if not text.strip() and not (text and is_there(text)):
        raise argparse.ArgumentTypeError("it is empty; `.` is this folder")
    return Path(text)


def quiet_option(parser: argparse.ArgumentParser, what: str = "no progress; only what failed, and the verdict") -> None:
    """`--quiet`."""
    parser.add_argument("-q", "--quiet", action="store_true", help=what)


def settings_option(parser: argparse.ArgumentParser) -> None:
    """`--settings`."""
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        help="settings file (default: that of this folder or its repository, for what lies in there)",
    )


def executor_option(parser: argparse.ArgumentParser) -> None:
    """`--executor`."""
    parser.add_argument(
        "--executor", metavar="URL", default="", help="dask://host:8786: artifacts are examined by this Dask cluster"
    )


def settings_for(folder: Path, given: Path | None) -> Settings:
    """The settings given by name, those of the folder, or the defaults."""
    from shipworthy.config import find_settings, load_settings

    if given is not None and not (is_there(given) and given.is_file()):
        raise UsageError("there is no such settings file", where=str(given))
    return load_settings(given or find_settings(folder))


def emit(run: Run, options: argparse.Namespace, *, whole: bool = True, site: str = "") -> None:
    """Report a run as the options say; of a part, only the record, as it gives no evidence for anything. Without
    `--output` only the report goes to stdout; a reader that has gone (`| head`) has seen enough, and the answer of the
    gate stays what it is. `site` is where the hub's pages are. Raises EnvironmentFailure when it cannot be written."""
    from shipworthy.errors import EnvironmentFailure

    try:
        _emit(run, options, whole, site)
    except BrokenPipeError:
        let_go()
    except OSError as error:
        let_go()
        raise EnvironmentFailure(
            f"the report cannot be written: {error.strerror or error}", remedy="free space, or write it elsewhere"
        ) from None


def let_go() -> None:
    """Write no more to stdout, not even what is still held back for it."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _emit(run: Run, options: argparse.Namespace, whole: bool, site: str) -> None:
    from shipworthy.model.serial import dumps, run_to_dict
    from shipworthy.reports import render

    if options.format == "table" and options.output is None:
        from shipworthy.reports.terminal import print_run, write_run

        if not write_run(run, sys.stdout, options.quiet):
            print_run(run, console(), quiet=options.quiet)
            sys.stdout.flush()
        return
    write(render(run, options.format, site=site) if whole else dumps(run_to_dict(run)), options)
    if options.output is not None and not options.quiet:
        print(run.verdict, file=sys.stderr)
        print(f"report: {options.output}", file=sys.stderr)


def write(text: str, options: argparse.Namespace) -> None:
    """Write a report's text where `--output` says, or to stdout."""
    if options.output is None:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        if not text.endswith("\n"):
            sys.stdout.buffer.write(b"\n")
        sys.stdout.flush()
        return
    write_file(options.output, text.encode("utf-8", "replace"))


def write_file(path: Path, data: bytes) -> None:
    """Write what `--output` names: a file whole or not at all, a device or pipe in place (a rename over `/dev/null`
    would make it a file for everybody on this machine)."""
    from shipworthy.errors import EnvironmentFailure
    from shipworthy.files import write_atomically

    if path.is_char_device() or path.is_fifo() or path.is_block_device() or path.is_socket():
        try:
            path.write_bytes(data)
        except OSError as error:
            raise EnvironmentFailure(f"cannot write: {error.strerror or error}", where=str(path)) from None
    else:
        write_atomically(path, data)


def refuse_usage_errors(run: Run) -> None:
    """What a stage found wrong with the command line or the settings is an error like any other of its kind."""
    for stage in run.stages:
        if stage.status is Status.ERROR and stage.exit_code == ExitCode.USAGE:
            raise UsageError(stage.note, remedy=stage.remedy)


def console(width: int | None = None, *, stderr: bool = False) -> Console:
    """A console for people. When its reader has gone (`| head`), the command ends as it does without one."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Quiet(width=width, stderr=stderr)


def plain(text: str) -> str:
    """Text that can be shown on a terminal: control and format characters are escaped."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else char.encode("unicode_escape").decode()
        for char in text
    )
