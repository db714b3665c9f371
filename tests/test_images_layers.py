"""The final tree of an image: what layers add, replace and delete, and what stays hidden in them."""

from __future__ import annotations

import itertools
import posixpath
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_samples import entry, files, folder, image, layer, link
from shipworthy.images import HostileError, ImageError, LimitError, Limits, Tree, merged, open_image

NAMES = ("a", "b", "c")
PATHS = ["/".join(parts) for depth in (1, 2, 3) for parts in itertools.product(NAMES, repeat=depth)]


def tree(place: Path, *layers: bytes, **limits: int) -> Tree:
    return merged(open_image(image(place, *layers), limits=Limits(**limits)), lambda _path, _size: True)


def shown(of: Tree) -> dict[str, bytes | str | None]:
    return {p: n.content if n.kind == "file" else n.link or None for p, n in of.walk()}


def test_layers_lie_over_each_other(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "i",
        files({"etc/one": "1", "etc/two": "2", "var/lib/gone": "secret", "etc/same": "old"}),
        layer(entry("etc/.wh.one"), entry("var/.wh.lib"), entry("etc/same", b"new"), link("etc/ln", "two")),
        layer(entry("opt/.wh..wh..opq"), link("etc/hard", "etc/two", hard=True)),
    )
    assert shown(found) == {
        "etc": None, "etc/hard": b"2", "etc/ln": "two", "etc/same": b"new", "etc/two": b"2", "var": None,
    }  # fmt: skip
    assert [(h.path, h.layer, h.by) for h in found.hidden] == [("etc/one", 0, 1), ("var/lib/gone", 0, 1),
                                                               ("etc/same", 0, 1)]  # fmt: skip


def test_a_whiteout_spares_what_its_own_layer_has(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "i",
        files({"d/old": "1", "d/sub/old": "1", "f": "1"}),
        layer(
            entry("d/new", b"2"), entry("d/.wh..wh..opq"), entry("f", b"2"), entry(".wh.f"), entry("d/sub/new", b"2")
        ),
    )
    assert shown(found) == {"d": None, "d/new": b"2", "d/sub": None, "d/sub/new": b"2", "f": b"2"}


def test_parents_that_are_links_are_followed_inside_of_the_image(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "i",
        layer(folder("usr/lib"), link("lib", "usr/lib"), link("abs", "/../../usr"), entry("usr/lib/x", b"1")),
        layer(entry("lib/y", b"2"), entry("abs/z", b"3"), entry("lib/.wh.x")),
    )
    assert shown(found) == {"abs": "/../../usr", "lib": "usr/lib", "usr": None, "usr/lib": None, "usr/lib/y": b"2",
                            "usr/z": b"3"}  # fmt: skip
    assert found.get("abs/lib/y") is found.get("usr/lib/y")


def test_what_is_deleted_under_one_name_and_kept_under_another_is_not_hidden(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "i",
        layer(entry("a", b"1"), link("b", "a", hard=True)),
        layer(entry(".wh.a")),
    )
    assert shown(found) == {"b": b"1"}
    assert found.hidden == []


def test_a_hard_link_to_a_lower_layer_is_of_its_own_layer(tmp_path: Path) -> None:
    found = tree(
        tmp_path / "i",
        files({"d/a": "1"}),
        layer(link("d/b", "d/a", hard=True), entry("d/.wh.b"), entry("d/.wh..wh..opq")),
    )
    assert shown(found) == {"d": None, "d/b": b"1"}
    assert found.hidden == []


# --- beside a model that follows the specification's words -----------------------------------------------------------


