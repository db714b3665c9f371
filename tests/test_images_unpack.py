"""Images written to disk: the final tree to run it, every layer's files to look at them, and nothing anywhere else."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_samples import entry, files, folder, image, layer, link
from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.images import LayerFile, LimitError, layer_files, open_image, unpack, unpack_layer

UMOCI = shutil.which("umoci")


def below(place: Path) -> dict[str, str]:
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = "" if path.is_dir() else path.read_text()
    return found


def test_the_final_tree(tmp_path: Path) -> None:
    place = image(
        tmp_path / "i",
        layer(folder("bin", mode=0o755), entry("bin/su", b"su", mode=0o4755), link("sh", "/bin/su"),
              entry("gone", b"1"), link("bin/su2", "bin/su", hard=True)),
        layer(entry(".wh.gone"), entry("dev/null", kind=tarfile.CHRTYPE), entry("p", kind=tarfile.FIFOTYPE),
              entry("w", b"w", mode=0o666, uid=12, gid=13, mtime=1000), folder("locked", mode=0o000),
              entry("locked/x", b"x", mode=0o000)),
    )  # fmt: skip
    found = unpack(open_image(place), tmp_path / "root", owners=False)
    assert (found.files, found.size) == (3, 4)
    assert dict(found.left_out) == {"dev/null": "a device", "p": "a pipe"}
    root = tmp_path / "root"
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o755
    assert (root / "bin/su").samefile(root / "bin/su2")
    assert stat.S_IMODE((root / "w").stat().st_mode) == 0o666
    assert (root / "w").stat().st_mtime == 1000
    (root / "locked/x").chmod(0o600)
    assert below(root) == {"bin": "", "bin/su": "su", "bin/su2": "su", "dev": "", "locked": "", "locked/x": "x",
                           "sh": "-> /bin/su", "w": "w"}  # fmt: skip
    kept = unpack(open_image(place), tmp_path / "second", setuid=True, owners=False)
    assert stat.S_IMODE((kept.folder / "bin/su").stat().st_mode) == 0o4755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_get_the_owners_of_the_image(tmp_path: Path) -> None:
    place = image(tmp_path / "i", layer(entry("w", b"w", uid=12, gid=13), folder("d", uid=10001)))
    root = unpack(open_image(place), tmp_path / "root").folder
    assert ((root / "w").stat().st_uid, (root / "w").stat().st_gid, (root / "d").stat().st_uid) == (12, 13, 10001)


def test_every_layer_with_what_is_hidden(tmp_path: Path) -> None:
    place = image(
        tmp_path / "i",
        files({"app/key.pem": "secret", "app/same": "1", "./app/x\n.py": "2", "a" * 255: "3"}),
        layer(
            entry("app/.wh.key.pem"),
            entry("app/same", b"new"),
            entry("b\udcff", b"4"),
            link("l", "app/same"),
            entry("app/.wh.nothing", b"smuggled"),
        ),
    )
    opened = open_image(place)
    found = list(layer_files(opened, tmp_path / "f"))
    rows = {(f.index, f.path): (f.place.read_text(), f.hidden) for f in found}
    assert rows == {
        (0, "app/key.pem"): ("secret", True), (0, "app/same"): ("1", True), (0, "app/x%0A.py"): ("2", False),
        (0, "a" * 255): ("3", False), (1, "app/same"): ("new", False), (1, "b%FF"): ("4", False),
        (1, "app/.wh.nothing"): ("smuggled", True),
    }  # fmt: skip
    digest, path, where, hidden = found[0]
    assert (digest, path, hidden) == (opened.layers[0].digest, "app/key.pem", True)
    assert where.name == "key.pem"  # type: ignore[attr-defined]
    single = unpack_layer(opened, 1, tmp_path / "g")
    assert sorted(single.values()) == ["app/.wh.nothing", "app/same", "b%FF"]
    assert sorted(where.read_text() for where in single) == ["4", "new", "smuggled"]


def test_names_that_are_there_twice(tmp_path: Path) -> None:
    place = image(tmp_path / "i", layer(entry("a", b"1"), entry("a", b"2"), entry("a/b", b"3"), entry("a", b"4")))
    found = list(layer_files(open_image(place), tmp_path / "f"))
    assert [(f.path, f.place.read_text(), f.hidden) for f in found] == [
        ("a", "1", True), ("a", "2", True), ("a/b", "3", True), ("a", "4", False),
    ]  # fmt: skip


ESCAPES = [
    (link("d", "{out}"), entry("d/x", b"1")),
    (link("d", "../../.."), entry("d/{name}", b"1")),
    (link("x", "{out}/x"), entry("x", b"1")),
    (link("x", "{out}/x"), link("y", "x", hard=True), entry("y", b"1")),
    (folder("d"), entry("d/y", b"1"), link("d", "{out}"), entry("d/x", b"1")),
    (link("a", "b"), link("b", "{out}"), entry("a/x", b"1")),
    (entry("x", b"1"), link("h", "{out}/victim", hard=True), entry("h", b"2")),
    (entry("{out}/x", b"1"),),
    (entry("../x", b"1"),),
    (link("d", "{out}"), entry("d/.wh.victim")),
    (link("d", "{out}"), entry("d/.wh..wh..opq")),
]


@pytest.mark.parametrize("rows", ESCAPES)
def test_nothing_is_written_or_deleted_outside(tmp_path: Path, rows: tuple[tuple[tarfile.TarInfo, bytes], ...]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "victim").write_text("whole")
    made = []
    for info, data in rows:
        copy = info.replace(deep=True)
        copy.name = info.name.format(out=out, name="x")
        copy.linkname = info.linkname.format(out=out)
        copy.type, copy.size = info.type, info.size
        made.append((copy, data))
    place = image(tmp_path / "i", *(layer(one) for one in made))
    before = below(out)
    for number, write in enumerate((unpack, layer_files)):
        try:
            write(open_image(place), tmp_path / "to" / str(number))  # type: ignore[operator]
        except ShipworthyError as error:
            assert str(error)
    assert below(out) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["i", "out", "to"]


def test_budgets(tmp_path: Path) -> None:
    opened = open_image(image(tmp_path / "i", files({f"f{n}": "x" * 100 for n in range(9)})))
    for number, budget in enumerate(({"max_files": 8}, {"max_bytes": 899})):
        for write in (unpack, layer_files):
            with pytest.raises(LimitError):
                write(opened, tmp_path / f"{number}{write.__name__}", **budget)  # type: ignore[operator]
        with pytest.raises(LimitError):
            unpack_layer(opened, 0, tmp_path / f"{number}", **budget)
    assert len(list(layer_files(opened, tmp_path / "some", wanted=lambda path, size: path < "f3"))) == 3


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    opened = open_image(image(tmp_path / "i", files({"a": "1"})))
    (tmp_path / "mine").mkdir()
    for write in (unpack, layer_files):
        with pytest.raises(UsageError, match="something already"):
            write(opened, tmp_path / "mine")  # type: ignore[operator]
    assert not list((tmp_path / "mine").iterdir())


@pytest.mark.skipif(not UMOCI or os.geteuid() != 0, reason="no umoci is here (Debian: umoci), or we are not root")
def test_beside_umoci(tmp_path: Path) -> None:
    place = image(
        tmp_path / "i",
        layer(folder("usr/lib", mode=0o711), link("lib", "usr/lib"), entry("usr/lib/x", b"1", uid=5),
              entry("a/b/c", b"2"), entry("a/d", b"3", mode=0o640), link("a/e", "a/d", hard=True),
              entry("z/old", b"4")),
        layer(entry("a/.wh.b"), entry("lib/y", b"5"), entry("z/.wh..wh..opq"), entry("z/new", b"6")),
        layer(entry("a/d", b"7"), entry("usr/.wh.nothing"), link("n", "../../x")),
        config={"Cmd": ["/x"]}, name="one",
    )  # fmt: skip
    call = [str(UMOCI), "unpack", "--image", f"{place}:one", str(tmp_path / "bundle")]
    subprocess.run(call, check=True, capture_output=True)
    root = unpack(open_image(place), tmp_path / "root").folder
    other = tmp_path / "bundle" / "rootfs"
    assert below(root) == below(other)
    for name in below(root):
        if name not in ("a", "z"):  # for folders without an entry each has a mode of its own
            ours, theirs = (root / name).lstat(), (other / name).lstat()
            assert (ours.st_mode, ours.st_uid, ours.st_gid) == (theirs.st_mode, theirs.st_uid, theirs.st_gid), name


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=90), max_size=8))
def test_any_name_gets_a_place_of_its_own(names: list[str]) -> None:
    names = [
        name for name in names if name not in (".", "..") and not name.startswith(".wh.") and len(name.encode()) < 256
    ]
    rows = [entry(f"{name}/{name}.py", name.encode()) for name in names]
    with tempfile.TemporaryDirectory() as text:
        place = Path(text)
        found: list[LayerFile] = list(layer_files(open_image(image(place / "i", layer(*rows))), place / "f"))
        assert [f.place.read_bytes().decode() for f in found] == names
        assert len({f.place for f in found}) == len(names)
        for f in found:
            assert f.place.resolve().is_relative_to((place / "f").resolve())
            assert f.place.name.isprintable()
            assert f.place.suffix == ".py"
