"""A small project with a trained model, its evidence and a store: what the evidence tests tamper with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.evidence.digest import sha256_file
from shipworthy.evidence.links import ChainResult
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import (
    Facts,
    Scan,
    Written,
    store_release,
    verify_folder,
    verify_release,
    write_evidence,
)
from shipworthy.evidence.statement import STEPS, Resource
from shipworthy.keys import Signer, new_key, open_signer
from shipworthy.model import GateDecision, Metric
from shipworthy.stores import Store, open_store

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTINGS = "sha256:" + "5" * 64
FILES = {
    "data/train.csv": b"text,label\nhello,0\nbuy now,1\n" * 50,
    "data/extra.csv": b"text,label\nhi,0\n",
    "data/labels.csv": b"label\n0\n1\n",
    "train.py": b"print('training')\n",
    "predictions.csv": b"id,prediction\n1,0\n2,1\n",
    "model/weights.bin": bytes(range(256)) * 40,
    "model/config.json": b'{"layers": 2}\n',
    "model/tokenizer/vocab.txt": b"hello\nbuy\nnow\n",
}


def signer(folder: Path, name: str, algorithm: str = "ed25519") -> Signer:
    """A key pair in the folder, and its signer."""
    if not (folder / name).exists():
        new_key(folder / name, algorithm)
    return open_signer(f"file:{folder / name}")


@dataclass(frozen=True)
class World:
    """Where everything is, and who trusts whom."""

    root: Path
    signers: Mapping[str, Signer]
    policy: Policy

    @property
    def by_step(self) -> dict[str, list[Signer]]:
        """Who signs each step, as what writes evidence takes it."""
        return {step: [one] for step, one in self.signers.items()}

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def store(self) -> Store:
        return open_store("local:store", self.root)

    @property
    def ref_path(self) -> Path:
        return self.root / "store" / "refs" / "spam" / "1.0.0.json"

    def resource(self, name: str, kind: str) -> Resource:
        return Resource(name, sha256_file(self.project / name), kind)

    def facts(self, **changes: object) -> Facts:
        facts = Facts(
            model=self.project / "model",
            model_name="model",
            settings_digest=SETTINGS,
            decision=GateDecision("before-sign", True, notes=("one waiver is not used",)),
            scan=Scan(b'{"findings": []}\n', ({"name": "pickle-imports", "version": "1", "outcome": "ran"},)),
            finished=NOW,
            started=NOW,
            datasets=(self.resource("data/train.csv", "dataset"), self.resource("data/extra.csv", "dataset")),
            inputs=(self.resource("train.py", "code"),),
            training={"command": ["python", "train.py"], "seed": 7, "sandbox": "no-network"},
            metrics=(Metric("accuracy", 0.9, 0.85, 0.94, 200, "wilson-95"),),
            evaluated_on=(self.resource("predictions.csv", "predictions"), self.resource("data/labels.csv", "labels")),
            versions={"shipworthy": "0.1.0"},
            run_id="run-1",
        )
        return replace(facts, **changes)  # type: ignore[arg-type]

    def write(self, **changes: object) -> Written:
        return write_evidence(self.facts(**changes), self.by_step, self.evidence)

    def release(self, version: str = "1.0.0", **changes: object) -> Written:
        written = self.write(**changes)
        raw = store_release(self.store, written, self.project / "model", self.by_step, version=version, stored=NOW)
        self.store.put_ref("spam", version, raw)
        return written

    def verify(self, policy: Policy | None = None, version: str = "1.0.0") -> ChainResult:
        """As a person does who has the workspace and the store."""
        raw = self.store.get_ref("spam", version).raw
        folders = (self.project,)
        return verify_release(self.store, raw, policy or self.policy, version=version, folders=folders)

    def verify_folder(self, policy: Policy | None = None) -> ChainResult:
        """As a person does who has the workspace and the evidence folder, but no store."""
        return verify_folder(self.evidence, policy or self.policy, folders=(self.project,))

    def blob(self, name: str) -> Path:
        """Where the store keeps a file of the project or of the evidence."""
        path = self.project / name if (self.project / name).exists() else self.evidence / name
        found = self.store.locate(sha256_file(path))
        assert found is not None
        return found


def make(root: Path, *, roles: bool = True) -> World:
    """The project, with a key for each step (or one for all)."""
    for name, content in FILES.items():
        path = root / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    keys = root / "keys"
    signers = {step: signer(keys, step if roles else "owner") for step in STEPS}
    trusted = {step: (s.public_key(),) for step, s in signers.items()}
    policy = Policy.by_role(trusted, optional=(), role_of={step: step for step in STEPS})
    return World(root, signers, policy)


def flip(path: Path, at: int = -2) -> None:
    """Change one byte, even of a read-only file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(raw))
