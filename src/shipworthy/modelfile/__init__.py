"""Readers of model file formats: what would loading this file do? Usable as a library on its own.

    from shipworthy.modelfile import scan
    report = scan("model.pkl")
    report.verdict, report.issues

Nothing is ever imported, unpickled or executed. Every file ends as clean, finding or unknown.
"""

from __future__ import annotations

from shipworthy.modelfile.engine import explain, scan, scan_bytes, scan_stream, scan_view
from shipworthy.modelfile.report import Code, Issue, Limits, Member, Report, Verdict, Where
from shipworthy.modelfile.sniff import sniff
from shipworthy.modelfile.support import FORMATS, Support
from shipworthy.modelfile.view import View

__all__ = [
    "FORMATS",
    "Code",
    "Issue",
    "Limits",
    "Member",
    "Report",
    "Support",
    "Verdict",
    "View",
    "Where",
    "explain",
    "scan",
    "scan_bytes",
    "scan_stream",
    "scan_view",
    "sniff",
]
