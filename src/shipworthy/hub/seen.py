"""In your repository: what of a run's findings a page of the hub is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shipworthy.hub.things import Entry, Shelf
from shipworthy.model import Finding, Rule
from shipworthy.records import dataclass

if TYPE_CHECKING:
    from shipworthy.hub.library import Hub


@dataclass(frozen=True)
class Seen:
    """The findings that a page is about, in the run's order (the worst first)."""

    findings: tuple[Finding, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of their rules, in the order in which they come."""
        return tuple(dict.fromkeys(finding.rule.id for finding in self.findings))

    def __str__(self) -> str:
        count = len(self.findings)
        return {0: "not found", 1: "found once", 2: "found twice"}.get(count, f"found {count:,} times")


def rules_about(hub: Hub, page: str) -> tuple[Rule, ...]:
    """The rules that a page is about. Of an entry and a stage they are those of the topics that are linked with it:
    what is to be read, used or done when such a rule finds something."""
    if not isinstance(hub.things[page], (Entry, Shelf)):
        return hub.rules_of(page)
    topics = [other for other in hub.links(page) if other.startswith("topic/")]
    return tuple({rule.id: rule for topic in topics for rule in hub.rules_of(topic)}.values())


def seen(hub: Hub, page: str, findings: Iterable[Finding]) -> Seen:
    """What of these findings a page is about."""
    about = {rule.id for rule in rules_about(hub, page)}
    return Seen(tuple(finding for finding in findings if finding.rule.id in about))
