"""An image is verified back to the datasets of the model in it, and whoever changes a byte on the way is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evidence_world import NOW, SETTINGS, World, flip, make, signer
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence import envelope, statement
from shipworthy.evidence.digest import Manifest, sha256_file
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.image_release import ImageFacts, WrittenImage, store_image, write_image_evidence
from shipworthy.evidence.inner import blobs_of
from shipworthy.evidence.links import ChainResult, Status
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import Scan, Written, verify_folder, verify_release
from shipworthy.evidence.statement import Resource
from shipworthy.model import GateDecision

BOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}


def put(layout: Path, data: bytes) -> str:
    """A blob of the layout; its digest."""
    name = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (layout / "blobs" / "sha256" / name).write_bytes(data)
    return f"sha256:{name}"


def image(layout: Path, *layers: bytes) -> str:
    """An OCI layout of one image; its manifest's digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    listed = [{"mediaType": "x", "digest": put(layout, raw), "size": len(raw)} for raw in layers]
    whole = {"schemaVersion": 2, "config": {"digest": put(layout, config), "size": len(config)}, "layers": listed}
    return put(layout, json.dumps(whole).encode())


@dataclass
class Shipped:
    """A model that was released, and an image that was built with it and released."""

    world: World
    model: Written
    written: WrittenImage
    layout: Path

    @property
    def policy(self) -> Policy:
        return self.world.policy

    def verify(self, policy: Policy | None = None) -> ChainResult:
        raw = self.world.store.get_ref("spam-service", "1.0.0").raw
        return verify_release(self.world.store, raw, policy or self.policy, folders=(self.world.project,))

    def blob(self, digest: str) -> Path:
        found = self.world.store.locate(digest)
        assert found is not None
        return found


