"""What an image's files say by their names, modes and owners."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.images import _rules as rules
from shipworthy.checks.images._settings import user_of
from shipworthy.images import Image, Node, Tree
from shipworthy.model import Artifact, Finding, Rule
from shipworthy.paths import display_name

_SHOWN = 10
ACCOUNTS = ("etc/passwd", "etc/shadow", "etc/sudoers")
_SUDOERS = "etc/sudoers.d/"
# What Debian, Ubuntu, Fedora, openSUSE and Alpine install setuid or setgid in their base systems and usual packages.
_USUAL = frozenset(
    """su mount umount passwd chsh chfn newgrp gpasswd chage expiry unix_chkpwd unix2_chkpwd unix_update wall write
    bsd-write pam_timestamp_check bbsuid newuidmap newgidmap ping ping6 crontab at ssh-agent ssh-keysign
    dbus-daemon-launch-helper pkexec polkit-agent-helper-1 fusermount fusermount3 sudo sudoedit doas dotlockfile
    utempter locate plocate mlocate userhelper usernetctl clockdiff arping chkstat grub2-set-bootloader""".split()
)
_CREDENTIALS = {
    ".netrc": "passwords of hosts", "_netrc": "passwords of hosts", ".git-credentials": "passwords of git servers",
    ".pypirc": "passwords of package indexes", ".pgpass": "passwords of databases", ".my.cnf": "passwords of databases",
    "id_rsa": "a private key", "id_ed25519": "a private key", "id_ecdsa": "a private key", "id_dsa": "a private key",
    ".env": "settings with secrets", ".env.local": "settings with secrets", ".env.production": "settings with secrets",
    ".htpasswd": "passwords", ".dockercfg": "passwords of registries", ".vault-token": "a token of a secret store",
    "kubeconfig": "access to a cluster", "terraform.tfstate": "secrets of an infrastructure",
}  # fmt: skip
_CREDENTIAL_PATHS = {
    ".aws/credentials": "keys of a cloud account", ".docker/config.json": "passwords of registries",
    ".kube/config": "access to a cluster", ".config/gcloud/credentials.db": "keys of a cloud account",
    ".config/gcloud/application_default_credentials.json": "keys of a cloud account",
    ".azure/accessTokens.json": "keys of a cloud account", ".config/gh/hosts.yml": "a token of GitHub",
    ".cache/huggingface/token": "a token of Hugging Face", ".huggingface/token": "a token of Hugging Face",
    "run/secrets/kubernetes.io/serviceaccount/token": "a token of a cluster",
}  # fmt: skip
_CACHES = (
    ("var/cache/apt/archives/", ".deb"), ("var/lib/apt/lists/", ""), ("var/cache/apk/", ".gz"),
    ("var/cache/dnf/", ""), ("var/cache/yum/", ""), ("root/.cache/pip/", ""), ("root/.npm/_cacache/", ""),
    ("root/.cache/uv/", ""), ("root/.cache/yarn/", ""), ("var/cache/zypp/", ""),
)  # fmt: skip
_LOGIN = ("/sh", "/bash", "/ash", "/dash", "/zsh", "/ksh")
_PROGRAMS = (".py", ".js", ".mjs", ".cjs", ".rb", ".php", ".jar", ".so", ".pyc", ".sh")


def wanted(path: str, size: int) -> bool:
    """The files whose content is looked at."""
    return size <= 1 << 20 and (path in ACCOUNTS or path.startswith(_SUDOERS))


def look(artifact: Artifact, image: Image, tree: Tree, most: int) -> Iterator[Finding]:
    """Everything that needs the layers. `most` is in bytes, unpacked."""
    yield from _accounts(artifact, image, tree)
    yield from _credentials(artifact, tree)
    setuid, writable, caches, own = [], [], [], []
    user = _number(image, tree)
    folder = str(image.settings.get("WorkingDir") or "").strip("/")
    size = 0
    for path, node in tree.walk():
        name = path.rpartition("/")[2]
        size += node.size
        if _raised(node) and name not in _USUAL:
            setuid.append((path, _kind_of_rights(node)))
        if node.kind in ("file", "dir") and node.mode & 0o002 and not (node.kind == "dir" and node.mode & 0o1000):
            writable.append((path, f"mode {node.mode:04o}"))
        elif user and node.kind == "file" and _changeable(path, node, user, folder):
            own.append((path, f"mode {node.mode:04o}, user {node.uid}"))
        if node.kind == "file" and any(path.startswith(at) and name.endswith(end) for at, end in _CACHES):
            caches.append((path, node.size))
    yield from _some(artifact, rules.SETUID, setuid)
    yield from _some(artifact, rules.WORLD_WRITABLE, writable)
    if own:
        shown = ", ".join(display_name(path) for path, _ in own[:3])
        told = f"The service's user can change {len(own)} files of its program: {shown}"
        yield rules.OWN_PROGRAM.at(artifact, told, member=display_name(own[0][0]), key="own program")
    if (total := sum(count for _, count in caches)) >= 1 << 16:
        told = f"{len(caches)} files ({total / (1 << 20):.1f} MiB) are caches of package managers"
        yield rules.CACHE.at(artifact, told, member=display_name(caches[0][0]), key="caches")
    if size > most:
        told = f"The image has {size >> 20:,} MiB unpacked; {most >> 20:,} MiB are allowed"
        yield rules.LARGE.at(artifact, told, key="size")
    for path in ("usr/sbin/sshd", "usr/sbin/dropbear", "usr/bin/dropbear"):
        if tree.get(path) is not None:
            yield rules.SSH.at(artifact, member=path, evidence=path)


def _some(artifact: Artifact, rule: Rule, found: list[tuple[str, str]]) -> Iterator[Finding]:
    """A finding for each of the first, and one for the rest: a base image can have thousands."""
    for path, why in found[:_SHOWN]:
        shown = display_name(path)
        yield rule.at(artifact, f"{rule.title}: /{shown} ({why})", member=shown, evidence=why, key=shown)
    if len(found) > _SHOWN:
        rest = len(found) - _SHOWN
        yield rule.at(
            artifact, f"{rule.title}: {rest:,} more such files", member=display_name(found[-1][0]), key="more"
        )


def _raised(node: Node) -> bool:
    if node.kind != "file":
        return False
    return bool(node.mode & 0o6000 and node.mode & 0o111) or "security.capability" in node.xattrs


def _kind_of_rights(node: Node) -> str:
    parts = ["setuid" if node.mode & 0o4000 else "", "setgid" if node.mode & 0o2000 else ""]
    parts.append("file capabilities" if "security.capability" in node.xattrs else "")
    return f"{' and '.join(part for part in parts if part)}, user {node.uid}"


def _changeable(path: str, node: Node, user: int, folder: str) -> bool:
    if not folder or not path.startswith(folder + "/"):
        return False
    return node.uid == user and bool(node.mode & 0o200) and (path.endswith(_PROGRAMS) or bool(node.mode & 0o111))


def _number(image: Image, tree: Tree) -> int:
    """The number of the image's user; 0 when it is root or not known."""
    user, _ = user_of(image.settings)
    if user.isdigit() and len(user) < 10:
        return int(user)
    for fields in _rows(tree, "etc/passwd"):
        if len(fields) > 2 and fields[0] == user and fields[2].isdigit() and len(fields[2]) < 10:
            return int(fields[2])
    return 0


