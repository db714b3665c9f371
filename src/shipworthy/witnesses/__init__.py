"""Reports of other model scanners, read as what they are: somebody else's word about files, with a name and a version.

A report that is empty, cut short, contradicts itself or is another tool's is `UnreadableReport`, never a clean one.
Formats were read off real reports of ModelScan 0.8.8, picklescan 1.0.5, fickling 0.1.12 and ModelAudit 0.2.54.
"""

from __future__ import annotations

from shipworthy.witnesses.claims import Claim, Testimony, UnreadableReport
from shipworthy.witnesses.match import matched, same_meaning
from shipworthy.witnesses.tools import TOOLS, read

__all__ = ["TOOLS", "Claim", "Testimony", "UnreadableReport", "matched", "read", "same_meaning"]
