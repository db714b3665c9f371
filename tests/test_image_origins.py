"""Whose a file of an image is: what a pinned wheel proves, and what nobody can make it say.

Packages are made here, fetched by pip with their digests, installed by pip, and laid into an image."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

import image_samples
from shipworthy.artifacts import Inventory
from shipworthy.building.wheel_files import published, read
from shipworthy.building.wheels import fetch
from shipworthy.check import registry
from shipworthy.config import Load, Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.errors import UsageError
from shipworthy.images import open_image
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped
from shipworthy.stages.dev.foreign import changed, settle
from shipworthy.stages.dev.image_files import lay_out, origins_of
from shipworthy.stages.dev.image_model import look
from shipworthy.stages.dev.kept import fetched_wheels

SITE = "usr/lib/python3.13/site-packages"
ADDRESS = "postgres://app:" + "Tr0ub4dor-3-horse@db.internal/x"
LEAKED = f'DATABASE = "{ADDRESS}"\n'.encode()
# Protocol 0 by hand: GLOBAL os.system, MARK, a text, TUPLE, REDUCE, STOP. Only ever read.
EVIL = b"cos\nsystem\n(S'echo hello'\ntR."
# What old versions of joblib wrote: an array in a file beside this one.
BESIDE = b"cjoblib.numpy_pickle\nNDArrayWrapper\n(S'old.pkl_01.npy'\ncnumpy\nndarray\nI01\ntR."
HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
MATRIX = b"\x93NUMPY\x01\x00\x76\x00" + HEADER + b"\x07"
UNREADABLE = b"ZF" + b"0x7".ljust(19) + zlib.compress(b"\x01\x02\x00\xff raw")
SIGNED = {"weights.npy": MATRIX[:-1] + b"\x01"}

TIDY = {
    "tidy/__init__.py": b"VERSION = 1\n",
    "tidy/addresses.py": b'"""Addresses.\n\n    >>> parse("' + ADDRESS.encode() + b'")\n"""\n',
    "tidy/tests/old.pkl": BESIDE,
    "tidy/tests/numbers.npy": MATRIX,
    "tidy/tests/raw.npy.z": UNREADABLE,
}


class World:
    """A project that pins packages: they are fetched and installed as in a build."""

    def __init__(self, folder: Path, packages: Mapping[str, Mapping[str, bytes]], more: str = "") -> None:
        self.folder, self.context, self.looks = folder, folder / "context", 0
        (folder / "index").mkdir()
        self.context.mkdir()
        lines = [self.line(name, content) for name, content in packages.items()]
        self.requirements = self.context / "requirements.txt"
        self.requirements.write_text(more + "\n".join(lines) + "\n")
        index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "index")}
        self.wheels = fetch(self.requirements, self.context / "wheels", env=index).digests
        of_index, self.why_not = published(self.requirements.read_bytes())
        self.details = {
            "wheels": {name: f"sha256:{digest}" for name, digest in self.wheels.items()},
            "wheels-of-index": [f"sha256:{digest}" for digest in of_index],
            "network": False,
        }
        site = folder / "site"
        line = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile"]
        wheels = [str(place) for place in (self.context / "wheels").iterdir()]
        subprocess.run([*line, "--target", str(site), *wheels], check=True, timeout=120)
        found = [path for path in site.rglob("*") if path.is_file()]
        self.installed = {f"{SITE}/{path.relative_to(site).as_posix()}": path.read_bytes() for path in found}

    def line(self, name: str, content: Mapping[str, bytes]) -> str:
        """Publish the package; the line that pins it."""
        place = self.folder / "index" / f"{name}-1.0-py3-none-any.whl"
        info = f"{name}-1.0.dist-info"
        told = {
            **content,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(place, "w") as archive:
            for path, data in told.items():
                archive.writestr(path, data)
            archive.writestr(f"{info}/RECORD", record(told) + f"{info}/RECORD,,\n".encode())
        return f"{name}==1.0 --hash=sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}"

    def look(
        self,
        own: Mapping[str, bytes] | None = None,
        *,
        base: Mapping[str, bytes] | None = None,
        lower: Mapping[str, bytes] | None = None,
        known_base: bool = True,
    ) -> tuple[list[Finding], list[Skipped]]:
        """What is found in the image of a base, a layer, and a last one with the packages, the signed model, and the
        project's `own` files over them."""
        self.looks += 1
        place = self.folder / str(self.looks)
        model = place / "model"
        model.mkdir(parents=True)
        for name, data in SIGNED.items():
            (model / name).write_bytes(data)
        above = {**self.installed, **{f"srv/model/{name}": data for name, data in SIGNED.items()}, **(own or {})}
        layers = [{"etc/os-release": b"ID=t\n", **(base or {})}, {"srv/a": b"1", **(lower or {})}, above]
        image = open_image(image_samples.image(place / "image", *map(image_samples.files, layers)))
        details = {**self.details, "base-layers": {"base": [image.layers[0].diff_id]} if known_base else {}}
        laid = lay_out(image, "svc", place / "files", Load())
        origins = origins_of(laid, image, "svc", details, self.context)
        subject = Artifact("svc", Kind.IMAGE, "sha256:" + "0" * 64, 0)
        with CheckRunner(Settings(), place, Cache(None), Events()) as runner:
            models = Inventory(tuple(file for file in laid.files if file.kind is Kind.MODEL))
            results = [
                *runner.run([registry()["secrets-files"]], Inventory(laid.files)),
                *runner.run([registry()["model-file"]], models),
            ]
        settled = settle(results, origins)
        found = [finding for result in settled for finding in result.findings]
        found += [*changed(origins), *look(subject, model, laid.files, laid.links, origins)]
        return found, [skip for result in settled for skip in result.skipped]


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("tidy"), {"tidy": TIDY})


