"""Checks that misbehave, for the tests of the engine."""

import os
import sys
import time
from collections.abc import Iterator

from shipworthy.check import Context, NotApplicable, Unavailable, check
from shipworthy.model import Artifact, Finding, Rule, Severity, Skipped

SAID_BAD = Rule("said-bad", "The file says bad", Severity.HIGH, "It says so.", "Do not say so.")


@check("odd", kinds={"text"}, category="odd", timeout=8.0)
def odd(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Does what the file tells it to."""
    text = artifact.read_text()
    if text.startswith("hang"):
        time.sleep(60)
    elif text.startswith("die"):
        os._exit(3)
    elif text.startswith("break"):
        raise ValueError(text)
    elif text.startswith("eat"):
        held = [bytearray(64 << 20) for _ in range(1000)]
        yield SAID_BAD.at(artifact, str(len(held)))
    elif text.startswith("recurse"):
        sys.setrecursionlimit(10**6)
        (lambda f: f(f))(lambda f: f(f))
    elif text.startswith("skip"):
        yield Skipped(artifact, "told to")
    elif text.startswith("flood"):
        for number in range(10_000):
            yield SAID_BAD.at(artifact, line=number + 1)
    elif "bad" in text:
        yield SAID_BAD.at(artifact, line=1, evidence=text.strip())


@check("odd-batch", kinds={"text"}, category="odd", scope="batch")
def odd_batch(artifacts: tuple[Artifact, ...]) -> Iterator[Finding | Skipped]:
    """Like `odd`, on many."""
    for artifact in artifacts:
        yield from odd(artifact)


@check("odd-tree", kinds={"text"}, category="odd", scope="tree", options={"answer": "none"})
def odd_tree(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding]:
    """Answers as the option says."""
    if context.options["answer"] == "unavailable":
        raise Unavailable("the moon is not up", "wait")
    if context.options["answer"] == "not-applicable":
        raise NotApplicable("there is no moon here")
    if context.options["answer"] == "bad":
        yield SAID_BAD.at(artifacts[0], "the whole of it")


LIVE: list[str] = []


@check("odd-live", kinds={"service"}, category="odd", live=True)
def odd_live(artifact: Artifact) -> Iterator[Finding]:
    """Takes a while."""
    LIVE.append("odd-live in")
    time.sleep(0.3)
    LIVE.append("odd-live out")
    yield from ()


@check("odd-live-slow", kinds={"service"}, category="odd", live=True, timeout=1.0)
def odd_live_slow(artifact: Artifact) -> Iterator[Finding]:
    """Never ends in time."""
    LIVE.append("odd-live-slow in")
    time.sleep(4)
    yield from ()
