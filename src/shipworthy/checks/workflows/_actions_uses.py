"""What a GitHub workflow takes from elsewhere: actions, images, caches; what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from shipworthy.checks._yaml import Map, Text, as_map, as_text
from shipworthy.checks.workflows._actions import Job, Step, Workflow
from shipworthy.checks.workflows._actions_rules import COMPROMISED, IMAGE, PRIVILEGED, RULES
from shipworthy.checks.workflows._hit import Hit
from shipworthy.model import Severity
from shipworthy.patterns import regex

_COMMIT = regex(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_DIGEST = regex(r"@sha256:[0-9a-f]{64}\Z")
_MOVING = frozenset({"main", "master", "develop", "dev", "head", "latest", "trunk", "nightly"})
_OFFICIAL = ("actions/", "github/")
_OPTIONS = regex(r"--privileged\b|/var/run/docker\.sock|--pid[= ]host\b|--cap-add[= ](?:ALL|SYS_ADMIN)\b")
_PUBLISHING = (
    "pypa/gh-action-pypi-publish", "softprops/action-gh-release", "docker/build-push-action",
    "goreleaser/goreleaser-action",
    "js-devtools/npm-publish", "ncipollo/release-action", "actions/create-release", "rubygems/release-gem",
    "actions/attest-build-provenance", "svenstaro/upload-release-action",
)  # fmt: skip
_PUBLISH = regex(
    r"\b(?:npm|yarn|pnpm|cargo|poetry|uv|flit|hatch|gem|dotnet\s{1,5}nuget|twine)\s{1,5}(?:publish|push|upload)\b|\bgh\s{1,5}release\s{1,5}(?:create|upload)\b|\bmvn\b[^\n]{0,100}\bdeploy\b"
)
_CACHING_SETUP = (
    "actions/setup-node",
    "actions/setup-python",
    "actions/setup-java",
    "ruby/setup-ruby",
    "astral-sh/setup-uv",
)
_COMMENT = regex(r"v?\d+(?:\.\d+){0,3}")


def detect(workflow: Workflow) -> Iterator[Hit]:
    """Actions, images and caches of each job."""
    for job in workflow.jobs:
        called = as_text(job.own.get("uses"))
        if called:
            yield from _pinned(job, called, "the workflow")
        for step in job.steps:
            if step.uses:
                yield from _pinned(job, step.uses, "the action")
                yield from _known_bad(job, step.uses)
        yield from _images(job)
        yield from _checkout_token(job)
        yield from _caches(workflow, job)
    if workflow.action:
        image = as_text(as_map(workflow.top.get("runs")).get("image"))
        if image.startswith("docker://") and not _DIGEST.search(image):
            yield Hit(IMAGE, image.line, f"the action runs in {image[:120]}", f"image {image}")


def _pinned(job: Job, uses: Text, what: str) -> Iterator[Hit]:
    if uses.startswith(("./", "../")) or "${{" in uses:
        return
    if uses.startswith("docker://"):
        if not _DIGEST.search(uses):
            yield Hit(IMAGE, uses.line, f"job {job.name} runs {uses[:120]}", f"{job.name} {uses}")
        return
    name, _, version = uses.partition("@")
    if _COMMIT.match(version):
        return
    severity = None
    if not version or version.lower() in _MOVING:
        severity = Severity.HIGH if not name.lower().startswith(_OFFICIAL) else None
    elif name.lower().startswith(_OFFICIAL):
        severity = Severity.LOW
    told = f"at {version[:60]}" if version else "without a version"
    yield Hit(
        RULES["unpinned-action"],
        uses.line,
        f"{what} {name[:100]} is used {told}",
        f"{job.name} {name}",
        severity=severity,
    )


def _known_bad(job: Job, uses: Text) -> Iterator[Hit]:
    name, _, version = uses.partition("@")
    for action, first, good, what in COMPROMISED:
        if name.lower() != action or not _COMMENT.fullmatch(version):
            continue
        try:
            given, low, high = (Version(text.lstrip("v")) for text in (version, first, good))
        except InvalidVersion:
            continue
        depth = len(given.release)  # `v4` stands for the newest of its line, and so for the good one
        if low.release[:depth] <= given.release and given.release < high.release[:depth]:
            message = f"{name} {version}: {what}; use {good} or later"
            yield Hit(RULES["compromised-action"], uses.line, message, f"{job.name} {name} {what[:14]}")


def _images(job: Job) -> Iterator[Hit]:
    container = job.own.get("container")
    holders = [("the job", container)]
    holders += [(f"the service {name}", one) for name, one in as_map(job.own.get("services")).items()]
    for who, holder in holders:
        image = holder if isinstance(holder, Text) else as_text(as_map(holder).get("image"))
        if image and "${{" not in image and not _DIGEST.search(image):
            yield Hit(IMAGE, image.line, f"{who} of {job.name} runs in {image[:120]}", f"{job.name} {who} {image}")
        if isinstance(holder, Map):
            options = as_text(holder.get("options"))
            volumes = " ".join(as_text(v) for v in holder.get("volumes") or [] if isinstance(v, Text))
            if _OPTIONS.search(options) or _OPTIONS.search(volumes):
                message = f"{who} of {job.name} has the rights of its host"
                yield Hit(PRIVILEGED, holder.line, message, f"{job.name} {who} options")


def _checkout_token(job: Job) -> Iterator[Hit]:
    for number, step in enumerate(job.steps):
        if step.action != "actions/checkout" or as_text(step.inputs.get("persist-credentials")).lower() == "false":
            continue
        folder = as_text(step.inputs.get("path")).strip("/") or "."
        upload = next((s for s in job.steps[number + 1 :] if _uploads(s, folder)), None)
        if upload is not None:
            message = f"job {job.name} uploads the checked-out folder with the token in it"
            yield Hit(RULES["uploaded-credentials"], upload.own.line, message, f"{job.name} upload")
        else:
            message = f"job {job.name} keeps its token in the working tree"
            yield Hit(RULES["persisted-credentials"], step.uses.line, message, f"{job.name} {step.number} token")


def _uploads(step: Step, folder: str) -> bool:
    if step.action != "actions/upload-artifact":
        return False
    places = {
        line.strip().removesuffix("/").removeprefix("./") or "."
        for line in as_text(step.inputs.get("path")).splitlines()
    }
    hidden = as_text(step.inputs.get("include-hidden-files")).lower() == "true"
    version = _COMMENT.fullmatch(step.uses.partition("@")[2])
    old = version is not None and version[0].lstrip("v").partition(".")[0] in ("1", "2", "3")
    return bool(places & {folder, "${{ github.workspace }}", "**", "."}) and (hidden or old)


def _caches(workflow: Workflow, job: Job) -> Iterator[Hit]:
    on = as_map(workflow.triggers.get("push"))
    publishes = any(s.action in _PUBLISHING or _PUBLISH.search(s.run) for s in job.steps)
    released = workflow.starts_on("release") or ("tags" in on and "branches" not in on)
    if not (publishes or released) or workflow.starts_on("pull_request"):
        return
    for step in job.steps:
        caches = (
            step.action in ("actions/cache", "actions/cache/restore", "swatinem/rust-cache")
            or (step.action in _CACHING_SETUP and _asks_for_cache(step))
            or (step.action == "docker/build-push-action" and "type=gha" in as_text(step.inputs.get("cache-from")))
        )
        if caches:
            message = f"job {job.name} publishes what it builds with a cache ({step.action})"
            yield Hit(RULES["cache-poisoning"], step.own.line, message, f"{job.name} {step.action}")


def _asks_for_cache(step: Step) -> bool:
    values = [as_text(step.inputs.get(name)).lower() for name in ("cache", "bundler-cache", "enable-cache")]
    return any(value and value != "false" for value in values)
