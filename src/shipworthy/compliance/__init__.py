"""Which framework controls a run gives evidence for, and which not.

A run gives evidence; it never makes anybody compliant. Every control keeps a part that only a person can do.
"""

from shipworthy.compliance._controls import Control, Framework, control, frameworks, said
from shipworthy.compliance.assess import ControlResult, Standing, Summary, assess, summary, to_dicts

__all__ = [
    "Control",
    "ControlResult",
    "Framework",
    "Standing",
    "Summary",
    "assess",
    "control",
    "frameworks",
    "said",
    "summary",
    "to_dicts",
]
