"""The readers of reports of security tools: one file is one tool, and its name is the tool's."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from shipworthy.records import replace
from shipworthy.witnesses.claims import LIMIT, UnreadableReport
from shipworthy.witnesses.statements import STATEMENTS, Report, Source, Statement

__all__ = ["names", "read_report", "source"]


@cache
def names() -> tuple[str, ...]:
    """The tools, as the command line spells them; none of the readers is imported for it."""
    found = (info.name for info in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def source(tool: str) -> Source:
    """What is known of one of `names()`. Raises KeyError for another."""
    if tool not in names():
        raise KeyError(tool)
    module = importlib.import_module(f"{__name__}.{tool.replace('-', '_')}")
    found: Source = module.SOURCE
    return found


def read_report(tool: str, raw: bytes) -> Report:
    """Read a report of one of `names()`.

    Raises UnreadableReport for one that is empty, cut short, another tool's, that looked at nothing, or that ended in
    an error without findings.
    """
    if len(raw) > LIMIT:
        raise UnreadableReport(f"it is larger than {LIMIT >> 20} MiB")
    if not raw.strip():
        raise UnreadableReport("it is empty")
    try:
        report = source(tool).read(raw)
    except UnreadableReport:
        raise
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError, RecursionError):
        raise UnreadableReport(f"it is not as {source(tool).title} writes it") from None
    if len(report.statements) > STATEMENTS:
        raise UnreadableReport(f"it has more than {STATEMENTS} findings")
    if report.looked == 0 and not report.statements:
        why = f": {report.gaps[0]}" if report.gaps else ""
        raise UnreadableReport(f"{source(tool).title} looked at nothing{why}")
    if all(said.rule for said in report.statements):
        return report
    return replace(report, statements=tuple(said if said.rule else _unnamed(said) for said in report.statements))


def _unnamed(said: Statement) -> Statement:
    named: Statement = replace(said, rule="unnamed")
    return named