def facts(world: World, digest: str, *made_from: Resource, **changes: object) -> ImageFacts:
    known = ImageFacts(
        image=Resource("spam-service", digest, "image"),
        made_from=made_from,
        build={"engine": "builtin", "network": False},
        bom=BOM,
        scan=Scan(b'{"findings": []}\n', ({"name": "image-configuration", "version": "1", "outcome": "ran"},)),
        decision=GateDecision("before-release", True),
        settings_digest=SETTINGS,
        started=NOW,
        finished=NOW,
        parts={"model": world.evidence},
        versions={"shipworthy": "0.1.0"},
        run_id="run-2",
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def ship(root: Path, **changes: object) -> Shipped:
    world = make(root)
    model = world.release()
    layout, context = root / "layout", root / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY app.py /\n")
    (context / "app.py").write_text("print('serving')\n")
    digest = image(layout, b"first layer" * 100, b"second layer" * 100)
    whole = Manifest.of(context)
    base = Resource("python:3.13-slim", "sha256:" + "b" * 64, "base")
    made_from = (Resource("build context", whole.digest, "context"), base, model.model)
    given = facts(world, digest, *made_from, **changes)
    written = write_image_evidence(given, world.by_step, root / "image-evidence")
    raw = store_image(
        world.store, written, layout, world.by_step, version="1.0.0", stored=NOW, context=(context, whole)
    )
    world.store.put_ref("spam-service", "1.0.0", raw)
    return Shipped(world, model, written, layout)


@pytest.fixture
def shipped(tmp_path: Path) -> Shipped:
    return ship(tmp_path)


def broken(result: ChainResult) -> list[tuple[str, str]]:
    return [(link.step, link.name) for link in result.broken]


def test_an_untouched_image_holds_from_its_layers_back_to_the_datasets(shipped: Shipped) -> None:
    result = shipped.verify()
    assert result.ok, broken(result)
    steps = {link.step for link in result.links}
    assert steps >= {"image", "layer", "sign", "gate", "build", "bom", "context", "base", "model", "train", "ingest"}
    assert (result.links[0].step, result.links[0].digest) == ("image", shipped.written.image.digest)
    dataset = next(link for link in result.links if link.name == "data/train.csv")
    way = [dataset]
    while way[-1].parent is not None:
        way.append(result.links[way[-1].parent])
    assert [link.step for link in way] == ["ingest", "train", "model", "build", "image"]
    assert [link.depth for link in way] == [4, 3, 2, 1, 0]
    base = next(link for link in result.links if link.step == "base")
    assert base.status is Status.ATTESTED_ONLY, "the base's own manifest is not kept: that is said"
    assert sum(link.step == "layer" for link in result.links) == 3


def layer(shipped: Shipped, number: int) -> Path:
    manifest = shipped.blob(shipped.written.image.digest).read_bytes()
    return shipped.blob(blobs_of(manifest)[number][0])


TAMPERED: dict[str, tuple[Callable[[Shipped], Path], tuple[str, str]]] = {
    "manifest": (lambda s: s.blob(s.written.image.digest), ("image", "spam-service")),
    "configuration": (lambda s: layer(s, 0), ("layer", "configuration")),
    "first layer": (lambda s: layer(s, 1), ("layer", "layer 1")),
    "second layer": (lambda s: layer(s, 2), ("layer", "layer 2")),
    "provenance": (lambda s: s.blob(s.written.files["build.sigstore.json"]), ("build", "build.sigstore.json")),
    "bill": (lambda s: s.blob(s.written.files["bom.sigstore.json"]), ("bom", "bom.sigstore.json")),
    "scan": (lambda s: s.blob(s.written.files["scan.sigstore.json"]), ("scan", "scan.sigstore.json")),
    "report": (lambda s: s.blob(s.written.files["scan-report.json"]), ("report", "scan-report.json")),
    "gate": (lambda s: s.blob(s.written.files["gate.sigstore.json"]), ("gate", "gate.sigstore.json")),
    "signature": (lambda s: s.blob(s.written.files["sign.sigstore.json"]), ("sign", "sign.sigstore.json")),
    "model": (lambda s: s.world.blob("model/weights.bin"), ("model", "model")),
    "dataset": (lambda s: s.world.project / "data/train.csv", ("ingest", "data/train.csv")),
    "training": (lambda s: s.world.blob("train.sigstore.json"), ("train", "train.sigstore.json")),
    "model's gate": (lambda s: s.world.blob("gate.sigstore.json"), ("gate", "gate.sigstore.json")),
    "model's signature": (lambda s: s.world.blob("model.sig"), ("sign", "model.sig")),
    "model's release": (
        lambda s: s.blob(s.written.files["model/release.sigstore.json"]),
        ("store", "release.sigstore.json"),
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("at", [5, -2])
def test_one_changed_byte_names_its_link_first(shipped: Shipped, what: str, at: int) -> None:
    find, expected = TAMPERED[what]
    flip(find(shipped), at)
    result = shipped.verify()
    assert not result.ok
    assert broken(result)[0] == expected


@pytest.mark.parametrize("name", ["model/train.sigstore.json", "model/gate.sigstore.json", "model/model.sig"])
def test_evidence_of_the_model_that_is_gone_is_missed(shipped: Shipped, name: str) -> None:
    path = shipped.blob(shipped.written.files[name])
    path.unlink()
    result = shipped.verify()
    assert result.first_broken is not None
    assert result.first_broken.failure is Failure.MISSING
    assert name.removeprefix("model/") in result.first_broken.reason or result.first_broken.step in name


def test_a_model_without_evidence_is_no_model_to_build_in(tmp_path: Path) -> None:
    result = ship(tmp_path, parts={}).verify()
    assert result.first_broken is not None
    assert (result.first_broken.name, result.first_broken.failure) == ("model", Failure.MISSING)


def test_evidence_of_another_model_does_not_help_the_one_that_is_in_the_image(tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    (other.project / "model" / "weights.bin").write_bytes(b"other weights")
    other.release()
    result = ship(tmp_path / "own", parts={"model": other.evidence}).verify()
    assert not result.ok


def test_the_gate_of_a_model_is_none_for_an_image(shipped: Shipped) -> None:
    """The model's gate saw training, evaluation and scan; an image's must have seen build, bill and scan."""
    evidence = shipped.written.folder
    seen = [Resource("build.sigstore.json", sha256_file(evidence / "build.sigstore.json"))]
    subject = shipped.written.image
    decided = statement.gate(subject, GateDecision("x", True), evidence=seen, policy_digest=SETTINGS, decided=NOW)
    signed = envelope.sign(decided.to_bytes(), [shipped.world.signers["gate"]])
    (evidence / "gate.sigstore.json").write_bytes(signed)
    blobs = {"image": shipped.blob(subject.digest)}
    result = verify_folder(evidence, replace(shipped.policy, at_hand=frozenset()), paths=blobs)
    gate = next(link for link in result.links if link.step == "gate" and link.depth == 1)
    assert gate.failure is Failure.POLICY
    assert "bom, scan" in gate.reason


def test_a_stranger_cannot_sign_an_image(shipped: Shipped, tmp_path: Path) -> None:
    stranger = signer(tmp_path / "strangers", "stranger")
    policy = Policy.trusting(stranger.public_key(), optional=())
    result = shipped.verify(policy)
    assert not result.ok
    assert result.first_broken is not None
    assert result.first_broken.failure is not None


def again(shipped: Shipped) -> bytes:
    store, signers = shipped.world.store, shipped.world.by_step
    return store_image(store, shipped.written, shipped.layout, signers, version="2", stored=NOW)


def test_what_the_gate_refused_is_never_signed_and_what_changed_is_never_stored(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="said no"):
        ship(tmp_path / "one", decision=GateDecision("before-release", False))
    shipped = ship(tmp_path / "two")
    path = shipped.layout / "blobs" / "sha256" / shipped.written.image.digest.removeprefix("sha256:")
    flip(path)
    with pytest.raises(RefusedError, match="changed"):
        again(shipped)
    path.unlink()
    with pytest.raises(EnvironmentFailure, match="no blob"):
        again(shipped)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"layers": [{}]}', b'{"layers": [], "config": {"digest": "sha256:x", "size": 1}}']
)
def test_a_manifest_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(RefusedError):
        blobs_of(raw)