def record(content: Mapping[str, bytes]) -> bytes:
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode() for name, data in content.items()}
    return "".join(f"{name},sha256={digests[name].rstrip('=')},{len(content[name])}\n" for name in content).encode()


def stops(found: list[Finding]) -> list[str]:
    """The findings that stop at the gates as they come: rule and path."""
    severe = [one for one in found if one.severity >= Severity.HIGH]
    return sorted(f"{one.rule.id} {one.artifact.uri.removeprefix('svc: ')}" for one in severe)


def by_rule(found: list[Finding], rule: str) -> Finding:
    (one,) = [finding for finding in found if finding.rule.id == rule]
    return one


def test_a_package_as_it_was_published_stops_nothing_and_is_told(tidy: World) -> None:
    found, skipped = tidy.look()
    assert stops(found) == []
    secret = by_rule(found, "secret-connection-string")
    assert secret.severity is Severity.INFO
    assert "tidy 1.0" in secret.message
    assert "Revoke or rotate" not in secret.remedy
    beside = by_rule(found, "model-external-data")
    assert (beside.severity, beside.artifact.uri) == (Severity.LOW, f"svc: /{SITE}/tidy/tests/old.pkl")
    models = by_rule(found, "image-model-packaged")
    assert models.severity is Severity.INFO
    assert "tidy 1.0" in models.message
    assert "3 model files" in models.message
    assert f"{SITE}/tidy/tests/numbers.npy" in models.evidence
    (unread,) = skipped  # still a gap, under a name of its own
    assert (unread.code, unread.artifact and unread.artifact.uri) == ("packaged", f"svc: /{SITE}/tidy/tests/raw.npy.z")


def test_the_wheels_themselves_in_a_layer_that_is_hidden_later(tidy: World) -> None:
    (name,) = tidy.wheels
    found, _ = tidy.look(lower={f"tmp/wheels/{name}": (tidy.context / "wheels" / name).read_bytes()})
    assert stops(found) == []


def test_a_secret_of_the_project_beside_the_packages(tidy: World) -> None:
    found, _ = tidy.look({"srv/app.py": LEAKED, f"{SITE}/tidy/mine.py": LEAKED})
    assert stops(found) == [
        "secret-connection-string /srv/app.py",
        f"secret-connection-string /{SITE}/tidy/mine.py",
    ]


def test_a_secret_of_the_base_image_is_as_bad_and_said_to_be_the_bases(tidy: World) -> None:
    found, _ = tidy.look(base={"etc/app.conf": LEAKED})
    assert stops(found) == ["secret-connection-string /etc/app.conf"]
    theirs = next(one for one in found if one.artifact.uri == "svc: /etc/app.conf")
    assert "in the base image" in theirs.message
    assert theirs.remedy.startswith("It came with the base image")


def test_the_same_bytes_as_in_a_package_elsewhere_prove_nothing(tidy: World) -> None:
    found, _ = tidy.look({"srv/tidy/addresses.py": TIDY["tidy/addresses.py"]})
    assert stops(found) == ["secret-connection-string /srv/tidy/addresses.py"]


