"""What a guard is told: its mode, its limits, what it looks for, and what it decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shipworthy.errors import UsageError

Mode = Literal["off", "watch", "block"]
MODES = ("off", "watch", "block")
DETECTORS = (
    "sql", "shell", "template", "traversal", "markup", "serialised", "queries", "targets", "lookups", "entities",
)  # fmt: skip
PROMPTS = "prompts"


@dataclass(frozen=True)
class Limits:
    """What one request, one client, and all of them together may ask for.

    Bytes: `body`, `header_bytes`, `target`. Counts: `depth` (of JSON), `values` (of a body, keys counted), `headers`,
    `concurrent` requests, `clients` that are remembered. `rate` is requests per second of one client (0: no limit), of
    which `burst` may come at once. Seconds: `seconds` for a request to arrive, and for the service to answer.
    """

    body: int = 1 << 20
    depth: int = 32
    values: int = 20_000
    headers: int = 100
    header_bytes: int = 32 << 10
    target: int = 8 << 10
    rate: float = 0.0
    burst: int = 50
    clients: int = 10_000
    concurrent: int = 64
    seconds: float = 30.0


@dataclass(frozen=True)
class Policy:
    """How a guard behaves.

    `mode`: `block` refuses, `watch` records what it would have refused, `off` looks at nothing. `detectors` are names
    of `shipworthy.guard.runtime.detectors`; a service of a language model adds `prompts`. `answers` is the mode for
    personal data and secrets in answers. `health` are paths that are answered also when load is shed. A client is its
    address, or what `client_header` names (such as a key: it is only kept as a keyed digest). `volume` is how many
    questions one client may ask in an hour before that looks like copying the model (0: no limit).
    `record` is `all` to write an event of each request that is passed, too; `decisions` counts those only.
    `metrics_path` is where a middleware answers Prometheus; empty for nowhere.
    """

    mode: Mode = "block"
    limits: Limits = field(default_factory=Limits)
    detectors: tuple[str, ...] = DETECTORS
    answers: Mode = "watch"
    health: tuple[str, ...] = ("/healthz",)
    client_header: str = ""
    volume: int = 0
    record: Literal["decisions", "all"] = "decisions"
    metrics_path: str = ""

    def __post_init__(self) -> None:
        for name, value in (("mode", self.mode), ("answers", self.answers)):
            if value not in MODES:
                raise UsageError(f"{value!r} is no mode", where=f"guard: {name}", remedy=f"one of: {', '.join(MODES)}")
        if unknown := [name for name in self.detectors if name not in (*DETECTORS, PROMPTS)]:
            known = ", ".join((*DETECTORS, PROMPTS))
            raise UsageError(f"there is no detector {unknown[0]!r}", where="guard", remedy=f"one of: {known}")
        if self.record not in ("decisions", "all"):
            raise UsageError(f"{self.record!r} is neither", where="guard: record", remedy="one of: decisions, all")
        if min(self.limits.body, self.limits.depth, self.limits.values, self.limits.concurrent) < 1:
            raise UsageError("a limit is less than one", where="guard: limits")


@dataclass(frozen=True)
class Hit:
    """What a detector saw: its name, what it is (never the text itself), and in which field."""

    detector: str
    detail: str
    where: str


@dataclass(frozen=True)
class Request:
    """A request as the guard looks at it. `target` is path and query as sent; names of headers are lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = ""

    def header(self, name: str) -> str:
        """The first header of that name (lower case); empty when there is none."""
        return next((value for one, value in self.headers if one == name), "")

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Decision:
    """What is done with a request or an answer. `reason` is a code such as `attack`, `rate` or `body-too-large`; it is
    empty when there is nothing to say. `status` is that of the answer when it is refused."""

    refused: bool = False
    reason: str = ""
    status: int = 200
    hits: tuple[Hit, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    retry_after: int = 0


PASSED = Decision()
