"""Check the hub's files: their form, duplicates, ids that exist, wording, disclosure. Nothing is fetched.

Without FILES, all of the hub in this checkout. Exit code 1 if there is a problem."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import named, output_file

if TYPE_CHECKING:
    from shipworthy.hub.lint import Notice

EXAMPLES = """examples:
  shipworthy hub lint
  shipworthy hub lint src/shipworthy/hub/catalogue/tool/trivy.toml
  shipworthy hub lint --since origin/main --contributor octocat --format github
  shipworthy hub lint --list-rules
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub lint`."""
    parser.add_argument("files", nargs="*", type=named, metavar="FILES", help="files of a hub; none: all of them")
    parser.add_argument("--hub", type=named, metavar="FOLDER", help="the hub's folder (it has a folder `catalogue`)")
    parser.add_argument(
        "--since", default="", metavar="REV", help="what changed since this git revision is the contributor's"
    )
    parser.add_argument(
        "--contributor", action="append", default=[], metavar="LOGIN", help="whose change it is, beside git's authors"
    )
    parser.add_argument("--list-rules", action="store_true", help="what is asked for")
    parser.add_argument("--format", choices=("text", "github", "json"), default="text")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="write it to FILE instead of stdout")


def run(options: argparse.Namespace) -> int:
    """Lint, and tell."""
    from shipworthy.check import all_rules
    from shipworthy.cli.hub_contributors import contributors
    from shipworthy.cli.hub_place import folder_of, names_in
    from shipworthy.cli.output import write
    from shipworthy.errors import ExitCode
    from shipworthy.hub.lint import ABOUT, lint

    if options.list_rules:
        write("".join(f"{name:20}{about}\n" for name, about in ABOUT.items()), options)
        return 0
    folder = folder_of(options.hub, options.files)
    only = names_in(folder, options.files) if options.files else None
    whose = contributors(folder, options.since, tuple(options.contributor), only)
    notices = lint(folder, all_rules(), only=only, contributors=whose)
    make = {"text": _text, "github": _github, "json": _json}[options.format]
    write(make(folder, notices), options)
    return int(ExitCode.GATE if notices else ExitCode.SHIPWORTHY)


def _text(folder: Path, notices: list[Notice]) -> str:
    from shipworthy.cli.output import plain

    lines = []
    for one in notices:
        where = f"{_place(folder, one)}:{one.problem.line}" if one.problem.line else _place(folder, one)
        told = f"{one.problem.key}: {one.problem.message}" if one.problem.key else one.problem.message
        lines += [f"{where}: {told} [{one.rule}]", f"  what to do: {one.problem.remedy}"]
    files = len({one.problem.file for one in notices})
    lines.append(f"{_counted(len(notices), 'problem')} in {_counted(files, 'file')}" if notices else "no problem")
    return plain("\n".join(lines)) + "\n"


def _github(folder: Path, notices: list[Notice]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    from shipworthy.cli.output import plain

    lines = []
    for one in notices:
        problem, place = one.problem, _property(plain(_place(folder, one)))
        told = f"{problem.key}: {problem.message}" if problem.key else problem.message
        said = _data(plain(f"{told}\nwhat to do: {problem.remedy}"))
        lines.append(f"::error file={place},line={max(1, problem.line)},title=hub lint%3A {one.rule}::{said}")
    return "".join(f"{line}\n" for line in lines) + f"{_counted(len(notices), 'problem')}\n"


def _json(folder: Path, notices: list[Notice]) -> str:
    import json

    found = [
        {
            "rule": one.rule,
            "file": _place(folder, one),
            "line": one.problem.line,
            "key": one.problem.key,
            "message": one.problem.message,
            "remedy": one.problem.remedy,
        }
        for one in notices
    ]
    return json.dumps({"problems": found}, indent=2, ensure_ascii=True) + "\n"


def _place(folder: Path, notice: Notice) -> str:
    """The file as seen from here, if it is below."""
    path = folder.resolve() / notice.problem.file  # a file that is a link stands where it stands
    here = Path.cwd().resolve()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _data(text: str) -> str:
    """Escaped as GitHub's toolkit does: what is linted must not give commands of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
