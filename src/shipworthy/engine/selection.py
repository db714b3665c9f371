"""Which checks are run: what the settings and the command name, once it is sure that there is such a thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from shipworthy.check import Check, registry
from shipworthy.config import Settings
from shipworthy.engine.outlines import known_checks
from shipworthy.errors import UsageError
from shipworthy.model.result import BY_REPORT, BY_STAGES, BY_WITNESSES, REASONS, gap_name


def select(
    settings: Settings, categories: Iterable[str] = (), needed: Callable[[Check], bool] | None = None
) -> tuple[Check, ...]:
    """The checks that the settings ask for, limited to `categories` if any are given. Those that are not `needed`, as
    there is nothing for them, need not be imported.

    Raises UsageError for a name that is neither a check nor a category, and for unknown or ill-typed options.
    """
    in_outline = needed is not None and not settings.checks and not settings.waivers  # both need options and rules
    known = known_checks(needed) if in_outline and needed else registry()
    words = set(known) | {check.category for check in known.values()} | {"*"}
    for key, names in (("checks", settings.scan.checks), ("skip", settings.scan.skip)):
        for name in names:
            if name not in words:
                raise UsageError(
                    f"`{name}` is neither a check nor a category", where=f"[scan] {key}", remedy=_known(words)
                )
    for name, options in settings.checks.items():
        _check_options(known, name, options)
    for gate in {"default": None, **settings.gates}:
        _check_accepted(known, gate, settings.gate(gate).accept_partial)
    wanted, unwanted, only = set(settings.scan.checks), set(settings.scan.skip), set(categories)
    return tuple(
        check
        for check in known.values()
        if ("*" in wanted or wanted & {check.name, check.category})
        and not unwanted & {check.name, check.category}
        and (not only or only & {check.name, check.category})
    )


def _known(words: set[str]) -> str:
    return "known: " + ", ".join(sorted(words - {"*"}))


def _check_accepted(known: Mapping[str, Check], gate: str, accepted: Iterable[str]) -> None:
    """A gap that nothing can have is a slip of the pen: it would accept nothing, and nobody would know why."""
    others = BY_STAGES | BY_WITNESSES
    checks = {*known, *others}
    for name in accepted:
        check, reason = gap_name(name)
        if check.startswith(BY_REPORT):
            from shipworthy.witnesses import names

            checks |= {f"{BY_REPORT}{tool}" for tool in names()}
        own = (
            check in others
            or check.startswith(BY_REPORT)
            or (check in known and known[check].module.startswith("shipworthy."))
        )
        wrong = (
            check
            if check not in checks
            else reason
            if (reason or name.endswith(":")) and own and reason not in REASONS
            else None
        )
        if wrong is None:
            continue
        import difflib

        near = difflib.get_close_matches(wrong, sorted(checks if wrong is check else REASONS), 1)
        right = name.replace(wrong, near[0]) if near and wrong else ""
        lists = "docs/gates.md lists the reasons, `shipworthy doctor` the checks"
        raise UsageError(
            f"`{name}`: there is no {'check' if wrong is check else 'reason'} `{wrong}`",
            where=f"[gates.{gate}] accept-partial",
            remedy=f"did you mean `{right}`?" if right else lists,
        )


def _check_options(known: Mapping[str, Check], name: str, options: Mapping[str, object]) -> None:
    where = f"[checks.{name}]"
    if name not in known:
        raise UsageError(f"there is no check `{name}`", where=where, remedy=_known(set(known)))
    if not isinstance(options, Mapping):
        raise UsageError("must be a table", where=where)
    for key, value in options.items():
        defaults = known[name].options
        if key not in defaults:
            raise UsageError(f"unknown option `{key}`", where=where, remedy=f"known: {', '.join(defaults) or 'none'}")
        if not isinstance(value, type(defaults[key])) and not (
            isinstance(defaults[key], float) and isinstance(value, int)
        ):
            raise UsageError(f"`{key}` must be like its default, {defaults[key]!r}", where=where)
