"""What strangers can put into a GitHub workflow: their code, their text in scripts, their files."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks._yaml import Text, as_text
from shipworthy.checks.workflows import _shell
from shipworthy.checks.workflows._actions import Job, Step, Workflow, strangers_variables
from shipworthy.checks.workflows._actions_rules import DOWNLOAD_AND_RUN, PRIVILEGED, RULES
from shipworthy.checks.workflows._expressions import Expression, expressions, is_input, is_strangers
from shipworthy.checks.workflows._hit import Hit
from shipworthy.model import Confidence, Severity
from shipworthy.patterns import regex

# Inputs of actions that are run as code.
_CODE_INPUTS = frozenset({"script", "inlinescript", "run", "command", "commands", "cmd", "entrypoint", "shell-command"})
_HEAD = regex(
    r"(?i)github\.event\.(?:pull_request\.(?:head\.|merge_commit_sha)|workflow_run\.(?:head_|pull_requests)|"
    r"number|issue\.number|pull_request\.number)|github\.head_ref|refs/pull/"
)
_FETCHED_HEAD = regex(
    r"(?i)\bgh\s{1,9}pr\s{1,9}checkout\b|\bhub\s{1,9}pr\s{1,9}checkout\b|\bgit\s{1,9}(?:fetch|pull)\b[^\n;|&]{0,200}\bpull/|"
    r"\bgit\s{1,9}(?:checkout|switch|clone|fetch|merge)\b[^\n;|&]{0,200}(?:head_ref|head\.(?:ref|sha|repo)|head_sha|head_branch|HEAD_REF|HEAD_SHA|PR_HEAD)"
)
_ENVIRONMENT = regex(
    r">{1,2}\s{0,9}[\"']?\$\{?(?:GITHUB_ENV|GITHUB_PATH)\b|\btee\s[^\n;|]{0,40}\$\{?(?:GITHUB_ENV|GITHUB_PATH)\b"
)
_VARIABLE = regex(r"\$\{?([A-Za-z_]\w{0,100})|\$env:([A-Za-z_]\w{0,100})")


def detect(workflow: Workflow) -> Iterator[Hit]:
    """Injection, checkouts of strangers' code, foreign artifacts, scripts."""
    for job in workflow.jobs:
        for step in job.steps:
            yield from _injection(workflow, job, step)
            yield from _script(workflow, job, step)
        yield from _checkouts(workflow, job)
        yield from _artifacts(workflow, job)


def _where(job: Job, step: Step) -> str:
    return f"{job.name} {step.own.get('id') or step.own.get('name') or step.uses or step.number}"


def _injection(workflow: Workflow, job: Job, step: Step) -> Iterator[Hit]:
    places: list[Text] = [step.run] if step.run else []
    places += [v for k, v in step.inputs.items() if isinstance(v, Text) and k.lower() in _CODE_INPUTS]
    theirs = strangers_variables(step.env)
    for text in places:
        for found in expressions(text):
            yield from _one_injection(workflow, job, step, text, found, theirs)


def _one_injection(
    workflow: Workflow, job: Job, step: Step, text: Text, found: Expression, theirs: frozenset[str]
) -> Iterator[Hit]:
    line = text.line_at(found.position)
    shown = found.text[:80]
    key = f"{_where(job, step)} {found.text}"
    strange = [name for name in found.reads if is_strangers(name) or name in theirs]
    if strange:
        known = workflow.by_strangers or workflow.action
        yield Hit(
            RULES["script-injection"],
            line,
            f"the script of job {job.name} contains ${{{{ {shown} }}}}, which anybody can write",
            key,
            severity=Severity.CRITICAL if workflow.privileged and workflow.triggers else None,
            confidence=Confidence.HIGH if known and not workflow.action else Confidence.MEDIUM,
        )
    elif given := [name for name in found.reads if is_input(name)]:
        yield Hit(
            RULES["input-injection"],
            line,
            f"the script of job {job.name} contains ${{{{ {shown} }}}}",
            key,
            severity=Severity.LOW if given[0] == "github.ref_name" or _closed(workflow, given[0]) else None,
        )


def _closed(workflow: Workflow, name: str) -> bool:
    """Whether an input can only be a choice, a number or a truth value."""
    from shipworthy.checks._yaml import as_map

    for event in ("workflow_dispatch", "workflow_call"):
        inputs = as_map(as_map(workflow.triggers.get(event)).get("inputs"))
        for key, value in inputs.items():
            if key.lower() == name.rpartition(".")[2]:
                return as_text(as_map(value).get("type")) in ("choice", "boolean", "number", "environment")
    return False


