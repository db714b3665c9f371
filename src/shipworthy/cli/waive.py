"""Accept a finding: adds a waiver to shipworthy.toml, with an owner, a reason and a last day. Reports go on showing
the finding as waived; when the day has passed the gate fails on it again."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import quiet_option

EXAMPLES = """examples:
  shipworthy waive python-subprocess --path tools/build.py --owner ada@example.org \\
      --reason "arguments are constants" --until 2027-01-31
  shipworthy waive 3f0c2b9a8d7e6f5041322314f5e6d7c8 --owner ada@example.org --reason "test data" --until 2027-01-31
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `waive`."""
    parser.add_argument(
        "finding",
        metavar="RULE|FINGERPRINT",
        help="a rule's id (needs --path), or one finding's fingerprint or the start of it",
    )
    parser.add_argument("--path", default="", help="glob of the artifacts meant; needed for a rule")
    parser.add_argument("--rule", default="", help="the rule of the fingerprint, if no run here knows it")
    parser.add_argument("--owner", required=True, help="who answers for it")
    parser.add_argument("--reason", required=True, help="why it is accepted")
    parser.add_argument("--until", required=True, help="last day, such as 2027-01-31 (at most two years ahead)")
    quiet_option(parser)


def run(options: argparse.Namespace) -> int:
    """Check the waiver, append it, read the settings back."""
    from shipworthy.check import all_rules
    from shipworthy.config import FILE_NAME, find_settings, load_settings
    from shipworthy.errors import UsageError
    from shipworthy.files import write_atomically

    until = _day(options.until)
    fingerprint, rule = _meant(options.finding, options.rule)
    if rule not in all_rules() and not rule.startswith("import-"):
        raise UsageError(f"there is no rule `{rule}`", remedy="reports name the rule; `shipworthy explain` lists them")
    if not fingerprint and not options.path:
        raise UsageError("a waiver for a rule needs --path", remedy='--path "**" waives it everywhere')
    source = find_settings(Path()) or Path(FILE_NAME)
    table = "tool.shipworthy.waivers" if source.name == "pyproject.toml" else "waivers"
    entry = {
        "rule": rule,
        "path": options.path,
        "fingerprint": fingerprint,
        "owner": options.owner,
        "reason": options.reason,
    }
    lines = [f"[[{table}]]", *(f"{key} = {_toml(value)}" for key, value in entry.items() if value), f"until = {until}"]
    before = source.read_text(encoding="utf-8") if source.exists() else ""
    text = before + ("\n" if before and not before.endswith("\n\n") else "") + "\n".join(lines) + "\n"
    write_atomically(source, text.encode())
    try:
        load_settings(source)
    except UsageError:
        write_atomically(source, before.encode())
        raise
    if not options.quiet:
        print(f"waived {rule} until {until} in {source}")
    return 0


def _day(text: str) -> str:
    from datetime import UTC, date, datetime, timedelta

    from shipworthy.errors import UsageError

    today = datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{text}` is no date", where="--until", remedy="such as 2027-01-31") from None
    if not today <= day <= today + timedelta(days=731):
        raise UsageError(
            f"{day} is not between today and two years from now",
            where="--until",
            remedy=f"such as {today + timedelta(days=90)}",
        )
    return day.isoformat()


def _meant(text: str, rule: str) -> tuple[str, str]:
    """Fingerprint (or "") and rule id: of a rule, a whole fingerprint, or the start of one, as reports show it.

    What a start belongs to is looked up in the runs here, the newest first. Raises UsageError when no run has it, or
    when it is the start of several.
    """
    from shipworthy.cli.runs import newest_runs
    from shipworthy.errors import UsageError

    if not (8 <= len(text) <= 32 and all(char in "0123456789abcdef" for char in text)):
        return "", rule or text
    if len(text) == 32 and rule:
        return text, rule
    for run in newest_runs(Path()):
        found = {
            finding.fingerprint: finding.rule.id for finding in run.findings if finding.fingerprint.startswith(text)
        }
        if len(found) > 1:
            raise UsageError("several findings start so", where=text, remedy="give more digits")
        for fingerprint, its_rule in found.items():
            return fingerprint, rule or its_rule
    raise UsageError(
        "no run here has that finding",
        where=text,
        remedy="give all 32 digits (`--format json` shows them) and its rule with --rule",
    )


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's, apart from DEL."""
    import json

    return json.dumps(text).replace("\x7f", "\\u007f")
