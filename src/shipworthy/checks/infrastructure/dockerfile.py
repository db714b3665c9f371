"""Dockerfiles: users, bases, secrets, downloads and commands that make an image unsafe or impossible to repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.infrastructure import _dockerfile_rules as rules
from shipworthy.checks.infrastructure import _dockerfile_run
from shipworthy.checks.infrastructure._dockerfile import Dockerfile, Instruction, Stage, expanded, parse
from shipworthy.checks.infrastructure._dockerfile_rules import RULES
from shipworthy.checks.infrastructure._report import (
    Hit,
    TooLarge,
    findings,
    literal_secret,
    secret_name,
    secret_value,
    shown,
    text_of,
    unread,
)
from shipworthy.model import Artifact, Confidence, Finding
from shipworthy.patterns import regex

__all__ = ["RULES", "scan"]

_LOGIN_PORTS = {
    22: "ssh", 23: "telnet", 512: "rexec", 513: "rlogin", 514: "rsh", 2375: "the Docker daemon",
    2376: "the Docker daemon", 3389: "remote desktop", 5900: "VNC",
}  # fmt: skip
_DEBUG_PORTS = {
    1044: "Java", 2345: "delve", 4000: "delve", 5005: "Java", 5678: "debugpy", 5858: "Node.js", 9222: "Chrome",
    9229: "Node.js", 40000: "delve",
}  # fmt: skip
_SECRET_FILE = regex(
    r"(?:^|/)(?:\.env(?:\.(?!example|sample|template|dist)\w+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.npmrc|\.pypirc|\.pgpass|"
    r"\.aws|\.ssh|\.gnupg|\.kube|\.git|\.git-credentials|credentials(?:\.json)?|\.htpasswd|kubeconfig|"
    r"service[-_]?account[\w-]{0,40}\.json|[^/]{1,80}\.(?:key|p12|pfx|jks|keystore|kdbx|ppk))/?$"
)
_ROOT = regex(r"root|[+-]?0{1,20}")  # any number that is 0
_DIGEST = regex(r"@sha256:[0-9a-f]{64}$")
_OWN_FRONTEND = regex(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$")
_CANARY = b'FROM debian:latest\nRUN curl -s https://example.org/i.sh | sh\nCMD ["app"]\n'


def _ignores(artifact: Artifact) -> list[Path]:
    """Where a list of what is left out of the context may lie: beside it, or in a folder above that is the context."""
    path = artifact.path
    if path is None:
        return []
    above = path.parents[: artifact.uri.count("/") + 1 if "://" not in artifact.uri else 1]
    names = (".dockerignore", ".containerignore")
    return [path.with_name(path.name + ".dockerignore"), *(folder / name for folder in above for name in names)]


def _beside(artifact: Artifact) -> str:
    return "1" if any(path.is_file() for path in _ignores(artifact)) else "0"


@check(
    "dockerfile",
    kinds={"dockerfile"},
    cache_beside=_beside,
    canary=Canary(files={"Dockerfile": _CANARY}, rule=rules.PIPE_TO_SHELL.id),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one Dockerfile."""
    try:
        text = text_of(artifact)
    except TooLarge as error:
        yield Skipped(artifact, str(error))
        return
    parsed = parse(text)
    yield from unread(artifact, parsed.problems)
    yield from findings(artifact, judge(parsed, _beside(artifact) == "1"))


def judge(parsed: Dockerfile, ignores: bool) -> Iterator[Hit]:
    """What breaks a rule. `ignores`: there is a list of files that stay out of the build's context."""
    if "syntax" in parsed.directives:
        value, line = parsed.directives["syntax"]
        if not _OWN_FRONTEND.match(value):
            yield Hit(rules.FRONTEND, f"the frontend is {shown(value)}", line, value[:200])
    for item in parsed.before:
        yield from _values(item)
    names: set[str] = set()
    for number, stage in enumerate(parsed.stages):
        yield from _base(stage, names)
        for item in stage.instructions:
            known = _known(parsed, stage.instructions) if item.name in ("COPY", "ADD") and "$" in item.value else {}
            yield from _instruction(item, ignores, known)
            yield from _taken_from(item, names)
        names |= {stage.name, str(number)} - {""}
    if parsed.stages:
        yield from _final(parsed)


