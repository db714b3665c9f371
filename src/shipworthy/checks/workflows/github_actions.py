"""Workflows and actions of GitHub: code of strangers with secrets, injection into scripts, rights, moving actions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Malformed
from shipworthy.checks.workflows import _actions_flow, _actions_rights, _actions_uses
from shipworthy.checks.workflows._actions import Workflow, read
from shipworthy.checks.workflows._actions_rules import RULES as _OWN
from shipworthy.checks.workflows._actions_rules import SHARED
from shipworthy.checks.workflows._hit import Hit, findings
from shipworthy.model import Artifact, Finding

RULES = (*_OWN.values(), *SHARED)
SIZE_LIMIT = 1_000_000
_PARTS = (_actions_flow.detect, _actions_rights.detect, _actions_uses.detect)
_CANARY = b"""on: pull_request_target
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: make test
"""


def is_ours(artifact: Artifact) -> bool:
    """Whether it is a workflow or an action of GitHub (or of Gitea and Forgejo, which read the same language)."""
    path = PurePosixPath(artifact.uri)
    if path.suffix not in (".yml", ".yaml"):
        return False
    return path.stem == "action" or (
        path.parent.name == "workflows" and path.parent.parent.name in (".github", ".gitea", ".forgejo")
    )


@check(
    "github-actions",
    kinds={"workflow"},
    version=1,
    accepts=is_ours,
    canary=Canary(files={".github/workflows/ci.yml": _CANARY}, rule="actions-untrusted-checkout"),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one file."""
    data = artifact.read_bytes(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        yield Skipped(artifact, f"the file is larger than {SIZE_LIMIT:,} bytes")
        return
    try:
        workflow = read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        yield Skipped(artifact, "the file is not UTF-8 text")
        return
    except Malformed as error:
        yield Skipped(artifact, f"the file {error}")
        return
    if not workflow.jobs and not workflow.action:
        yield Skipped(artifact, "the file is no workflow: it has no jobs")
        return
    yield from findings(artifact, _hits(workflow))


def _hits(workflow: Workflow) -> Iterator[Hit]:
    for detect in _PARTS:
        yield from detect(workflow)
