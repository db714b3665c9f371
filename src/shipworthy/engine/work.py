"""One piece of work: a check on one artifact, one batch or the tree, and how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from shipworthy.check import Check, Context, NotApplicable, Unavailable, load_check
from shipworthy.model import Artifact, DatasetFacts, Finding, Skipped
from shipworthy.records import dataclass
from shipworthy.tools import ToolFailed, ToolMissing

FINDINGS_LIMIT = 5_000


class Ended(StrEnum):
    """How a piece of work ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNAVAILABLE = "unavailable"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Unit:
    """A check (its name and the module that declares it), what it is given (one artifact, or several for a batch or the
    tree), its context and its time limit in seconds."""

    check: str
    module: str
    given: tuple[Artifact, ...]
    context: Context
    timeout: float


@dataclass(frozen=True)
class UnitResult:
    """What came of a unit. `reason` says why it did not end as `done`."""

    ended: Ended
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    reason: str = ""
    remedy: str = ""
    seconds: float = 0.0
    facts: tuple[DatasetFacts, ...] = ()


def execute(unit: Unit, check: Check | None = None) -> UnitResult:
    """Run the unit's check here and now. Never raises for what a check or its input does."""
    check = check or load_check(unit.module, unit.check)
    given = unit.given[0] if check.scope == "artifact" else unit.given
    started = time.monotonic()
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    facts: list[DatasetFacts] = []
    cut: set[Artifact] = set()
    ended, reason, remedy = Ended.DONE, "", ""
    try:
        for item in check.call(given, unit.context):
            if isinstance(item, Skipped):
                skipped.append(item)
            elif isinstance(item, DatasetFacts):
                facts.append(item)
            elif len(findings) < FINDINGS_LIMIT:
                findings.append(item)
            elif item.artifact not in cut:  # the others of a batch may still turn out to be clean
                cut.add(item.artifact)
                reason = f"more than {FINDINGS_LIMIT} findings; the rest is not shown"
                skipped.append(Skipped(item.artifact, reason, code="findings-cut"))
                if check.scope != "batch":
                    break
    except Unavailable as error:
        ended, reason, remedy = Ended.UNAVAILABLE, error.reason, error.remedy
    except ToolMissing as error:
        ended, reason, remedy = Ended.UNAVAILABLE, str(error), error.remedy
    except NotApplicable as error:
        ended, reason = Ended.NOT_APPLICABLE, error.reason
    except ToolFailed as error:
        ended, reason = Ended.FAILED, str(error)
    except MemoryError:
        ended, reason = Ended.STOPPED, "needs more memory than [scan] memory-mb allows"
    except OSError as error:
        ended, reason = Ended.FAILED, f"cannot be read: {error.strerror or type(error).__name__}"
    except Exception as error:
        ended, reason = Ended.FAILED, _where(error)
    seconds = time.monotonic() - started
    return UnitResult(ended, tuple(findings), tuple(skipped), reason, remedy, seconds, tuple(facts))


def execute_within(unit: Unit, ended: threading.Event) -> UnitResult:
    """Run a unit here, in a thread of its own, until its time or the run is over. What it had found by then is lost,
    so that a check that talks to something slow must have a shorter limit of its own."""
    results: list[UnitResult] = []
    thread = threading.Thread(target=lambda: results.append(execute(unit)), name=unit.check, daemon=True)
    deadline = time.monotonic() + unit.timeout
    thread.start()
    while thread.is_alive() and not ended.is_set() and (left := deadline - time.monotonic()) > 0:
        thread.join(min(left, 0.2))
    if results:
        return results[0]
    reason = "the run ended" if ended.is_set() else f"took longer than {unit.timeout:.0f} s"
    return UnitResult(Ended.STOPPED, reason=reason, seconds=unit.timeout)


def version_of(check: Check, tools: Mapping[str, str]) -> str:
    """A check's version with those of the programs that it wraps."""
    return "; ".join([str(check.version), *(f"{name} {version}" for name, version in tools.items())])


def _where(error: Exception) -> str:
    """The exception's type and place. Its text is left out: it can hold what the file holds."""
    import traceback  # here: most checks do not break

    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "shipworthy" in f.filename), frames[-1] if frames else None)
    at = f" at {Path(place.filename).name}:{place.lineno}" if place else ""
    return f"the check broke with {type(error).__name__}{at}; please report it"
