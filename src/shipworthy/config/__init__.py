"""`shipworthy.toml` (or `[tool.shipworthy]` in `pyproject.toml`) as typed, frozen settings.

No file is needed: every field has a default. An unknown key, a wrong type or a bad value is a UsageError that names the
file, the line and, where one is near, the key that was probably meant.
"""

from shipworthy.config.options import NO_DATE
from shipworthy.config.reader import FILE_NAME, find_settings, load_policy, load_settings
from shipworthy.config.settings import (
    EarlyStopping,
    Evaluate,
    Fetch,
    Gate,
    Import,
    KFold,
    Limits,
    Load,
    Registry,
    Reported,
    Scan,
    Settings,
    Signed,
    Store,
    Train,
    Waiver,
)
from shipworthy.config.signing import Log, PolicyFile, Sign, StepDemand, Trust, TrustLog

__all__ = [
    "FILE_NAME",
    "NO_DATE",
    "EarlyStopping",
    "Evaluate",
    "Fetch",
    "Gate",
    "Import",
    "KFold",
    "Limits",
    "Load",
    "Log",
    "PolicyFile",
    "Registry",
    "Reported",
    "Scan",
    "Settings",
    "Sign",
    "Signed",
    "StepDemand",
    "Store",
    "Train",
    "Trust",
    "TrustLog",
    "Waiver",
    "find_settings",
    "load_policy",
    "load_settings",
]
