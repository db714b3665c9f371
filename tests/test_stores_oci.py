"""Releases in an OCI registry: what is pushed can be pulled by others, and what comes back is what was pushed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_world import NOW, make
from registry_world import docker_registry
from shipworthy.errors import UsageError
from shipworthy.evidence.digest import Manifest, sha256_bytes
from shipworthy.evidence.release import store_release, verify_release
from shipworthy.stores import open_store
from shipworthy.stores.oci import OciStore, open_oci


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def store(docker: str, tmp_path: Path) -> OciStore:
    return open_oci(
        f"oci://{docker}/team/{tmp_path.name.replace('_', '-')[:60].strip('-0')}x", cache=tmp_path / "cache"
    )


def test_bytes_come_back_from_a_real_registry(store: OciStore) -> None:
    digest = store.put_bytes(b"hello")
    assert digest == sha256_bytes(b"hello") == store.put_bytes(b"hello")
    assert store.read(digest, 5) == b"hello"
    assert store.locate(sha256_bytes(b"other")) is None
    empty = store.put_bytes(b"")
    assert store.read(empty, 0) == b""


def test_a_model_goes_out_and_its_chain_is_verified_from_the_registry_alone(store: OciStore, tmp_path: Path) -> None:
    world = make(tmp_path / "world")
    written = world.write()
    raw = store_release(store, written, world.project / "model", world.signers, version="1.0.0", stored=NOW)
    ref = store.put_ref("spam", "1.0.0", raw)
    fresh = open_oci(str(store), store.registry.ask.options, tmp_path / "other-cache")
    assert fresh.get_ref("spam") == ref == fresh.get_ref("spam", "1.0.0")
    assert fresh.versions("spam") == ("1.0.0",)
    result = verify_release(fresh, ref.raw, world.policy, version="1.0.0", folders=(world.project,))
    assert result.ok, result.first_broken
    manifest = Manifest.of(world.project / "model")
    fresh.get_tree(manifest, tmp_path / "pulled")
    assert Manifest.of(tmp_path / "pulled") == manifest


@pytest.mark.parametrize(
    "uri", ["oci://host", "oci:host/x", "oci://user:hunter2@host/x", "oci://host/X", "oci://host/a//b", "oci://ho st/x",
            "oci://host/a?x", "oci://host/../x", "oci://host:99999/x", "oci:///x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_and_not_repeated(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(uri, tmp_path)
    assert "hunter2" not in str(caught.value) + caught.value.remedy
