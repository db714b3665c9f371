"""What became of a released image: its deployment was checked, a gate decided on that, and the guard was put before it.

Three statements, kept apart from the release, which is older and never changes: `deploy`, `gate` and `protect`. The
last one lists all other files by digest, and is the reference of the deployment in a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from shipworthy.evidence.failures import Failure, Problem
from shipworthy.evidence.files import BUNDLE_SUFFIX
from shipworthy.evidence.links import Status
from shipworthy.evidence.opened import Opened

if TYPE_CHECKING:
    from shipworthy.evidence.chain import _Walk

PART = "deployment"
"""The folder of the image's evidence that these files are in."""
DEPLOY_NAME = f"deploy{BUNDLE_SUFFIX}"
GATE_NAME = f"gate{BUNDLE_SUFFIX}"
PROTECT_NAME = f"protect{BUNDLE_SUFFIX}"
REPORT_NAME = f"{PART}/deploy-report.json"
EVENTS_NAME = f"{PART}/guard-events.jsonl"


def reference_of(image: str) -> str:
    """The name under which a store keeps the deployments of an image, by the versions of its releases."""
    return f"{image}.deployed"


def walk_deployment(walk: _Walk, root: int) -> None:
    """Link what is said of the image's deployment, if anything is, below the image."""
    part = walk.evidence.parts.get(PART)
    if part is None:
        return
    inner = type(walk)(walk.target, part, walk.policy, walk.resolver, PART)
    steps = {item.step for item in inner.opened}
    if steps == {"deploy"}:  # gate and protection are signed together, when the guard has done its work
        walk.notes.append("its deployment was checked, and not put behind the guard")
    top = inner.add(replace(walk.links[root], status=Status.OK))
    protected = inner.statements("protect", top) if steps != {"deploy"} else []
    at, pins = top, None
    for item, index in protected:
        inner.listed |= {resource.name: resource for resource in item.inputs}
        at, pins = index, frozenset(resource.digest for resource in item.inputs)
        _guard(inner, item, index)
    decided = inner.statements("gate", at, pins) if steps != {"deploy"} else []
    for item, index in decided:
        inner.verdict(item, index)
        at, pins = index, frozenset(resource.digest for resource in item.inputs)
    for item, index in inner.statements("deploy", at, pins):
        _same_release(walk, inner, item, index)
        for resource in item.inputs:
            inner.material(resource, index, (inner.target,))
    inner.leftover(top)
    _append(walk, inner, root)


def _guard(inner: _Walk, protected: Opened, index: int) -> None:
    """The events of the guard and their signed summary, below the statement that lists them."""
    pins = {resource.digest for resource in protected.inputs}
    summaries = [item for item in inner.opened if item.step == "guard"]
    listed = [item for item in summaries if item.good and item.digest in pins]
    for item in listed:
        inner.add(inner.signed(item, item.digest, index), item.name)
    if not listed:
        inner.no_statement("guard", protected.digest, summaries, index)
    for resource in protected.inputs:
        if resource.kind == "events":
            inner.material(resource, index, (inner.target,))


def _same_release(walk: _Walk, inner: _Walk, item: Opened, index: int) -> None:
    """A deployment of another release of the same image says nothing about this one."""
    told = {one.digest for one in item.statement.resources("releases")} if item.statement else set()
    released = [one.digest for one in walk.opened if one.good and one.step == "store" and one.is_about(walk.target)]
    if not released or not told.isdisjoint(released):
        return
    remedy = "get back the record of this release's deployment, or run the pipeline again"
    found = ", ".join(sorted(told)) or "none"
    problem = Problem(Failure.INTEGRITY, "it is the deployment of another release", released[0], found, remedy)
    inner.links[index] = inner.links[index].failed(problem)


def _append(walk: _Walk, inner: _Walk, root: int) -> None:
    """The links of the inner walk, without its copy of the image, below the image."""
    offset = len(walk.links) - 1
    for link in inner.links[1:]:
        walk.add(replace(link, parent=root if not link.parent else link.parent + offset))
    walk.notes += [f"{PART}: {note}" for note in inner.notes]
    walk.comparer.read |= inner.comparer.read


def files_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """Of what a stage put out, the files of evidence about the deployment."""
    return {name: digest for name, digest in outputs.items() if name.startswith(f"{PART}/")}
