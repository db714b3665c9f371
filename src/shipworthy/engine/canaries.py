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
from shipworthy.engine.checks import CheckRunner, select, toolbox
from shipworthy.engine.events import Events
from shipworthy.model import CheckResult
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing


@dataclass(frozen=True)
class CanaryResult:
    """Whether a check saw its sample, and if not, why."""

    check: str
    category: str
    seen: bool
    reason: str = ""
    remedy: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)


def fire_canaries(settings: Settings, root: Path, names: tuple[str, ...] = ()) -> tuple[CanaryResult, ...]:
    """Fire the sample of every selected check, with the settings' programs, none of which may be under `root`."""
    toolbox(settings, root)
    quiet = replace(settings, scan=replace(settings.scan, cache=False), checks={})
    return tuple(_fire(check, quiet) for check in select(quiet, names))


def _fire(check: Check, settings: Settings) -> CanaryResult:
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
    return CanaryResult(check.name, check.category, False, _why(result, check.canary), result.remedy, tools)


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
