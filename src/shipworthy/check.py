"""What a check is: the `@check` decorator, what it may yield and raise, and the registry.

A check is one file under `shipworthy/checks/<category>/` (or an entry point of another package). It yields findings,
yields `Skipped` for what it could not look at and `DatasetFacts` for what needs no judgement, raises `Unavailable` when
it cannot look at anything.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from shipworthy.errors import UsageError
from shipworthy.model import Artifact, DatasetFacts, Finding, Kind, Rule, Skipped
from shipworthy.records import dataclass, field, replace
from shipworthy.rules import PIPELINE_RULES
from shipworthy.tools import Tool, Toolbox, ToolMissing

Scope = Literal["artifact", "batch", "tree"]
Yielded = Iterable[Finding | Skipped | DatasetFacts]
ENTRY_POINTS = "shipworthy.checks"


class Unavailable(Exception):
    """The check cannot look at anything: something that it needs is not there. Never the same as clean."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class NotApplicable(Exception):
    """There is nothing of the check's concern here (no git history in a plain folder): said with its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Context:
    """What a check is handed besides its artifacts. `options` are the settings of `[checks.<name>]` over the check's
    defaults; `root` is the workspace; `trust` are patterns of `module:name` that models may use; nothing may be sent
    anywhere while `offline`."""

    root: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    today: date = field(default_factory=date.today)
    offline: bool = True
    tools: Toolbox = field(default_factory=Toolbox)
    trust: tuple[str, ...] = ()


@dataclass(frozen=True)
class Canary:
    """A known-bad sample that the check must find: `shipworthy doctor` and one test fire it.

    `files` maps a relative name to its bytes, or to a function that makes them; `rule` is the rule that must fire.
    `git` commits the files first, then removes those named in it from the working tree. `standing` is for what files
    alone are not, such as a service that answers: it is given the folder, and gives the artifacts while it is entered.
    """

    files: Mapping[str, bytes | Callable[[], bytes]]
    rule: str
    git: tuple[str, ...] | None = None
    standing: Callable[[Path], AbstractContextManager[tuple[Artifact, ...]]] | None = None


@dataclass(frozen=True)
class Check:
    """A registered check.

    `scope` says what the function is given: one `artifact`; a `batch` (tuple of artifacts, results still cached per
    artifact: for wrapped programs that are slow to start); or the whole `tree` (tuple of all artifacts of its kinds,
    cached on all their digests). `needs` are the programs that it wraps. A `live` check asks something that can answer
    otherwise tomorrow: nothing of it is cached, and live checks run one after the other, in a thread.
    """

    name: str
    run: Callable[..., Yielded]
    kinds: frozenset[Kind]
    version: int
    scope: Scope
    category: str
    needs: tuple[Tool, ...]
    rules: tuple[Rule, ...]
    canary: Canary | None
    options: Mapping[str, Any]
    accepts: Callable[[Artifact], bool] | None
    cache_on: Callable[[Context], str] | None
    cache_beside: Callable[[Artifact], str] | None
    timeout: float
    wants_context: bool
    summary: str
    module: str
    live: bool = False

    def looks_at(self, artifact: Artifact) -> bool:
        """Is this one for the check?"""
        return artifact.kind in self.kinds and (self.accepts is None or self.accepts(artifact))

    def call(self, given: Artifact | tuple[Artifact, ...], context: Context) -> Yielded:
        """Run the check's function on an artifact, a batch or a tree."""
        return self.run(given, context) if self.wants_context else self.run(given)


