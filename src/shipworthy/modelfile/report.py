"""What a scan says: issues with their place, one of three verdicts, and how much of the file was explained."""

from __future__ import annotations

from enum import StrEnum

from shipworthy.records import dataclass, field


class Verdict(StrEnum):
    """`clean` needs every byte read by a reader of its format; `unknown` is never clean."""

    CLEAN = "clean"
    FINDING = "finding"
    UNKNOWN = "unknown"


class Code(StrEnum):
    """What an issue is about; stable names for programs."""

    CODE_EXECUTION = "code-execution"
    UNKNOWN_CALLABLE = "unknown-callable"
    UNKNOWN_NAME = "unknown-name"
    STATE_TAMPERING = "state-tampering"
    BROKEN_STREAM = "broken-stream"
    CONTAINER_TAMPERED = "container-tampered"
    BOMB = "bomb"
    PATH_TRAVERSAL = "path-traversal"
    HIDDEN_PAYLOAD = "hidden-payload"
    UNEXPLAINED_BYTES = "unexplained-bytes"
    EXTERNAL_DATA = "external-data"
    CUSTOM_OPERATOR = "custom-operator"
    DANGEROUS_OPERATOR = "dangerous-operator"
    KERAS_LAMBDA = "keras-lambda"
    KERAS_FOREIGN_CLASS = "keras-foreign-class"
    FOREIGN_CONTENT = "foreign-content"
    REMOTE_CODE = "remote-code"
    TEMPLATE_ESCAPE = "template-escape"
    YAML_OBJECT = "yaml-object"


SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True)
class Where:
    """A place: `member` is the path through containers (`a.zip!b/data.pkl`), `offset` counts bytes from 0 inside the
    innermost one, `layer` names what was being read there.
    """

    offset: int | None = None
    member: str = ""
    layer: str = ""

    def __str__(self) -> str:
        parts = [f"member {self.member}"] if self.member else []
        if self.offset is not None:
            parts.append(f"offset {self.offset}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong. `callable` is `module:qualname` as the file spells it; `arguments` is a bounded, escaped
    rendering of literals, never the objects themselves; `count` is how often the same thing was seen.
    """

    code: Code
    severity: str
    message: str
    where: Where = Where()
    callable: str = ""
    arguments: str = ""
    count: int = 1


@dataclass(frozen=True)
class Member:
    """A file inside the file: its path, its format (empty: not recognised) and its size in bytes once unpacked."""

    name: str
    format: str
    size: int


@dataclass(frozen=True)
class Report:
    """The result of a scan.

    `size` and `explained` are bytes of the outer file: explained bytes were read as part of a known structure or lie in
    a region whose extent the structure declares. `unknowns` are the reasons why the file can't be called clean.
    `names` are all globals that loading would import, `module:qualname`, sorted and bounded. `left` counts those
    explained bytes of a file elsewhere that were not even looked into: raw data by the layout. `loose` are those
    of them whose size nothing else tells: no header, no pickle that names a tensor's storage.
    """

    format: str
    verdict: Verdict
    issues: tuple[Issue, ...] = ()
    unknowns: tuple[str, ...] = ()
    size: int = 0
    explained: int = 0
    members: tuple[Member, ...] = ()
    names: tuple[str, ...] = ()
    left: int = 0
    loose: int = 0

    @property
    def worst(self) -> str:
        """The highest severity among the issues, or an empty string."""
        return max((issue.severity for issue in self.issues), key=SEVERITIES.index, default="")


@dataclass(frozen=True)
class Limits:
    """Bounds on what hostile bytes may cost.

    `output` is the sum of all decompressed bytes, `ratio` how many times the input they may be once they exceed
    `ratio_from` bytes. `depth` counts containers in containers, `entries` the members of one archive, `nested` the
    byte strings inside pickles that are looked into. `json` and `header` are bytes.
    """

    output: int = 2 << 30
    ratio: int = 200
    ratio_from: int = 256 << 20
    depth: int = 8
    entries: int = 100_000
    jobs: int = 200_000
    nested: int = 10_000
    issues: int = 200
    members: int = 10_000
    names: int = 50_000
    marks: int = 100_000
    stack: int = 250_000
    objects: int = 1_000_000
    json: int = 64 << 20
    header: int = 100_000_000
    spool: int = 8 << 20


@dataclass
class Tally:
    """Collects issues while a scan runs: equal ones are counted, their number is bounded."""

    limits: Limits
    found: dict[tuple[str, str, str, str, str], Issue] = field(default_factory=dict)
    again: dict[tuple[str, str, str, str, str], int] = field(default_factory=dict)
    unknowns: dict[str, None] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, issue: Issue) -> None:
        """Keep an issue. Beyond the limit the worst are kept, and the verdict is a finding in any case."""
        key = (issue.code, issue.severity, issue.message, issue.callable, issue.where.member)
        if key in self.found:
            self.again[key] = self.again.get(key, 0) + 1
            return
        if len(self.found) >= self.limits.issues:
            mildest = min(self.found, key=lambda k: SEVERITIES.index(k[1]))
            if SEVERITIES.index(mildest[1]) >= SEVERITIES.index(issue.severity):
                return
            del self.found[mildest]
        self.found[key] = issue

    def unknown(self, reason: str) -> None:
        """Note why the file can't be called clean."""
        if len(self.unknowns) < self.limits.issues:
            self.unknowns.setdefault(reason)

    def sorted_issues(self) -> tuple[Issue, ...]:
        """The worst first, then in the order of the file."""
        counted = (
            Issue(**{**issue.__dict__, "count": issue.count + self.again[key]}) if key in self.again else issue
            for key, issue in self.found.items()
        )
        return tuple(
            sorted(
                counted,
                key=lambda i: (-SEVERITIES.index(i.severity), i.where.member, i.where.offset or 0, i.code, i.callable),
            )
        )