def reference(layers: list[list[tuple[str, str]]]) -> dict[str, str]:
    """Lower layers first lose what whiteouts name, then get what the layer has. Maps a path to its content; folders to
    the empty text."""
    now: dict[str, str] = {}

    def gone(path: str, *, itself: bool) -> None:
        for other in [o for o in now if o.startswith(path + "/") or (itself and o == path)]:
            del now[other]

    for number, one in enumerate(layers):
        for kind, path in one:
            parents = [posixpath.join(*path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
            # What is deleted must be there: below a file there is nothing.
            if any(now.get(p, "") for p in parents):
                continue
            if kind == "delete":
                gone(path, itself=True)
            elif kind == "opaque" and not now.get(path, ""):
                gone(path, itself=False)
        for kind, path in one:
            if kind in ("delete", "opaque"):
                continue
            parts = path.split("/")
            for above in ("/".join(parts[:n]) for n in range(1, len(parts))):
                if now.get(above, ""):
                    del now[above]
                now.setdefault(above, "")
            if kind == "file" or now.get(path, ""):
                gone(path, itself=True)
            now[path] = f"{number} {path}" if kind == "file" else ""
    return now


@settings(max_examples=100)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["file", "dir", "delete", "opaque"]), st.sampled_from(PATHS)), max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_trees_are_those_of_a_naive_model(layers: list[list[tuple[str, str]]]) -> None:
    made = []
    for number, one in enumerate(layers):
        rows = []
        for kind, path in one:
            parent, _, name = path.rpartition("/")
            if kind == "file":
                rows.append(entry(path, f"{number} {path}".encode()))
            elif kind == "dir":
                rows.append(folder(path))
            elif kind == "delete":
                rows.append(entry(posixpath.join(parent, f".wh.{name}")))
            else:
                rows.append(entry(f"{path}/.wh..wh..opq"))
        made.append(layer(*rows))
    with tempfile.TemporaryDirectory() as place:
        found = tree(Path(place) / "i", *made)
    assert {p: (c or b"").decode() for p, c in shown(found).items()} == reference(layers)  # type: ignore[union-attr]
    # Every file that was ever there is in the tree or hidden, once.
    files_in = sum(kind == "file" for one in layers for kind, _ in one)
    assert sum(n.kind == "file" for _, n in found.walk()) + len(found.hidden) == files_in


# --- hostile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x", "a/../../x", "a/../b", "/../x", "a/.."])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(HostileError):
        tree(tmp_path / "i", layer(entry(name, b"1")))


def test_names_from_the_root_lie_below_it(tmp_path: Path) -> None:
    assert shown(tree(tmp_path / "i", layer(entry("/etc//passwd", b"1"), entry("./x", b"2")))) == {
        "etc": None, "etc/passwd": b"1", "x": b"2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        (link("a", "b"), link("b", "a"), entry("a/x", b"1")),
        (link("a", "a"), entry("a/x", b"1")),
        (entry("f", b"1"), link("a", "f"), entry("a/x", b"1")),
        (link("h", "nothing", hard=True),),
        (folder("d"), link("h", "d", hard=True)),
        (link("h", "../../etc/passwd", hard=True),),
        (entry("d/.wh."),),
        (entry("n" * 300, b"1"),),
    ],
)
def test_links_and_whiteouts_that_no_tool_makes(
    tmp_path: Path, rows: tuple[tuple[tarfile.TarInfo, bytes], ...]
) -> None:
    with pytest.raises(HostileError):
        tree(tmp_path / "i", layer(*rows))


def test_a_link_loop_is_no_file(tmp_path: Path) -> None:
    found = tree(tmp_path / "i", layer(link("a", "b"), link("b", "a"), link("c", "/".join(["c"] * 50))))
    assert [found.get(name) for name in "abc"] == [None, None, None]


@pytest.mark.parametrize("limits", [{"entries": 5}, {"total_bytes": 50}, {"layer_bytes": 2048}, {"kept_file": 9},
                                    {"kept": 30}])  # fmt: skip
def test_more_than_the_limits_allow(tmp_path: Path, limits: dict[str, int]) -> None:
    data = files({f"f{n}": "x" * 10 for n in range(6)})
    assert len(shown(tree(tmp_path / "whole", data))) == 6
    with pytest.raises(LimitError):
        tree(tmp_path / "i", data, **limits)


@pytest.mark.parametrize("limits", [{"names": 4000}, {"entries": 1000}, {"steps": 5000}])
def test_trees_that_grow_faster_than_their_archives(tmp_path: Path, limits: dict[str, int]) -> None:
    """Deep names make a folder for each part; links let short names lie under long ones."""
    deep = "/".join(["d"] * 1500)
    rows = layer(entry(f"{deep}/x", b"1"), link("s", deep), *(entry(f"s/{n}", b"1") for n in range(9)))
    with pytest.raises(LimitError):
        tree(tmp_path / "i", rows, layer(entry(".wh.d")), **limits)


