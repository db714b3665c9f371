"""Licences that the lock files of npm, yarn and pnpm declare, and the project's own, held against what is allowed.

Lock files of Python declare none, and are not among what this check looks at; what is installed on this machine is not
asked either, because it need not be what the lock file names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.compliance import _own, _spdx
from shipworthy.checks.dependencies._manifest import Manifest, Unread, parse
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity

_SHOWN = 8
_LOCKS = frozenset({"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"})
_TAXONOMY = ("A.5.32", "GOVERN 6.1", "MAP 4.1")
_MANIFESTS = frozenset({"pyproject.toml", "package.json"})
_FAMILIES = frozenset(_spdx.FAMILIES.values())

DENIED = Rule(
    "licence-denied",
    "A dependency has a licence that is not allowed here",
    Severity.HIGH,
    "Shipping the package binds you to terms that your policy rules out: to publish your own source, or not to sell.",
    "Replace the package, get another licence from its authors, or waive the finding with the approval's number.",
    taxonomy=_TAXONOMY,
    help="licences",
)
NOT_LISTED = Rule(
    "licence-not-listed",
    "A dependency has a licence that nobody has allowed",
    Severity.MEDIUM,
    "The policy lists what may be used; whether these terms can be met has not been decided.",
    "Decide, and add the licence to `allow` or `deny` under [checks.licences].",
    taxonomy=_TAXONOMY,
    help="licences",
)
NOT_FREE = Rule(
    "licence-unlicensed",
    "A dependency says that nobody may use it",
    Severity.MEDIUM,
    "UNLICENSED means all rights reserved: a private package in a lock file, or one that was never meant to be used.",
    "Find out whose it is. If it is your own, waive the finding; if not, replace it.",
    confidence=Confidence.MEDIUM,
    taxonomy=_TAXONOMY,
    help="licences",
)
OWN_DENIED = Rule(
    "licence-own-denied",
    "The project itself has a licence that is not allowed here",
    Severity.MEDIUM,
    "Whoever takes this project up, such as your own other products, is bound to terms that the policy rules out.",
    "Publish it under another licence, or waive the finding with the approval's number.",
    taxonomy=_TAXONOMY,
    help="licences",
)
OWN_DIFFERS = Rule(
    "licence-own-differs",
    "The project says different licences of itself",
    Severity.LOW,
    "Tools and registries believe the manifest, courts the licence's text: nobody knows which terms hold.",
    "Write the same licence in the licence file, in pyproject.toml and in package.json.",
    confidence=Confidence.MEDIUM,
    taxonomy=_TAXONOMY,
    help="licences",
)


def _is_ours(artifact: Artifact) -> bool:
    return _is_lock(artifact) or _own.is_own(artifact)


def _is_lock(artifact: Artifact) -> bool:
    return PurePosixPath(artifact.uri).name.lower() in _LOCKS


def _lock() -> bytes:
    return (
        b"""{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0", "license": "AGPL-3.0-only"}}}"""
    )


