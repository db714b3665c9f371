"""Passwords, tokens and keys in the git history that the files no longer show.

A secret that was committed once is in every clone. All commits that a branch, tag, stash or remote reference reaches
are looked at: file contents, and the messages of commits and tags. A secret that the files still hold is left to the
checks of the files. Without a reference nothing is reached: commits that were reset away are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.secrets import _git
from shipworthy.checks.secrets._engine import Hit, Source, as_text, dialect_of, finding, scan, suffix_of
from shipworthy.checks.secrets._kingfisher import KINGFISHER
from shipworthy.checks.secrets._placeholder import looks_random
from shipworthy.checks.secrets._read import read
from shipworthy.checks.secrets._rules import (
    CLOUD_KEY,
    CLOUD_KEY_ID,
    CONNECTION_STRING,
    GENERIC,
    PASSWORD,
    PRIVATE_KEY,
    TOKEN,
)
from shipworthy.checks.secrets.files import MAX_BYTES, sample_token
from shipworthy.model import Artifact, Finding, Kind
from shipworthy.paths import display_name
from shipworthy.tools import ToolFailed, ToolMissing

RULES = (CLOUD_KEY, CLOUD_KEY_ID, TOKEN, PRIVATE_KEY, PASSWORD, CONNECTION_STRING, GENERIC)
MAX_COMMITS = 100_000
MAX_TOTAL = 2 * 1024 * 1024 * 1024
_READ_AT_ONCE = 32 * 1024 * 1024
_MESSAGES = "commit messages"


@dataclass(frozen=True)
class _Object:
    """A git object: a file's content with the path that it was first seen at, or a message."""

    id: str
    kind: str
    size: int
    path: str = ""


@dataclass(frozen=True)
class _Seen:
    """A hit in an object; `digest` and `size` are those of the content."""

    item: _Object
    hit: Hit
    digest: str
    size: int
    commit: str | None = None
    more: int = field(default=0)


def _state(context: Context) -> str:
    try:
        repository = _git.find(context.root, context.tools)
    except (ToolFailed, ToolMissing) as error:
        return error.reason
    return repository.digest if repository else ""


