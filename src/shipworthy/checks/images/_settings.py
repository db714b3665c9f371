"""What an image's configuration says: user, environment, ports, command, history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.checks.images import _rules as rules
from shipworthy.checks.secrets._patterns import Dialect, Match, _judge, find, kind_of
from shipworthy.images import Image, Tree
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.paths import REDACTED, display_name
from shipworthy.patterns import regex

_TEXT = 20_000  # characters looked at of one value
_ROWS = 2_000
# Ports by which debuggers and remote control are reached (IANA's names, and the tools' documentation).
_PORTS = {
    21: "FTP", 22: "SSH", 23: "Telnet", 512: "rexec", 513: "rlogin", 514: "rsh", 1099: "Java RMI", 2345: "Delve",
    2375: "Docker without TLS", 2376: "Docker", 3389: "remote desktop", 5005: "Java's debugger", 5678: "debugpy",
    5900: "VNC", 9229: "the Node.js inspector", 9230: "the Node.js inspector",
    10250: "the kubelet", 5858: "the Node.js debugger",
}  # fmt: skip
_SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_VARIABLE = regex(r"\$\{?[A-Za-z_]")
_PIPED = regex(r"\b(?:curl|wget)\b[^|;&\n]{0,400}\|\s{0,5}(?:sudo\s{1,5})?(?:/\S{1,60}/)?(?:ba|da|z|a)?sh\b")
_ADDED = regex(r"\bADD\s(?:--\S{1,100}\s){0,4}\s{0,5}https?://\S{1,300}")
_VOLUMES = ("/", "/etc", "/root", "/boot", "/dev", "/proc", "/sys", "/usr", "/lib", "/var/run", "/run", "/home",
            "/var/lib/docker")  # fmt: skip
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")
_UNVERIFIED = {
    "NODE_TLS_REJECT_UNAUTHORIZED": ("0",),
    "PYTHONHTTPSVERIFY": ("0",),
    "GIT_SSL_NO_VERIFY": ("1", "true"),
    "NPM_CONFIG_STRICT_SSL": ("false",),
    "CURL_INSECURE": ("1", "true"),
    "SSL_VERIFY": ("false", "0", "none"),
}


def look(artifact: Artifact, image: Image, reference: str = "") -> Iterator[Finding]:
    """Everything that needs no layer."""
    settings = image.settings
    yield from _user(artifact, settings)
    yield from _secrets(artifact, image)
    yield from _ports(artifact, settings)
    yield from _command(artifact, settings)
    yield from _environment(artifact, settings)
    yield from _volumes(artifact, settings)
    yield from _built(artifact, image)
    name = reference or image.reference
    if name == "latest" or name.endswith(":latest"):
        yield rules.LATEST.at(artifact, evidence=display_name(name)[:200], key="latest")
    check = settings.get("Healthcheck")
    test = check.get("Test") if isinstance(check, dict) else None
    if not test or test == ["NONE"]:
        yield rules.HEALTHCHECK.at(artifact, field="config.Healthcheck", key="healthcheck")


def user_of(settings: Mapping[str, Any]) -> tuple[str, str]:
    """User and group as the configuration has them (`name`, `1000`, `name:group`); both may be empty."""
    user, _, group = str(settings.get("User") or "").strip().partition(":")
    return user, group


def _user(artifact: Artifact, settings: Mapping[str, Any]) -> Iterator[Finding]:
    user, _ = user_of(settings)
    if user in ("", "root") or (user.isdigit() and not user.strip("0")):
        told = "no user is set, so it is root" if not user else f"the user is {user[:40]}"
        yield rules.ROOT.at(artifact, f"The image's program runs as root: {told}", field="config.User", key="user")


def _secrets(artifact: Artifact, image: Image) -> Iterator[Finding]:
    seen: set[str] = set()
    for field, text in _texts(image):
        text = text[:_TEXT]
        named = _named(text) if field in ("config.Env", "config.Labels") else None
        for match in (named, *find(text, Dialect.CONFIG)):
            if match is None or match.secret in seen:
                continue
            seen.add(match.secret)
            name = display_name(match.name)[:80]
            shown = f"{name}={match.secret[:3]}… ({len(match.secret)} characters)"
            yield rules.SECRET.at(
                artifact, f"{match.rule.title} is in the image's {field}", evidence=shown, field=field,
                severity=max(match.rule.severity, Severity.MEDIUM), key=f"{field} {name} {match.pattern}",
            )  # fmt: skip
        if not any(secret in text for secret in seen) and REDACTED in (shown := display_name(text)):
            at = shown.index(REDACTED)
            yield rules.SECRET.at(
                artifact, f"A token is in the image's {field}", evidence=shown[max(0, at - 4) : at + len(REDACTED) + 8],
                field=field, key=f"{field} token",
            )  # fmt: skip


def _named(text: str) -> Match | None:
    """A variable's whole value, whatever characters are in it: no quotes say where it ends."""
    name, _, value = text.partition("=")
    kind = kind_of(name.replace(".", "_"))
    return _judge(kind, name, value, len(name) + 1) if kind else None


