"""The chain of custody as a list of links: what a verifier left, else what the stages' digests tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shipworthy.model import Kind, Run
from shipworthy.reports._text import instant, plural, short

_HOLDS = frozenset({"ok", "verified", "passed", "valid", "intact", "holds"})
_BROKEN = frozenset({"broken", "failed", "fail", "mismatch", "invalid", "missing", "error"})
_MOST = 200
_DEEPEST = 8


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
    parent: int | None = None


@dataclass(frozen=True)
class Row:
    """A link as a line of the drawn tree: `guides` are the strokes before it, the outermost first."""

    link: Link
    guides: tuple[str, ...]


def tree(links: tuple[Link, ...]) -> tuple[Row, ...]:
    """The links, each under the one that rests on it; without parents they stand one below the other."""
    under: dict[int | None, list[int]] = {}
    for index, link in enumerate(links):
        above = link.parent if link.parent is not None and 0 <= link.parent < index else None
        under.setdefault(above, []).append(index)
    rows: list[Row] = []
    todo: list[tuple[int, tuple[str, ...]]] = [(index, ()) for index in reversed(under.get(None, []))]
    while todo:
        index, guides = todo.pop()
        rows.append(Row(links[index], guides[-_DEEPEST:]))
        outer = (*guides[:-1], "line" if guides[-1] == "tee" else "blank") if guides else ()
        below = under.get(index, [])
        todo += [(child, (*outer, "end" if child == below[-1] else "tee")) for child in reversed(below)]
    return tuple(rows)


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
    parent = item.get("parent")
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
        parent=parent if isinstance(parent, int) else None,
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
        return f"All {len(links)} links verify." if len(links) > 1 else "The one link verifies."
    attested = sum(link.said == "attested-only" for link in links)
    if attested and all(link.state is State.HOLDS or link.said == "attested-only" for link in links):
        held = len(links) - attested
        told = plural(held, "link verifies", "links verify")
        return f"{told}; of {attested} more only the digest is signed, the bytes are not here."
    if len(links) == 1:
        return "One link was recorded; it has not been verified."
    return f"{len(links)} links were recorded; not all of them have been verified."
