"""The chain of custody as a list of links: what a verifier left, else what the stages' digests tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shipworthy.model import Kind, Run
from shipworthy.reports._text import instant, short

_HOLDS = frozenset({"ok", "verified", "passed", "valid", "intact", "holds"})
_BROKEN = frozenset({"broken", "failed", "fail", "mismatch", "invalid", "missing", "error"})
_MOST = 200


class State(StrEnum):
    """What is known of a link."""

    HOLDS = "verified"
    BROKEN = "broken"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Link:
    """Who, what and when; `expected` and `actual` tell how it broke."""

    step: str
    name: str
    digest: str
    signer: str
    time: str
    state: State
    said: str = ""
    expected: str = ""
    actual: str = ""
    remedy: str = ""


def chain_of(run: Run) -> tuple[Link, ...]:
    """The links that the last stage with `details["chain"]` tells of, else those that the digests of stages show.

    A digest that a stage merely wrote down is `recorded`: nobody has signed it. It is `broken` when a stage took in
    something else under the name that an earlier stage had given out.
    """
    for stage in reversed(run.stages):
        told = stage.details.get("chain")
        if isinstance(told, (list, tuple)) and told:
            return tuple(_told(item) for item in told[:_MOST] if isinstance(item, Mapping))
    return _from_stages(run)


def _told(item: Mapping[str, object]) -> Link:
    def text(name: str) -> str:
        value = item.get(name)
        return "" if value is None else str(value)

    status = text("status").lower()
    state = State.HOLDS if status in _HOLDS else State.BROKEN if status in _BROKEN else State.RECORDED
    return Link(
        step=text("step"),
        name=text("name"),
        digest=text("digest"),
        signer=text("signer"),
        time=text("time"),
        state=state,
        said=text("status") if state is State.RECORDED else "",
        expected=text("expected"),
        actual=text("actual"),
        remedy=text("remedy"),
    )


def _from_stages(run: Run) -> tuple[Link, ...]:
    links: list[Link] = []
    given: dict[str, str] = {}
    for artifact in run.artifacts:
        if artifact.kind is Kind.DATASET:
            links.append(Link("dataset", artifact.uri, artifact.digest, "", "", State.RECORDED))
    datasets = len(links)
    for stage in run.stages:
        when = instant(stage.started)
        for name, digest in stage.inputs.items():
            if given.get(name, digest) != digest:
                remedy = f"{name} changed between two stages; run the pipeline again."
                links.append(
                    Link(stage.stage, name, digest, "", when, State.BROKEN, "", given[name], digest, remedy),
                )
        if stage.inputs and stage.outputs:
            name, digest = next(iter(stage.outputs.items()))
            links.append(Link(stage.stage, name, digest, "", when, State.RECORDED))
        given |= stage.outputs
    return tuple(links[:_MOST]) if len(links) > datasets else ()


def summary(links: tuple[Link, ...]) -> str:
    """The chain in one sentence."""
    for link in links:
        if link.state is State.BROKEN:
            told = (
                f"expected {short(link.expected)}, found {short(link.actual)}" if link.actual else "it does not verify"
            )
            return f"The chain is broken at {link.step}: {told}."
    if links and all(link.state is State.HOLDS for link in links):
        return f"All {len(links)} links verify."
    attested = sum(link.said == "attested-only" for link in links)
    if attested and all(link.state is State.HOLDS or link.said == "attested-only" for link in links):
        held = len(links) - attested
        return f"{held} links verify; of {attested} more only the digest is signed, the bytes are not here."
    return f"{len(links)} links were recorded; not all of them have been verified."
