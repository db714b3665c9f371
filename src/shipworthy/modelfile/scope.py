"""What a reader of a format is given: a view, and a place to report to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path

from shipworthy.modelfile.report import Code, Issue, Limits, Member, Tally, Where
from shipworthy.modelfile.view import Spool, View
from shipworthy.records import dataclass, field, replace


class Role(Enum):
    """Why bytes are looked at.

    FILE: they are loaded as a file; unknown content makes the verdict unknown. BLOB: raw bytes inside something that
    was read (a tensor's storage, a byte string): they matter only when they are a file of a known kind to the last
    byte. TRAILER: bytes where none should be; already reported, looked into for explanation.
    """

    FILE = "file"
    BLOB = "blob"
    TRAILER = "trailer"


@dataclass(frozen=True)
class Job:
    """Bytes still to be scanned. `open` makes the view only when its turn comes, so that one member is unpacked at a
    time; it returns None when the content could not be had (and has reported that).
    """

    name: str
    depth: int
    role: Role
    open: Callable[[], View | None]
    format: str = ""


class LimitReachedError(Exception):
    """A bound on work was reached; what the message says was reported or is the reason for `unknown`."""


@dataclass
class State:
    """One scan: what all its scopes share."""

    limits: Limits
    trust: Sequence[str]
    tally: Tally
    size: int
    path: str | Path | None = None
    trace: list[str] | None = None
    jobs: list[Job] = field(default_factory=list)
    unpacked: int = 0
    started: int = 0
    left: int = 0
    loose: int = 0

    @property
    def folder(self) -> Path | None:
        """Where the file lies."""
        return Path(self.path).absolute().parent if self.path is not None else None

    @property
    def stem(self) -> str:
        """The file's name without its last suffix."""
        return Path(self.path).stem if self.path is not None else ""


@dataclass(frozen=True)
class Scope:
    """The reader's side of a scan. `name` is the path of members that leads here, empty for the file itself."""

    state: State
    view: View
    name: str = ""
    depth: int = 0
    role: Role = Role.FILE

    @property
    def limits(self) -> Limits:
        """The bounds of this scan."""
        return self.state.limits

    @property
    def trust(self) -> Sequence[str]:
        """The project's own names."""
        return self.state.trust

    @property
    def trace(self) -> list[str] | None:
        """Where `explain` collects its lines."""
        return self.state.trace

    @property
    def folder(self) -> Path | None:
        """Where the file lies, for references to its neighbours; None inside containers and for bytes."""
        return self.state.folder if not self.name else None

    def neighbour(self, suffix: str) -> Path | None:
        """The file beside this one that differs in its suffix only, if it is there."""
        folder = self.folder
        found = folder / f"{self.state.stem}{suffix}" if folder is not None and self.state.stem else None
        return found if found is not None and found.is_file() else None

    def issue(
        self,
        code: Code,
        severity: str,
        message: str,
        offset: int | None = None,
        callable_: str = "",
        arguments: str = "",
    ) -> None:
        """Report something wrong at an offset of the view."""
        self.state.tally.add(Issue(code, severity, message, Where(offset, self.name), callable_, arguments))

    def emit(self, issue: Issue) -> None:
        """Report an issue whose place lacks the member."""
        self.state.tally.add(replace(issue, where=replace(issue.where, member=self.name)))

    def unknown(self, reason: str) -> None:
        """Say why this can't be called clean."""
        place = f"{self.name}: " if self.name else ""
        self.state.tally.unknown(place + reason)

    def missing(self, message: str, offset: int | None = None) -> None:
        """Report a part of the model that is not there: who has the rest of it has something that was not looked at."""
        self.issue(Code.EXTERNAL_DATA, "medium", message, offset)
        self.unknown(message)

    def text(self, what: str) -> str | None:
        """The whole view as UTF-8, or None, having said why the text called `what` can't be read."""
        if len(self.view) > self.limits.json:
            self.unknown(f"{what} is larger than {self.limits.json >> 20} MiB")
            return None
        try:
            return self.view.all().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.unknown(f"{what} is not UTF-8")
            return None

    def names(self, names: Iterable[str]) -> None:
        """Note what loading would import."""
        known = self.state.tally.names
        for name in names:
            if len(known) < self.limits.members:
                known.add(name)

    def trace_line(self, text: str) -> None:
        """Add a line for `explain`."""
        if self.state.trace is not None:
            self.state.trace.append(f"{'':>10}  {text}")

    def member(self, name: str) -> str:
        """The path of a member of this view; the name made printable and short."""
        shown = ascii(name)[1:-1]
        shown = shown if len(shown) <= 200 else shown[:197] + "..."
        return f"{self.name}!{shown}" if self.name else shown

    def child(self, name: str, view: View, role: Role = Role.FILE, format_: str = "") -> None:
        """Scan a part of this view as a file of its own."""
        self.later(name, lambda: view, role, format_)

    def later(self, name: str, opener: Callable[[], View | None], role: Role = Role.FILE, format_: str = "") -> None:
        """As `child`, unpacked when its turn comes."""
        if self.depth + 1 > self.limits.depth:
            self.issue(Code.BOMB, "high", f"containers are nested more than {self.limits.depth} deep")
            return
        self.state.jobs.append(Job(self.member(name), self.depth + 1, role, opener, format_))

    def nested(self, name: str, view: View, role: Role = Role.FILE) -> Scope:
        """The scope of a member that the caller reads itself."""
        return Scope(self.state, view, self.member(name), self.depth + 1, role)

    def note_member(self, name: str, format_: str, size: int) -> None:
        """List a member in the report."""
        if len(self.state.tally.members) < self.limits.members:
            self.state.tally.members.append(Member(self.member(name) if name else self.name, format_, size))

    def spool(self) -> Spool:
        """A place for decompressed bytes."""
        return Spool(self.limits.spool)

    def unpack(self, size: int) -> None:
        """Count `size` unpacked bytes before they are kept. Raises LimitReachedError, having reported why."""
        state = self.state
        state.unpacked += size
        limits = self.limits
        bomb = state.unpacked > limits.ratio_from and state.unpacked > limits.ratio * max(state.size, 1)
        if bomb or state.unpacked > limits.output:
            if bomb:
                most = max(limits.ratio_from, limits.ratio * state.size)
                text = f"it unpacks to more than {most >> 20} MiB from {state.size} bytes"
                self.issue(Code.BOMB, "high", f"{text}: a decompression bomb")
            else:
                self.unknown(f"it unpacks to more than {limits.output >> 20} MiB; the rest was not read")
            raise LimitReachedError("unpacked bytes")