def test_a_file_of_a_package_is_changed(tidy: World) -> None:
    own = {f"{SITE}/tidy/__init__.py": b"import os\n", f"{SITE}/tidy/addresses.py": LEAKED}
    found, _ = tidy.look(own)
    assert stops(found) == [
        f"image-package-changed /{SITE}/tidy/__init__.py",
        f"image-package-changed /{SITE}/tidy/addresses.py",
        f"secret-connection-string /{SITE}/tidy/addresses.py",
    ]
    assert "tidy 1.0" in next(one.message for one in found if one.rule.id == "image-package-changed")


def test_a_package_that_the_base_image_has_is_the_bases_own(tmp_path: Path) -> None:
    world = World(tmp_path, {"tidy": TIDY})
    there, world.installed = world.installed, {}  # pip leaves it alone: the version that is wanted is there
    found, _ = world.look(base={**there, f"{SITE}/tidy/__init__.py": b"VERSION = 1  # a distribution's build\n"})
    assert stops(found) == []
    found, _ = world.look(base=there, lower={f"{SITE}/tidy/__init__.py": b"VERSION = 1  # a step of ours\n"})
    assert stops(found) == [f"image-package-changed /{SITE}/tidy/__init__.py"]


def test_the_list_of_a_package_is_rewritten_to_fit_the_change(tidy: World) -> None:
    info = f"{SITE}/tidy-1.0.dist-info"
    own = {
        f"{SITE}/tidy/addresses.py": LEAKED,
        f"{SITE}/tidy/other.npy": MATRIX[:-1] + b"\x09",
        f"{info}/METADATA": b"Name: tidy\nVersion: 1.0\n",
    }
    lines = record({name.removeprefix(f"{SITE}/"): data for name, data in own.items()})
    found, _ = tidy.look({**own, f"{info}/RECORD": lines})
    assert stops(found) == [
        f"image-model-unsigned /{SITE}/tidy/other.npy",
        f"image-package-changed /{info}/METADATA",
        f"image-package-changed /{SITE}/tidy/addresses.py",
        f"secret-connection-string /{SITE}/tidy/addresses.py",
    ]


def test_a_package_is_made_up_in_the_image(tidy: World) -> None:
    own = {"ghost/__init__.py": LEAKED, "ghost/model.npy": MATRIX[:-1] + b"\x09"}
    lists = {f"{SITE}/ghost-2.dist-info/RECORD": record(own), f"{SITE}/ghost-2.dist-info/METADATA": b"Name: ghost\n"}
    found, _ = tidy.look({**{f"{SITE}/{n}": d for n, d in own.items()}, **lists})
    assert stops(found) == [
        f"image-model-unsigned /{SITE}/ghost/model.npy",
        f"secret-connection-string /{SITE}/ghost/__init__.py",
    ]
    assert "ghost 2" in by_rule([f for f in found if "/ghost/" in f.artifact.uri], "secret-connection-string").message


def test_models_that_the_base_image_lists_are_told_and_others_need_the_base_known(tidy: World) -> None:
    base = {f"{SITE}/old/model.npy": MATRIX[:-1] + b"\x09"}
    lists = {f"{SITE}/old-3.dist-info/RECORD": record({"old/model.npy": base[f"{SITE}/old/model.npy"]})}
    for name, layers, known, severity in [
        ("base", {"base": {**base, **lists}}, True, Severity.INFO),
        ("step", {"lower": {**base, **lists}}, True, Severity.HIGH),
        ("list", {"base": base, "lower": lists}, True, Severity.HIGH),
        ("unknown", {"base": {**base, **lists}}, False, Severity.MEDIUM),
    ]:
        found, _ = tidy.look(known_base=known, **layers)
        assert [f.severity for f in found if "old 3" in f.message] == [severity], name


def test_a_pickle_that_runs_code_is_as_bad_in_a_package(tmp_path: Path) -> None:
    world = World(tmp_path, {"tidy": {**TIDY, "tidy/tests/evil.pkl": EVIL}})
    found, _ = world.look({f"{SITE}/tidy/tests/more.pkl": EVIL})
    assert stops(found) == [
        f"image-model-unsigned /{SITE}/tidy/tests/more.pkl",
        f"model-code-execution /{SITE}/tidy/tests/evil.pkl",
        f"model-code-execution /{SITE}/tidy/tests/more.pkl",
    ]
    inside = next(one for one in found if one.artifact.uri.endswith("evil.pkl"))
    assert inside.severity is Severity.CRITICAL
    assert "tidy 1.0" in inside.message