def _script(workflow: Workflow, job: Job, step: Step) -> Iterator[Hit]:
    if not step.run:
        return
    theirs = {name.removeprefix("env.") for name in strangers_variables(step.env)}
    for position, line in _shell.lines(step.run):
        at, key = step.run.line_at(position), f"{_where(job, step)} {' '.join(line.split())[:200]}"
        if _shell.fetched_and_run(line):
            yield Hit(DOWNLOAD_AND_RUN, at, f"job {job.name} fetches a script and runs it at once", key)
        if _shell.privileged(line):
            yield Hit(PRIVILEGED, at, f"job {job.name} starts a container with the rights of its host", key)
        if _shell.unprotected(line):
            yield Hit(RULES["plain-http"], at, f"job {job.name} fetches over a connection that is not protected", key)
        if "secrets." in line.lower():
            for found in expressions(line):
                if any(name.startswith("secrets.") for name in found.reads):
                    name = next(n for n in found.reads if n.startswith("secrets."))
                    yield Hit(RULES["secret-in-script"], at, f"job {job.name} pastes {name} into its script", key)
        if _ENVIRONMENT.search(line):
            used = {(m[1] or m[2]).lower() for m in _VARIABLE.finditer(line)}
            pasted = any(is_strangers(name) for found in expressions(line) for name in found.reads)
            if pasted or used & theirs:
                yield Hit(
                    RULES["environment-write"],
                    at,
                    f"job {job.name} writes what a stranger may have written to the environment of later steps",
                    key,
                    severity=None if workflow.privileged else Severity.MEDIUM,
                )


def _checkouts(workflow: Workflow, job: Job) -> Iterator[Hit]:
    """Strangers' code in a workflow with secrets: worst when a later step runs something of it."""
    if not workflow.privileged:
        return
    for number, step in enumerate(job.steps):
        place = _head_of(step)
        if place is None:
            continue
        later = job.steps[number + 1 :]
        runs = bool(step.run) or any(s.run or s.uses.startswith("./") or _builds(s) for s in later)
        guarded = any("association" in as_text(x.own.get("if")).lower() for x in job.steps) or (
            "author_association" in as_text(job.own.get("if")).lower()
        )
        names = ", ".join(
            sorted(n for n in workflow.triggers if n in ("pull_request_target", "workflow_run", "issue_comment"))
        )
        yield Hit(
            RULES["untrusted-checkout"],
            place.line,
            f"job {job.name} is started by {names} and checks out the head of a pull request"
            + (", then runs commands" if runs else ""),
            f"{_where(job, step)} head",
            severity=None if runs else Severity.HIGH,
            confidence=Confidence.LOW if guarded else Confidence.HIGH if runs else None,
        )


def _builds(step: Step) -> bool:
    """Whether an action runs what the checked-out tree says (its build files, its scripts)."""
    return step.action.startswith(("docker/build-push-action", "pre-commit/action", "gradle/", "goreleaser/"))


def _head_of(step: Step) -> Text | None:
    """Where the step says that it takes the head of a pull request; None when it does not."""
    if step.action == "actions/checkout" or step.action.endswith("/checkout"):
        for name in ("ref", "repository"):
            value = as_text(step.inputs.get(name))
            if value and (_HEAD.search(value) or any(_of_head(step, f) for f in expressions(value))):
                return value
        return None
    match = _FETCHED_HEAD.search(step.run)
    return Text(step.run, step.run.line_at(match.start())) if match else None


def _of_head(step: Step, found: Expression) -> bool:
    """`${{ env.X }}` where X is the head."""
    return any(
        _HEAD.search(step.env.get(name, "")) for r in found.reads if r.startswith("env.") for name in step.env
        if name.lower() == r.removeprefix("env.")
    )  # fmt: skip


def _artifacts(workflow: Workflow, job: Job) -> Iterator[Hit]:
    if not workflow.starts_on("workflow_run"):
        return
    for step in job.steps:
        foreign = (
            (step.action == "actions/download-artifact" and "run-id" in step.inputs)
            or step.action in ("dawidd6/action-download-artifact", "aochmann/actions-download-artifact")
            or "downloadArtifact" in as_text(step.inputs.get("script"))
            or "gh run download" in step.run
        )
        if not foreign:
            continue
        target = as_text(step.inputs.get("path"))
        apart = "runner.temp" in target.lower() or target.startswith("/tmp")  # noqa: S108  a path of the workflow's
        yield Hit(
            RULES["foreign-artifact"],
            step.own.line,
            f"job {job.name} takes an artifact of the run that started it"
            + ("" if apart else " into the working tree"),
            f"{_where(job, step)} artifact",
            severity=Severity.MEDIUM if apart else None,
        )
