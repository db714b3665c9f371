"""Which checks and stages give evidence for which control of a framework, and where nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shipworthy.compliance._controls import Control, controls, said
from shipworthy.records import dataclass

if TYPE_CHECKING:
    from shipworthy.hub import Framework, Hub, Item
    from shipworthy.model import Rule
    from shipworthy.site.things import Checked

STANDS = {
    "checks": "Checks look for it",
    "record": "The pipeline's record shows something of it",
    "below": "Only parts of it have checks",
    "person": "Left to people: no run can show it",
    "gap": "Nothing here speaks to it",
}


@dataclass(frozen=True)
class Cover:
    """What there is for one item: the rules that name it, the checks that have them, what the pipelines record, what
    is left to a person, and in a word of `STANDS` how that stands."""

    item: Item
    rules: tuple[Rule, ...]
    checks: tuple[Checked, ...]
    record: tuple[str, ...]
    person: str
    stands: str


class Coverage:
    """Answers for every item; made once."""

    def __init__(self, hub: Hub, checks: tuple[Checked, ...]) -> None:
        self._hub = hub
        self._by_name = {check.name: check for check in checks}
        self._by_rule: dict[str, list[Checked]] = {}
        for check in checks:
            for rule in check.rules:
                self._by_rule.setdefault(rule, []).append(check)
        self._controls: Mapping[tuple[str, str], Control] = {(one.framework.id, one.id): one for one in controls()}
        self._direct: dict[str, list[Rule]] = {}
        self._named: dict[str, list[Item]] = {}
        for one in hub.rules.values():
            for name in one.taxonomy:
                named = hub.resolve(name)
                if named is not None:
                    self._direct.setdefault(named.page, []).append(one)
        for item in hub.items.values():
            if item.page in self._direct:
                self._named.setdefault(item.framework, []).append(item)

    def checks_of(self, rule: str) -> tuple[Checked, ...]:
        """The checks that have a rule, by its id; none for rules of the pipeline itself."""
        return tuple(self._by_rule.get(rule, ()))

    def of(self, item: Item) -> Cover:
        """What there is for an item."""
        rules = self._direct.get(item.page, ())
        below = tuple(dict.fromkeys((*rules, *(rule for one in self._below(item) for rule in self._direct[one.page]))))
        control = self._controls.get((item.framework, item.id))
        terms = (*control.evidence, *control.dev) if control else ()
        named = {term[6:].partition("@")[0].partition("!")[0] for term in terms if term.startswith("check:")}
        checks = {check.name: check for rule in below for check in self.checks_of(rule.id)}
        checks |= {name: self._by_name[name] for name in sorted(named) if name in self._by_name}
        record = tuple(dict.fromkeys(said(term) for term in terms if not term.startswith("check:")))
        if rules or named:
            stands = "checks"
        elif record:
            stands = "record"
        elif below:
            stands = "below"
        else:
            stands = "person" if control else "gap"
        person = control.person if control else ""
        return Cover(item, below, tuple(checks.values()), record, person, stands)

    def _below(self, item: Item) -> list[Item]:
        """The parts of an item that rules name: AML.T0010.001 of AML.T0010, SC-12(1) of SC-12."""
        ids, end = item.id, len(item.id)
        named = self._named.get(item.framework, ())
        return [one for one in named if one.id.startswith(ids) and len(one.id) > end and one.id[end] in ".("]

    def of_framework(self, framework: Framework) -> list[Cover]:
        """What there is for each item of a framework, in its order."""
        return [self.of(item) for item in framework.items]