@check(
    "secrets-history",
    kinds={"code", "text", "requirements", "dockerfile", "iac", "workflow", "prompt", "notebook", "dataset"},
    scope="tree",
    version=3,
    needs=(KINGFISHER, _git.GIT),
    canary=Canary(
        files={"settings.py": sample_token, "README.md": b"a project\n"}, rule=TOKEN.id, git=("settings.py",)
    ),
    options={"max-bytes": MAX_BYTES, "max-total-bytes": MAX_TOTAL, "max-commits": MAX_COMMITS},
    cache_on=_state,
    timeout=3600.0,
)
def run(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings with the commit that brought the secret in. Options: the largest content (`max-bytes`), all contents
    together (`max-total-bytes`) and how many commits (`max-commits`) are looked at, the newest first."""
    context.tools.locate(KINGFISHER)
    repository = _git.find(context.root, context.tools)
    if repository is None:
        raise NotApplicable("the workspace is in no git repository")
    if not repository.tips:
        raise NotApplicable("the git repository has no commits")
    if repository.shallow:
        yield Skipped(
            None, "the clone is shallow: older commits are not here (git fetch --unshallow)", code="shallow-clone"
        )
    limits = {"max-bytes": MAX_BYTES, "max-total-bytes": MAX_TOTAL, "max-commits": MAX_COMMITS}
    limits |= {name: int(value) for name, value in context.options.items() if name in limits}
    with _git.reader(repository, context.tools) as git:
        objects, gaps = _inventory(git, repository, limits)
        yield from gaps
        if not objects:
            raise NotApplicable("the git repository does not track this folder")
        seen = list(_scan(git, objects, context))
        gone = _not_in_files(seen, artifacts, limits["max-bytes"], repository.prefix.decode("utf-8", "replace"))
        commits = _commits(git, repository, gone)
    for item in gone:
        yield _finding(item, commits, repository.prefix)


def _inventory(
    git: _git.Reader, repository: _git.Repository, limits: dict[str, int]
) -> tuple[list[_Object], list[Skipped]]:
    """What there is to read, the newest first, and what is beyond the limits or missing."""
    tips = "".join(f"{tip}\n" for tip in repository.tips).encode()
    paths = ("--", _text(repository.prefix)) if repository.prefix else ()
    gaps = []
    commits = int(git.run("rev-list", "--count", "--full-history", "--stdin", *paths, stdin=tips))
    if commits > limits["max-commits"]:
        gaps.append(Skipped(None, f"{commits - limits['max-commits']} of {commits} commits are beyond max-commits"))
    listed = git.run(
        "rev-list", "--objects", "--full-history", "--missing=print", f"--max-count={limits['max-commits']}", "--stdin",
        *paths, stdin=tips,
    )  # fmt: skip
    names: dict[str, str] = {}
    missing = 0
    for line in listed.split(b"\n"):
        name, _, path = line.partition(b" ")
        if line.startswith(b"?"):
            missing += 1
        elif name:
            names.setdefault(name.decode("ascii"), _text(path))
    if missing:
        gaps.append(Skipped(None, f"{missing} objects are not in this clone (a partial clone, or a damaged one)"))
    return _within(_typed(git, names), limits, gaps), gaps


def _typed(git: _git.Reader, names: dict[str, str]) -> Iterator[_Object]:
    asked = "".join(f"{name}\n" for name in names).encode()
    for line in git.run(
        "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=asked
    ).splitlines():
        name, kind, *size = line.decode("ascii", "replace").split(" ")
        if kind in {"blob", "commit", "tag"} and size:
            yield _Object(name, kind, int(size[0]), names[name] if kind == "blob" else "")
        elif kind != "tree":
            raise ToolFailed(_git.GIT.name, f"cannot read object {name[:12]}")


def _within(objects: Iterator[_Object], limits: dict[str, int], gaps: list[Skipped]) -> list[_Object]:
    kept, total, large, late = [], 0, 0, 0
    for item in objects:
        if item.size > limits["max-bytes"]:
            large += 1
        elif total + item.size > limits["max-total-bytes"]:
            late += 1
        else:
            total += item.size
            kept.append(item)
    if large:
        gaps.append(Skipped(None, f"{large} contents in the history are larger than max-bytes ({limits['max-bytes']})"))
    if late:
        gaps.append(
            Skipped(None, f"{late} contents in the history are beyond max-total-bytes ({limits['max-total-bytes']})")
        )
    return kept


def _scan(git: _git.Reader, objects: list[_Object], context: Context) -> Iterator[_Seen]:
    def sources() -> Iterator[tuple[_Object, Source]]:
        for group in _groups(objects):
            by_id = {item.id: item for item in group}
            for name, data in git.blobs(list(by_id)):
                item = by_id[name]
                blob = item.kind == "blob"
                # Of a commit or tag the headers (ids, signature) are left out: they come before the first empty line.
                text = data if blob else data.partition(b"\n\n")[2]
                yield item, Source(text, suffix_of(item.path), dialect_of(item.path) if blob and item.path else None)

    for scanned in scan(sources(), context.tools):
        digest = sha256(scanned.data).hexdigest()
        for hit in scanned.hits:
            yield _Seen(scanned.tag, hit, f"sha256:{digest}", len(scanned.data), more=scanned.more)


def _groups(objects: list[_Object]) -> Iterator[list[_Object]]:
    """Objects in groups that fit into memory together."""
    group: list[_Object] = []
    size = 0
    for item in objects:
        if group and size + item.size > _READ_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(item)
        size += item.size + 100
    if group:
        yield group


def _not_in_files(seen: list[_Seen], artifacts: tuple[Artifact, ...], limit: int, prefix: str) -> list[_Seen]:
    """Hits whose secret no file holds any more. What looks random is looked for in all files; a password only in the
    file of its path, because the same word elsewhere may be none."""
    unique: dict[tuple[str, bytes, str], _Seen] = {}
    for item in reversed(seen):  # the oldest object of each secret and path
        unique.setdefault((item.hit.pattern, item.hit.secret, item.item.path), item)
    left = list(unique.values())
    for artifact in artifacts if left else ():
        data = read(artifact, limit)
        if isinstance(data, bytes):
            text = as_text(data)
            left = [item for item in left if not _holds(artifact, text, item, prefix)]
    return left


def _holds(artifact: Artifact, text: bytes, item: _Seen, prefix: str) -> bool:
    secret = item.hit.secret
    same = artifact.uri == display_name(item.item.path.removeprefix(prefix))
    return bool(secret) and secret in text and (same or looks_random(secret.decode("utf-8", "replace")))


def _commits(git: _git.Reader, repository: _git.Repository, seen: list[_Seen]) -> dict[str, str]:
    """The first commit that holds each blob. A blob is left out when git cannot say within the limits."""
    wanted = {item.item.id for item in seen if item.item.kind == "blob"}
    paths = sorted({item.item.path for item in seen if item.item.id in wanted and item.item.path})
    found: dict[str, str] = {}
    tips = "".join(f"{tip}\n" for tip in repository.tips).encode()
    for start in range(0, len(paths), 200):
        try:
            answer = git.run(
                "log", "--reverse", "--full-history", "-m", "--raw", "--root", "--no-renames", "--no-abbrev", "-z",
                "--no-ext-diff", "--no-textconv", "--format=commit %H", "--stdin", "--", *paths[start : start + 200],
                stdin=tips,
            )  # fmt: skip
        except ToolFailed:
            continue  # the secret is reported all the same, without its commit
        _read_log(answer, wanted, found)
    return found


def _read_log(answer: bytes, wanted: set[str], found: dict[str, str]) -> None:
    commit = ""
    parts = iter(answer.split(b"\0"))
    for part in parts:
        text = part.strip()
        if text.startswith(b":"):
            next(parts, b"")  # the path
            blob = text.split(b" ")[3].decode("ascii", "replace")
            if blob in wanted:
                found.setdefault(blob, commit)
        elif text.startswith(b"commit "):
            commit = text.split(b" ")[1].decode("ascii", "replace")


def _finding(item: _Seen, commits: dict[str, str], prefix: bytes) -> Finding:
    thing, hit = item.item, item.hit
    if thing.kind == "blob":
        uri = display_name(thing.path.removeprefix(_text(prefix))) or f"git:{thing.id}"
        where, commit = " in the git history", commits.get(thing.id)
    else:
        uri, where = f"git:{_MESSAGES.replace(' ', '-')}", f" in the message of a {thing.kind}"
        commit = thing.id
    if item.more:
        where += f" (one of {item.more + 100} in this content)"
    artifact = Artifact(uri, Kind.TEXT, item.digest, item.size)
    return finding(hit, artifact, where=where, key="history:", line=hit.line, column=hit.column, commit=commit)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
