"""The checks of images: each rule with an image that breaks it, and an image that breaks none."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import tarfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_samples import Layout, entry, files, folder, image, layer, link
from shipworthy.artifacts import Inventory, discover
from shipworthy.check import Context, NotApplicable, Skipped, registry
from shipworthy.checks import _exploited
from shipworthy.checks.images._rules import RULES
from shipworthy.checks.images._sample import archive
from shipworthy.checks.images._versions import KEYS, Unknown
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.images import open_image
from shipworthy.model import Artifact, Finding, Kind, Outcome, Severity

PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:10001:10001::/:/sbin/nologin\n"
GOOD: dict[str, Any] = {
    "User": "10001:10001", "Cmd": ["/usr/bin/app"], "Env": ["PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8"],
    "ExposedPorts": {"8000/tcp": {}}, "WorkingDir": "/app", "Volumes": {"/data": {}},
    "Healthcheck": {"Test": ["CMD", "/usr/bin/app", "--check"]}, "Labels": {"org.opencontainers.image.title": "app"},
}  # fmt: skip
BASE = (entry("etc/passwd", PASSWD.encode()), entry("app/main.py", b"print(1)\n"), folder("tmp", mode=0o1777),
        entry("usr/bin/su", b"x", mode=0o4755), link("usr/bin/sh", "su"))  # fmt: skip
TOKEN = "ghp" + "_" + "0aB1cD2e3" * 4
PASSWORD = "Tr0ub4dor&3-horse"


def run(name: str, path: Path, **options: object) -> list[Finding | Skipped]:
    check = registry()[name]
    artifact = Artifact("app", Kind.IMAGE, "sha256:" + "0" * 64, 0, path=path)
    context = Context(path.parent, {**check.options, **options}, today=date(2026, 2, 1))
    return list(check.call((artifact,), context))


def rules(found: list[Finding | Skipped]) -> list[str]:
    assert all(isinstance(item, Finding) for item in found), found
    return sorted(item.rule.id for item in found if isinstance(item, Finding))


def test_an_image_that_is_made_well(tmp_path: Path) -> None:
    assert run("image-configuration", image(tmp_path / "i", layer(*BASE), config=GOOD)) == []


SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"User": ""}, "image-runs-as-root"),
    ({"User": "root:app"}, "image-runs-as-root"),
    ({"User": "0:5"}, "image-runs-as-root"),
    ({"User": "nobody2"}, "image-unknown-user"),
    ({"Env": [f"DB_PASSWORD={PASSWORD}"]}, "image-secret-in-configuration"),
    ({"Env": [f"WHATEVER={TOKEN}"]}, "image-secret-in-configuration"),
    ({"Env": [f"DATABASE_URL=postgres://app:{PASSWORD}@db.internal/x"]}, "image-secret-in-configuration"),
    ({"Labels": {"deploy.token": TOKEN}}, "image-secret-in-configuration"),
    ({"Cmd": ["/app", f"--api-key={TOKEN}"]}, "image-secret-in-configuration"),
    ({"ExposedPorts": {"22/tcp": {}}}, "image-debug-port"),
    ({"ExposedPorts": {"5678": {}}}, "image-debug-port"),
    ({"Healthcheck": {"Test": ["NONE"]}}, "image-without-healthcheck"),
    ({"Healthcheck": None}, "image-without-healthcheck"),
    ({"Cmd": ["/bin/sh", "-c", "python app.py $OPTIONS"]}, "image-shell-entrypoint"),
    ({"Entrypoint": ["bash", "-c", "python app.py"]}, "image-shell-entrypoint"),
    ({"Volumes": {"/var/run/docker.sock": {}}}, "image-sensitive-volume"),
    ({"Volumes": {"/etc/": {}}}, "image-sensitive-volume"),
    ({"Volumes": {"/app": {}, "/data": {}}}, "image-volume-with-files"),
    ({"Volumes": {"//app/../app/": {}}}, "image-volume-with-files"),
    ({"Env": ["PATH=/usr/bin:.:/bin"]}, "image-unsafe-environment"),
    ({"Env": ["PATH=/tmp/bin:/usr/bin"]}, "image-unsafe-environment"),
    ({"Env": ["LD_PRELOAD=/x.so"]}, "image-unsafe-environment"),
    ({"Env": ["NODE_TLS_REJECT_UNAUTHORIZED=0"]}, "image-unsafe-environment"),
]


@pytest.mark.parametrize(("change", "rule"), SETTINGS)
def test_settings(tmp_path: Path, change: dict[str, Any], rule: str) -> None:
    found = run("image-configuration", image(tmp_path / "i", layer(*BASE), config={**GOOD, **change}))
    assert rules(found) == [rule]
    assert PASSWORD not in str(found)
    assert TOKEN not in str(found)


HARMLESS: list[dict[str, Any]] = [
    {"User": "app"},
    {"Volumes": {"/data": {}, "/tmp": {}, "/app/nothing": {}, "relative/none": {}}},
    {"Env": ["PATH=/usr/bin", "PASSWORD_FILE=/run/secrets/db", "TOKEN=", "API_KEY=changeme", "GPG_KEY=" + "A0" * 20]},
    {"Cmd": ["/bin/sh", "-c", "exec python app.py"]},
    {"Entrypoint": ["/usr/bin/app"], "Cmd": ["/bin/sh", "-c", "x"]},
    {"Cmd": None, "Env": None, "Labels": None, "ExposedPorts": {"x": {}, "99999999": {}}, "Volumes": None},
]


@pytest.mark.parametrize("change", HARMLESS)
def test_settings_that_are_harmless(tmp_path: Path, change: dict[str, Any]) -> None:
    assert run("image-configuration", image(tmp_path / "i", layer(*BASE), config={**GOOD, **change})) == []


HISTORY = [
    (f"RUN |1 API_TOKEN={TOKEN} /bin/sh -c make # buildkit", "image-secret-in-configuration"),
    (f"ARG NPM_PASSWORD={PASSWORD.replace('&', '_')}", "image-secret-in-configuration"),
    ("RUN /bin/sh -c curl -fsSL https://get.example/install | sh", "image-remote-code"),
    ("/bin/sh -c wget -qO- http://x.invalid/i.sh | sudo bash -s", "image-remote-code"),
    ("ADD https://x.invalid/tool.tar.gz /opt/ # buildkit", "image-remote-code"),
]


@pytest.mark.parametrize(("text", "rule"), HISTORY)
def test_history(tmp_path: Path, text: str, rule: str) -> None:
    found = run("image-configuration", image(tmp_path / "i", layer(*BASE), config=GOOD, history=[{"created_by": text}]))
    assert rules(found) == [rule]
    assert TOKEN not in str(found)
    assert PASSWORD[:8] not in str(found)


@pytest.mark.parametrize(
    "text",
    [f"ADD --checksum=sha256:{'0' * 64} https://x.invalid/a /", "RUN curl -o x https://x.invalid/ && sha256sum -c s",
     "COPY . /app # buildkit"],
)  # fmt: skip
def test_history_that_is_harmless(tmp_path: Path, text: str) -> None:
    assert not run("image-configuration", image(tmp_path / "i", layer(*BASE), config=GOOD,
                                                history=[{"created_by": text}]))  # fmt: skip


FILES = [
    ([entry("usr/bin/tool", b"x", mode=0o4755)], "image-setuid-file"),
    ([entry("usr/bin/tool", b"x", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": "x"})],
     "image-setuid-file"),
    ([entry("app/config", b"x", mode=0o666)], "image-world-writable"),
    ([folder("app/data", mode=0o777)], "image-world-writable"),
    ([entry("app/main.py", b"x", uid=10001)], "image-writable-program"),
    ([entry("usr/sbin/sshd", b"x", mode=0o755)], "image-ssh-server"),
    ([entry("var/lib/apt/lists/deb.debian.org_Packages", b"x" * 70_000)], "image-package-cache"),
    ([entry("root/.cache/pip/http/a", b"x" * 70_000)], "image-package-cache"),
    ([entry("root/.aws/credentials", b"x")], "image-credential-file"),
    ([entry("app/.env", b"x")], "image-credential-file"),
    ([entry("app/.git/HEAD", b"ref: x")], "image-repository-inside"),
    ([entry("etc/shadow", b"root:*:1::::::\napp2::1::::::\n")], "image-account-without-password"),
    ([entry("etc/passwd", (PASSWD + "toor:x:0:0::/:/bin/sh\n").encode())], "image-account-without-password"),
    ([entry("usr/bin/sudo", b"x", mode=0o4755), entry("etc/sudoers.d/app", b"app ALL=(ALL) NOPASSWD:ALL\n")],
     "image-sudo"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "rule"), FILES)
def test_files(tmp_path: Path, rows: list[tuple[tarfile.TarInfo, bytes]], rule: str) -> None:
    found = run("image-configuration", image(tmp_path / "i", layer(*BASE), layer(*rows), config=GOOD))
    assert rules(found) == [rule]


def test_a_deleted_file_of_credentials_is_still_in_the_image(tmp_path: Path) -> None:
    path = image(
        tmp_path / "i", layer(*BASE, entry("build/id_rsa", b"x")), layer(entry("build/.wh.id_rsa")), config=GOOD
    )
    (found,) = run("image-configuration", path)
    assert isinstance(found, Finding)
    assert (found.location.member, "a later one deletes it" in found.message) == ("build/id_rsa", True)


def test_many_files_are_told_together(tmp_path: Path) -> None:
    rows = [entry(f"app/f{n:03}", b"", mode=0o666) for n in range(500)]
    found = run("image-configuration", image(tmp_path / "i", layer(*BASE, *rows), config=GOOD))
    assert len(found) == 11
    assert "490 more" in str(found[-1])


def test_size_and_tag(tmp_path: Path) -> None:
    path = image(tmp_path / "i", layer(*BASE, entry("app/x", b"x" * (2 << 20))), config=GOOD, name="latest")
    assert rules(run("image-configuration", path)) == ["image-latest-tag"]
    assert rules(run("image-configuration", path, **{"max-mb": 1})) == ["image-large", "image-latest-tag"]


def test_every_rule_is_tested_here() -> None:
    tested = {rule for _, rule in [*SETTINGS, *HISTORY, *FILES]} | {"image-large", "image-latest-tag"}
    assert {rule.id for rule in RULES} - tested == {"image-digest-mismatch", "image-hostile-layer"}


@pytest.mark.parametrize("check", ["image-configuration", "image-vulnerabilities"])
def test_images_that_cannot_be_read_are_never_clean(tmp_path: Path, check: str) -> None:
    def last(path: Path) -> str:
        *_, before, item = [None, *run(check, path)]
        assert isinstance(item, Skipped)  # the rest was not looked at
        serious = isinstance(before, Finding) and before.severity is Severity.CRITICAL
        return before.rule.id if isinstance(before, Finding) and serious else item.reason

    assert last(image(tmp_path / "a", layer(entry("../x", b"1")), config=GOOD)) == "image-hostile-layer"
    assert "no tar archive" in last(image(tmp_path / "b", b"x" * 512)) or "header" in last(tmp_path / "b")
    place = image(tmp_path / "c", layer(*BASE), config=GOOD, pack=False)
    blob = max((place / "blobs" / "sha256").iterdir(), key=lambda p: p.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    assert last(place) == "image-digest-mismatch"
    blob.unlink()
    assert "not there" in last(place)
    (tmp_path / "d").mkdir()
    assert "no container image" in last(tmp_path / "d")


def test_archives_in_a_workspace_are_images(tmp_path: Path) -> None:
    (tmp_path / "app.oci.tar").write_bytes(archive({}, {"a": b"1"}))
    (tmp_path / "plain.tar").write_bytes(files({"a": "1"}))
    (tmp_path / "other.oci.tar").write_bytes(files({"a": "1"}))
    inventory = discover(tmp_path)
    assert {a.uri: a.kind for a in inventory.artifacts}["app.oci.tar"] is Kind.IMAGE
    assert [a.uri for a in inventory.of(Kind.IMAGE)] == ["app.oci.tar"]
    with CheckRunner(Settings(), tmp_path, Cache(None), Events()) as runner:
        (result,) = runner.run((registry()["image-configuration"],), inventory)
    assert result.outcome is Outcome.RAN
    assert "image-runs-as-root" in {f.rule.id for f in result.findings}


# --- vulnerabilities -------------------------------------------------------------------------------------------------

STATUS = "".join(
    f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n{source}\n"
    for name, version, source in (
        ("libssl3", "3.0.11-1~deb12u2+b1", "Source: openssl (3.0.11-1~deb12u2)\n"), ("openssl", "3.0.11-1~deb12u2", ""),
        ("zlib1g", "1:1.2.13.dfsg-1", "Source: zlib\n"), ("bash", "5.2.15-2", ""),
    )
)  # fmt: skip
SYSTEM = {"etc/os-release": "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status": STATUS}


def record(number: str, ecosystem: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = "SEMVER" if ecosystem == "npm" else "ECOSYSTEM"
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": kind, "events": list(events)}]}
    return {"id": number, "modified": "2026-01-31T00:00:00Z", "affected": [affected | more.pop("affected", {})], **more}


def database(folder: Path, ecosystem: str, *records: dict[str, Any]) -> Path:
    place = folder / "osv-scalibr" / ecosystem
    place.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place / "all.zip", "w") as out:
        for one in records:
            out.writestr(f"{one['id']}.json", json.dumps(one))
    return folder


def test_debian_by_source_package_and_release(tmp_path: Path) -> None:
    path = image(tmp_path / "i", files(SYSTEM))
    vector = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    zero = {"introduced": "0"}
    data = database(
        tmp_path / "db", "Debian",
        record("DEBIAN-CVE-2099-1", "Debian:12", "openssl", zero, {"fixed": "3.0.11-1~deb12u3"},
               upstream=["CVE-2099-1"], severity=vector, summary="Reads beyond the end"),
        record("DSA-1", "Debian:12", "openssl", zero, {"fixed": "3.0.11-1~deb12u3"}, aliases=["CVE-2099-1"]),
        record("DEBIAN-CVE-2099-2", "Debian:12", "openssl", zero, {"fixed": "3.0.11-1~deb12u2"}),
        record("DEBIAN-CVE-2099-3", "Debian:11", "openssl", zero),
        record("DEBIAN-CVE-2099-4", "Debian:12", "zlib", zero,
               affected={"ecosystem_specific": {"urgency": "unimportant"}}),
        record("DEBIAN-CVE-2099-5", "Debian:12", "bash", zero, withdrawn="2026-01-01T00:00:00Z"),
        record("DEBIAN-CVE-2099-6", "Debian:12", "libssl3", zero),
    )  # fmt: skip
    found = run("image-vulnerabilities", path, database=str(data))
    assert rules(found) == ["image-vulnerable-package"] * 2
    first, second = (item for item in found if isinstance(item, Finding))
    assert first.message.startswith(
        "openssl 3.0.11-1~deb12u2 [libssl3, openssl]: CVE-2099-1 (DEBIAN-CVE-2099-1, DSA-1)"
    )
    assert (first.severity, "3.0.11-1~deb12u3" in first.remedy) == (Severity.CRITICAL, True)
    assert (second.evidence, second.severity) == ("zlib 1:1.2.13.dfsg-1", Severity.INFO)
    (old,) = [i for i in run("image-vulnerabilities", path, database=str(data), **{"max-age-days": 0})
              if isinstance(i, Skipped)]  # fmt: skip
    assert old.code == "old-data"


def test_alpine_npm_and_python(tmp_path: Path) -> None:
    path = image(tmp_path / "i", files({
        "etc/os-release": "ID=alpine\nVERSION_ID=3.18.4\n",
        "lib/apk/db/installed": "P:libcrypto3\nV:3.1.4-r4\no:openssl\n\n",
        "app/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.20"}',
        "usr/lib/python3/site-packages/a-1.dist-info/METADATA": "Name: Some_Thing\nVersion: 1.5+local\n",
        "usr/lib/python3/site-packages/b-1.dist-info/METADATA": "Name: pyyaml\nVersion: 5.3\n",
    }))  # fmt: skip
    folder = tmp_path / "db"
    database(
        folder, "Alpine:v3.18", record("CVE-1-1", "Alpine:v3.18", "openssl", {"introduced": "0"}, {"fixed": "3.1.4-r5"})
    )
    database(folder, "npm", record("GHSA-1", "npm", "lodash", {"introduced": "4.0.0-rc.1"}, {"fixed": "4.17.21"}))
    database(folder, "PyPI", record("PYSEC-1", "PyPI", "some-thing", {"introduced": "1"}, {"last_affected": "1.5"}))
    found = run("image-vulnerabilities", path, database=str(folder))
    assert {item.evidence for item in found if isinstance(item, Finding)} == {
        "openssl 3.1.4-r4", "lodash 4.17.20", "some-thing 1.5+local", "pyyaml 5.3",
    }  # fmt: skip
    assert not [item for item in found if isinstance(item, Skipped)]


def test_what_is_exploited_in_an_image_is_critical(tmp_path: Path) -> None:
    """By the embedded advisories alone, which have some of npm too."""
    path = image(
        tmp_path / "i", files({"app/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}'})
    )
    listed = [{"cveID": "CVE-2021-23337", "dateAdded": "2026-01-15"}]
    (tmp_path / "kev.json").write_text(json.dumps({"dateReleased": "2026-01-20", "vulnerabilities": listed}))
    _exploited.bring(tmp_path / "kev.json", tmp_path / "db")
    found = run("image-vulnerabilities", path, database=str(tmp_path / "db"))
    told = {
        item.key: (item.severity, "since 2026-01-15" in item.message) for item in found if isinstance(item, Finding)
    }
    assert told == {
        "npm lodash CVE-2021-23337": (Severity.CRITICAL, True),
        "npm lodash CVE-2020-8203": (Severity.HIGH, False),
    }
    assert [item.code for item in found if isinstance(item, Skipped)] == ["embedded-data-only"]


def test_what_cannot_be_matched_is_told(tmp_path: Path) -> None:
    def gaps(content: dict[str, str], **options: object) -> list[tuple[str, str]]:
        path = image(tmp_path / f"i{len(list(tmp_path.iterdir()))}", files(content))
        found = run("image-vulnerabilities", path, **options)
        return [(item.code, item.reason) for item in found if isinstance(item, Skipped)]

    (one,) = gaps(SYSTEM)
    assert one[0] == "embedded-data-only"
    assert "Debian:12" in one[1]
    (one,) = gaps({"etc/os-release": "ID=debian\nVERSION_ID=12\n", "bin/x": "x"})
    assert "no database" in one[1]
    (one,) = gaps({"var/lib/dpkg/status": STATUS})
    assert "does not name" in one[1]
    odd = {"etc/os-release": SYSTEM["etc/os-release"], "var/lib/dpkg/status.d/x": "Package: bash\nVersion: é\n"}
    (one,) = gaps(odd,
                  database=str(database(tmp_path / "db", "Debian:12",
                                        record("CVE-1", "Debian:12", "bash", {"introduced": "1"}))))  # fmt: skip
    assert "could not be compared" in one[1]
    (tmp_path / "db" / "osv-scalibr" / "Debian:12" / "all.zip").write_bytes(b"no zip")
    (one,) = gaps(SYSTEM, database=str(tmp_path / "db"))
    assert "were not matched" in one[1]
    (one,) = gaps({"a-1.dist-info/METADATA": "Version: 1\n", **SYSTEM}, database=str(database(
        tmp_path / "db2", "Debian:12", record("CVE-1", "Debian:12", "other", {"introduced": "1"}))))  # fmt: skip
    assert "a-1.dist-info/METADATA" in one[1]


def test_programs_of_no_package_are_told(tmp_path: Path) -> None:
    """An image from scratch with one program in it is not clean: nobody knows what was linked into it."""
    rows = [entry("usr/lib/libssl.so.3", b"\x7fELF..."), entry("usr/lib/own.so", b"\x7fELF..."),
            entry("usr/lib/python3/site-packages/x.so", b"\x7fELF..."), entry("bin/x", b"#!/bin/sh\n")]  # fmt: skip
    lists = files({"var/lib/dpkg/info/libssl3.list": "/lib/libssl.so.3\n", **SYSTEM})
    data = database(tmp_path / "db", "Debian", record("CVE-1", "Debian:12", "x", {"introduced": "0"}))
    (gap,) = run("image-vulnerabilities", image(tmp_path / "i", lists, layer(*rows)), database=str(data))
    assert isinstance(gap, Skipped)
    assert (gap.code, gap.reason.split(": ")[1]) == ("unowned", "/usr/lib/own.so")
    (gap,) = run("image-vulnerabilities", image(tmp_path / "j", layer(entry("app", b"\x7fELF"))))
    assert isinstance(gap, Skipped)
    assert run("image-vulnerabilities", image(tmp_path / "k", layer(entry("data", b"\x7fEL")))) == []


def test_what_a_distribution_brought_is_matched_as_its_package(tmp_path: Path) -> None:
    place = "usr/lib/python3/dist-packages/PyYAML-5.3.egg-info"
    content = {"var/lib/dpkg/info/python3-yaml.list": f"/{place}\n", **SYSTEM, place: "Name: PyYAML\nVersion: 5.3\n"}
    found = run("image-vulnerabilities", image(tmp_path / "i", files(content)))
    assert not [item for item in found if isinstance(item, Finding)]


# --- the order of versions -------------------------------------------------------------------------------------------

ORDERED = {
    "deb": "1.0~~ 1.0~~a 1.0~ 1.0~rc1 1.0 1.0-0.1 1.0-1 1.0-1+b1 1.0-1+deb12u1 1.0a 1.0+x 1.0.1 1.2 1.10 1:0.1",
    "apk": "1.0_alpha1 1.0_alpha2 1.0_beta 1.0_pre1 1.0_rc1 1.0 1.0-r1 1.0-r10 1.0_git20200101 1.0_p1 1.0a 1.0b 1.0.1 "
           "1.1 1.1.01 1.1.1 1.2 1.10",
    "rpm": "1.0~rc1-1 1.0-1 1.0-1.fc40 1.0-2 1.0^git1-1 1.0a-1 1.0.1-1 1.2-1 1.10-1 1:0.1-1",
    "npm": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2 2.0.0-0 2",
    "pypi": "1.0.dev1 1.0a1 1.0rc1 1.0 1.0.post1 1.1 1!0.1",
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDERED)
def test_versions_are_in_order(kind: str) -> None:
    versions = ORDERED[kind].split()
    assert all(KEYS[kind](a) < KEYS[kind](b) for a, b in itertools.combinations(versions, 2))


DEBIAN = st.from_regex(r"([0-3]:)?[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-z.+~]{1,4})?", fullmatch=True)


@pytest.mark.skipif(not shutil.which("dpkg"), reason="no dpkg is here (a part of Debian)")
@settings(max_examples=40)
@given(st.lists(st.tuples(DEBIAN, DEBIAN), min_size=1, max_size=3))
def test_debian_versions_beside_dpkg(pairs: list[tuple[str, str]]) -> None:
    for one, two in pairs:
        said = subprocess.run(["dpkg", "--compare-versions", one, "lt", two], check=False).returncode == 0
        assert (KEYS["deb"](one) < KEYS["deb"](two)) == said, (one, two)


@pytest.mark.parametrize("kind", KEYS)
@given(one=st.text(max_size=30), two=st.text("0123456789.~^-_:+abcr", max_size=12))
def test_any_text_has_an_order_or_none(kind: str, one: str, two: str) -> None:
    keys = []
    for text in (one, two, "1.0"):
        try:
            keys.append(KEYS[kind](text))
        except Unknown as error:
            assert len(str(error)) <= 80
    assert len(sorted(keys)) == len(keys)


def test_a_layout_with_several_images_is_no_artifact(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "i")
    for number in range(2):
        layout.image([files({"a": str(number)})])
    (found,) = run("image-configuration", tmp_path / "i")
    assert isinstance(found, Skipped)
    assert "2 images" in found.reason


def test_programs_that_no_package_installed(tmp_path: Path) -> None:
    content = {"var/lib/dpkg/info/bash.list": "/bin/bash\n", **SYSTEM}
    rows = [entry("usr/bin/bash", b"x", mode=0o755), link("usr/bin/sh", "bash"),
            entry("usr/local/bin/own", b"x", mode=0o755),
            entry("usr/bin/data", b"x")]  # fmt: skip
    path = image(tmp_path / "i", files(content), layer(*rows))
    assert run("image-packages", path) == []
    path = image(tmp_path / "j", files(content), layer(*rows, entry("usr/sbin/nc", b"x", mode=0o755)))
    (found,) = run("image-packages", path)
    assert isinstance(found, Finding)
    assert (found.location.member, "(layer 2)" in found.message) == ("usr/sbin/nc", True)
    for number, other in enumerate((SYSTEM, {"var/lib/rpm/Packages": "x"})):
        (gap,) = run("image-packages", image(tmp_path / f"k{number}", files(other)))
        assert isinstance(gap, Skipped)
    with pytest.raises(NotApplicable):
        run("image-packages", image(tmp_path / "l", files({"a": "1"})))


def test_a_stage_can_hand_a_folder_to_the_checks(tmp_path: Path) -> None:
    """As the stage does: the layout's folder is the artifact's place, the manifest's digest its identity."""
    path = image(tmp_path / "i", files(SYSTEM), files({"app/id_rsa": "x"}), layer(entry("app/.wh.id_rsa")))
    digest = open_image(path).digest
    artifact = Artifact("app:1", Kind.IMAGE, digest, open_image(path).size, path=path)
    checks = tuple(check for check in registry().values() if check.kinds == {Kind.IMAGE})
    assert [check.name for check in checks] == ["image-configuration", "image-packages", "image-vulnerabilities"]
    with CheckRunner(Settings(), tmp_path, Cache(tmp_path / "cache"), Events()) as runner:
        first = runner.run(checks, Inventory((artifact,)))
        again = runner.run(checks, Inventory((artifact,)))
    assert [result.outcome for result in first] == [Outcome.RAN, Outcome.PARTIAL, Outcome.PARTIAL]
    assert [s.code for r in first for s in r.skipped] == ["unread", "embedded-data-only"]
    assert "image-credential-file" in {f.rule.id for f in first[0].findings}
    assert [r.findings for r in again] == [r.findings for r in first]
    assert again[0].cached == 1
