"""What a run is about: the thing that it made, what went into it, and what was measured on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipworthy.model import Artifact, Kind, Run, StageResult

_SHIPPED = (Kind.MODEL, Kind.IMAGE)


@dataclass(frozen=True)
class Subject:
    """The thing that a run vouches for.

    `artifact` is None when it is not one file. `exact`: `digest` is the digest of the thing itself; else it is over the
    digests of its parts, or of all artifacts, and only tells two subjects apart.
    """

    name: str
    kind: Kind
    digest: str
    exact: bool
    artifact: Artifact | None = None
    parts: tuple[Artifact, ...] = ()
    trained_on: tuple[Artifact, ...] = ()
    tested_on: tuple[Artifact, ...] = ()
    ancestors: tuple[Artifact, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)


def subject_of(run: Run) -> Subject:
    """What a stage names as `details["subject"]` (a mapping with a name and a digest), else the models and images that
    a stage made out of its inputs, else the project itself.
    """
    artifacts = list(dict.fromkeys(artifact for stage in run.stages for artifact in stage.artifacts))
    makers = [stage for stage in run.stages if stage.inputs and stage.outputs]
    made = {digest for stage in makers for digest in stage.outputs.values()}
    named = _named(run)
    if named is not None:
        parts = tuple(a for a in artifacts if a.digest == named[1])[:1]
    else:
        parts = tuple(a for a in artifacts if a.kind in _SHIPPED and a.digest in made)
    used = _used(makers, {a.digest for a in parts}, artifacts)
    tested = {digest for stage in run.stages if stage.metrics for digest in stage.inputs.values()}
    one = parts[0] if len(parts) == 1 else None
    return Subject(
        name=one.uri if one else named[0] if named else run.project,
        kind=parts[0].kind if parts else Kind.MODEL if named and run.pipeline == "ml" else Kind.OTHER,
        digest=one.digest if one else named[1] if named else _over(parts or tuple(artifacts), run),
        exact=one is not None or named is not None,
        artifact=one,
        parts=parts,
        trained_on=tuple(a for a in used if a.kind is Kind.DATASET),
        tested_on=tuple(a for a in artifacts if a.kind is Kind.DATASET and a.digest in tested),
        ancestors=tuple(a for a in used if a.kind is Kind.MODEL and a not in parts),
        packages={name: str(version) for name, version in _detail(run, "packages").items()},
        parameters=_detail(run, "parameters"),
    )


def _named(run: Run) -> tuple[str, str] | None:
    for stage in reversed(run.stages):
        said = stage.details.get("subject")
        if isinstance(said, Mapping):
            name, digest = said.get("name"), said.get("digest")
            if isinstance(name, str) and isinstance(digest, str):
                return name, digest
    return None


def _used(makers: list[StageResult], made: set[str], artifacts: list[Artifact]) -> tuple[Artifact, ...]:
    inputs = {d for stage in makers if made & set(stage.outputs.values()) for d in stage.inputs.values()}
    return tuple(artifact for artifact in artifacts if artifact.digest in inputs)


def _detail(run: Run, name: str) -> Mapping[str, object]:
    """The last mapping that a stage left under this name."""
    for stage in reversed(run.stages):
        said = stage.details.get(name)
        if isinstance(said, Mapping):
            return said
    return {}


def _over(artifacts: tuple[Artifact, ...], run: Run) -> str:
    lines = sorted(f"{artifact.digest} {artifact.uri}" for artifact in artifacts) or [run.project, run.id]
    return "sha256:" + hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
