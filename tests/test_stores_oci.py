"""Releases in an OCI registry: what is pushed can be pulled by others, and what comes back is what was pushed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_world import NOW, World, make
from registry_world import docker_registry, image
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.evidence.digest import Manifest, sha256_bytes, sha256_file
from shipworthy.evidence.release import store_release, verify_release
from shipworthy.stores import Ref, Store, open_store
from shipworthy.stores._manifests import canonical
from shipworthy.stores._shared import VERSION
from shipworthy.stores._tags import plain_tag, release_tag, version_of
from shipworthy.stores.oci import OciStore, open_oci
from shipworthy.stores.serve import serve

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture(scope="module", params=["docker-registry", "own"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two registries: one with the referrers API, and one without."""
    folder = tmp_path_factory.mktemp("registry")
    with docker_registry(folder) if request.param == "docker-registry" else serve(folder) as address:
        yield address


@pytest.fixture
def uri(registry: str, request: pytest.FixtureRequest) -> str:
    return f"oci://{registry}/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}/spam"


@pytest.fixture
def store(uri: str, tmp_path: Path) -> OciStore:
    return open_oci(uri, cache=tmp_path / "cache")


def elsewhere(store: OciStore, tmp_path: Path) -> OciStore:
    """The same store as another machine sees it, which has fetched nothing yet."""
    return open_oci(str(store), store.registry.ask.options, tmp_path / "other-cache")


def manifest_of(store: OciStore, reference: str) -> dict[str, Any]:
    raw = store.registry.manifest(reference)
    assert raw is not None
    value: dict[str, Any] = json.loads(raw)
    return value


def stored(store: Store, world: World, version: str = "1.0.0") -> Ref:
    """The project's model as a stage stores it."""
    written = world.write()
    raw = store_release(store, written, world.project / "model", world.by_step, version=version, stored=NOW)
    return store.put_ref("spam", version, raw)


def test_bytes_come_back(store: OciStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"hello")
    assert digest == sha256_bytes(b"hello") == store.put_bytes(b"hello")
    assert store.read(digest, 5) == b"hello"
    assert store.get(digest).read_bytes() == b"hello"
    with pytest.raises(EvidenceError, match="larger than 4"):
        store.read(digest, 4)
    with pytest.raises(EvidenceError, match="longer than 4"):
        elsewhere(store, tmp_path).read(digest, 4)
    assert store.read(store.put_bytes(b""), 0) == b""
    store.check_writable()


def test_what_is_not_there_is_not_found(store: OciStore) -> None:
    assert store.versions("spam") == ()
    assert store.locate(sha256_bytes(b"other")) is None
    for ask in (lambda: store.get_ref("spam"), lambda: store.get_ref("spam", "1.0.0")):
        with pytest.raises(UsageError, match="does not have spam"):
            ask()
    for read in (store.get, store.open, lambda digest: store.read(digest, 9)):
        with pytest.raises(UsageError, match="does not have sha256:"):
            read(sha256_bytes(b"other"))
    with pytest.raises(UsageError, match="no digest"):
        store.locate("sha256:../../etc/passwd")


def test_other_bytes_than_expected_are_not_kept(store: OciStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"changed")
    for put in (
        lambda: store.put_file(tmp_path / "file", sha256_bytes(b"x")),
        lambda: store.put_bytes(b"y", "sha256:0"),
    ):
        with pytest.raises(EvidenceError, match="the bytes changed"):
            put()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(EvidenceError, match="no regular file"):
        store.put_file(tmp_path / "link")


def test_a_models_chain_is_verified_from_the_registry_alone(store: OciStore, tmp_path: Path) -> None:
    world = make(tmp_path / "world")
    ref = stored(store, world)
    fresh = elsewhere(store, tmp_path)
    assert fresh.get_ref("spam") == ref == fresh.get_ref("spam", "1.0.0")
    assert fresh.versions("spam") == ("1.0.0",)
    assert fresh.versions("other") == ()
    result = verify_release(fresh, ref.raw, world.policy, version="1.0.0", folders=(world.project,))
    assert result.ok, result.first_broken
    manifest = Manifest.of(world.project / "model")
    fresh.get_tree(manifest, tmp_path / "pulled")
    assert Manifest.of(tmp_path / "pulled") == manifest