def _texts(image: Image) -> Iterator[tuple[str, str]]:
    settings = image.settings
    for value in _strings(settings.get("Env")):
        yield "config.Env", value
    labels = settings.get("Labels")
    for key, value in list(labels.items())[:_ROWS] if isinstance(labels, dict) else ():
        yield "config.Labels", f"{key}={value}"
    for item in [*_strings(settings.get("Cmd")), *_strings(settings.get("Entrypoint"))]:
        yield "config.Cmd", item
    for number, row in enumerate(image.history[:_ROWS]):
        yield f"history[{number}]", f"{row.get('created_by', '')}\n{row.get('comment', '')}"
    for key, value in image.annotations.items():
        yield "annotations", f"{key}={value}"


def _ports(artifact: Artifact, settings: Mapping[str, Any]) -> Iterator[Finding]:
    exposed = settings.get("ExposedPorts")
    for port in list(exposed)[:_ROWS] if isinstance(exposed, dict) else ():
        number = port.partition("/")[0]
        if not number.isdigit() or len(number) > 5:
            continue
        what = _PORTS.get(int(number))
        if what:
            yield rules.DEBUG_PORT.at(
                artifact, f"The image exposes port {int(number)}, by which {what} is reached",
                field="config.ExposedPorts", evidence=port[:20], key=f"port {int(number)}",
            )  # fmt: skip


def _command(artifact: Artifact, settings: Mapping[str, Any]) -> Iterator[Finding]:
    for field in ("Entrypoint", "Cmd"):
        words = _strings(settings.get(field))
        shell = words[0].rpartition("/")[2] if words else ""
        if shell not in _SHELLS or len(words) < 3 or words[1] not in ("-c", "-ec", "-lc", "-xc", "-cx"):
            continue
        if field == "Cmd" and _strings(settings.get("Entrypoint")):
            continue  # arguments of the entry point
        script = words[2].strip()
        expands = _VARIABLE.search(script[:_TEXT]) is not None
        if not expands and script.startswith("exec "):
            continue
        told = "through a shell that puts variables into the command" if expands else "through a shell"
        yield rules.SHELL.at(
            artifact, f"The image starts its program {told}", field=f"config.{field}", key=f"shell {field}",
            severity=Severity.MEDIUM if "eval" in script.split() else Severity.LOW,
        )  # fmt: skip


def _environment(artifact: Artifact, settings: Mapping[str, Any]) -> Iterator[Finding]:
    for item in _strings(settings.get("Env")):
        name, _, value = item.partition("=")
        why = ""
        if name in ("LD_PRELOAD", "LD_AUDIT"):
            why = "loads a library ahead of all others"
        elif value.lower() in _UNVERIFIED.get(name, ()):
            why = "has certificates not verified"
        elif name == "PATH":
            bad = [p for p in value.split(":") if not p.startswith("/") or p.startswith(("/tmp", "/var/tmp"))]  # noqa: S108
            why = f"has programs looked for in {display_name(bad[0])[:60] or 'the current folder'!r}" if bad else ""
        if why:
            yield rules.ENVIRONMENT.at(artifact, f"{name} {why}", field="config.Env", evidence=name, key=name)


def _volumes(artifact: Artifact, settings: Mapping[str, Any]) -> Iterator[Finding]:
    volumes = settings.get("Volumes")
    for path in list(volumes)[:_ROWS] if isinstance(volumes, dict) else ():
        plain = path.rstrip("/") or "/"
        if plain in _VOLUMES or plain.rpartition("/")[2] in _SOCKETS:
            shown = display_name(path)[:200]
            yield rules.VOLUME.at(
                artifact, f"The image asks for {shown} as a volume", field="config.Volumes", evidence=shown,
                severity=Severity.HIGH if plain.endswith(".sock") else None,
            )  # fmt: skip


def hidden_by_volumes(artifact: Artifact, settings: Mapping[str, Any], tree: Tree) -> Iterator[Finding]:
    """Files of the image that lie where it asks for a volume."""
    volumes = settings.get("Volumes")
    for path in list(volumes)[:_ROWS] if isinstance(volumes, dict) else ():
        node = None if (path.rstrip("/") or "/") in _VOLUMES else tree.get(path)  # those are told as what they are
        pending, first = [node] if node is not None else [], ""
        while pending and not first:
            for name, child in (pending.pop().children or {}).items():
                pending += [child] if child.is_dir else []
                first = first or ("" if child.is_dir else name)
        if first:
            shown, one = display_name(path)[:200], display_name(first)[:100]
            message = f"The image has files in {shown}, such as {one}, and asks for a volume there"
            yield rules.VOLUME_FILES.at(artifact, message, field="config.Volumes", evidence=shown, key=shown)


def _built(artifact: Artifact, image: Image) -> Iterator[Finding]:
    for number, row in enumerate(image.history[:_ROWS]):
        text = str(row.get("created_by", ""))[:_TEXT]
        found = _PIPED.search(text) or (_ADDED.search(text) if "--checksum" not in text else None)
        if found:
            shown = display_name(found[0])[:160]
            yield rules.REMOTE_CODE.at(artifact, field=f"history[{number}]", evidence=shown, key=shown)


def _strings(value: object) -> list[str]:
    return [item for item in value[:_ROWS] if isinstance(item, str)] if isinstance(value, list) else []