def test_a_token_in_a_package_is_not_hidden_from_who_may_have_published_it(tmp_path: Path) -> None:
    token = b'TOKEN = "ghp' + b"_" + b"0aB1cD2e3" * 4 + b'"\n'
    found, _ = World(tmp_path, {"tidy": {**TIDY, "tidy/keys.py": token}}).look()
    assert stops(found) == []
    assert by_rule(found, "secret-token").severity is Severity.MEDIUM


def test_a_wheel_that_was_exchanged_after_the_build_proves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, {"tidy": TIDY})
    (name,) = world.wheels
    with zipfile.ZipFile(world.context / "wheels" / name, "a") as archive:
        archive.writestr("tidy/mine.py", LEAKED)
    found, _ = world.look({f"{SITE}/tidy/mine.py": LEAKED})
    assert f"secret-connection-string /{SITE}/tidy/mine.py" in stops(found)
    assert f"secret-connection-string /{SITE}/tidy/addresses.py" in stops(found)


def test_a_project_that_brings_its_own_packages_has_them_looked_at_as_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, {"tidy": TIDY}, more=f"--find-links {tmp_path / 'index'}\n")
    assert "--find-links" in world.why_not
    found, skipped = world.look()
    assert f"secret-connection-string /{SITE}/tidy/addresses.py" in stops(found)
    assert f"image-model-unsigned /{SITE}/tidy/tests/numbers.npy" in stops(found)
    assert [skip.code for skip in skipped] == ["unread"]


A, B = f"--hash=sha256:{'a' * 64}", f"--hash=sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("text", "believed"),
    [
        (f"foo==1.0 {A}\nbar[x,y] == 2 ; python_version >= '3' \\\n    {B} \\\n    {A}  # via foo\n", "ab"),
        (f"--require-hashes\n--only-binary=:all:\nfoo==1.0 {A}\n", "a"),
        (f"foo==1.0 {A}\n./vendor/bar-1-py3-none-any.whl {B}\n", "a"),
        (f"foo==1.0 {A}\n./vendor/foo-1-py3-none-any.whl {A}\n", ""),
        (f"foo==1.0 {A}\nbar @ https://example.org/bar-1-py3-none-any.whl {B}\n", "a"),
        (f"foo==1.0 {A}\nbar>=1 {B}\n", "a"),
        (f"--extra-index-url https://example.org/simple\nfoo==1.0 {A}\n", ""),
        (f"foo==1.0 {A}\n-r more.txt\n", ""),
        (f"foo==1.0 {A}\n# a note\x0b--find-links vendor\n", ""),
        (f"# coding: utf-7\nfoo==1.0 {A}\n", ""),
        (f"# über\nfoo==1.0 {A}\n", ""),
        (f"foo==1.0 ; python_version > '3' --find-links=vendor {A}\n", ""),
        (f"foo==1.0 {A}\n--find-li\\\nnks vendor\n", ""),
        (f"foo==1.0 ; '${{X}}' {A}\n", ""),
    ],
)
def test_only_what_pip_must_ask_an_index_for_is_believed_to_be_published(text: str, believed: str) -> None:
    digests, why_not = published(text.encode())
    assert digests == {letter * 64 for letter in believed}
    assert bool(why_not) == ("b" not in believed and "--require" not in text)


def test_what_is_no_whole_wheel_proves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, {"tidy": TIDY})
    whole = (world.context / "wheels" / "tidy-1.0-py3-none-any.whl").read_bytes()
    place = tmp_path / "tidy-1.0-py3-none-any.whl"
    for damaged in (b"", b"PK\x05\x06", whole[: len(whole) // 2], whole.replace(b"VERSION = 1", b"VERSION = 2")):
        place.write_bytes(damaged)
        assert read(place) is None
    place.write_bytes(whole)
    assert (wheel := read(place)) is not None
    assert str(wheel) == "tidy 1.0"
    assert wheel.files["tidy/__init__.py"] == f"sha256:{hashlib.sha256(b'VERSION = 1' + bytes([10])).hexdigest()}"
    with zipfile.ZipFile(place, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tidy/__init__.py", b"another")
    assert (wheel := read(place)) is not None
    assert "tidy/__init__.py" not in wheel.files


def test_wheels_that_lie_in_the_project_are_not_taken_for_fetched_ones(tidy: World, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with pytest.raises(UsageError, match="folder `wheels`"):
        fetched_wheels(tidy.requirements, tmp_path / "wheels", tmp_path / "shelf")
