"""Add an entry to the catalogue: asks for what is missing, shows the file, checks it and writes it. It overwrites
nothing and fetches nothing. Not in a terminal, all is given by --from."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.cli.output import named

if TYPE_CHECKING:
    from shipworthy.hub.drafts import Vocabulary
    from shipworthy.hub.lint import Notice

EXAMPLES = """examples:
  shipworthy hub add https://github.com/aquasecurity/trivy
  shipworthy hub add https://arxiv.org/abs/2406.12345 --from "title=A title" --from stages=model-scan,data-scan
  shipworthy hub add --dry-run --from kind=tool --from url=https://example.org/x ...
"""
_QUESTIONS = {
    "kind": "What is it?",
    "url": "Address (https)",
    "title": "Title, as it calls itself",
    "id": "Id, the file's name",
    "summary": "Summary: one or two sentences of your own on what it does and what is special",
    "use-when": 'Complete "Use it when …"',
    "pipeline": "For which pipelines? ml, dev, or both (ml, dev)",
    "stages": "Stages, the best fitting first (`shipworthy hub stage` lists them)",
    "topics": "Topics, one to five words of the vocabulary",
    "maintained": "Is it maintained?",
    "basis.maintained": "What shows that? (`last commit 2026-11-02`)",
    "help": "Topic pages it belongs to",
    "frameworks": "Controls and risks it is about (LLM03:2025, CWE-502)",
    "level": "For whom?",
    "licence": "Licence, as its SPDX id",
    "language": "Programming language",
    "authors": "Authors, separated by `;`",
    "year": "Year",
    "related": "Ids of related entries",
    "disclosure": 'Is it your own, or your employer\'s? Then say so ("Added by its author.")',
}
_OPTIONAL = ("help", "frameworks", "level", "authors", "year", "related", "disclosure")
_OF_TOOLS = ("licence", "language")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub add`."""
    parser.add_argument("url", nargs="?", default="", metavar="URL", help="its address")
    parser.add_argument(
        "--from",
        dest="given",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the entry, or kind, id, basis.maintained; lists have commas (authors, sources: ;)",
    )
    parser.add_argument("--hub", type=named, metavar="FOLDER", help="the hub's folder (it has a folder `catalogue`)")
    parser.add_argument("--dry-run", action="store_true", help="show the file, write nothing")
    parser.add_argument("--no-edit", action="store_true", help="do not open it in $EDITOR")


def run(options: argparse.Namespace) -> int:
    """Ask, show, check, write."""
    from datetime import UTC, datetime

    from shipworthy.check import all_rules
    from shipworthy.cli.hub_place import folder_of
    from shipworthy.errors import UsageError
    from shipworthy.hub.drafts import Vocabulary, entry_of, filled, missing
    from shipworthy.hub.reader import Reading
    from shipworthy.hub.writing import as_toml
    from shipworthy.paths import inside

    folder = folder_of(options.hub)
    if not options.dry_run and options.hub is None and not any((up / ".git").exists() for up in folder.parents):
        raise UsageError("this is no checkout of the hub", remedy="clone its repository and work there, or give --hub")
    today = datetime.now(UTC).date().isoformat()
    vocabulary = Vocabulary(Reading(folder).data, {rule.help for rule in all_rules().values()})
    known = filled(_given(options, vocabulary), today)
    person = sys.stdin.isatty() and sys.stdout.isatty()
    if person:
        known = _asked(known, vocabulary, today)
    if wanted := missing(known):
        told = " ".join(f"--from {key}=…" for key in wanted)
        raise UsageError(f"missing: {', '.join(wanted)}", remedy=f"add {told}, or run it in a terminal, which asks")
    if not known.get("id"):
        raise UsageError("the title gives no id", remedy="add --from id=… in lower-case letters, digits and hyphens")
    file, entry = entry_of(known)
    inside(folder, file, what="file")  # a checkout can bring a link in place of a folder
    if (folder / file).exists():
        raise UsageError("there is such a file already", where=str(folder / file), remedy="add --from id=… or edit it")
    return _finish(options, folder, file, as_toml(entry), person)


