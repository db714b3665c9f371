"""Explain a rule or a finding: what it is, why it matters, how it is attacked, how to fix it with code, which controls
it touches, and what to read. For a model file: what loading it would do, read without loading it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.cli.output import plain, quiet_option

if TYPE_CHECKING:
    from shipworthy.errors import UsageError
    from shipworthy.model import Rule

EXAMPLES = """examples:
  shipworthy explain                          every rule, a line each
  shipworthy explain model-code-execution     one rule
  shipworthy explain 3f0c2b9a8d7e6f50413223   a finding of a kept run, by the start of its id
  shipworthy explain tls                      a topic: what several rules are about
  shipworthy explain model.pkl                what loading this file would do
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("what", nargs="?", metavar="RULE|FINDING|FILE|TOPIC")
    quiet_option(parser, "of a rule, what to do alone; of all rules, their names")


def run(options: argparse.Namespace) -> int:
    """Explain, or say what is near."""
    from shipworthy.check import all_rules

    rules = all_rules()
    if options.what is None:
        width = max(len(name) for name in rules)
        for rule in rules.values():
            print(rule.id if options.quiet else f"{rule.id:<{width}}  {rule.severity.value:<8}  {rule.title}")
        return 0
    if options.what in rules:
        if options.quiet:
            print(rules[options.what].remedy)
        else:
            _rule(rules[options.what])
        return 0
    if os.path.isfile(options.what):
        _file(Path(options.what))
        return 0
    if len(options.what) >= 8 and _finding(options.what, options.quiet):
        return 0
    if _topic(options.what):
        return 0
    raise _nothing(options.what)


def _nothing(what: str) -> UsageError:
    """Why there is nothing to explain: a word may be meant for a file, a finding or a rule."""
    import difflib

    from shipworthy.check import all_rules
    from shipworthy.errors import UsageError
    from shipworthy.paths import is_there

    where = plain(what) if len(what) <= 200 else f"{plain(what[:200])}…"
    if "://" in what:
        return UsageError(
            "a file here is explained, not one elsewhere", where=where, remedy="`shipworthy scan` reads an address"
        )
    if os.path.isdir(what):
        return UsageError(
            "it is a folder; one file is explained", where=where, remedy="`shipworthy scan` reads folders"
        )
    if is_there(what):
        link = os.path.islink(what)
        told = "a link that leads nowhere" if link else "neither a file nor a folder (a pipe, socket or device)"
        return UsageError(told, where=where, remedy="give a file")
    if "/" in what or "." in what:
        return UsageError("there is no such file", where=where, remedy="check the path")
    if 8 <= len(what) <= 64 and all(char in "0123456789abcdef" for char in what):
        remedy = "`shipworthy scan` keeps no run: of its findings, `shipworthy explain RULE` explains the rule"
        return UsageError("no run that is kept here has this finding", where=where, remedy=remedy)
    if what.startswith("import-"):
        told = "a rule of a report that was taken in: its findings say what the tool says"
        return UsageError(told, where=where, remedy="look at the finding, and at what the tool itself says of the rule")
    near = difflib.get_close_matches(what[:200], all_rules(), 3, 0.6)
    return UsageError(
        "no rule, finding of a run here, or file of that name",
        where=where,
        remedy=f"near: {', '.join(near)}" if near else "`shipworthy explain` lists every rule",
    )


def _file(path: Path) -> None:
    """What loading the file would do. Raises UsageError for one that nothing loads as a model."""
    from shipworthy.artifacts import discover
    from shipworthy.config import Load
    from shipworthy.errors import UsageError
    from shipworthy.model import Kind
    from shipworthy.modelfile import Verdict, explain, scan

    found = discover(path, load=Load()).artifacts
    if found and found[0].kind is not Kind.MODEL and scan(path).verdict is Verdict.UNKNOWN:
        raise UsageError(
            f"this is no model file (its kind is {found[0].kind.value}); what loading a model would do is explained: "
            "each import and call in a pickle, and what other formats can do",
            where=plain(str(path)),
            remedy=f"`shipworthy scan {plain(str(path))}` looks at it; `shipworthy explain RULE` explains a finding",
        )
    print(plain(explain(path)))


def _rule(rule: Rule) -> None:
    from shipworthy.cli.hub_explain import newest_findings, rule_page

    rule_page(rule, newest_findings())


def _topic(name: str) -> bool:
    """The page of a topic of the hub, which is what a rule's `help` names."""
    from shipworthy.hub.schema import SLUG

    if len(name) > 100 or not SLUG.fullmatch(name):
        return False
    from shipworthy.cli.hub_explain import topic_page

    return topic_page(name)


def _finding(start: str, quiet: bool) -> bool:
    from shipworthy.cli.hub_explain import rule_page
    from shipworthy.cli.runs import newest_runs

    for run in newest_runs(Path()):
        for finding in run.findings:
            if finding.fingerprint.startswith(start):
                if quiet:
                    print(plain(finding.remedy))
                    return True
                print(plain(f"{finding.artifact.uri} {finding.location}: {finding.message}"))
                if finding.evidence:
                    print(plain(f"  {finding.evidence}"))
                state = f"{finding.disposition.value} {plain(finding.waiver)}".strip()
                if finding.severity is not finding.rule.severity:
                    state += f", here {finding.severity.value}"
                print(f"fingerprint {finding.fingerprint}, run {plain(run.id)}, {state}")
                if finding.remedy != finding.rule.remedy:
                    print(plain(f"What to do here: {finding.remedy}"))
                print()
                rule_page(finding.rule)
                return True
    return False
