"""The controls, read from `controls.json`: which controls a run can give evidence for, and what stays for a person.

`id` and `title` are the framework's own id and short title. Where a framework gives an item no short title,
`our-title` says that the words are ours. `person` is always in our own words. Whether a piece of evidence speaks to a
control is our judgement; the texts of the frameworks decide.

`evidence`: what must hold in the run, all of it, for everything that a run can show of the control:

- `check:NAME`: the check, wherever it ran; `check:NAME@STAGE`: only there; `check:NAME!RULE`: and RULE found nothing
- `category:NAME[@STAGE]`: every check of the category that had something to look at
- `stage:NAME`: the stage passed
- `fact:NAME`: a recorded fact; see `shipworthy.compliance._evidence`

`dev-evidence`: what must hold in a run of the DevSecOps pipeline instead, where that differs.

`reach` is `part`: even with all of its evidence a run shows only a part of the control, so the status ends at `partly`.
No evidence at all: nothing that a run does speaks to the control.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from shipworthy.records import dataclass


@dataclass(frozen=True)
class Framework:
    """A framework: its id, name, version and where its text is published."""

    id: str
    name: str
    version: str
    source: str


@dataclass(frozen=True)
class Control:
    """One control. `title` is the framework's own unless `our_title`. `evidence` holds terms that must hold, `dev`
    those in the place of them in a run of the DevSecOps pipeline; `whole` says that with all of them a run shows
    everything that a run can show, and not a part of it; `person` is what is always left to a person."""

    framework: Framework
    id: str
    title: str
    our_title: bool
    evidence: tuple[str, ...]
    dev: tuple[str, ...]
    whole: bool
    person: str

    def terms(self, pipeline: str) -> tuple[str, ...]:
        """The pieces of evidence that a run of this pipeline can hold."""
        return self.dev if pipeline == "dev" and self.dev else self.evidence


_FACTS = {
    "commit": "the commit that it was made from",
    "network-blocked": "training ran without network",
    "files-isolated": "training saw no other files",
    "measured": "metrics computed here from predictions on held-out data",
    "folds": "cross-validation",
    "inputs-recorded": "digests of what went into the training and came out",
    "packages-recorded": "the packages of the training environment with their versions",
    "chain": "the chain from the stored model back to its data was verified",
}


def said(term: str) -> str:
    """A term of `evidence`, as people say it."""
    kind, _, rest = term.partition(":")
    name, _, stage = rest.partition("@")
    name, _, rule = name.partition("!")
    told = {
        "check": f"the check {name}" + (f" finds no {rule}" if rule else ""),
        "category": f"all checks for {name}",
        "stage": f"the stage {name} passed",
        "fact": _FACTS.get(name, name.replace("-", " ")),
    }
    return told.get(kind, rest) + (f" in the stage {stage}" if stage else "")


@cache
def controls() -> tuple[Control, ...]:
    """Every control, in the order of the file."""
    data = json.loads(Path(__file__).with_name("controls.json").read_bytes())
    return tuple(_control(_framework(entry), control) for entry in data["framework"] for control in entry["control"])


def frameworks() -> tuple[Framework, ...]:
    """The frameworks, in the order of the file."""
    return tuple(dict.fromkeys(control.framework for control in controls()))


def control(framework: str, id_: str) -> Control | None:
    """The control of a framework, by the ids of both; None if a run is not held against it."""
    return next((one for one in controls() if (one.framework.id, one.id) == (framework, id_)), None)


def _framework(entry: dict[str, Any]) -> Framework:
    return Framework(entry["id"], entry["name"], entry["version"], entry["source"])


def _control(framework: Framework, entry: dict[str, Any]) -> Control:
    return Control(
        framework,
        entry["id"],
        entry["title"],
        entry.get("our-title", False),
        tuple(entry.get("evidence", ())),
        tuple(entry.get("dev-evidence", ())),
        entry.get("reach", "whole") == "whole",
        entry["person"],
    )
