"""Images on disk: layouts, archives, indexes; every byte is verified while it is read."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_samples import CONFIG, INDEX, LAYER, MANIFEST, Layout, digest, files, image
from shipworthy.checks.images._sample import archive
from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.images import (
    DigestError,
    HostileError,
    ImageError,
    LimitError,
    Limits,
    looks_like_archive,
    merged,
    open_image,
)
from shipworthy.images.streams import Verified

ONE, TWO = files({"a": "1"}), files({"b": "2", ".wh.a": ""})
BUILDAH = shutil.which("buildah")
needs_buildah = pytest.mark.skipif(not BUILDAH, reason="no buildah is here (Debian: buildah)")


def archived(folder: Path, place: Path) -> Path:
    with tarfile.open(place, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return place


def names(path: Path, reference: str = "") -> list[str]:
    found = open_image(path, reference)
    found.verify()
    return [path for path, _ in merged(found).walk()]


def test_a_layout_as_a_folder_and_as_an_archive(tmp_path: Path) -> None:
    place = tmp_path / "i"
    described = Layout(place).image([ONE, TWO], config={"User": "7"}, name="app:1",
                                    history=[{"created_by": "one"}, {"created_by": "env", "empty_layer": True},
                                             {"created_by": "two"}])  # fmt: skip
    for path in (place, archived(place, tmp_path / "i.tar")):
        found = open_image(path)
        assert (found.digest, found.reference, found.platform) == (described["digest"], "app:1", "linux/amd64")
        assert found.settings == {"User": "7"}
        assert [layer.created_by for layer in found.layers] == ["one", "two"]
        assert [layer.diff_id for layer in found.layers] == [digest(ONE), digest(TWO)]
        assert names(path) == ["b"]
        assert open_image(path, described["digest"]) == found == open_image(path, "app:1")
    assert looks_like_archive((tmp_path / "i.tar").read_bytes())
    assert not looks_like_archive(ONE)


@pytest.mark.parametrize(
    "pack", [lambda d: d, gzip.compress, lambda d: gzip.compress(d[:700]) + gzip.compress(d[700:])]
)
def test_how_layers_are_packed_does_not_matter(tmp_path: Path, pack: object) -> None:
    layout = Layout(tmp_path / "i")
    packed = layout.blob(pack(ONE), LAYER)  # type: ignore[operator]
    layout.image([ONE], more={"layers": [packed]})
    assert names(tmp_path / "i") == ["a"]


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd is here (Debian: zstd)")
@pytest.mark.parametrize("options", [["-1"], ["-19", "--check"], ["--no-content-size"]])
def test_layers_packed_with_zstandard(tmp_path: Path, options: list[str]) -> None:
    data = files({f"f{n}": os.urandom(300) * 9 for n in range(20)})
    packed = subprocess.run(["zstd", "-c", *options], input=data, capture_output=True, check=True).stdout
    layout = Layout(tmp_path / "i")
    layout.image([data], more={"layers": [layout.blob(packed, LAYER + "+zstd")]})
    assert len(names(tmp_path / "i")) == 20
    layout.path(digest(packed)).write_bytes(packed[:-40])
    with pytest.raises(ImageError):
        names(tmp_path / "i")


def test_the_platform_decides_and_signatures_are_no_images(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "i")
    listed = [layout.image([ONE], listed=False, platform=("linux", name)) for name in ("amd64", "arm64", "s390x")]
    attestation = {
        **layout.image([], listed=False),
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    signature = layout.image([], listed=False, more={"config": layout.blob(b"{}", "application/vnd.oci.empty.v1+json")})
    index = layout.blob(json.dumps({"schemaVersion": 2, "manifests": [*listed, attestation]}).encode(), INDEX)
    layout.manifests = [{**index, "annotations": {"org.opencontainers.image.ref.name": "app"}}, signature]
    layout.index()
    assert open_image(tmp_path / "i", platform="linux/arm64").digest == listed[1]["digest"]
    assert open_image(tmp_path / "i", "app", platform="linux/s390x").reference == "app"
    with pytest.raises(UsageError, match="not clear"):
        open_image(tmp_path / "i", platform="linux/riscv64")
    with pytest.raises(UsageError, match="no image"):
        open_image(tmp_path / "i", "other")


def test_an_archive_of_docker_save(tmp_path: Path) -> None:
    config = json.dumps({"os": "linux", "config": {}, "rootfs": {"diff_ids": [digest(ONE), digest(TWO), digest(ONE)]}})
    place = tmp_path / "s"
    (place / "x").mkdir(parents=True)
    (place / "y").mkdir()
    (place / "x" / "layer.tar").write_bytes(ONE)
    (place / "layer2.tar").write_bytes(TWO)
    (place / "y" / "layer.tar").symlink_to("../x/layer.tar")
    name = digest(config.encode())[7:] + ".json"
    (place / name).write_text(config)
    (place / "manifest.json").write_text(json.dumps(
        [{"Config": name, "RepoTags": ["app:1"], "Layers": ["x/layer.tar", "layer2.tar", "y/layer.tar"]}]))  # fmt: skip
    path = archived(place, tmp_path / "s.tar")
    found = open_image(path, "app:1")
    assert (found.digest, found.config_digest, found.reference) == ("", digest(config.encode()), "app:1")
    assert names(path) == ["a", "b"]
    (place / "x" / "layer.tar").write_bytes(TWO)
    with pytest.raises(DigestError):
        names(archived(place, tmp_path / "t.tar"))
    (place / name).write_text(config + " ")
    with pytest.raises(DigestError):
        open_image(archived(place, tmp_path / "u.tar"))


@needs_buildah
def test_images_that_buildah_makes(tmp_path: Path) -> None:
    context = tmp_path / "c"
    context.mkdir()
    (context / "app.py").write_text("print(1)\n")
    (context / "key").write_text("secret")
    (context / "Dockerfile").write_text('FROM scratch\nCOPY app.py key /app/\nUSER 7\nCMD ["/app/app.py"]\n')
    (context / "Second").write_text("FROM one\nCOPY app.py /app/key\n")
    call = [BUILDAH, "--root", str(tmp_path / "r"), "--runroot", str(tmp_path / "rr"), "--storage-driver", "vfs"]

    def buildah(*arguments: str) -> None:
        subprocess.run([*call, *arguments], check=True, capture_output=True)  # type: ignore[list-item]

    buildah("bud", "--isolation", "chroot", "-t", "one", str(context))
    buildah("bud", "--isolation", "chroot", "-f", str(context / "Second"), "-t", "two", str(context))
    targets = {"oci:": "layout", "oci-archive:": "o.tar", "docker-archive:": "d.tar"}
    for transport, name in targets.items():
        buildah("push", "two", f"{transport}{tmp_path / name}:two:1")
    trees = []
    for name in targets.values():
        found = open_image(tmp_path / name)
        assert found.settings["User"] == "7"
        tree = merged(found, lambda _path, _size: True)
        trees.append([(p, n.kind, n.content) for p, n in tree.walk()])
        assert [one.path for one in tree.hidden] == ["app/key"]
    assert trees[0] == trees[1] == trees[2]
    assert ("app/key", "file", b"print(1)\n") in trees[0]


# --- what is not what it says ----------------------------------------------------------------------------------------


def test_every_kind_of_blob_is_verified(tmp_path: Path) -> None:
    described = Layout(tmp_path / "i").image([ONE])
    manifest = json.loads((tmp_path / "i" / "blobs" / described["digest"].replace(":", "/")).read_text())
    for name in (described["digest"], manifest["config"]["digest"], manifest["layers"][0]["digest"]):
        copy = tmp_path / name[7:15]
        shutil.copytree(tmp_path / "i", copy)
        blob = copy / "blobs" / name.replace(":", "/")
        data = blob.read_bytes()
        blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(DigestError):
            names(copy)
        for other in (data + b"x", data[:-1], data[:5] + b"?" + data[6:]):
            blob.write_bytes(other)
            with pytest.raises(DigestError):
                names(copy)
        blob.unlink()
        with pytest.raises(ImageError, match="not there"):
            names(copy)


def test_a_layer_that_is_not_that_of_the_configuration(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "i")
    layout.image([ONE], more={"layers": [layout.blob(gzip.compress(TWO), LAYER + "+gzip")]})
    with pytest.raises(DigestError, match="configuration"):
        names(tmp_path / "i")


@pytest.mark.parametrize(
    "change",
    [
        {"layers": []},
        {"layers": [{"mediaType": LAYER, "digest": "sha256:../../../etc/passwd", "size": 1}]},
        {"layers": [{"mediaType": LAYER, "digest": "md5:" + "0" * 32, "size": 1}]},
        {"layers": [{"mediaType": "text/plain", "digest": "sha256:" + "0" * 64, "size": 1}]},
        {"layers": [{"mediaType": LAYER, "digest": "sha256:" + "0" * 64, "size": -1}]},
        {"layers": [{"mediaType": LAYER, "digest": "sha256:" + "0" * 64}]},
        {"layers": "x"},
        {"config": {"mediaType": CONFIG, "digest": "sha256:" + "0" * 64, "size": 2}},
    ],
)
def test_manifests_that_make_no_sense(tmp_path: Path, change: dict[str, object]) -> None:
    Layout(tmp_path / "i").image([ONE], more=change)
    with pytest.raises(ImageError):
        names(tmp_path / "i")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"manifests": [{}]}', '{"manifests": []}', '{"a": 1, "a": 1}', "[" * 100_000, "\xff",
             '{"manifests": [{"mediaType": "' + MANIFEST + '", "digest": "sha256:x", "size": 1}]}'],
)  # fmt: skip
def test_indexes_that_are_none(tmp_path: Path, text: str) -> None:
    layout = Layout(tmp_path / "i")
    (layout.place / "index.json").write_text(text, encoding="latin-1")
    with pytest.raises(ImageError):
        open_image(tmp_path / "i")


def test_indexes_that_multiply(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "i")
    inner = layout.image([ONE], listed=False)
    for _ in range(2):
        inner = layout.blob(json.dumps({"manifests": [inner] * 1000}).encode(), INDEX)
    layout.manifests = [inner] * 1000
    layout.index()
    assert names(tmp_path / "i") == ["a"]


def test_an_index_that_lists_itself(tmp_path: Path) -> None:
    """It cannot, as its digest would have to be in it; but through many levels it can be long."""
    layout = Layout(tmp_path / "i")
    inner = layout.image([ONE], listed=False)
    for _ in range(8):
        inner = layout.blob(json.dumps({"manifests": [inner] * 2}).encode(), INDEX)
    layout.manifests = [inner]
    layout.index()
    with pytest.raises(ImageError, match="without end"):
        open_image(tmp_path / "i")


def test_blobs_are_files_of_their_own(tmp_path: Path) -> None:
    place = image(tmp_path / "i", ONE)
    outside = tmp_path / "outside"
    layer = next(p for p in (place / "blobs" / "sha256").iterdir() if p.read_bytes()[:2] == b"\x1f\x8b")
    shutil.copy(layer, outside)
    layer.unlink()
    layer.symlink_to(outside)
    with pytest.raises(HostileError):
        names(place)
    layer.unlink()
    os.mkfifo(layer)
    with pytest.raises(HostileError):
        names(place)
    shutil.move(place / "blobs", tmp_path / "moved")
    (place / "blobs").symlink_to(tmp_path / "moved")
    with pytest.raises(HostileError):
        open_image(place)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside", ""])
def test_names_in_archives_of_docker_do_not_lead_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("{}")
    place = tmp_path / "i"
    place.mkdir()
    (place / "manifest.json").write_text(json.dumps([{"Config": name, "RepoTags": [], "Layers": []}]))
    with pytest.raises(HostileError):
        open_image(place)
    with pytest.raises(ImageError):
        open_image(archived(place, tmp_path / "i.tar"))


def test_a_bomb_is_given_up(tmp_path: Path) -> None:
    data = b"\0" * (1 << 26)
    layout = Layout(tmp_path / "i")
    layout.image([data])
    assert layout.path(open_image(tmp_path / "i").layers[0].digest).stat().st_size < 1 << 17
    with pytest.raises(LimitError):
        merged(open_image(tmp_path / "i", limits=Limits(layer_bytes=1 << 22)))


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "a.tar").write_bytes(ONE)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(ONE))
    (tmp_path / "text").write_text("no image")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in ("plain", "a.tar", "a.tar.gz", "text", "empty", "pipe", "nothing"):
        with pytest.raises(ImageError) as caught:
            open_image(tmp_path / name)
        assert caught.value.message


@settings(max_examples=50)
@given(st.binary(max_size=2000), st.data())
def test_gzip_is_unpacked_as_it_was_packed(data: bytes, draw: st.DataObject) -> None:
    import io

    from shipworthy.images.streams import LayerStream

    cut = draw.draw(st.integers(0, len(data)))
    first = gzip.compress(data[:cut])
    packed = first + gzip.compress(data[cut:], 0)
    stream = LayerStream(Verified(io.BytesIO(packed), len(packed), digest(packed)), digest(data))
    out = b""
    while part := stream.read(draw.draw(st.integers(1, 700))):
        out += part
    stream.finish()
    assert out == data
    end = draw.draw(st.integers(1, len(packed) - 1).filter(lambda n: n != len(first)))
    stream = LayerStream(Verified(io.BytesIO(packed[:end]), end, ""), digest(data))
    with pytest.raises(ImageError):
        stream.finish()


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_archive_is_refused_or_is_the_same_image(data: st.DataObject) -> None:
    whole = bytearray(archive({"User": "7"}, {"a": b"1", "b/c": b"2" * 700}))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
        start = at - at % 512
        if whole[start + 257 : start + 262] == b"ustar" and not 148 <= at % 512 < 156:
            whole[start + 148 : start + 156] = b" " * 8
            whole[start + 148 : start + 156] = b"%06o\0 " % sum(whole[start : start + 512])
    end = data.draw(st.sampled_from([len(whole), len(whole) // 2, 700]))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "i.tar"
        path.write_bytes(whole[:end])
        try:
            found = open_image(path)
            tree = merged(found, lambda _path, _size: True)
        except ShipworthyError as error:
            assert error.message
            return
    # The index alone is named by no digest: whatever it chose, the bytes are those of a digest.
    assert {p: n.content for p, n in tree.walk()} == {"a": b"1", "b": None, "b/c": b"2" * 700}
    assert found.settings == {"User": "7"}
