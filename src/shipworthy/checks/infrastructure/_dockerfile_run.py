"""What the commands of a Dockerfile's RUN instructions do that they should not."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.infrastructure import _dockerfile_rules as rules
from shipworthy.checks.infrastructure._dockerfile import Instruction
from shipworthy.checks.infrastructure._report import Hit, literal_secret, secret_value, shown
from shipworthy.checks.infrastructure._shell import Command, pipelines
from shipworthy.patterns import regex

_FETCH = frozenset({"curl", "wget", "fetch", "aria2c"})
_SHELLS = frozenset("sh bash dash ash zsh ksh python python3 perl ruby node php".split())
_COMMIT = regex(r"[0-9a-f]{40}")
_HTTP = regex(r"http://(?!localhost|127\.|\[::1\]|\$)[^\s'\"]+")
_FROM_NETWORK = regex(
    r"\b(?:sh|bash|python3?|perl|source|eval|\.)\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*(?:curl|wget)\b"
)
_OFF = {
    "curl": ("-k", "--insecure", "--proxy-insecure"),
    "wget": ("--no-check-certificate",),
    "pip": ("--trusted-host",),
    "pip3": ("--trusted-host",),
    "apt-get": ("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"),
    "apt": ("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"),
    "apk": ("--allow-untrusted",),
    "yum": ("--nogpgcheck",),
    "dnf": ("--nogpgcheck",),
    "microdnf": ("--nogpgcheck",),
    "zypper": ("--no-gpg-checks", "--no-gpg-check"),
    "rpm": ("--nosignature", "--nodigest"),
    "gem": ("--no-verify",),
}
_OFF_WORDS = frozenset(
    """http.sslVerify=false strict-ssl=false NODE_TLS_REJECT_UNAUTHORIZED=0 GIT_SSL_NO_VERIFY=1 GIT_SSL_NO_VERIFY=true
    PYTHONHTTPSVERIFY=0 GONOSUMDB=* GOFLAGS=-insecure GONOSUMCHECK=1 GOINSECURE=*""".split()
)
_CURL_INSECURE = regex(r"-[a-zA-Z#]{0,8}k[a-zA-Z#]{0,8}$")
_OPTIONS_WITH_VALUE = frozenset(
    "-t --target-release -o --option -r --requirement -c -i --index-url -e --prefix".split()
)


def commands(item: Instruction) -> list[tuple[Command, ...]]:
    """The pipelines that a RUN runs, its heredocs among them."""
    if item.words is not None:
        text = " ".join(_quoted(word) for word in item.words)
        return pipelines(text)
    interpreter = item.value.split("<<")[0].strip()
    scripts = item.scripts if not interpreter or interpreter.split()[0] in ("sh", "bash", "ash", "set") else ()
    return [one for text in (item.value, *scripts) for one in pipelines(text)]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def look(item: Instruction) -> Iterator[Hit]:
    """What one RUN does."""
    found = commands(item)
    flat = [command for pipeline in found for command in pipeline]
    line = item.line
    for pipeline in found:
        yield from _piped(pipeline, line)
    if _FROM_NETWORK.search(item.value):
        yield Hit(
            rules.PIPE_TO_SHELL, "what is downloaded goes straight to a shell", line, f"shell {shown(item.value)}"
        )
    for command in flat:
        for judge in (_verification, _http, _rights, _logins, _passwords, _secrets):
            yield from judge(command, line)
    yield from _downloads(flat, line)
    yield from _packages(flat, line)
    yield from _repositories(flat, line)
    yield from _mounted(item, flat)


def _piped(pipeline: tuple[Command, ...], line: int) -> Iterator[Hit]:
    for number, command in enumerate(pipeline[:-1]):
        if command.program in _FETCH:
            for other in pipeline[number + 1 :]:
                if other.program in _SHELLS and not (len(other.words) > 1 and other.words[1] in ("-c", "-m", "-e")):
                    message = f"{command.program} is piped into {other.program}"
                    yield Hit(rules.PIPE_TO_SHELL, message, line, f"{message} {_address(command)}")
    if pipeline[-1].program == "chpasswd" and len(pipeline) > 1:
        yield Hit(rules.PASSWORD_SET, "chpasswd is given a password", line, "chpasswd")
    for command in pipeline:
        if any("NOPASSWD" in word for word in command.words):
            yield Hit(rules.SUDO_FREE, "sudoers lets a user become root without a password", line, "NOPASSWD")


def _address(command: Command) -> str:
    return next((shown(word) for word in command.words if "://" in word), "")


def _verification(command: Command, line: int) -> Iterator[Hit]:
    name = command.program
    options = _OFF.get(name, ())
    told = [word for word in command.words[1:] if word.partition("=")[0] in options]
    if name == "curl":
        told += [word for word in command.words[1:] if _CURL_INSECURE.match(word)]
    if name in ("python", "python3") and "pip" in command.words[1:3]:
        told += [word for word in command.words if word.partition("=")[0] == "--trusted-host"]
    told += [word for word in (*command.words, *command.variables) if word in _OFF_WORDS]
    if command.words[1:4] == ("config", "set", "strict-ssl") and "false" in command.words:
        told.append("strict-ssl false")
    for word in told[:1]:
        yield Hit(rules.TLS_OFF, f"{name} is told `{shown(word, 40)}`", line, f"{name} {shown(word, 40)}")


def _http(command: Command, line: int) -> Iterator[Hit]:
    if command.program in _FETCH | {
        "git",
        "pip",
        "pip3",
        "npm",
        "add-apt-repository",
        "apt-key",
        "gem",
        "echo",
        "printf",
    }:
        deb = command.program not in ("echo", "printf")
        for word in command.words[1:]:
            if deb and (match := _HTTP.search(word)):
                yield Hit(rules.PLAIN_HTTP, f"{command.program} uses {shown(match[0])}", line, shown(match[0]))


def _rights(command: Command, line: int) -> Iterator[Hit]:
    if command.program == "chmod":
        modes = [word for word in command.words[1:] if not word.startswith("--")]
        mode = next((word for word in modes if not word.startswith("-R")), "")
        clauses = mode.split(",")
        digits = mode.lstrip("0")
        writable = (mode.isdigit() and len(mode) >= 3 and mode[-1] in "2367") or any(map(_opens, clauses))
        sticky = mode.isdigit() and len(digits) == 4 and digits[0] in "1"
        if writable and not sticky:
            yield Hit(rules.WORLD_WRITABLE, f"chmod {shown(mode, 20)}", line, f"chmod {shown(' '.join(modes))}")
        if (mode.isdigit() and len(digits) == 4 and digits[0] in "4567") or any(
            "s" in one.partition("+")[2] and set(one.partition("+")[0]) & set("ua") for one in clauses
        ):
            yield Hit(rules.SETUID, f"chmod {shown(mode, 20)}", line, f"setuid {shown(' '.join(modes))}")


def _opens(clause: str) -> bool:
    """Whether a clause such as `a+w` gives everybody the right to write."""
    who, plus, what = clause.partition("+")
    return bool(plus) and "w" in what and (not who or bool(set(who) & set("ao")))


def _logins(command: Command, line: int) -> Iterator[Hit]:
    installs = "install" in command.words or "add" in command.words
    wanted = {"openssh-server", "telnetd", "rsh-server", "vsftpd", "x11vnc", "tightvncserver", "dropbear"} & set(
        command.words
    )
    if installs and wanted:
        yield Hit(rules.REMOTE_LOGIN, f"{sorted(wanted)[0]} is installed", line, sorted(wanted)[0])
    if installs and "sudo" in command.words and command.program in ("apt-get", "apt", "apk", "yum", "dnf"):
        yield Hit(rules.SUDO, "sudo is installed", line, "install sudo")


def _passwords(command: Command, line: int) -> Iterator[Hit]:
    if command.program in ("useradd", "usermod", "adduser") and command.has("-p", "--password"):
        at = next((n for n, w in enumerate(command.words) if w in ("-p", "--password")), 0)
        value = command.words[at + 1] if 0 < at < len(command.words) - 1 else ""
        if value not in ("!", "*", "x", ""):
            yield Hit(rules.PASSWORD_SET, f"{command.program} is given a password", line, command.program)
    if command.program == "passwd" and command.has("-d", "--delete"):
        yield Hit(rules.PASSWORD_SET, "passwd removes a password: anybody may log in", line, "passwd -d")


def _secrets(command: Command, line: int) -> Iterator[Hit]:
    assigned = command.variables + (command.words[1:] if command.program == "export" else ())
    for word in assigned:
        name, _, value = word.partition("=")
        sure = literal_secret(name, value)
        if sure:
            yield Hit(rules.SECRET_VALUE, f"{shown(name)} is set in RUN", line, f"run {name}", confidence=sure)
    if any(secret_value(word) for word in command.words):
        yield Hit(rules.SECRET_VALUE, f"{command.program} is given a secret", line, f"run {command.program}")


def _downloads(flat: list[Command], line: int) -> Iterator[Hit]:
    fetched = [c for c in flat if c.program in _FETCH and "://" in _address(c)]
    if not fetched or any(c.program in ("sha256sum", "sha512sum", "shasum", "sha1sum", "b2sum", "gpg", "gpgv", "cosign",
                                        "minisign", "openssl", "sha384sum") for c in flat):  # fmt: skip
        return
    used = next((c for c in flat if _uses(c)), None)
    if used:
        for command in fetched[:1]:
            message = (
                f"{command.program} fetches {_address(command)}; {used.program} uses it, and no digest is compared"
            )
            yield Hit(rules.DOWNLOAD_RUN, message, line, f"download {_address(command)}")


def _uses(command: Command) -> bool:
    words = command.words
    if command.program == "chmod":
        return any("x" in word.partition("+")[2] or (word.isdigit() and word[-1:] in "157") for word in words[1:])
    if command.program in ("dpkg", "rpm"):
        return command.has("-i", "--install", "-U", "-ivh", "-Uvh")
    if command.program in ("tar", "unzip", "7z", "install"):
        return True
    return command.program in _SHELLS and len(words) > 1 and not words[1].startswith("-")


def _arguments(command: Command, after: str) -> list[str]:
    words = command.words[command.words.index(after) + 1 :]
    found = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _OPTIONS_WITH_VALUE
        else:
            found.append(word)
    return found


def _packages(flat: list[Command], line: int) -> Iterator[Hit]:
    cleaned = any(c.program in ("rm", "find") and any("/var/lib/apt" in w for w in c.words) for c in flat)
    for command in flat:
        name, words = command.program, command.words
        if name in ("apt-get", "apt", "aptitude") and "install" in words:
            loose = [w for w in _arguments(command, "install") if "=" not in w and not w.startswith((".", "/", "$"))]
            if loose:
                yield Hit(rules.APT_UNPINNED, f"{_listed(loose)} may be any version", line, f"apt {_listed(loose)}")
            if not cleaned or not command.has("--no-install-recommends"):
                what = "recommended packages are installed too" if cleaned else "/var/lib/apt/lists stays in the layer"
                yield Hit(rules.APT_CLEANUP, what, line, f"apt {_listed(loose)} {what}")
        if name == "apk" and "add" in words:
            loose = [
                w for w in _arguments(command, "add") if not set("=~<>@$") & set(w) and not w.startswith((".", "/"))
            ]
            if loose:
                yield Hit(rules.APT_UNPINNED, f"{_listed(loose)} may be any version", line, f"apk {_listed(loose)}")
            if not command.has("--no-cache") and not any("/var/cache/apk" in w for c in flat for w in c.words):
                yield Hit(rules.APT_CLEANUP, "apk keeps its index", line, f"apk cache {_listed(loose)}")
        yield from _pip(command, line)
        if name == "npm" and len(words) > 1 and words[1] in ("install", "i", "add"):
            yield Hit(rules.NPM_UNLOCKED, f"npm {words[1]}", line, " ".join(words)[:100])
        if name == "yarn" and words[1:2] in ((), ("install",)) and not command.has("--frozen-lockfile", "--immutable"):
            yield Hit(rules.NPM_UNLOCKED, "yarn without --immutable", line, "yarn install")


def _pip(command: Command, line: int) -> Iterator[Hit]:
    words = command.words
    if command.program in ("python", "python3") and words[1:3] == ("-m", "pip"):
        words = words[2:]
    elif command.program not in ("pip", "pip3", "uv"):
        return
    if "install" not in words or command.has("--require-hashes", "--no-index", "--no-deps", "-h"):
        return
    wanted = _arguments(Command(words), "install")
    own = [word for word in wanted if word in (".", "./") or word.startswith((".[", "./", "/", "$"))]
    if wanted and len(own) == len(wanted) and not command.has("-r"):
        return
    what = _listed([word for word in wanted if word not in own]) or "what the requirements file lists"
    yield Hit(rules.PIP_UNHASHED, f"{what} is installed without digests", line, f"pip {what}")


def _listed(names: list[str]) -> str:
    return shown(", ".join(names[:4]) + (", …" if len(names) > 4 else ""))


def _repositories(flat: list[Command], line: int) -> Iterator[Hit]:
    pinned = any(_COMMIT.search(word) for command in flat for word in command.words)
    for command in flat:
        if command.program == "git" and "clone" in command.words and not pinned:
            yield Hit(rules.GIT_UNPINNED, f"git clone {_address(command)}", line, f"clone {_address(command)}")
        if command.program in ("pip", "pip3", "uv", "python", "python3"):
            for word in command.words:
                if "git+" in word and not _COMMIT.search(word):
                    yield Hit(rules.GIT_UNPINNED, f"{shown(word)} names no commit", line, f"pip {shown(word)}")


def _mounted(item: Instruction, flat: list[Command]) -> Iterator[Hit]:
    mounts = [value for flag, value in item.flags if flag == "mount" and "type=secret" in value]
    targets = ["/run/secrets"] + [
        part.partition("=")[2] for mount in mounts for part in mount.split(",") if part.startswith(("target=", "dst="))
    ]
    names = ["$" + part.partition("=")[2] for mount in mounts for part in mount.split(",") if part.startswith("env=")]
    if not mounts:
        return
    for command in flat:
        reads = any(target in word for word in command.words for target in (*targets, *names) if target != "$")
        writes = any(">" in mark and not mark.endswith("/dev/null") for mark in command.redirects)
        if reads and (
            command.program in ("cp", "mv", "tee", "install", "ln")
            or (writes and command.program in ("cat", "echo", "printf"))
        ):
            message = f"{command.program} writes what is mounted"
            yield Hit(rules.SECRET_KEPT, message, item.line, f"kept {command.program}")