def _base(stage: Stage, names: set[str]) -> Iterator[Hit]:
    base = stage.base
    if not base or base.lower() in names or base == "scratch":
        return
    if not stage.resolved:
        message = f"the base {shown(base)} is an argument without a default"
        yield Hit(rules.BASE_UNPINNED, message, stage.line, base, confidence=Confidence.LOW)
        return
    yield from _pinned(base, stage.line)


def _taken_from(item: Instruction, names: set[str]) -> Iterator[Hit]:
    """Images besides the bases, of which files are copied or mounted."""
    mounts = [part for flag, value in item.flags if flag == "mount" for part in value.split(",")]
    given = [item.flag("from") or ""] if item.name == "COPY" else [m[5:] for m in mounts if m.startswith("from=")]
    for image in given:
        if image and image.lower() not in names and image != "scratch" and "$" not in image:
            # a word alone may be a context that is given to the build by that name
            yield from _pinned(image, item.line, None if set(image) & set("/:.") else Confidence.LOW)


def _pinned(base: str, line: int, confidence: Confidence | None = None) -> Iterator[Hit]:
    if _DIGEST.search(base):
        return
    tag = base.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        yield Hit(rules.BASE_LATEST, f"{shown(base)} has no version", line, base, confidence=confidence)
    else:
        yield Hit(rules.BASE_UNPINNED, f"{shown(base)} has no digest", line, base, confidence=confidence)


def _instruction(item: Instruction, ignores: bool, known: Mapping[str, str]) -> Iterator[Hit]:
    if item.name == "RUN":
        for flag, value in item.flags:
            if (flag, value) in (("security", "insecure"), ("network", "host")):
                yield Hit(rules.PRIVILEGED_STEP, f"RUN --{flag}={value}", item.line, f"{flag}={value}")
        if (
            any(word == "sudo" for word in item.value.split()[:1])
            or " sudo -" in item.value
            or "&& sudo " in item.value
        ):
            yield Hit(rules.SUDO, "a step uses sudo", item.line, "sudo")
        yield from _dockerfile_run.look(item)
    elif item.name in ("ENV", "ARG", "LABEL"):
        yield from _values(item)
    elif item.name in ("COPY", "ADD"):
        yield from _copied(item, ignores, known)
    elif item.name == "EXPOSE":
        yield from _exposed(item)
    elif item.name == "VOLUME" and ("docker.sock" in item.value or "containerd.sock" in item.value):
        yield Hit(rules.SOCKET, "VOLUME names the runtime's socket", item.line, "volume socket")
    elif item.name in ("CMD", "ENTRYPOINT") and item.words is None and item.value:
        yield Hit(rules.SHELL_FORM, f"{item.name} is a line for a shell", item.line, item.name)


def _values(item: Instruction) -> Iterator[Hit]:
    for name, value in item.pairs:
        sure = literal_secret(name, value)
        if sure or (item.name == "LABEL" and secret_value(value)):
            message = f"{item.name} {shown(name)} holds a value ({len(value)} characters)"
            yield Hit(rules.SECRET_VALUE, message, item.line, f"{item.name} {name}", confidence=sure)
        elif item.name == "ARG" and secret_name(name):
            yield Hit(rules.SECRET_ARGUMENT, f"ARG {shown(name)}", item.line, f"ARG {name}")
        if name in ("NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY") and value == "0":
            yield Hit(rules.TLS_OFF, f"{item.name} {name}=0", item.line, name)
        if name == "GIT_SSL_NO_VERIFY" and value.lower() in ("1", "true"):
            yield Hit(rules.TLS_OFF, f"{item.name} {name}={value}", item.line, name)


