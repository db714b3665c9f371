"""What a GitHub workflow may do and what it hands out: permissions, secrets, runners, conditions."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks._yaml import Map, Text, as_list, as_map, as_text, texts
from shipworthy.checks.workflows._actions import Job, Workflow, all_texts
from shipworthy.checks.workflows._actions_rules import HARDCODED, RULES
from shipworthy.checks.workflows._expressions import expressions
from shipworthy.checks.workflows._hit import Hit
from shipworthy.checks.workflows._shell import hard_coded
from shipworthy.model import Confidence, Severity
from shipworthy.patterns import regex

_DYNAMIC_SECRET = regex(r"(?i)\btojson\s{0,9}\(\s{0,9}secrets\s{0,9}\)|\bsecrets\s{0,9}\[\s{0,9}(?!['\"])")
_ACTOR = regex(
    r"(?i)github\.(?:actor|triggering_actor)\s{0,9}[=!]=\s{0,9}'[^']{0,60}\[bot\]'|'[^']{0,60}\[bot\]'\s{0,9}[=!]=\s{0,9}github\.(?:actor|triggering_actor)\b"
)
_SUBSTRING = regex(
    r"(?i)\bcontains\s{0,9}\(\s{0,9}'[^']{1,300}'\s{0,9},\s{0,9}(?:github\.(?:ref|ref_name|head_ref|base_ref|actor|event_name)|env\.\w{1,60})\b"
)


def detect(workflow: Workflow) -> Iterator[Hit]:
    """Rights and secrets of the whole and of each job."""
    yield from _triggers(workflow)
    yield from _permissions(workflow)
    yield from _secrets(workflow)
    yield from _conditions(workflow)
    for name, value in all_texts(workflow):
        if name.upper() == "ACTIONS_ALLOW_UNSECURE_COMMANDS" and value.lower() in ("true", "1", "yes"):
            yield Hit(RULES["unsecure-commands"], value.line, f"{name} is switched on", name)
    for job in workflow.jobs:
        yield from _runner(workflow, job)


def _triggers(workflow: Workflow) -> Iterator[Hit]:
    on = workflow.top.get("on", workflow.top.get("true"))
    for name in ("pull_request_target", "workflow_run"):
        if name in workflow.triggers:
            line = on.at(name) if isinstance(on, Map) else getattr(on, "line", 1)
            yield Hit(RULES["dangerous-trigger"], line, f"the workflow is started by {name}", name)


def _permissions(workflow: Workflow) -> Iterator[Hit]:
    if workflow.action:
        return
    top = workflow.top.get("permissions")
    without = [job for job in workflow.jobs if "permissions" not in job.own]
    if top is None and without:
        names = ", ".join(job.name for job in without[:5])
        message = f"the token's rights are not set for {names}" + (" and others" if len(without) > 5 else "")
        yield Hit(
            RULES["no-permissions"],
            workflow.top.at("jobs"),
            message,
            "permissions",
            severity=Severity.MEDIUM if workflow.privileged else None,
        )
    holders: list[tuple[str, Map, bool]] = [("the workflow", workflow.top, True)]
    holders += [(f"job {job.name}", job.own, False) for job in workflow.jobs]
    for who, own, whole in holders:
        given = own.get("permissions")
        if isinstance(given, Text) and given == "write-all":
            yield Hit(RULES["wide-permissions"], given.line, f"{who} gives its token every right", f"{who} write-all",
                      severity=Severity.HIGH if workflow.privileged else None)  # fmt: skip
        elif whole and isinstance(given, Map) and len(workflow.jobs) > 1:
            for right, level in given.items():
                if level == "write":
                    message = f"all {len(workflow.jobs)} jobs may write {right}"
                    level_of = None if workflow.privileged else Severity.LOW
                    key = f"{who} {right}"
                    yield Hit(RULES["wide-permissions"], given.at(right), message, key, level_of, Confidence.MEDIUM)


def _secrets(workflow: Workflow) -> Iterator[Hit]:
    for name, value in all_texts(workflow):
        if match := _DYNAMIC_SECRET.search(value):
            yield Hit(
                RULES["all-secrets"],
                value.line_at(match.start()),
                f"{name} can hold every secret",
                f"{name} all secrets",
            )
    holders: list[tuple[str, Map]] = [("the workflow", workflow.top)]
    holders += [(f"job {job.name}", job.own) for job in workflow.jobs if not workflow.action]
    for who, own in holders:
        for name, value in as_map(own.get("env")).items():
            if any(
                r.startswith("secrets.") and r != "secrets.github_token"
                for f in expressions(as_text(value))
                for r in f.reads
            ):
                yield Hit(
                    RULES["wide-secret"], own["env"].at(name), f"every step of {who} sees {name}", f"{who} {name}"
                )
    for job in workflow.jobs:
        if as_text(job.own.get("secrets")) == "inherit":
            where = as_text(job.own.get("uses"))
            yield Hit(
                RULES["secrets-inherit"],
                job.own.at("secrets"),
                f"job {job.name} hands all secrets to {where[:100] or 'another workflow'}",
                f"{job.name} inherit",
                severity=Severity.LOW if where.startswith("./") else None,
            )
    yield from _hard_coded(workflow)


def _hard_coded(workflow: Workflow) -> Iterator[Hit]:
    """The message never has the value."""
    for job in workflow.jobs:
        holders = [as_map(job.own.get("container")), *as_map(job.own.get("services")).values()]
        for holder in holders:
            word = as_text(as_map(as_map(holder).get("credentials")).get("password"))
            if word and "${{" not in word:
                yield Hit(
                    HARDCODED,
                    word.line,
                    f"the registry's password of job {job.name} stands here",
                    f"{job.name} password",
                )
    places = [
        workflow.top,
        *(job.own for job in workflow.jobs),
        *(step.own for job in workflow.jobs for step in job.steps),
    ]
    for own in places:
        for section in ("env", "with"):
            for name, value in as_map(own.get(section)).items():
                if isinstance(value, Text) and hard_coded(name, value):
                    told = f"{name} is given as it is"
                    yield Hit(HARDCODED, value.line, told, f"{name} literal", Severity.MEDIUM, Confidence.LOW)


def _conditions(workflow: Workflow) -> Iterator[Hit]:
    places = [(f"job {job.name}", job.own) for job in workflow.jobs]
    places += [(f"a step of job {job.name}", step.own) for job in workflow.jobs for step in job.steps]
    for who, own in places:
        condition = as_text(own.get("if"))
        if not condition:
            continue
        if _always(condition):
            yield Hit(
                RULES["constant-condition"],
                condition.line,
                f"the condition of {who} is always true",
                f"{who} {condition}",
            )
        if workflow.privileged and _ACTOR.search(condition):
            yield Hit(
                RULES["spoofable-actor"],
                condition.line,
                f"the condition of {who} trusts github.actor",
                f"{who} {condition}",
            )
        if _SUBSTRING.search(condition):
            message = f"the condition of {who} looks for a name inside of a text"
            yield Hit(RULES["substring-condition"], condition.line, message, f"{who} {condition}")


def _always(condition: Text) -> bool:
    """Whether text stands around `${{ }}`: then the whole is a text, and not empty, so it is true."""
    first = next(expressions(condition), None)
    if first is None:
        return condition.strip().lower() == "true"
    end = condition.find("}}", first.position) + 2
    outside = condition[: first.position], condition[end:]
    if not any(part for part in outside):
        return first.text.lower() == "true"
    if condition.block and not any(part.strip() for part in outside):
        return True  # `if: |` keeps its last line break
    return any(part.strip() for part in outside)  # blanks are taken off a condition in one line


def _runner(workflow: Workflow, job: Job) -> Iterator[Hit]:
    labels = [as_text(label).lower() for label in as_list(job.own.get("runs-on"))]
    if isinstance(job.own.get("runs-on"), Map):
        labels = [label.lower() for _, label in texts(job.own["runs-on"])]
    if "self-hosted" in labels and (workflow.starts_on("pull_request", "pull_request_target", "issue_comment")):
        message = f"job {job.name} runs pull requests on a machine of one's own"
        yield Hit(RULES["self-hosted-runner"], job.own.at("runs-on"), message, f"{job.name} self-hosted")