def test_a_model_is_a_modelpack_artifact(store: OciStore, tmp_path: Path) -> None:
    world = make(tmp_path / "world")
    (world.project / "model" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (world.project / "model" / "run.sh").chmod(0o755)
    stored(store, world, "1.0.0+cpu")
    made = manifest_of(store, "1.0.0_cpu")
    assert made["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert made["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json"
    layers = {layer["annotations"]["org.cncf.model.filepath"]: layer for layer in made["layers"]}
    weights = layers["weights.bin"]
    assert weights["mediaType"] == "application/vnd.cncf.model.weight.v1.raw"
    assert weights["digest"] == sha256_file(world.project / "model" / "weights.bin")
    assert layers["config.json"]["mediaType"] == "application/vnd.cncf.model.weight.config.v1.raw"
    assert "tokenizer/vocab.txt" in layers
    assert json.loads(layers["run.sh"]["annotations"]["org.cncf.model.file.metadata+json"])["mode"] == 0o755
    config = json.loads(store.read(made["config"]["digest"], 10_000))
    assert config["modelfs"] == {"type": "layers", "diffIds": [layer["digest"] for layer in made["layers"]]}
    assert config["descriptor"] == {"name": "spam", "version": "1.0.0+cpu"}
    assert elsewhere(store, tmp_path).versions("spam") == ("1.0.0+cpu",)


def test_evidence_is_found_by_what_refers_to_the_model(store: OciStore, tmp_path: Path) -> None:
    world = make(tmp_path / "world")
    ref = stored(store, world)
    subject = sha256_bytes(store.registry.manifest("1.0.0") or b"")
    fresh = elsewhere(store, tmp_path)
    bundles = fresh.attached(subject, BUNDLE)
    kinds = {one.annotations.get("dev.sigstore.bundle.predicateType") for one in bundles}
    assert {"https://slsa.dev/provenance/v1", "https://shipworthy.dev/release/v1"} <= kinds
    titles = {}
    for one in fresh.attached(subject):
        made = manifest_of(fresh, one.digest)
        assert made["subject"]["digest"] == subject
        assert made["artifactType"] == one.artifact_type
        for layer in made["layers"]:
            titles[layer.get("annotations", {}).get("org.opencontainers.image.title", "")] = layer["digest"]
    assert titles["release.sigstore.json"] == ref.digest
    assert titles["train.sigstore.json"] == sha256_file(world.evidence / "train.sigstore.json")
    assert fresh.read(titles["model.sig"], 100_000) == (world.evidence / "model.sig").read_bytes()


def test_a_stored_version_never_changes(store: OciStore, tmp_path: Path) -> None:
    first = store.put_ref("spam", "1", b"one")
    assert store.put_ref("spam", "1", b"one") == first
    with pytest.raises(UsageError, match="stored already, with other contents"):
        store.put_ref("spam", "1", b"two")
    assert store.get_ref("spam", "1").raw == b"one"
    second = store.put_ref("spam", "2", b"two")
    assert store.get_ref("spam") == second
    assert store.versions("spam") == ("1", "2")
    with pytest.raises(UsageError, match=r"does not have spam 3.*") as caught:
        store.get_ref("spam", "3")
    assert "1, 2" in caught.value.remedy
    with pytest.raises(UsageError, match="does not have ham"):
        store.get_ref("ham")


def test_one_repository_keeps_several_names(store: OciStore, tmp_path: Path) -> None:
    model, service = store.put_ref("spam", "run-1", b"model"), store.put_ref("spam-service", "run-1", b"image")
    store.put_ref("spam-service", "run-2", b"newer image")
    fresh = elsewhere(store, tmp_path)
    assert fresh.get_ref("spam") == model
    assert fresh.get_ref("spam-service", "run-1") == service
    assert fresh.get_ref("spam-service").version == "run-2"
    assert (fresh.versions("spam"), fresh.versions("spam-service")) == (("run-1",), ("run-1", "run-2"))
    assert store.registry.manifest("run-1") != store.registry.manifest("spam-service-run-1")
    with pytest.raises(UsageError, match="does not have service"):
        fresh.get_ref("service")


def test_a_tag_that_somebody_else_took_is_left_alone(store: OciStore, tmp_path: Path) -> None:
    store.put_image(tmp_path / "layout", image(tmp_path / "layout"), tag="1.0")
    assert store.reference("spam", "1.0") == f"{str(store).removeprefix('oci://')}:1.0"
    with pytest.raises(UsageError, match=r"the tag 1\.0 leads to other contents"):
        store.put_ref("spam", "1.0", b"one")
    with pytest.raises(UsageError, match=r"the tag 1\.0 leads to other contents"):
        store.put_image(tmp_path / "other", image(tmp_path / "other", b"other"), tag="1.0")
    assert store.versions("spam") == ()


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_another_client_pulls_the_image_that_was_released(store: OciStore, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    digest = image(layout)
    for path in (layout / "blobs" / "sha256").iterdir():  # as the stage for images stores them
        store.put_file(path)
    (tmp_path / "bom.cdx.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6"}')
    store.put_file(tmp_path / "bom.cdx.json")
    said = canonical({"subject": [{"name": "image", "digest": {"sha256": digest.removeprefix("sha256:")}}]})
    raw = canonical({"mediaType": BUNDLE, "dsseEnvelope": {"payload": base64.b64encode(said).decode()}})
    store.put_ref("service", "2.0", raw)
    assert sha256_bytes(store.registry.manifest("service-2.0") or b"") == digest
    referring = {one.artifact_type for one in store.attached(digest)}
    assert referring == {"application/vnd.cyclonedx+json", BUNDLE}
    skopeo = ["skopeo", "--tmpdir", str(tmp_path), "--insecure-policy", "copy", "--src-tls-verify=false"]
    subprocess.run(
        [*skopeo, f"docker://{store.reference('service', '2.0')}", f"oci:{tmp_path / 'pulled'}:x"],
        check=True,
        capture_output=True,
    )
    index = json.loads((tmp_path / "pulled" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == digest
    fresh = elsewhere(store, tmp_path)
    assert sha256_file(fresh.get(digest)) == digest  # a manifest is found by its digest as any other bytes are


def test_files_are_attached_to_an_image_that_is_there(store: OciStore, tmp_path: Path) -> None:
    digest = image(tmp_path / "layout")
    store.put_image(tmp_path / "layout", digest)
    (tmp_path / "report.sarif").write_text('{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": []}')
    (tmp_path / "notes.txt").write_text("plain")
    first = store.attach(digest, [tmp_path / "report.sarif"])
    assert first == store.attach(digest, [tmp_path / "report.sarif"])  # twice is once
    store.attach(digest, [tmp_path / "notes.txt"], "text/plain")
    assert [one.artifact_type for one in store.attached(digest)].count("application/sarif+json") == 1
    assert {one.artifact_type for one in store.attached(digest)} == {"application/sarif+json", "text/plain"}
    with pytest.raises(UsageError, match="no image or artifact"):
        store.attach(sha256_bytes(b"nothing"), [tmp_path / "notes.txt"])


def test_a_large_file_goes_in_parts_and_memory_stays_flat(uri: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        for number in range(96):
            stream.write(bytes([number]) * (1024 * 1024 - 1))
    script = """
        import resource, sys
        from pathlib import Path
        from shipworthy.stores import RegistryOptions
        from shipworthy.stores.oci import open_oci
        store = open_oci(sys.argv[1], RegistryOptions(chunk=7_000_000), Path(sys.argv[3]))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        digest = store.put_file(Path(sys.argv[2]))
        store.get(digest)
        print(digest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), uri, str(path), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    digest, grown = done.stdout.split()
    assert digest == sha256_file(path)
    assert int(grown) < 40 * 1024  # KiB


def test_a_push_that_was_killed_is_completed_by_the_next(registry: str, tmp_path: Path) -> None:
    uri = f"oci://{registry}/killed/{tmp_path.name.strip('_').replace('_', '-').lower()[:40]}"
    world = make(tmp_path / "world")
    written = world.write()
    open_store(uri, tmp_path).check_writable()
    script = """
        import os, signal, sys
        from shipworthy.stores import _http
        part, left, send = sys.argv[6], int(sys.argv[1]), _http.Wire.send
        def dying(wire, origin, method, target, *rest, **options):
            global left
            left -= method == "PUT" and part in target
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return send(wire, origin, method, target, *rest, **options)
        _http.Wire.send = dying
        from pathlib import Path
        from shipworthy.stores.oci import open_oci
        store = open_oci(sys.argv[2], cache=Path(sys.argv[5]))
        for path in sorted(Path(sys.argv[3]).rglob("*")):
            if path.is_file():
                store.put_file(path)
        store.put_ref("spam", "1.0.0", Path(sys.argv[4]).read_bytes())
    """
    raw = store_release(
        open_store("local:local", tmp_path),
        written,
        world.project / "model",
        world.by_step,
        version="1.0.0",
        stored=NOW,
    )
    (tmp_path / "release").write_bytes(raw)
    fresh = open_oci(uri, cache=tmp_path / "fresh")
    points = [("/blobs/", 0), ("/blobs/", 5), *(("/manifests/", left) for left in (0, 1, 6, 10, 11, 12, 13, 14, 60))]
    for part, left in points:  # first the model, last the pointer to the latest release
        arguments = [str(left), uri, str(world.evidence), str(tmp_path / "release"), str(tmp_path / "cache"), part]
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), *arguments], capture_output=True, text=True
        )
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        try:
            assert fresh.get_ref("spam", "1.0.0").raw == raw  # known means whole
        except UsageError:
            assert done.returncode != 0
        if done.returncode == 0:
            break
    assert fresh.get_ref("spam").raw == raw


def test_a_damaged_copy_in_the_cache_is_fetched_again(store: OciStore) -> None:
    digest = store.put_bytes(b"hello")
    path = store.get(digest)
    path.chmod(0o644)
    path.write_bytes(b"jello")
    assert store.read(digest, 9) == b"hello"
    assert path.read_bytes() == b"hello"


@given(st.text("aZ0._+-", min_size=1, max_size=50).filter(VERSION.fullmatch))
def test_a_version_is_read_back_from_its_releases_tag(version: str) -> None:
    for name in ("spam", "a_b", "x._-"):
        tag = release_tag(name, version)
        assert version_of(tag, name) == version
        assert not any(version_of(tag, other) for other in ("spam_", "a", "a_", "x.", "spa", "x"))
    assert "+" not in plain_tag("x", "spam", version) + release_tag("spam", version)


@given(st.text("_-+.a1", max_size=12))
def test_a_tag_of_somebody_elses_is_no_release(text: str) -> None:
    version = version_of(f"_release-a_.{text}", "a")
    assert not version or release_tag("a", version) == f"_release-a_.{text}"
    assert version_of(text, "a") == version_of(f"_release-{text}", "b") == ""


@pytest.mark.parametrize("version", ["y" * 117, "sha256-" + "0" * 64, "_" * 5, "a" + "+" * 60])
def test_a_version_that_is_no_tag_is_refused(version: str, tmp_path: Path) -> None:
    with serve(tmp_path / "registry") as address, pytest.raises(UsageError, match=r"cannot be a tag|no version"):
        open_oci(f"oci://{address}/x", cache=tmp_path / "cache").put_ref("x", version, b"x")


@pytest.mark.parametrize(
    "uri", ["oci://host", "oci:host/x", "oci://user:hunter2@host/x", "oci://host/X", "oci://host/a//b", "oci://ho st/x",
            "oci://host/a?x", "oci://host/../x", "oci://host:99999/x", "oci:///x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_and_not_repeated(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(uri, tmp_path)
    assert "hunter2" not in str(caught.value) + caught.value.remedy


def test_a_blob_is_taken_over_from_another_repository(store: OciStore, registry: str, tmp_path: Path) -> None:
    other = open_oci(f"oci://{registry}/somewhere/else", cache=tmp_path / "cache-of-other")
    digest = store.put_bytes(b"taken over")
    assert other.registry.mount(digest, store.registry.ask.repository)
    assert other.read(digest, 20) == b"taken over"
    assert not other.registry.mount(sha256_bytes(b"nowhere"), store.registry.ask.repository)


def test_a_web_server_is_no_registry(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split(" port ")[1].split()[0]
        with pytest.raises(EnvironmentFailure, match="no OCI registry"):
            open_oci(f"oci://127.0.0.1:{port}/x", cache=tmp_path / "cache").check_writable()
        server.kill()
    dead = open_oci(f"oci://127.0.0.1:{port}/x", cache=tmp_path / "cache")
    dead.registry.ask.pause = lambda _seconds: None
    with pytest.raises(EnvironmentFailure, match=r"cannot be reached: connection refused \(5 times\)"):
        dead.check_writable()