def _rows(tree: Tree, path: str) -> list[list[str]]:
    node = tree.get(path)
    if node is None or node.content is None:
        return []
    return [line.split(":") for line in node.content.decode("utf-8", "replace").splitlines()[:10_000]]


def _accounts(artifact: Artifact, image: Image, tree: Tree) -> Iterator[Finding]:
    rows = _rows(tree, "etc/passwd")
    user, _ = user_of(image.settings)
    if user and not user.isdigit() and user not in {fields[0] for fields in rows}:
        yield rules.NO_SUCH_USER.at(artifact, field="config.User", evidence=display_name(user)[:60], key="unknown user")
    shells = {fields[0]: fields[6] for fields in rows if len(fields) > 6}
    for fields in rows:
        name = display_name(fields[0])[:40]
        if len(fields) > 2 and fields[2] == "0" and fields[0] != "root":
            told = f"The account {name} is root by its number"
            yield rules.ACCOUNT.at(artifact, told, member="etc/passwd", key=f"{name} uid 0")
        if len(fields) > 6 and fields[1] == "" and shells[fields[0]].endswith(_LOGIN):
            told = f"The account {name} has an empty password"
            yield rules.ACCOUNT.at(artifact, told, member="etc/passwd", key=f"{name} empty")
    for fields in _rows(tree, "etc/shadow"):
        if len(fields) > 1 and fields[1] == "" and shells.get(fields[0], "/bin/sh").endswith(_LOGIN):
            name = display_name(fields[0])[:40]
            told = f"The account {name} has an empty password"
            yield rules.ACCOUNT.at(artifact, told, member="etc/shadow", key=f"{name} empty")
    yield from _sudo(artifact, tree)


def _sudo(artifact: Artifact, tree: Tree) -> Iterator[Finding]:
    if tree.get("usr/bin/sudo") is None:
        return
    folder = tree.get("etc/sudoers.d")
    places = ["etc/sudoers", *(_SUDOERS + name for name in sorted((folder.children or {}) if folder else ()))]
    for place in places:
        node = tree.get(place)
        text = (node.content or b"").decode("utf-8", "replace") if node else ""
        if any("NOPASSWD" in line.partition("#")[0] for line in text.splitlines()):
            yield rules.SUDO.at(artifact, member=display_name(place), key=display_name(place))


def _credentials(artifact: Artifact, tree: Tree) -> Iterator[Finding]:
    there = [(path, False) for path, node in tree.walk() if node.kind == "file"]
    places = there + [(one.path, True) for one in tree.hidden]
    repositories = set()
    count = 0
    for path, hidden in dict(reversed(places)).items():
        folder, _, name = path.rpartition("/")
        what = _CREDENTIALS.get(name) or next((w for end, w in _CREDENTIAL_PATHS.items() if _ends(path, end)), "")
        if f"/{folder}".endswith("/.git") and name == "HEAD":
            repositories.add((folder, hidden))
        if not what or _is_sample(path):
            continue
        count += 1
        if count > _SHOWN:
            break
        shown = display_name(path)
        gone = ", in a layer from which a later one deletes it" if hidden else ""
        told = f"/{shown} holds {what} by its name{gone}"
        yield rules.CREDENTIAL_FILE.at(artifact, told, member=shown, evidence=what, key=shown)
    for folder, hidden in sorted(repositories)[:_SHOWN]:
        shown = display_name(folder)
        gone = ", deleted in a later layer" if hidden else ""
        told = f"The image holds a git repository: /{shown}{gone}"
        yield rules.REPOSITORY.at(artifact, told, member=shown, key=shown)


def _ends(path: str, end: str) -> bool:
    return path == end or path.endswith("/" + end)


def _is_sample(path: str) -> bool:
    return any(f"/{part}/" in f"/{path}" for part in ("test", "tests", "testdata", "doc", "docs", "examples"))
