"""Packages of images: what each package manager leaves behind, and the bill of materials."""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from image_samples import entry, files, image, layer
from shipworthy.images import ImageError, open_image, sbom
from shipworthy.images.packages import Inventory, Package, read
from shipworthy.images.packages.rpm import packages as rpm_packages
from shipworthy.reports.cyclonedx import dangling

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u4
Description: GNU C Library
 more: about it

Package: bash
Status: install ok installed
Architecture: amd64
Source: bash (5.2.15-2)
Version: 5.2.15-2+b2

Package: gone
Status: deinstall ok config-files
Version: 1
"""
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
APK = """C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1

P:libcrypto3
V:3.1.4-r5
o:openssl
F:usr/lib
R:libcrypto.so.3
"""


def found(tmp_path: Path, *layers: bytes) -> Inventory:
    return read(open_image(image(tmp_path / "i", *layers)))[1]


def rows(inventory: Inventory) -> list[tuple[str, str, str, str, str]]:
    return [(p.type, p.name, p.version, p.source, p.source_version) for p in inventory.packages]


def test_dpkg(tmp_path: Path) -> None:
    opened = open_image(image(
        tmp_path / "i",
        files({"etc/os-release": DEBIAN, "var/lib/dpkg/status": STATUS.partition("\n\n")[0],
               "var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib/libc.so.6\n"}),
        files({"var/lib/dpkg/status": STATUS, "var/lib/dpkg/info/bash.list": "/bin/bash\n"}),
    ))  # fmt: skip
    inventory = read(opened)[1]
    assert rows(inventory) == [
        ("deb", "bash", "5.2.15-2+b2", "bash", "5.2.15-2"),
        ("deb", "libc6", "2.36-9+deb12u4", "glibc", "2.36-9+deb12u4"),
    ]
    assert [p.layer for p in inventory.packages] == [opened.layers[1].digest, opened.layers[0].digest]
    assert inventory.packages[1].purl == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12"
    assert inventory.owned["lib/libc.so.6"] == "libc6"
    assert (inventory.managers, inventory.unread) == ({"dpkg"}, ())


def test_images_without_dpkg_itself(tmp_path: Path) -> None:
    status = "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n"
    inventory = found(tmp_path, files({"usr/lib/os-release": DEBIAN, "var/lib/dpkg/status.d/base": status,
                                       "var/lib/dpkg/status.d/base.md5sums": "0  x\n"}))  # fmt: skip
    assert rows(inventory) == [("deb", "base-files", "12.4", "base-files", "12.4")]
    assert inventory.managers == {"dpkg"}


def test_apk(tmp_path: Path) -> None:
    inventory = found(
        tmp_path, files({"lib/apk/db/installed": APK, "etc/os-release": "ID=alpine\nVERSION_ID=3.18.4\n"})
    )
    assert rows(inventory) == [("apk", "libcrypto3", "3.1.4-r5", "openssl", "3.1.4-r5"),
                               ("apk", "musl", "1.2.4-r2", "musl", "1.2.4-r2")]  # fmt: skip
    assert inventory.packages[1].purl == "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4"
    assert inventory.owned["usr/lib/libcrypto.so.3"] == "libcrypto3"
    assert inventory.packages[1].licence == "MIT"


def test_python_and_npm(tmp_path: Path) -> None:
    site = "usr/local/lib/python3.11/site-packages"
    inventory = found(
        tmp_path,
        files({
            f"{site}/Flask_Cors-4.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Flask_Cors\nVersion: 4.0\n"
                                                         "License: MIT\n\nName: not this\n",
            f"{site}/old-1.egg-info/PKG-INFO": "Name: old\nVersion: 1\n",
            f"{site}/older.egg-info": "Name: older\nVersion: 2\n",
            f"{site}/broken-1.dist-info/METADATA": "Metadata-Version: 2.1\n",
            "app/node_modules/left-pad/package.json": '{"name": "left-pad", "version": "1.3.0", "license": "WTFPL"}',
            "app/node_modules/@scope/x/package.json": '{"name": "@scope/x", "version": "2.0.0"}',
            "app/node_modules/left-pad/test/package.json": '{"name": "not-installed", "version": "1"}',
            "app/node_modules/bad/package.json": "{",
            "app/package.json": '{"name": "app", "version": "1"}',
            "usr/lib/python3/dist-packages/apt-1.egg-info": "Name: apt\nVersion: 1\n",
            "var/lib/dpkg/status": STATUS,
            "var/lib/dpkg/info/bash.list": "/usr/lib/python3/dist-packages/apt-1.egg-info\n",
        }),
        layer(entry("app/node_modules/.wh.@scope")),
    )  # fmt: skip
    languages = [p for p in inventory.packages if p.type in ("pypi", "npm")]
    assert [(p.name, p.version, p.owner) for p in languages] == [
        ("left-pad", "1.3.0", ""), ("Flask_Cors", "4.0", ""), ("apt", "1", "bash"), ("old", "1", ""),
        ("older", "2", ""),
    ]  # fmt: skip
    assert languages[1].purl == "pkg:pypi/flask-cors@4.0"
    assert Package("npm", "@scope/x", "2.0.0").purl == "pkg:npm/%40scope/x@2.0.0"
    assert sorted(inventory.unread) == [
        ("app/node_modules/bad/package.json", "it is no JSON"),
        (f"{site}/broken-1.dist-info/METADATA", "it names no package"),
    ]


def test_descriptions_that_are_too_large_are_told(tmp_path: Path) -> None:
    inventory = found(tmp_path, files({"a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n" + b"\n" * (5 << 20)}))
    assert inventory.packages == ()
    assert inventory.unread[0][0] == "a-1.dist-info/METADATA"


# --- rpm -------------------------------------------------------------------------------------------------------------


def header(**tags: str | int) -> bytes:
    """A header as rpm stores it: names, and epochs as numbers."""
    numbers = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "licence": 1014, "arch": 1022,
               "sourcerpm": 1044}  # fmt: skip
    index, data = b"", b""
    for key, value in tags.items():
        index += struct.pack(">IIII", numbers[key], 4 if isinstance(value, int) else 6, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(tags), len(data)) + index + data


BASH = header(name="bash", version="5.2.26", release="1.fc40", arch="x86_64", sourcerpm="bash-5.2.26-1.fc40.src.rpm",
              licence="GPL-3.0-or-later")  # fmt: skip
OPENSSL = header(
    epoch=1, name="openssl-libs", version="3.2.1", release="2.fc40", sourcerpm="openssl-3.2.1-2.fc40.src.rpm"
)
KEY = header(name="gpg-pubkey", version="a15b79cc", release="63d04c2c")


def sqlite_file(place: Path, *blobs: object, sql: str = "") -> bytes:
    database = sqlite3.connect(place)
    database.execute("PRAGMA journal_mode=WAL")
    database.executescript(sql or "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    for blob in blobs:
        database.execute("INSERT INTO Packages (blob) VALUES (?)", (blob,))
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return place.read_bytes()


def ndb_file(*blobs: bytes) -> bytes:
    slots, body = b"", b""
    for number, blob in enumerate(blobs, 1):
        whole = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
        whole += b"\0" * (-len(whole) % 16)
        slots += struct.pack("<4sIII", b"Slot", number, (4096 + len(body)) // 16, len(whole) // 16)
        body += whole
    head = struct.pack("<4sIIIIIII", b"RpmP", 0, 1, 1, len(blobs) + 1, 0, 0, 0) + slots
    return head + struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - len(head)) // 16) + body


def check_rpm(inventory: Inventory) -> None:
    assert rows(inventory) == [
        ("rpm", "bash", "5.2.26-1.fc40", "bash", "5.2.26-1.fc40"),
        ("rpm", "openssl-libs", "3.2.1-2.fc40", "openssl", "3.2.1-2.fc40"),
    ]
    assert inventory.packages[1].purl == "pkg:rpm/fedora/openssl-libs@3.2.1-2.fc40?distro=fedora-40&epoch=1"
    assert inventory.packages[1].full_version == "1:3.2.1-2.fc40"
    assert inventory.unread == ()


@pytest.mark.parametrize(
    "place", ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages.db"]
)
def test_rpm(tmp_path: Path, place: str) -> None:
    blobs = (BASH, OPENSSL, KEY)
    data = ndb_file(*blobs) if place.endswith(".db") else sqlite_file(tmp_path / "db", *blobs)
    check_rpm(found(tmp_path, files({place: data, "etc/os-release": "ID=fedora\nVERSION_ID=40\n"})))


@pytest.mark.skipif(not shutil.which("db5.3_load"), reason="no db5.3_load is here (Debian: db5.3-util)")
@pytest.mark.parametrize("order", ["1234", "4321"])
def test_rpm_in_berkeley_db(tmp_path: Path, order: str) -> None:
    """As long as headers are, their values have pages of their own."""
    large = header(name="bash", version="5.2.26", release="1.fc40", licence="x" * 9000)
    lines = "".join(f" {number:08x}\n {blob.hex()}\n" for number, blob in enumerate((large, OPENSSL + b"\0" * 5000), 1))
    text = f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\ndb_lorder={order}\nHEADER=END\n{lines}DATA=END\n"
    subprocess.run(["db5.3_load", str(tmp_path / "Packages")], input=text.encode(), check=True)
    assert sorted(p.name for p in rpm_packages((tmp_path / "Packages").read_bytes())) == ["bash", "openssl-libs"]


@pytest.mark.skipif(not shutil.which("rpm"), reason="no rpm is here (Debian: rpm)")
def test_a_database_that_rpm_makes(tmp_path: Path) -> None:
    spec = tmp_path / "x.spec"
    spec.write_text("Name: x\nVersion: 1.2\nRelease: 3\nEpoch: 4\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
                    "%description\nx\n%files\n")  # fmt: skip
    subprocess.run(["rpmbuild", "-bb", f"-D_topdir {tmp_path}", str(spec)], check=True, capture_output=True)
    (built,) = tmp_path.rglob("*.rpm")
    subprocess.run(["rpm", "-D_db_backend sqlite", "--dbpath", str(tmp_path / "db"), "-i", "--justdb", "--nodeps",
                    "--ignorearch", str(built)], check=True, capture_output=True)  # fmt: skip
    (item,) = rpm_packages((tmp_path / "db" / "rpmdb.sqlite").read_bytes())
    assert (item.name, item.full_version, item.source, item.licence) == ("x", "4:1.2-3", "x", "MIT")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE Other (x)",
        "CREATE TABLE t (x); CREATE VIEW Packages AS SELECT x AS blob FROM t",
        "CREATE VIEW Packages AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT n AS blob FROM c",
        "CREATE TABLE Packages (hnum, other)",
    ],
)
def test_databases_that_are_none_of_rpm(tmp_path: Path, sql: str) -> None:
    data = sqlite_file(tmp_path / "db", sql=sql)
    with pytest.raises(ImageError):
        list(rpm_packages(data))
    inventory = found(tmp_path, files({"var/lib/rpm/rpmdb.sqlite": data}))
    assert inventory.packages == ()
    assert inventory.unread


def test_a_database_whose_damage_is_no_text() -> None:
    """SQLite quotes it in its message, which Python then cannot decode."""
    damaged = bytearray(_SQLITE)
    damaged[4016] = 128
    with pytest.raises(ImageError):
        list(rpm_packages(bytes(damaged[:8193])))


@given(st.data())
def test_damaged_databases_of_rpm(data: st.DataObject) -> None:
    whole = bytearray(ndb_file(BASH, OPENSSL) if data.draw(st.booleans()) else _SQLITE)
    for _ in range(data.draw(st.integers(0, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(whole)))
    try:
        assert len(list(rpm_packages(bytes(whole[:end])))) <= 3
    except ImageError as error:
        assert str(error)


def _sqlite() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return sqlite_file(Path(folder) / "db", BASH, OPENSSL)


_SQLITE = _sqlite()


# --- the bill of materials -------------------------------------------------------------------------------------------


def bom(path: Path) -> dict[str, Any]:
    opened = open_image(path)
    text = sbom.render(opened, read(opened)[1], "app:1")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == sbom.render(opened, read(opened)[1], "app:1")
    document: dict[str, Any] = json.loads(text)
    assert dangling(document) == []
    return document


def test_a_bill_of_materials(tmp_path: Path) -> None:
    path = image(
        tmp_path / "i",
        files({"etc/os-release": DEBIAN, "var/lib/dpkg/status": STATUS}),
        files({"a/x-1.dist-info/METADATA": "Name: x\nVersion: 1\n", "b/x-1.dist-info/METADATA": "Name: x\nVersion: 1\n",
               "a/odd-1.dist-info/METADATA": "Name: o\x1bd\u202ed\nVersion: 1 2/?#\nLicense: see\n"}),
    )  # fmt: skip
    document = bom(path)
    opened = open_image(path)
    subject = document["metadata"]["component"]
    assert subject["hashes"] == [{"alg": "SHA-256", "content": opened.digest[7:]}]
    components = {c["bom-ref"]: c for c in document["components"]}
    libc = components["pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12"]
    assert {"name": "shipworthy:source", "value": "glibc"} in libc["properties"]
    assert {"name": "shipworthy:layer", "value": opened.layers[0].digest} in libc["properties"]
    assert {"pkg:pypi/x@1", "pkg:pypi/x@1#2"} <= set(components)
    depends = {d["ref"]: d["dependsOn"] for d in document["dependencies"]}
    assert depends["image"][0] == "operating-system"
    assert len(depends["operating-system"]) == 2
    assert document["compositions"] == [{"aggregate": "unknown", "assemblies": ["image"]}]
    assert "\x1b" not in json.dumps(document, ensure_ascii=False)


def test_what_could_not_be_read_makes_it_incomplete(tmp_path: Path) -> None:
    document = bom(image(tmp_path / "i", files({"var/lib/rpm/Packages": "no database"})))
    assert document["compositions"][0]["aggregate"] == "incomplete"
    assert document["dependencies"] == [{"ref": "image", "dependsOn": []}]
