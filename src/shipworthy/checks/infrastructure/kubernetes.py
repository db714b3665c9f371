"""Kubernetes manifests: pods with rights of the machine, roles that may do everything, ways in that are open."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Unread, documents
from shipworthy.checks.infrastructure._container_rules import PRIVILEGED
from shipworthy.checks.infrastructure._kubernetes import judge, objects
from shipworthy.checks.infrastructure._kubernetes_rules import RULES
from shipworthy.checks.infrastructure._report import TooLarge, findings, text_of, unread
from shipworthy.model import Artifact, Finding

__all__ = ["RULES", "scan"]

MEDIA_TYPE = "application/x-kubernetes"
_CANARY = (
    b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    image: a:1\n"
    b"    securityContext:\n      privileged: true\n"
)


def _manifest(artifact: Artifact) -> bool:
    """By what classification found in it; the templates of charts are read by another check."""
    return artifact.media_type == MEDIA_TYPE and "/templates/" not in f"/{artifact.uri}"


@check(
    "kubernetes",
    kinds={"iac"},
    accepts=_manifest,
    canary=Canary(files={"pod.yaml": _CANARY}, rule=PRIVILEGED.id),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one file of manifests."""
    try:
        text = text_of(artifact)
    except TooLarge as error:
        yield Skipped(artifact, str(error))
        return
    hits = []
    for document in documents(text):
        if isinstance(document, Unread):
            yield from unread(artifact, [(document.line, f"it could not be read: {document.reason}")])
        else:
            hits += [hit for thing in objects(document.value) for hit in judge(thing)]
    yield from findings(artifact, hits)
