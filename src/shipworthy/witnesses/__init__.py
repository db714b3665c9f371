"""Reports of other scanners, read as what they are: somebody else's word about files, with a name and a version.

A report that is empty, cut short, contradicts itself or is another tool's is `UnreadableReport`, never a clean one.
`tools` reads model scanners, which are joined by the callables of a file; `imported` reads everything else, one file
for one tool. The formats of the first were read off real reports of ModelScan 0.8.8, picklescan 1.0.5, fickling 0.1.12
and ModelAudit 0.2.54.
"""

from __future__ import annotations

from shipworthy.witnesses.claims import LIMIT, Claim, Testimony, UnreadableReport
from shipworthy.witnesses.imported import names, read_report, source
from shipworthy.witnesses.match import matched, same_meaning
from shipworthy.witnesses.statements import Report, Source, Statement
from shipworthy.witnesses.tools import TOOLS, read

__all__ = [
    "LIMIT",
    "TOOLS",
    "Claim",
    "Report",
    "Source",
    "Statement",
    "Testimony",
    "UnreadableReport",
    "matched",
    "names",
    "read",
    "read_report",
    "same_meaning",
    "source",
]
