"""What a finding means in a file of somebody else's package.

Only where a pinned wheel proves whose the file is (`origins`) is anything lowered, and only what rests on the file
being ours: a secret of this project cannot be in it, and data beside a file of a wheel came with the wheel. That
loading a file runs code is as bad in a package as anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipworthy.building.wheel_files import Wheel
from shipworthy.model import Artifact, CheckResult, Finding, Severity, Skipped
from shipworthy.records import replace
from shipworthy.rules import MODEL_PACKAGED, MODEL_UNSIGNED, PACKAGE_CHANGED
from shipworthy.stages.dev.claimed import path_in
from shipworthy.stages.dev.origins import Origins

# By a form that only real ones have. Who publishes packages of their own, in an index of their own, has to hear of it.
_SURE = frozenset({"secret-cloud-key", "secret-token", "secret-private-key"})
_MODELS = {"model-external-data": Severity.LOW}
_NOT_OURS = (
    "There is nothing of this project to revoke: the file is as {} was published. If that package is yours, in an "
    "index of your own, revoke it there; else tell its maintainers if it is a real secret."
)
_PROVE = " If the file is the package's own, fetch the package by digest, with `[image] wheels`: that proves it."
_OF_BASE = "It came with the base image: take another one, or tell whoever makes it. If that is you: "
_SHOWN = 20


def settle(results: Sequence[CheckResult], origins: Origins) -> tuple[CheckResult, ...]:
    """The results of checks of the image's files, with each finding's package and what follows from it."""
    return tuple(
        replace(
            result,
            findings=tuple(_settled(finding, origins) for finding in result.findings),
            skipped=tuple(_unread(skip, origins) for skip in result.skipped),
        )
        for result in results
    )


def _settled(finding: Finding, origins: Origins) -> Finding:
    wheel = origins.wheel(finding.artifact)
    if wheel is not None:
        return _published(finding, wheel)
    claim = origins.claim(finding.artifact)
    if origins.in_base(finding.artifact, claim):
        whose = f"{claim.package} in the base image" if claim else "in the base image"
        return finding.with_(message=f"{finding.message} ({whose})", remedy=_OF_BASE + finding.remedy)
    if claim is None:
        return finding
    message = f"{finding.message} (the image's own list says that the file is of {claim.package}, which proves nothing)"
    return finding.with_(message=message, remedy=finding.remedy + (_PROVE if claim.listed.endswith("/RECORD") else ""))


def _published(finding: Finding, wheel: Wheel) -> Finding:
    message = f"{finding.message} (in {wheel}, as it was published)"
    severity, rule = finding.severity, finding.rule.id
    if rule.startswith("secret-"):
        lowered = Severity.MEDIUM if rule in _SURE else Severity.INFO
        return finding.with_(message=message, severity=min(severity, lowered), remedy=_NOT_OURS.format(wheel))
    remedy = f"It came with {wheel}: use another version or do without the package, or delete the file in the build. "
    severity = min(severity, _MODELS.get(rule, severity))
    return finding.with_(message=message, severity=severity, remedy=remedy + finding.remedy)


def _unread(skip: Skipped, origins: Origins) -> Skipped:
    """A file of a package that could not be read has a reason of its own, by which a gate can accept just these."""
    wheel = origins.wheel(skip.artifact) if skip.artifact is not None else None
    if wheel is None or skip.code not in ("unread", "findings-cut"):
        return skip
    return replace(skip, reason=f"of {wheel}, as it was published: {skip.reason}", code="packaged")


def changed(origins: Origins) -> Iterator[Finding]:
    """Files of pinned packages that are not as they were published."""
    for file, wheel in origins.changed():
        yield PACKAGE_CHANGED.at(file, message=f"the file is not the one that {wheel} has in its place")


def foreign_models(subject: Artifact, files: Sequence[Artifact], origins: Origins) -> Iterator[Finding]:
    """What is to be said of model files that are not the signed model's: of the image `subject`, by package."""
    packages: dict[str, list[Artifact]] = {}
    for file in files:
        wheel, claim = origins.wheel(file), None
        if wheel is not None:
            packages.setdefault(f"{wheel}, as it was published,", []).append(file)
        elif (claim := origins.claim(file)) is None:
            yield MODEL_UNSIGNED.at(file, message="nobody signed this model file")
        elif origins.in_base(file, claim):
            packages.setdefault(f"{claim.package} of the base image", []).append(file)
        else:
            yield MODEL_UNSIGNED.at(
                file,
                message=f"nobody signed this model file; the image's own list says that it is of {claim.package}, "
                + ("but no such file was fetched" if origins.certain else "which proves nothing"),
                severity=None if origins.certain else Severity.MEDIUM,
                remedy=MODEL_UNSIGNED.remedy + _PROVE,
            )
    for package, found in packages.items():
        names = sorted(path_in(file, subject.uri) for file in found)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield MODEL_PACKAGED.at(
            subject,
            message=f"{package} has {len(names)} model file{'s' if len(names) > 1 else ''}",
            evidence=", ".join(names[:_SHOWN]) + more,
            key=package,
        )
