"""A GitHub workflow, or a composite action, as jobs and steps with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipworthy.checks._yaml import Map, Seq, Text, as_list, as_map, as_text, read_text_map, texts
from shipworthy.checks.workflows._expressions import expressions, is_strangers
from shipworthy.records import dataclass

# Triggers whose runs have this repository's secrets while a stranger can start them.
PRIVILEGED_TRIGGERS = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
_STRANGERS_TRIGGERS = PRIVILEGED_TRIGGERS | {"pull_request", "issues", "discussion", "discussion_comment", "fork"}


@dataclass(frozen=True)
class Step:
    """One step. `env` is what it sees, with what the workflow and the job set; `own` is its mapping."""

    own: Map
    env: Mapping[str, Text]
    number: int

    @property
    def uses(self) -> Text:
        """The action, empty when there is none."""
        return as_text(self.own.get("uses"))

    @property
    def action(self) -> str:
        """The action's name in lower case without its version."""
        return self.uses.partition("@")[0].lower()

    @property
    def inputs(self) -> Map:
        """What `with` says."""
        return as_map(self.own.get("with"))

    @property
    def run(self) -> Text:
        """The script, empty when there is none."""
        return as_text(self.own.get("run"))


@dataclass(frozen=True)
class Job:
    """One job, or the steps of a composite action (whose `name` is `runs`)."""

    name: str
    own: Map
    steps: tuple[Step, ...]
    env: Mapping[str, Text]

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.own.line


@dataclass(frozen=True)
class Workflow:
    """All of one file. `triggers` are the events of `on`; a composite action has none and `action` is true."""

    top: Map
    action: bool
    triggers: Mapping[str, object]
    jobs: tuple[Job, ...]
    env: Mapping[str, Text]

    def starts_on(self, *names: str) -> bool:
        """Whether one of these events starts it."""
        return any(name in self.triggers for name in names)

    @property
    def privileged(self) -> bool:
        """Whether strangers can start it with this repository's secrets."""
        return bool(PRIVILEGED_TRIGGERS & set(self.triggers))

    @property
    def by_strangers(self) -> bool:
        """Whether strangers can start it at all."""
        return bool(_STRANGERS_TRIGGERS & set(self.triggers))


def read(text: str) -> Workflow:
    """The workflow or action of a file. Raises Malformed."""
    top = read_text_map(text)
    env = _env(top, {})
    if "jobs" not in top and "runs" in top:
        runs = as_map(top.get("runs"))
        job = Job("runs", runs, tuple(_steps(runs.get("steps"), env)), env)
        return Workflow(top, True, {}, (job,), env)
    jobs = []
    for name, value in as_map(top.get("jobs")).items():
        own = as_map(value)
        own_env = _env(own, env)
        jobs.append(Job(name, own, tuple(_steps(own.get("steps"), own_env)), own_env))
    return Workflow(top, False, _triggers(top), tuple(jobs), env)


def _triggers(top: Map) -> dict[str, object]:
    on = top.get("on", top.get("true"))  # `on` is a truth value for YAML 1.1, and stays a text here
    if isinstance(on, Map):
        return dict(on)
    return {str(as_text(item)): None for item in as_list(on)}


def _env(own: Map, outer: Mapping[str, Text]) -> dict[str, Text]:
    return {**outer, **{k: v for k, v in as_map(own.get("env")).items() if isinstance(v, Text)}}


def _steps(steps: object, env: Mapping[str, Text]) -> Iterator[Step]:
    if isinstance(steps, Seq):
        for number, own in enumerate(steps, 1):
            if isinstance(own, Map):
                yield Step(own, _env(own, env), number)


def strangers_variables(env: Mapping[str, Text]) -> frozenset[str]:
    """The variables whose value a stranger writes, as expressions name them (`env.title`)."""
    return frozenset(
        f"env.{name.lower()}"
        for name, value in env.items()
        if any(is_strangers(read) for found in expressions(value) for read in found.reads)
    )


def all_texts(workflow: Workflow) -> Iterator[tuple[str, Text]]:
    """Every scalar of the file with its key."""
    return texts(workflow.top)
