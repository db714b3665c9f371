"""The standing of framework controls, in the words that every format uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shipworthy.compliance import ControlResult, Framework, Standing, Summary, summary
from shipworthy.records import dataclass

STANDING_WORDS: Mapping[Standing, str] = {
    Standing.EVIDENCED: "evidence",
    Standing.PARTLY: "partly",
    Standing.NOT_EVIDENCED: "none here",
    Standing.NEEDS_A_PERSON: "needs a person",
}
STANDING_MEANING: Mapping[Standing, str] = {
    Standing.EVIDENCED: "the run shows all that a run can show of it",
    Standing.PARTLY: "the run shows a part of it",
    Standing.NOT_EVIDENCED: "a run can show something of it; this one does not",
    Standing.NEEDS_A_PERSON: "nothing that a run does speaks to it",
}
CAUTION = (
    "A run gives evidence; it makes nobody compliant. Which evidence speaks to which control is Shipworthy's reading, "
    "and each control keeps a part that only a person can do."
)


@dataclass(frozen=True)
class Group:
    """The controls of one framework, and their counts."""

    framework: Framework
    results: tuple[ControlResult, ...]
    counts: Summary


def groups(results: Iterable[ControlResult]) -> tuple[Group, ...]:
    """The results by framework, in their order."""
    table: dict[Framework, list[ControlResult]] = {}
    for result in results:
        table.setdefault(result.framework, []).append(result)
    return tuple(Group(framework, tuple(own), summary(own)) for framework, own in table.items())