@check(
    "licences",
    kinds={"requirements", "text", "other"},
    scope="tree",
    version=2,
    accepts=_is_ours,
    options={"deny": ["network-copyleft", "restricted"], "allow": []},
    canary=Canary(files={"package-lock.json": _lock}, rule=DENIED.id),
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of what the lock files declare; what they do not is said. `deny` and `allow` hold SPDX ids and families
    (permissive, weak-copyleft, strong-copyleft, network-copyleft, restricted). Raises UsageError for other words."""
    deny, allow = (_terms(context.options.get(name, ()), name) for name in ("deny", "allow"))
    yield from _project([artifact for artifact in artifacts if _own.is_own(artifact)], deny)
    for artifact in filter(_is_lock, artifacts):
        try:
            manifest = parse(artifact)
        except Unread as error:
            yield Skipped(artifact, f"the file {error}")
            continue
        yield from _declared(artifact, manifest, deny, allow)


def _project(artifacts: Iterable[Artifact], deny: frozenset[str]) -> Iterator[Finding | Skipped]:
    """The project's own licence: denied, or not the same in all its files. A repository may have several texts."""
    said: list[tuple[Artifact, str]] = []
    for artifact in artifacts:
        try:
            licence = _own.own_licence(artifact)
        except _own.Unread as error:
            yield Skipped(artifact, f"the file {error}")
            continue
        if licence:
            said.append((artifact, licence))
    for artifact, licence in said:
        options = _spdx.choices(licence) or []
        if options and all(any(_meets(one, deny) for one in part) for part in options):
            yield OWN_DENIED.at(artifact, f"the project is licensed as {licence[:120]}", key=f"own {licence}")
    texts = [(artifact, licence) for artifact, licence in said if artifact.uri.lower() not in _MANIFESTS]
    for artifact, licence in said:
        if artifact.uri.lower() in _MANIFESTS and texts and not any(_agree(licence, text) for _, text in texts):
            shown = f"{artifact.uri} says {licence[:120]}, {texts[0][0].uri} is {texts[0][1][:120]}"
            yield OWN_DIFFERS.at(artifact, shown, key=f"own {licence} {texts[0][1]}")


def _agree(one: str, two: str) -> bool:
    """Whether two expressions have a licence in common; the text of the GPL does not tell whether later ones hold."""
    first, second = (
        {name.removesuffix("-only").removesuffix("-or-later") for part in _spdx.choices(text) or [] for name in part}
        for text in (one, two)
    )
    return bool(first & second)


def _terms(given: object, name: str) -> frozenset[str]:
    words = [str(word) for word in given] if isinstance(given, list | tuple) else []
    for word in words:
        if word not in _FAMILIES and not _spdx.normal(word):
            raise UsageError(
                f"`{word}` is neither a licence of SPDX that is known here nor a family",
                where=f"[checks.licences] {name}",
                remedy=f"families are {', '.join(sorted(_FAMILIES))}; a licence is written as `AGPL-3.0-only`",
            )
    return frozenset(word if word in _FAMILIES else _spdx.normal(word) for word in words)


def _meets(licence: str, terms: frozenset[str]) -> bool:
    return licence in terms or _spdx.family(licence) in terms


def _declared(
    artifact: Artifact, manifest: Manifest, deny: frozenset[str], allow: frozenset[str]
) -> Iterator[Finding | Skipped]:
    unknown: list[str] = []
    for name, version, said, line in manifest.licences:
        key = f"{name} {said}"
        if said.upper() == "UNLICENSED":
            yield NOT_FREE.at(artifact, f"{name} {version} is UNLICENSED", line=line, key=key)
            continue
        options = _spdx.choices(said) if said and not said.upper().startswith("SEE LICEN") else None
        if options is None or any(
            not _spdx.family(one) and not _meets(one, allow | deny) for part in options for one in part
        ):
            unknown.append(name)
            continue
        allowed = [part for part in options if not any(_meets(one, deny) for one in part)]
        if not allowed:
            yield DENIED.at(artifact, f"{name} {version} is licensed as {said[:120]}", line=line, key=key)
        elif allow and not any(all(_meets(one, allow) for one in part) for part in allowed):
            yield NOT_LISTED.at(artifact, f"{name} {version} is licensed as {said[:120]}", line=line, key=key)
    if unknown:
        told = f"the licences of {len(unknown)} packages are not declared in a way that is known: {_names(unknown)}"
        yield Skipped(artifact, told, code="unknown-licence")
    silent = sorted(
        {d.name for d in manifest.dependencies if d.source == "index" and d.name} - {n for n, *_ in manifest.licences}
    )
    if silent:
        told = f"the file does not declare the licences of {len(silent)} packages: {_names(silent)}"
        yield Skipped(artifact, told, code="no-licence-data")


def _names(names: Iterable[str]) -> str:
    found = sorted(set(names))
    return ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
