"""Find and classify what there is to look at."""

from shipworthy.artifacts.classify import classify
from shipworthy.artifacts.discover import Inventory, discover, identify
from shipworthy.artifacts.fetch import fetch
from shipworthy.artifacts.repository import GitState, changed_since, git_state

__all__ = [
    "GitState",
    "Inventory",
    "changed_since",
    "classify",
    "discover",
    "fetch",
    "git_state",
    "identify",
]
