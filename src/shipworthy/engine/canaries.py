"""Known-bad samples, fired through every check in the way in which a run uses it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipworthy.artifacts import Inventory, discover
from shipworthy.artifacts.repository import git
from shipworthy.check import Canary, Check
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner, toolbox
from shipworthy.engine.events import Events
from shipworthy.engine.selection import select
from shipworthy.model import CheckResult, Outcome
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing


@dataclass(frozen=True)
class CanaryResult:
    """Whether a check saw its sample, and if not, why. `absent`: it is a second witness whose program is not installed,
    and the settings do not require it; that is no fault."""

    check: str
    category: str
    seen: bool
    reason: str = ""
    remedy: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    absent: bool = False


def fire_canaries(settings: Settings, root: Path, names: tuple[str, ...] = ()) -> tuple[CanaryResult, ...]:
    """Fire the sample of every selected check, with the settings' programs, none of which may be under `root`."""
    toolbox(settings, root)
    quiet = replace(settings, scan=replace(settings.scan, cache=False), checks={})
    required = frozenset(name for name, options in settings.checks.items() if options.get("required"))
    return tuple(_fire(check, quiet, required) for check in select(quiet, names))


def _fire(check: Check, settings: Settings, required: frozenset[str]) -> CanaryResult:
    tools = _versions(check, Toolbox(dict(settings.tools)))
    if check.canary is None:
        return CanaryResult(check.name, check.category, False, "the check has no sample", tools=tools)
    with tempfile.TemporaryDirectory(prefix="shipworthy-canary-") as folder:
        place = Path(folder)
        try:
            _lay_out(check.canary, place)
        except (ToolMissing, ToolFailed) as error:
            return CanaryResult(check.name, check.category, False, str(error), "install git", tools)
        with contextlib.ExitStack() as stack:
            standing = check.canary.standing
            found = discover(place) if standing is None else Inventory(stack.enter_context(standing(place)))
            runner = stack.enter_context(CheckRunner(settings, place, Cache(None), Events()))
            result = runner.run((check,), found)[0]
    if check.canary.rule in {finding.rule.id for finding in result.findings}:
        return CanaryResult(check.name, check.category, True, tools=tools)
    # Only a check that can be required may be absent: every other one that finds nothing to do here is broken.
    absent = result.outcome is Outcome.NOT_APPLICABLE and "required" in check.options and check.name not in required
    return CanaryResult(check.name, check.category, False, _why(result, check.canary), result.remedy, tools, absent)


def _why(result: CheckResult, canary: Canary) -> str:
    note = result.note or next((skip.reason for skip in result.skipped), "")
    return f"{result.outcome.value}: {note}" if note else f"it ended as `{result.outcome.value}` without {canary.rule}"


def _versions(check: Check, tools: Toolbox) -> dict[str, str]:
    found = {}
    for tool in check.needs:
        try:
            found[tool.name] = tools.version(tool)
        except ToolMissing as error:
            found[tool.name] = f"({error.reason})"
    return found


def _lay_out(canary: Canary, place: Path) -> None:
    for name, content in canary.files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content())
    if canary.git is None:
        return
    git(place, "init", "--quiet")
    git(place, "add", "--all")
    _commit(place, "canary")
    for name in canary.git:
        (place / name).unlink()
    if canary.git:
        git(place, "add", "--all")
        _commit(place, "canary removed")


def _commit(place: Path, message: str) -> None:
    git(place, "-c", "user.name=canary", "-c", "user.email=canary@localhost", "commit", "--quiet", "--message", message)
