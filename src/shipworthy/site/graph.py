"""The graph of stages, topics and frameworks, laid out by forces: linked points attract, all points repel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shipworthy.hub.things import Framework
from shipworthy.records import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shipworthy.hub import Hub

WIDTH, HEIGHT = 1200, 900
_LONG = 30
_STEPS = 250
_WIDE = {"stage": 8.8, "framework": 6.7}  # of a letter of a label, in the widest of the usual fonts
_LABEL = 16  # height of a label under its point
_OFTEN = 2  # ids of a framework that a topic must name to be linked with it: with one, all hang together


@dataclass(frozen=True)
class Node:
    """A point: its page, kind and title, its place and radius in the drawing's units, and the numbers of the points
    that it is linked with. The title of a `minor` one is shown when it is pointed at."""

    page: str
    kind: str
    title: str
    x: int
    y: int
    r: int
    to: tuple[int, ...]
    minor: bool


@dataclass(frozen=True)
class Graph:
    """The points, and the lines between them as the data of an SVG path."""

    nodes: tuple[Node, ...]
    lines: str


def drawn(hub: Hub) -> Graph:
    """Stages, topics and frameworks; a topic is linked with its stages and with the frameworks of its controls.
    Deterministic."""
    import numpy as np

    edges: set[tuple[str, str]] = set()
    for topic in hub.topics.values():
        edges |= {(topic.page, f"stage/{one}") for one in topic.stages if one in hub.shelves}
        named = Counter(
            found.page if isinstance(found, Framework) else hub.frameworks[found.framework].page
            for name in topic.frameworks
            if (found := hub.resolve(name)) is not None
        )
        edges |= {(topic.page, page) for page, often in named.items() if often >= _OFTEN}
    used = {page for edge in edges for page in edge}
    pages = [page for page in hub.things if page in used]
    number = {page: place for place, page in enumerate(pages)}
    pairs = np.array(sorted((number[a], number[b]) for a, b in edges), dtype=int).reshape(-1, 2)
    to: list[list[int]] = [[] for _ in pages]
    for a, b in pairs.tolist():
        to[a].append(b)
        to[b].append(a)
    kinds = [page.partition("/")[0] for page in pages]
    titles = [_short(hub.things[page].title) for page in pages]
    radii = [{"stage": 11, "framework": 8}.get(kind, 4) + min(4, len(to[n]) // 12) for n, kind in enumerate(kinds)]
    sizes = [(max(2.0 * r, len(title) * _WIDE.get(kind, 0)), 2 * r + (_LABEL if kind in _WIDE else 0))
             for kind, title, r in zip(kinds, titles, radii, strict=True)]  # fmt: skip
    at = _apart(_placed(len(pages), pairs), np.array(sizes, dtype=float).reshape(-1, 2) + 6.0)
    nodes = []
    for place, (page, kind, r) in enumerate(zip(pages, kinds, radii, strict=True)):
        x, y = round(float(at[place, 0])), round(float(at[place, 1]) - (_LABEL / 2 if kind in _WIDE else 0))
        title = titles[place] if kind in _WIDE else hub.things[page].title
        nodes.append(Node(page, kind, title, x, y, r, tuple(sorted(to[place])), kind not in _WIDE))
    lines = "".join(f"M{nodes[a].x} {nodes[a].y}L{nodes[b].x} {nodes[b].y}" for a, b in pairs.tolist())
    return Graph(tuple(nodes), lines)


def _short(title: str) -> str:
    """A title for a label, cut after a word."""
    return title if len(title) <= _LONG else title[:_LONG].rpartition(" ")[0].rstrip(" ,(") + "…"


def _placed(count: int, pairs: NDArray[np.int_]) -> NDArray[np.float64]:
    """Places of `count` points, shape (count, 2), within the drawing (Fruchterman and Reingold 1991, with a pull to
    the middle, so that nothing drifts off)."""
    import numpy as np

    if not count:
        return np.zeros((0, 2))
    angle = np.arange(count) * 2.399963  # the golden angle spreads points evenly over a disc
    far = np.sqrt((np.arange(count) + 0.5) / count)
    at = np.stack((np.cos(angle) * far, np.sin(angle) * far), axis=1)
    ideal = 1.1 / np.sqrt(count)
    degree = np.bincount(pairs.ravel(), minlength=count) + 1.0
    for step in range(_STEPS):
        apart = at[:, None, :] - at[None, :, :]
        distance = np.maximum(np.sqrt((apart**2).sum(axis=2)), 0.01)
        force = (apart * (ideal**2 / distance**2)[:, :, None]).sum(axis=1) - 0.3 * at
        span = at[pairs[:, 0]] - at[pairs[:, 1]]
        pull = span * (np.sqrt((span**2).sum(axis=1)) / ideal)[:, None] * 0.5
        pull /= np.sqrt(np.minimum(degree[pairs[:, 0]], degree[pairs[:, 1]]))[:, None]
        np.add.at(force, pairs[:, 0], -pull)
        np.add.at(force, pairs[:, 1], pull)
        length = np.maximum(np.sqrt((force**2).sum(axis=1)), 1e-9)
        heat = 0.1 * (1 - step / _STEPS)
        at += force / length[:, None] * np.minimum(length, heat)[:, None]
    # The middle is crowded and the rim is bare: spread the points evenly over the drawing, each in its direction.
    away = np.sqrt((at**2).sum(axis=1))
    even = np.sqrt((np.argsort(np.argsort(away, kind="stable")) + 0.5) / count)
    half = np.array([WIDTH / 2 - 60.0, HEIGHT / 2 - 30.0])
    placed: NDArray[np.float64] = at / np.maximum(away, 1e-9)[:, None] * even[:, None] * half + half + [60.0, 30.0]
    return placed


def _apart(at: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places moved as little as it takes so that boxes of these sizes around them do not overlap: each pair that
    does is pushed apart where that is the shorter way."""
    import numpy as np

    if not len(at):
        return at
    half = sizes / 2
    room = half[:, None, :] + half[None, :, :]
    order = np.arange(len(at))
    before = np.where(order[:, None] < order[None, :], -1.0, 1.0)  # which way if two lie on one place
    for _ in range(_STEPS):
        apart = at[:, None, :] - at[None, :, :]
        over = room - np.abs(apart)
        hit = np.minimum(over[:, :, 0], over[:, :, 1]) > 0
        np.fill_diagonal(hit, False)
        if not hit.any():
            break
        way = np.where(apart == 0, before[:, :, None], np.sign(apart))
        shorter = np.stack((over[:, :, 0] <= over[:, :, 1], over[:, :, 0] > over[:, :, 1]), axis=2)
        push = np.where(shorter & hit[:, :, None], way * (over / 2 + 0.5), 0.0)
        at = np.clip(at + 0.6 * push.sum(axis=1), half + 4, np.array([WIDTH, HEIGHT]) - half - 4)
    return at