def test_whiteouts_that_are_repeated_cost_nothing(tmp_path: Path) -> None:
    """Without account of what is clean already, this takes hundreds of millions of steps."""
    rows = [entry(f"d/e/f{n}", b"") for n in range(6000)]
    again = [entry(name) for _ in range(3000) for name in (".wh.d", "d/.wh..wh..opq", "d/e/.wh..wh..opq")]
    found = tree(tmp_path / "i", layer(entry("d/e/old", b"1")), layer(*rows, *again))
    assert len(list(found.walk())) == 6002


def header(**changes: bytes) -> bytes:
    """A header block with some fields overwritten, and a right checksum."""
    fields = {"name": (0, 100), "size": (124, 12), "type": (156, 1), "mtime": (136, 12), "mode": (100, 8)}
    block = bytearray(layer(entry("x"), format_=tarfile.USTAR_FORMAT)[:512])
    for name, value in changes.items():
        at, length = fields[name]
        block[at : at + length] = value.ljust(length, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (header(size=b"77777777777"), ImageError),  # a file of 8 GiB that is not there
        (header(size=b"\x80" + b"\xff" * 11), ImageError),
        (header(size=b"\xff" * 12), ImageError),
        (header(size=b"12z"), ImageError),
        (header(type=b"x", size=b"77777777777"), LimitError),  # an extended header of 8 GiB
        (header(type=b"L", size=b"77777777777"), LimitError),
        (header(type=b"S"), ImageError),
        (header(type=b"?"), ImageError),
        (header(type=b"x", size=b"10") + b"9999 a=b".ljust(512, b"\0"), ImageError),
        (header(type=b"x", size=b"10") + b"8 a=b\n??".ljust(512, b"\0"), ImageError),
        (header(type=b"L", size=b"11000") + b"n" * 4608 + header(), HostileError),
        (b"x" * 512, ImageError),
        (header()[:300], ImageError),
        (b"".join(header(type=b"x", size=b"0") for _ in range(40)) + header(), HostileError),
        (header()[:148] + b"0000000\0" + header()[156:], ImageError),
    ],
)
def test_headers_that_lie(tmp_path: Path, data: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error):
        tree(tmp_path / "i", data)


def test_what_follows_the_end_of_an_archive_is_told(tmp_path: Path) -> None:
    found = tree(tmp_path / "i", files({"a": "1"}) + b"secret")
    assert found.notes == ["layer 1 has 6 bytes behind its end"]


def test_an_extended_header_for_all_entries_changes_none(tmp_path: Path) -> None:
    """Python's tarfile would call every file `evil`; the runtimes, which are written in Go, do not."""
    record = b"13 path=evil\n"
    found = tree(tmp_path / "i", header(type=b"g", size=b"15") + record.ljust(512, b"\0") + files({"a": "1"}))
    assert shown(found) == {"a": b"1"}


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_odd_names(tmp_path: Path, format_: int) -> None:
    name = "/".join(["ü" * 40] * 6)
    target = "t" * 200
    found = tree(tmp_path / "i", layer(entry(name, b"1"), link("l", target), entry("b\udcff", b"2"), format_=format_))
    assert found.get(name).content == b"1"  # type: ignore[union-attr]
    assert found.get("l", follow=False).link == target  # type: ignore[union-attr]
    assert found.get("b\udcff").content == b"2"  # type: ignore[union-attr]


@settings(max_examples=100)
@given(st.data())
def test_damaged_archives_are_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(layer(entry("a/b", b"x" * 600), folder("d", mode=0o700), link("l", "a/b"), entry("ü" * 80, b"y"),
                            entry("h", b"z")))  # fmt: skip
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
        if 148 <= at % 512 < 156:
            continue
        start = at - at % 512  # most damage would only show as a wrong checksum
        if whole[start + 257 : start + 262] == b"ustar":
            whole[start + 148 : start + 156] = b" " * 8
            whole[start + 148 : start + 156] = b"%06o\0 " % sum(whole[start : start + 512])
    with tempfile.TemporaryDirectory() as place:
        try:
            found = tree(Path(place) / "i", bytes(whole))
        except ImageError as error:
            assert str(error)
        else:
            assert all(".." not in path.split("/") for path, _ in found.walk())