def check(
    name: str,
    *,
    kinds: Iterable[str] = tuple(Kind),
    version: int = 1,
    scope: Scope = "artifact",
    category: str = "",
    needs: tuple[Tool, ...] = (),
    canary: Canary | None = None,
    options: Mapping[str, Any] | None = None,
    accepts: Callable[[Artifact], bool] | None = None,
    cache_on: Callable[[Context], str] | None = None,
    cache_beside: Callable[[Artifact], str] | None = None,
    timeout: float = 60.0,
    live: bool = False,
) -> Callable[[Callable[..., Yielded]], Callable[..., Yielded]]:
    """Make a function a check.

    `version` is raised whenever the results could change; `options` are the settings with their defaults, whose types
    the settings must have; `accepts` narrows the kinds down (by name, media type or size: it reads nothing);
    `cache_on` adds what else the results depend on (a database's digest, a commit id), `cache_beside` what those of one
    artifact do (the files beside it); `timeout` is in seconds, for one artifact, one batch or the tree; `live` is for a
    check that talks to a running service. The category is the folder's name unless given. The function takes what
    `scope` says and, if it has a second parameter, a `Context`.
    """

    def decorate(function: Callable[..., Yielded]) -> Callable[..., Yielded]:
        registered = Check(
            name=name,
            run=function,
            kinds=frozenset(Kind(kind) for kind in kinds),
            version=version,
            scope=scope,
            category=category or function.__module__.split(".")[-2],
            needs=needs,
            rules=(),
            canary=canary,
            options=dict(options or {}),
            accepts=accepts,
            cache_on=cache_on,
            cache_beside=cache_beside,
            timeout=timeout,
            wants_context=_wants_context(function),
            summary=(sys.modules[function.__module__].__doc__ or "").strip().partition("\n")[0],
            module=function.__module__,
            live=live,
        )
        function.check = registered  # type: ignore[attr-defined]
        return function

    return decorate


def _wants_context(function: Callable[..., Yielded]) -> bool:
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__"):
        return bool(code.co_argcount > 1)
    import inspect  # here: it imports much, and plain functions do not need it

    return len(inspect.signature(function).parameters) > 1


@cache
def registry() -> Mapping[str, Check]:
    """Every check by name: those of the package, then those of other packages' entry points.

    Raises UsageError when two checks share a name or two different rules share an id.
    """
    found: dict[str, Check] = {}
    rules: dict[str, Rule] = {}
    for module in _modules():
        for candidate in checks_of(module):
            if candidate.name in found:
                raise UsageError(f"two checks are named {candidate.name}", where=module.__name__)
            found[candidate.name] = candidate
            for rule in candidate.rules:
                if rules.setdefault(rule.id, rule) != rule:
                    raise UsageError(f"two rules have the id {rule.id}", where=module.__name__)
    return dict(sorted(found.items()))


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """The checks that a module declares, with its rules."""
    declared = [getattr(value, "check", None) for value in vars(module).values()]
    own = _rules_of(module)
    return tuple(replace(c, rules=own) for c in declared if isinstance(c, Check) and c.module == module.__name__)


@cache
def load_check(module: str, name: str) -> Check:
    """The check of this name in this module, without looking at any other. Raises UsageError when it is not there."""
    for candidate in checks_of(importlib.import_module(module)):
        if candidate.name == name:
            return candidate
    raise UsageError(f"there is no check `{name}`", where=module)


def all_rules() -> Mapping[str, Rule]:
    """Every rule of every check by id, and the pipeline's own."""
    rules = [*PIPELINE_RULES, *(rule for item in registry().values() for rule in item.rules)]
    return {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}


def _rules_of(module: ModuleType) -> tuple[Rule, ...]:
    """The module's own rules: its constants, and those in a mapping or tuple named RULES. One that it imports from a
    helper of its category counts too: several checks may share a rule."""
    found = [value for value in vars(module).values() if isinstance(value, Rule)]
    table = getattr(module, "RULES", ())
    found += table.values() if isinstance(table, Mapping) else table
    return tuple(dict.fromkeys(found))


def _modules() -> Iterable[ModuleType]:
    import pkgutil

    package = importlib.import_module("shipworthy.checks")
    for info in pkgutil.walk_packages(package.__path__, "shipworthy.checks."):
        if not info.ispkg and not info.name.rpartition(".")[2].startswith("_"):
            yield importlib.import_module(info.name)
    yield from plugins()


def plugins() -> Iterable[ModuleType]:
    """The modules of other packages that declare checks, by the names of their entry points."""
    from importlib.metadata import entry_points  # here: it imports much, and workers do not need it

    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        yield importlib.import_module(point.module)


__all__ = [
    "Canary",
    "Check",
    "Context",
    "NotApplicable",
    "Skipped",
    "Tool",
    "ToolMissing",
    "Unavailable",
    "all_rules",
    "check",
    "checks_of",
    "load_check",
    "plugins",
    "registry",
]
