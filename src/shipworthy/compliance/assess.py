"""From a run to the standing of every control. Pure: the same run gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from shipworthy.compliance._controls import Control, Framework, controls
from shipworthy.compliance._evidence import Held, Term, Weight, hold
from shipworthy.model import Run
from shipworthy.records import dataclass


class Standing(StrEnum):
    """What a run shows of a control. None of them says that the control is met.

    `evidenced`: all that a run can show is shown. `partly`: some of it, or a run can only ever show a part.
    `not-evidenced`: a run could show something, this one does not. `needs-a-person`: no run can show anything.
    """

    EVIDENCED = "evidenced"
    PARTLY = "partly"
    NOT_EVIDENCED = "not-evidenced"
    NEEDS_A_PERSON = "needs-a-person"

    @property
    def rank(self) -> int:
        """3 for `evidenced`, 2 for `partly`, 1 for `not-evidenced`, 0 for `needs-a-person`."""
        return 3 - tuple(Standing).index(self)


@dataclass(frozen=True)
class ControlResult:
    """A control with what the run shows of it: what that rests on, what is missing, which open findings speak against
    the control, what is left to a person."""

    control: Control
    status: Standing
    rests_on: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def framework(self) -> Framework:
        """The framework of the control."""
        return self.control.framework

    @property
    def person(self) -> str:
        """What always needs a person."""
        return self.control.person


@dataclass(frozen=True)
class Summary:
    """How many controls stand how."""

    evidenced: int = 0
    partly: int = 0
    not_evidenced: int = 0
    needs_a_person: int = 0

    @property
    def total(self) -> int:
        """All controls."""
        return self.evidenced + self.partly + self.not_evidenced + self.needs_a_person

    @property
    def shown(self) -> int:
        """Controls that the run gives some evidence for."""
        return self.evidenced + self.partly

    def __str__(self) -> str:
        part = f", for {self.partly} of them in part" if self.partly else ""
        return f"evidence for {self.shown} of {self.total} controls{part}"


def assess(run: Run) -> tuple[ControlResult, ...]:
    """Every control with what the run shows of it, in the order of `controls.json`."""
    held: dict[str, Held] = {}
    for control in controls():
        for text in control.terms(run.pipeline):
            if text not in held:
                held[text] = hold(Term.parse(text), run)
    return tuple(_result(control, [held[text] for text in control.terms(run.pipeline)]) for control in controls())


def _result(control: Control, held: list[Held]) -> ControlResult:
    if not held:
        return ControlResult(control, Standing.NEEDS_A_PERSON)
    rests_on = tuple(dict.fromkeys(text for one in held for text in one.rests_on))
    missing = tuple(dict.fromkeys(text for one in held for text in one.missing))
    against = tuple(dict.fromkeys(text for one in held for text in one.against))
    if not any(one.weight >= Weight.PART for one in held):
        return ControlResult(control, Standing.NOT_EVIDENCED, rests_on, missing, against)
    # A check that had nothing to look at is no gap, and no evidence either.
    whole = control.whole and all(one.weight is Weight.WHOLE for one in held)
    return ControlResult(control, Standing.EVIDENCED if whole else Standing.PARTLY, rests_on, missing, against)


def summary(results: Iterable[ControlResult]) -> Summary:
    """The counts."""
    counts = dict.fromkeys(Standing, 0)
    for result in results:
        counts[result.status] += 1
    return Summary(*(counts[standing] for standing in Standing))


def to_dicts(results: Iterable[ControlResult]) -> list[dict[str, object]]:
    """JSON values, one object a control."""
    return [
        {
            "framework": result.framework.id,
            "version": result.framework.version,
            "control": result.control.id,
            "title": result.control.title,
            "status": result.status.value,
            "rests_on": list(result.rests_on),
            "missing": list(result.missing),
            "against": list(result.against),
            "person": result.person,
        }
        for result in results
    ]
