"""How container images are made: rights, secrets, open doors, what should not be in them."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.images import _files, _settings
from shipworthy.checks.images._reading import opened, told
from shipworthy.checks.images._rules import ROOT
from shipworthy.checks.images._rules import RULES as _RULES
from shipworthy.checks.images._sample import NAME, archive
from shipworthy.errors import ShipworthyError
from shipworthy.images import merged
from shipworthy.model import Artifact, Finding

RULES = _RULES


def _canary() -> bytes:
    return archive({"Cmd": ["/app"]}, {"app": b"#!/bin/sh\n"})


@check(
    "image-configuration",
    kinds={"image"},
    scope="tree",
    version=2,
    canary=Canary(files={NAME: _canary}, rule=ROOT.id),
    options={"max-mb": 4096},
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Every image by itself."""
    for artifact in artifacts:
        yield from _look(artifact, context)


def _look(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """The configuration first: it is known even when a layer cannot be read."""
    try:
        image = opened(artifact)
        yield from _settings.look(artifact, image)
        tree = merged(image, _files.wanted)
    except ShipworthyError as error:
        yield from told(artifact, error)
        return
    yield from _settings.hidden_by_volumes(artifact, image.settings, tree)
    yield from _files.look(artifact, image, tree, int(context.options.get("max-mb", 4096)) << 20)
