"""Files of numbers that a model beside them describes: told by that model to the last byte, or they are not told."""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.modelfile.report import Code, Tally
from shipworthy.modelfile.scope import Role, Scope, State


def silent(scope: Scope) -> State:
    """For reading the model beside the numbers: what is wrong with it is told where it is read itself."""
    return State(scope.limits, scope.trust, Tally(scope.limits), scope.state.size)


def cover(scope: Scope, places: Iterable[tuple[int, int]], whose: str, padding: int, severity: str) -> None:
    """Compare a file with the places that its model names, as (first byte, byte behind the last) in any order: bytes of
    none of them are told with this severity, but for up to `padding` zeros; so is an end that is missing.
    """
    at, size = 0, len(scope.view)
    for low, high in sorted(places):
        _gap(scope, at, min(low, size), whose, padding, severity)
        at = max(at, high)
    _gap(scope, at, size, whose, padding, severity)
    if at > size:
        message = f"the {whose}s of the model beside it need {at} bytes, it has {size}: it was cut"
        scope.issue(Code.BROKEN_STREAM, "high", message, size)


def _gap(scope: Scope, low: int, high: int, whose: str, padding: int, severity: str) -> None:
    if low >= high or (high - low <= padding and not scope.view.read(low, high - low).strip(b"\0")):
        return
    message = f"{high - low} bytes belong to no {whose} of the model beside this file"
    scope.issue(Code.HIDDEN_PAYLOAD, severity, message, low)
    scope.child(f"bytes at {low}", scope.view.sub(low, high - low), Role.TRAILER)