def _finish(options: argparse.Namespace, folder: Path, file: str, text: str, person: bool) -> int:
    """Show, check, write, open."""
    from shipworthy.cli.output import plain
    from shipworthy.errors import ExitCode

    print(plain(f"{file}\n\n{text}"))
    notices = _checked(folder, file, {file: text})
    _show(notices)
    if options.dry_run or (notices and not person):
        if notices and not options.dry_run:
            print("nothing was written", file=sys.stderr)
        return int(ExitCode.GATE if notices else ExitCode.SHIPWORTHY)
    if person and not _yes(f"Write it{', to correct it there' if notices else ''}?"):
        print("nothing was written")
        return int(ExitCode.SHIPWORTHY)
    path = folder / file
    _write(path, text)
    print(f"written: {path}")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if person and editor and not options.no_edit:
        _edit(editor, path)
        notices = _checked(folder, file, {})
        _show(notices)
    print("next: `shipworthy hub lint`, then a pull request with this file")
    return int(ExitCode.GATE if notices else ExitCode.SHIPWORTHY)


def _given(options: argparse.Namespace, vocabulary: Vocabulary) -> dict[str, Any]:
    from shipworthy.errors import UsageError
    from shipworthy.hub import schema
    from shipworthy.hub.drafts import value_of

    known: dict[str, Any] = {"url": options.url} if options.url else {}
    for one in options.given:
        key, sign, text = one.partition("=")
        basis = key.startswith("basis.") and key.removeprefix("basis.") in schema.BASIS_KEYS
        if not sign or not (basis or key in (*schema.ENTRY, "kind", "id")):
            raise UsageError(
                f"`{one[:80]}` is not KEY=VALUE", where="--from", remedy=f"keys: kind, id, {', '.join(schema.ENTRY)}"
            )
        known[key] = value_of(key, text)
    for key, value in known.items():
        if told := vocabulary.wrong(key, value):
            raise UsageError(f"{key}: {told}", where="URL" if key == "url" and options.url else f"--from {key}")
    return known


def _asked(known: dict[str, Any], vocabulary: Vocabulary, today: str) -> dict[str, Any]:
    """Ask for what is missing, then for what is welcome."""
    from shipworthy.hub.drafts import NEEDS, filled, missing

    for key in (*NEEDS, "id"):
        if not known.get(key) or key == "id":
            known[key] = _answer(key, known.get(key), vocabulary, needed=True)
            known = filled(known, today)
    for key in missing(known):
        known[key] = _answer(key, None, vocabulary, needed=True)
    for key in (*_OPTIONAL, *(_OF_TOOLS if known["kind"] == "tool" else ())):
        if not known.get(key) and (value := _answer(key, None, vocabulary, needed=False)):
            known[key] = value
    return known


def _answer(key: str, usual: Any, vocabulary: Vocabulary, *, needed: bool) -> Any:
    """Ask until the answer is one. Raises UsageError at the end of the input."""
    from shipworthy.cli.output import plain
    from shipworthy.errors import UsageError
    from shipworthy.hub.drafts import value_of

    few = sorted(vocabulary.of.get(key, ()))
    hint = f" ({', '.join(few)})" if 0 < len(few) <= 25 else ""
    hint += f" [{usual}]" if usual else "" if needed else " [none]"
    while True:
        try:
            text = input(f"{_QUESTIONS.get(key, key)}{hint}: ").strip()
        except EOFError:
            raise UsageError("the input ended", remedy="nothing was written; run it again") from None
        if not text:
            if usual or not needed:
                return usual
            continue
        value = value_of(key, text)
        if told := vocabulary.wrong(key, value):
            print(f"  {plain(told)}")
            continue
        return value


def _checked(folder: Path, file: str, drafts: Mapping[str, str]) -> list[Notice]:
    from shipworthy.check import all_rules
    from shipworthy.cli.hub_contributors import who_works_here
    from shipworthy.hub.lint import lint

    return lint(folder, all_rules(), only={file}, contributors={file: who_works_here(folder)}, drafts=drafts)


def _show(notices: list[Notice]) -> None:
    from shipworthy.cli.output import plain

    for one in notices:
        print(plain(f"{one.problem.key or one.problem.file}: {one.problem.message} [{one.rule}]"), file=sys.stderr)
        print(plain(f"  what to do: {one.problem.remedy}"), file=sys.stderr)


def _yes(question: str) -> bool:
    try:
        return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _write(path: Path, text: str) -> None:
    """Whole, or not at all; never over what is there."""
    from shipworthy.errors import EnvironmentFailure, UsageError
    from shipworthy.files import create_atomically

    try:
        create_atomically(path, text.encode())
        path.chmod(0o644)
    except FileExistsError:
        raise UsageError("there is such a file already", where=str(path), remedy="choose another id") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot write: {error.strerror or error}", where=str(path)) from None


def _edit(editor: str, path: Path) -> None:
    import shlex
    import subprocess

    try:
        subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        print(f"$EDITOR cannot be started: {error}", file=sys.stderr)
