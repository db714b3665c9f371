"""Secret-looking strings, made when they are needed so that no file holds one, and artifacts from files."""

from __future__ import annotations

import hashlib
import random
import stat
import string
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from shipworthy.check import Check, Context, Skipped
from shipworthy.model import Artifact, Finding, Kind
from shipworthy.tools import Toolbox

LETTERS = string.ascii_letters
MIXED = string.ascii_letters + string.digits


def chars(seed: int, length: int, alphabet: str = MIXED) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


def hugging_face(seed: int = 1) -> str:
    return "hf" + "_" + chars(seed, 34, LETTERS)


def slack(seed: int = 1) -> str:
    digits = string.digits[1:]
    return "-".join(["xox" + "b", chars(seed, 12, digits), chars(seed + 1, 12, digits), chars(seed + 2, 24)])


def aws_id(seed: int = 1) -> str:
    return "AK" + "IA" + chars(seed, 16, string.ascii_uppercase + "234567")


def password(seed: int = 1) -> str:
    return "Zk9!" + chars(seed, 8)


def private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def artifact(path: Path, root: Path, kind: Kind = Kind.CODE) -> Artifact:
    data = path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else b""
    uri = str(path.relative_to(root)).encode("utf-8", "replace").decode().replace("\n", "%0A")
    return Artifact(uri, kind, "sha256:" + hashlib.sha256(data).hexdigest(), len(data), path=path)


def lay_out(root: Path, files: dict[str, str | bytes], kind: Kind = Kind.CODE) -> tuple[Artifact, ...]:
    made = []
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        made.append(artifact(path, root, kind))
    return tuple(made)


def split(yielded: Iterable[Finding | Skipped]) -> tuple[list[Finding], list[Skipped]]:
    items = list(yielded)
    return [x for x in items if isinstance(x, Finding)], [x for x in items if isinstance(x, Skipped)]


def run(
    check: Check, given: tuple[Artifact, ...] | Artifact, root: Path, tools: Toolbox | None = None, **options: object
) -> tuple[list[Finding], list[Skipped]]:
    context = Context(root, {**check.options, **options}, tools=tools or Toolbox())
    return split(check.call(given, context))


def fire(check: Check, root: Path) -> set[str]:
    """Fire a check's own known-bad sample; returns the ids of the rules that saw it."""
    assert check.canary
    kind = next(iter(check.kinds)) if len(check.kinds) == 1 else Kind.CODE
    files = {name: data if isinstance(data, bytes) else data() for name, data in check.canary.files.items()}
    artifacts = lay_out(root, files, kind)
    findings, _ = run(check, artifacts[0] if check.scope == "artifact" else artifacts, root)
    return {finding.rule.id for finding in findings}


def shows(finding: Finding, secret: str) -> bool:
    """Is the secret anywhere that people or reports can see?"""
    return (
        secret in f"{finding!r} {finding.message} {finding.evidence} {finding.key} {finding.location} {finding.remedy}"
    )


def git(root: Path, *args: str, stdin: str = "") -> str:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, "-C", str(root), *args], input=stdin, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def compiled_rules(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Kingfisher compiles its rules once for all tests (9 s of CPU), not once for each."""
    monkeypatch.setenv("KF_RULE_CACHE_DIR", str(tmp_path_factory.getbasetemp().parent / "kingfisher-rules"))


def program(folder: Path, body: str) -> str:
    """A stand-in for a wrapped program: a shell script that does `body`."""
    path = folder / "stand-in"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
