"""Model signatures in the form of OpenSSF Model Signing v1.0 (`model.sig`), made and verified.

Source: github.com/ossf/model-signing-spec v1.0. Its root digest covers the files' digests but not their names, and a
signature brings its own list of paths to ignore; so here every name is compared, a list wider than the verifier allows
is refused, links are never followed, and `.git` and the like are signed as everything else is. (The reference tool
leaves those out unless told otherwise: give it `--no-ignore-git-paths` for a model that has them.) The reference tool
reads ECDSA keys only; an Ed25519 signature is for shipworthy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.evidence import envelope
from shipworthy.evidence.digest import Difference, Entry, Manifest
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.names import check_path, check_paths, is_digest
from shipworthy.evidence.statement import MODEL_SIGNATURE, Resource, Statement, parse

SINGLE_FILE = "."
"""The name that the format gives to a model that is one file."""


@dataclass(frozen=True)
class SignedModel:
    """What a verified signature says: digests by path, and the top-level paths that it leaves out."""

    name: str
    files: tuple[tuple[str, str], ...]
    left_out: frozenset[str]

    @property
    def single_file(self) -> bool:
        """Whether the model is one file, not a folder."""
        return [name for name, _ in self.files] == [SINGLE_FILE]

    def differences(self, actual: Manifest) -> tuple[Difference, ...]:
        """How a model differs from what was signed. Empty folders and modes are not part of this format."""
        have = [Entry(entry.path, digest=entry.digest) for entry in actual.files]
        if self.single_file and len(have) == 1:
            have = [Entry(SINGLE_FILE, digest=have[0].digest)]
        signed = Manifest(tuple(Entry(name, digest=digest) for name, digest in self.files))
        return signed.differences(Manifest(tuple(have)))


@dataclass(frozen=True)
class ModelVerification:
    """The outcome of `verify_model`: `differences` is empty when every file is as it was signed and there is no other.
    `left_out` names the files that were there but are not covered; `manifest` holds the digests that were read, and
    `name` is the one that was signed.
    """

    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]
    signers: tuple[envelope.PublicKey, ...]
    manifest: Manifest
    name: str = ""

    @property
    def ok(self) -> bool:
        """Whether the model is what was signed."""
        return not self.differences


def statement_of(name: str, manifest: Manifest, *, single_file: bool = False) -> Statement:
    """The statement that a model signature signs."""
    files = sorted((SINGLE_FILE if single_file else entry.path, entry.digest) for entry in manifest.files)
    if not files:
        raise RefusedError("there is no file to sign", where=name)
    predicate = {
        "resources": [
            {"name": path, "algorithm": "sha256", "digest": digest.partition(":")[2]} for path, digest in files
        ],
        "serialization": {
            "method": "files",
            "hash_type": "sha256",
            "allow_symlinks": False,
            "ignore_paths": list(manifest.left_out),
        },
    }
    return Statement((Resource(name, _root(digest for _, digest in files)),), MODEL_SIGNATURE, predicate)


def sign_model(model: Path, signer: envelope.Signer, *, signature_name: str = "") -> tuple[bytes, Manifest]:
    """Sign a model (a file or a folder): the signature's bytes, and the manifest that was read.

    `signature_name` is the top-level name under which the signature will lie inside of the folder, if it will; nothing
    else is ever left out. Raises RefusedError, UsageError and EnvironmentFailure as `Manifest.of` does.
    """
    leave_out = frozenset({check_path(signature_name)}) if signature_name else frozenset()
    manifest = Manifest.of(model, leave_out=leave_out)
    name = model.resolve().name
    return sign_manifest(name, manifest, [signer], single_file=not model.is_dir()), manifest


def sign_manifest(
    name: str, manifest: Manifest, signers: Sequence[envelope.Signer], *, single_file: bool = False
) -> bytes:
    """The bytes of `model.sig` for a model that was already read."""
    return envelope.sign(statement_of(name, manifest, single_file=single_file).to_bytes(), signers, pem_hint=True)


def verify_model(
    model: Path,
    signature: bytes,
    keys: Iterable[envelope.PublicKey],
    *,
    allow_left_out: frozenset[str] = frozenset(),
    where: str = "model.sig",
) -> ModelVerification:
    """Verify a model against its signature with trusted keys.

    `allow_left_out` are the top-level names that the signature may leave out: that of the signature file itself, when
    it lies in the folder. Raises RefusedError when the signature does not verify or leaves out more than that, or when
    the model holds links, devices or names that are not portable.
    """
    opened = envelope.verify(signature, keys, strict=False, where=where)
    signed = read_signed(parse(opened.payload, where), allow_left_out=allow_left_out, where=where)
    everything = Manifest.of(model)
    covered = tuple(e for e in everything.entries if _top(e.path) not in signed.left_out)
    left_out = tuple(e.path for e in everything.files if _top(e.path) in signed.left_out)
    return ModelVerification(signed.differences(Manifest(covered)), left_out, opened.signers, everything, signed.name)


def read_signed(
    statement: Statement, *, allow_left_out: frozenset[str] = frozenset(), where: str = "model.sig"
) -> SignedModel:
    """Read the statement of a model signature. Raises RefusedError when it is malformed, contradicts itself, or needs
    something that this verifier does not do (other hashes, shards, links).
    """
    if statement.predicate_type != MODEL_SIGNATURE or len(statement.subjects) != 1:
        raise RefusedError("this is no model signature of OpenSSF Model Signing v1.0", where=where)
    left_out = _left_out(statement.predicate.get("serialization"), allow_left_out, where)
    resources = statement.predicate.get("resources")
    if not isinstance(resources, list) or not resources:
        raise RefusedError("the signature lists no files", where=where)
    files = tuple(_file(item, where) for item in resources)
    names = [name for name, _ in files]
    if names != [SINGLE_FILE]:
        check_paths(names)
    if _root(digest for _, digest in files) != statement.subjects[0].digest:
        raise RefusedError("the signature's files do not add up to its root digest", where=where)
    return SignedModel(statement.subjects[0].name, files, left_out)


def _left_out(serialization: Any, allowed: frozenset[str], where: str) -> frozenset[str]:
    if not isinstance(serialization, dict):
        raise RefusedError("the signature does not say how the model was read", where=where)
    if serialization.get("method") != "files" or serialization.get("hash_type") != "sha256":
        raise RefusedError("only signatures by file and SHA-256 are supported", Failure.POLICY, where=where)
    if serialization.get("allow_symlinks") is not False:
        raise RefusedError("the signature allows links, which are never followed here", Failure.POLICY, where=where)
    listed = serialization.get("ignore_paths", [])
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise RefusedError("the signature's list of ignored paths is malformed", where=where)
    names = frozenset(name.removesuffix("/") for name in listed)
    if wider := sorted(names - allowed):
        raise RefusedError(
            f"the signature leaves out more than is allowed: {', '.join(wider)[:200]}",
            Failure.POLICY,
            where=where,
            remedy="sign the model again with everything in it, or allow these names by name",
        )
    return names


def _file(item: Any, where: str) -> tuple[str, str]:
    name = item.get("name") if isinstance(item, dict) else None
    digest = f"sha256:{item.get('digest')}" if isinstance(item, dict) else ""
    if not isinstance(name, str) or not is_digest(digest) or item.get("algorithm") != "sha256":
        raise RefusedError("the signature lists a file without a name or a SHA-256 digest", where=where)
    return name, digest


def _root(digests: Iterable[str]) -> str:
    return f"sha256:{hashlib.sha256(b''.join(bytes.fromhex(d.partition(':')[2]) for d in digests)).hexdigest()}"


def _top(path: str) -> str:
    return path.split("/", 1)[0]