def _copied(item: Instruction, ignores: bool, known: Mapping[str, str]) -> Iterator[Hit]:
    sources = [expanded(source, known)[0] for source in list(item.words or item.value.split())[:-1]]
    chmod = item.flag("chmod") or ""
    if chmod.isdigit() and chmod[-1:] in "2367" and len(chmod) >= 3:
        yield Hit(
            rules.WORLD_WRITABLE, f"{item.name} --chmod={shown(chmod, 20)}", item.line, f"chmod {item.value[:100]}"
        )
    if item.flag("from") is not None:
        return
    for source in sources:
        if source.startswith("<<"):
            continue
        if "://" in source or source.startswith("git@"):
            yield from _fetched(item, source)
            continue
        if _SECRET_FILE.search(source):
            yield Hit(rules.SECRET_COPIED, f"{item.name} {shown(source)}", item.line, f"copy {source[:200]}")
        if source in (".", "./", "*", "/") and not ignores:
            yield Hit(rules.COPY_ALL, f"{item.name} {source} without a .dockerignore", item.line, f"copy {source}")
    if (
        item.name == "ADD"
        and sources
        and not any("://" in s or s.startswith(("git@", "<<")) for s in sources)
        and not any(source.endswith((".tar", ".gz", ".tgz", ".xz", ".bz2", ".zst")) for source in sources)
    ):
        yield Hit(rules.ADD_LOCAL, f"ADD {shown(sources[0])}", item.line, f"add {sources[0][:200]}")


def _fetched(item: Instruction, source: str) -> Iterator[Hit]:
    if source.startswith("http://"):
        yield Hit(rules.PLAIN_HTTP, f"{item.name} {shown(source)}", item.line, source[:200])
    if ".git" in source or source.startswith("git"):
        commit = source.partition("#")[2].partition(":")[0]
        if len(commit) != 40 and not item.flag("checksum"):
            yield Hit(rules.GIT_UNPINNED, f"{item.name} {shown(source)}", item.line, source[:200])
    elif not item.flag("checksum"):
        yield Hit(rules.ADD_URL, f"{item.name} {shown(source)}", item.line, source[:200])


def _exposed(item: Instruction) -> Iterator[Hit]:
    for word in item.value.split():
        port = word.partition("/")[0]
        low, _, high = port.partition("-")
        if not low.isdigit() or len(low) > 5:
            continue
        ports = range(int(low), (int(high) if high.isdigit() and len(high) < 6 else int(low)) + 1)
        for number, name in _LOGIN_PORTS.items():
            if number in ports:
                yield Hit(rules.REMOTE_LOGIN, f"port {number} is that of {name}", item.line, f"port {number}")
        for number, name in _DEBUG_PORTS.items():
            if number in ports and len(ports) < 1000:
                yield Hit(
                    rules.DEBUG_PORT, f"port {number} is that of a debugger ({name})", item.line, f"port {number}"
                )


def _known(parsed: Dockerfile, items: Sequence[Instruction]) -> dict[str, str]:
    """The values of arguments and variables, as far as the file gives them."""
    outside = {name: value for item in parsed.before if item.name == "ARG" for name, value in item.pairs}
    found: dict[str, str] = {}
    for item in items:
        for name, value in item.pairs if item.name in ("ARG", "ENV") else ():
            found[name] = value or outside.get(name, "")
    return {name: value for name, value in found.items() if value}


def _final(parsed: Dockerfile) -> Iterator[Hit]:
    """What the image that is built has and has not: the last stage and those that it goes on from."""
    chain = [parsed.stages[-1]]
    while len(chain) < 100:
        before = parsed.stages[: parsed.stages.index(chain[0])]
        parent = next((s for n, s in enumerate(before) if chain[0].base.lower() in (s.name, str(n))), None)
        if parent is None:
            break
        chain.insert(0, parent)
    items = [item for stage in chain for item in stage.instructions]
    last = parsed.stages[-1]
    user = next((item for item in reversed(items) if item.name == "USER"), None)
    if user is None:
        yield Hit(rules.ROOT_USER, "no USER is set: it is the base image's, mostly root", last.line, "no user",
                  confidence=Confidence.MEDIUM)  # fmt: skip
    elif _ROOT.fullmatch(expanded(user.value, _known(parsed, items))[0].strip().strip("\"'").partition(":")[0]):
        yield Hit(rules.ROOT_USER, f"the last USER is {shown(user.value)}", user.line, "user root")
    starts = any(item.name in ("CMD", "ENTRYPOINT") for item in items)
    if starts and not any(item.name == "HEALTHCHECK" and item.value.upper() != "NONE" for item in items):
        yield Hit(rules.NO_HEALTHCHECK, "there is no HEALTHCHECK", last.line, "no healthcheck")
