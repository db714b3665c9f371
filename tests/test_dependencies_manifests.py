"""Manifests and lock files: what is wanted, from where, how surely; pins and look-alike names."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.check import Context
from shipworthy.checks.dependencies import _manifest, _names, dependency_pins, dependency_typosquat
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHA = "a" * 64


def artifact(tmp_path, content, name="requirements.txt"):
    path = tmp_path / "content"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Artifact(name, Kind.REQUIREMENTS, "sha256:" + "0" * 64, path.stat().st_size, path=path)


def parse(tmp_path, content, name="requirements.txt"):
    return _manifest.parse(artifact(tmp_path, content, name))


def pins(tmp_path, content, name="requirements.txt"):
    return list(dependency_pins.scan(artifact(tmp_path, content, name)))


REQUIREMENTS = f"""\
# comment
-r base.txt
-c constraints.txt  # trailing
--index-url https://user:hunter2@pypi.example.org/simple
Flask==2.0.1 ; python_version < "3.12" \\
    --hash=sha256:{SHA} \\
    --hash=sha256:{SHA}
Some_Package.Name[extra,two] >=1.0,<2
numpy
git+https://token:secret@github.com/o/r.git@main#egg=moving
pinned @ git+https://github.com/o/r.git@{COMMIT}
wheel @ https://x.org/wheel-1.0-py3-none-any.whl#sha256={SHA}
https://x.org/other-1.0.tar.gz
-e ./local
torch===2.5.1+cu118
==nonsense==
"""


def test_requirements_are_read_as_pip_reads_them(tmp_path):
    manifest = parse(tmp_path, REQUIREMENTS)
    by_name = {d.name: d for d in manifest.dependencies}
    assert manifest.includes == (("base.txt", 2), ("constraints.txt", 3))
    flask = by_name["flask"]
    assert (flask.version, flask.line, flask.hashes) == ("2.0.1", 5, 2)
    assert by_name["some-package-name"].version == ""
    assert by_name["some-package-name"].specifier in ("<2,>=1.0", ">=1.0,<2")
    assert (by_name["moving"].source, by_name["moving"].fixed) == ("vcs", False)
    assert (by_name["pinned"].source, by_name["pinned"].fixed) == ("vcs", True)
    assert (by_name["wheel"].source, by_name["wheel"].fixed) == ("url", True)
    assert (by_name["other"].source, by_name["other"].fixed) == ("url", False)
    assert by_name["torch"].version == "2.5.1+cu118"
    assert [line for line, _ in manifest.problems] == [16]
    for secret in ("hunter2", "secret"):
        assert secret not in repr(manifest)


def test_pins_of_a_deployed_requirements_file(tmp_path):
    results = pins(tmp_path, REQUIREMENTS + "--extra-index-url http://10.0.0.1/simple\n--trusted-host 10.0.0.1\n")
    found = {(f.rule.id, f.location.line): f for f in results if isinstance(f, Finding)}
    assert found["dependency-unpinned", 8].severity is Severity.LOW
    assert found["dependency-unpinned", 9].severity is Severity.MEDIUM
    assert ("dependency-moving-source", 10) in found
    assert ("dependency-moving-source", 13) in found
    assert ("dependency-confusion", 17) in found
    assert ("dependency-insecure-transport", 17) in found
    assert ("dependency-insecure-transport", 18) in found
    assert ("dependency-editable", 14) in found
    hashes = [f for f in found.values() if f.rule.id == "dependency-no-hashes"]
    assert [f.severity for f in hashes] == [Severity.LOW]
    assert [s.reason for s in results if isinstance(s, Skipped)] == ["line 16 is no requirement by PEP 508"]


def test_a_file_with_pins_and_digests_is_clean(tmp_path):
    assert pins(tmp_path, f"flask==2.0.1 --hash=sha256:{SHA}\n") == []


def test_ranges_are_normal_in_a_library_and_in_a_compilers_input(tmp_path):
    assert pins(tmp_path, '[project]\nname="x"\ndependencies=["numpy>=1.26", "torch"]\n', "pyproject.toml") == []
    assert pins(tmp_path, "numpy>=1.26\n", "requirements.in") == []


PYPROJECT = """
[build-system]
requires = ["hatchling>=1"]
[project]
name = "x"
dependencies = [
  "requests==2.31.0",
  "nothing at all",
]
[project.optional-dependencies]
gpu = ["torch>=2"]
[dependency-groups]
dev = ["pytest==8.0.0", {include-group = "docs"}]
[tool.poetry.dependencies]
python = "^3.11"
flask = "2.0.1"
django = "^4.2"
lib = {git = "https://github.com/o/lib.git", branch = "main"}
two = [{version = "==1.0.0", python = "<3.12"}, {version = "2.0.0"}]
[[tool.poetry.source]]
name = "inner"
url = "http://pypi.internal/simple"
priority = "supplemental"
"""


def test_pyproject_with_all_its_tables(tmp_path):
    manifest = parse(tmp_path, PYPROJECT, "sub/pyproject.toml")
    versions = {(d.name, d.version) for d in manifest.dependencies}
    assert versions >= {("requests", "2.31.0"), ("torch", ""), ("pytest", "8.0.0"), ("flask", "2.0.1"), ("django", "")}
    assert versions >= {("hatchling", ""), ("two", "1.0.0"), ("two", "2.0.0"), ("lib", "")}
    assert "python" not in {d.name for d in manifest.dependencies}
    assert len(manifest.problems) == 1
    assert next(d for d in manifest.dependencies if d.name == "requests").line == 7
    found = {f.rule.id for f in pins(tmp_path, PYPROJECT, "pyproject.toml") if isinstance(f, Finding)}
    assert found == {"dependency-moving-source", "dependency-confusion", "dependency-insecure-transport"}


LOCKS = {
    "poetry.lock": f"""
[[package]]
name = "Flask"
version = "2.0.1"
files = [{{file = "f.whl", hash = "sha256:{SHA}"}}]
[[package]]
name = "lib"
version = "0.1"
files = []
[package.source]
type = "git"
url = "https://u:hunter2@github.com/o/lib.git"
resolved_reference = "{COMMIT}"
""",
    "uv.lock": f"""
version = 1
[[package]]
name = "flask"
version = "2.0.1"
source = {{ registry = "https://pypi.org/simple" }}
sdist = {{ url = "https://x/f.tar.gz", hash = "sha256:{SHA}" }}
[[package]]
name = "lib"
version = "0.1"
source = {{ editable = "." }}
""",
    "pdm.lock": f"""
[[package]]
name = "flask"
version = "2.0.1"
files = [{{file = "f.whl", hash = "sha256:{SHA}"}}]
[[package]]
name = "lib"
version = "0.1"
git = "https://github.com/o/lib.git"
revision = "{COMMIT}"
""",
    "pylock.toml": f"""
lock-version = "1.0"
[[packages]]
name = "flask"
version = "2.0.1"
wheels = [{{url = "https://x/f.whl", hashes = {{sha256 = "{SHA}"}}}}]
[[packages]]
name = "lib"
vcs = {{type = "git", url = "https://github.com/o/lib.git", commit-id = "{COMMIT}"}}
""",
    "Pipfile.lock": json.dumps(
        {
            "default": {
                "flask": {"version": "==2.0.1", "hashes": [f"sha256:{SHA}"]},
                "lib": {"git": "https://github.com/o/lib.git", "ref": COMMIT},
            }
        }
    ),
}


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_every_lock_format_gives_versions_and_digests(tmp_path, name):
    manifest = parse(tmp_path, LOCKS[name], f"sub/{name}")
    flask, lib = manifest.dependencies
    assert manifest.format == "lock"
    assert (flask.name, flask.version, flask.hashes, flask.source) == ("flask", "2.0.1", 1, "index")
    assert (lib.name, lib.source, lib.fixed) == ("lib", lib.source, True)
    assert lib.source in ("vcs", "path")
    assert "hunter2" not in repr(manifest)
    assert pins(tmp_path, LOCKS[name], name) == []


def test_a_lock_without_digests_is_told_once(tmp_path):
    (found,) = pins(tmp_path, '[[package]]\nname="a"\nversion="1"\n[[package]]\nname="b"\nversion="1"\n', "uv.lock")
    assert found.rule.id == "dependency-no-hashes"


def test_setup_cfg_and_conda(tmp_path):
    text = "[options]\ninstall_requires =\n  flask==2.0.1\n  numpy>=1 # why\n[options.extras_require]\nx = torch==2.0\n"
    assert {(d.name, d.version) for d in parse(tmp_path, text, "setup.cfg").dependencies} == {
        ("flask", "2.0.1"), ("numpy", ""), ("torch", "2.0"),
    }  # fmt: skip
    conda = "name: x\nchannels:\n  - defaults\ndependencies:\n  - python=3.11\n  - pip:\n    - flask==2.0.1\n"
    conda += "  - numpy\nother:\n  - no\n"
    manifest = parse(tmp_path, conda, "environment.yml")
    assert [(d.name, d.version, d.line) for d in manifest.dependencies] == [("flask", "2.0.1", 7)]
    assert "1 packages come from conda" in manifest.problems[0][1]  # not the interpreter, which no manifest matches
    options = conda.replace("  - numpy", "    - --index-url http://a.example/simple\n    - git+https://b.example/c.git")
    manifest = parse(tmp_path, options, "environment.yml")
    assert [(index.url, index.line) for index in manifest.indexes] == [("http://a.example/simple", 8)]
    assert [d.source for d in manifest.dependencies] == ["index", "vcs"]
    assert manifest.problems == ()
    mlflow = "dependencies:\n- python=3.11.7\n- pip<=24.0\n- pip:\n  - mlflow==3.17.2\nname: mlflow-env\n"
    assert parse(tmp_path, mlflow, "conda.yaml").problems == ()
    assert parse(tmp_path, mlflow.replace("- python=", "- python-dateutil="), "conda.yaml").problems


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package-lock.json", "{}"),
        ("go.mod", "module x"),
        ("poetry.lock", "[[package"),
        ("poetry.lock", "package = 3"),
        ("Pipfile.lock", "[1, 2"),
        ("Pipfile.lock", "[1]"),
        ("Pipfile.lock", "[" * 100_000),
        ("pyproject.toml", "x = " + "[" * 100_000),
        ("setup.cfg", "no section"),
        ("requirements.txt", b"\xff\xfe\x00"),
        ("requirements.txt", b"caf\xe9"),
    ],
)
def test_what_cannot_be_read_is_skipped_by_every_check(tmp_path, name, content):
    for check in (dependency_pins.scan, dependency_typosquat.scan):
        (skipped,) = check(artifact(tmp_path, content, name))
        assert isinstance(skipped, Skipped)
        assert skipped.artifact is not None


@pytest.mark.parametrize(
    ("name", "known", "severity"),
    [
        ("reqeusts", "requests", "high"),
        ("scikitlearn", "scikit-learn", "high"),
        ("t0rch", "torch", "high"),
        ("tensorfl0w", "tensorflow", "high"),
        ("pandsa", "pandas", "medium"),
        ("sklearn", "scikit-learn", "medium"),
        ("pytorch", "torch", "medium"),
        ("huggingface-cli", "huggingface-hub", "medium"),
        ("python-requests", "requests", "low"),
        ("transfromerss", "transformers", "low"),
    ],
)
def test_names_that_could_be_taken_for_another(tmp_path, name, known, severity):
    (finding,) = dependency_typosquat.scan(artifact(tmp_path, f"numpy==1\n{name}==1.0\n"))
    assert known in finding.message
    assert (finding.location.line, finding.severity) == (2, Severity(severity))


def test_real_packages_that_are_near_others_are_left_alone(tmp_path):
    names = ["psycopg", "boto", "tensorboardx", "jupyterhub", "cattrs", "scapy", "tensorflow-cpu", "flask-cors",
             "torchmetrics", "keras-tuner", "onnxruntime-gpu", "pydantic-core",
             "types-requests", *_names.KNOWN]  # fmt: skip
    assert list(dependency_typosquat.scan(artifact(tmp_path, "\n".join(names)))) == []


@given(st.text("abcde-", max_size=8), st.text("abcde-", max_size=8))
def test_distance_is_a_distance(one, two):
    there, back = _names.distance(one, two, 20), _names.distance(two, one, 20)
    assert there == back
    assert (there == 0) == (one == two)
    assert abs(len(one) - len(two)) <= there <= max(len(one), len(two))


FILES = ["requirements.txt", "requirements.in", "pyproject.toml", "poetry.lock", "uv.lock", "pdm.lock", "pylock.toml",
         "Pipfile", "Pipfile.lock", "setup.cfg", "environment.yml"]  # fmt: skip
PIECES = st.sampled_from(
    ["-r", "-e ", "--hash=sha256:", "==", "[", "]", "{", "}", "=", '"', "'", "\n", " ", "\\\n", "#", "@", "git+",
     "http://", ";", "name", "package", "version", "[[package]]", "[project]", "dependencies", ":", "- pip:",
     "  - ", ",",
     "1.0", "\t",
     "[options]", "install_requires", "::1", "[::", "é", "\x00", "%"]
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), st.text(max_size=200) | st.lists(PIECES, max_size=40).map("".join))
def test_no_text_raises(tmp_path, name, text):
    for check in (dependency_pins.scan, dependency_typosquat.scan):
        list(check(artifact(tmp_path, text.encode("utf-8", "replace"), name)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["default", "develop", "_meta", "sources", "url", "version", "git", "hashes", "x"]), inner
        )
    ),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_no_json_raises(tmp_path, content):
    list(dependency_pins.scan(artifact(tmp_path, json.dumps(content), "Pipfile.lock")))


def test_context_is_not_needed_for_pins():
    assert not dependency_pins.scan.check.wants_context
    assert Context


SETUP = '''\
import os
from setuptools import find_packages, setup

BASE = ["numpy==1.26.4", "reqeusts>=2"]
EXTRAS = {"gpu": ["cupy"], "docs": """
sphinx==7.0
# a comment
"""}
os.system("touch ran")
setup(name="x", packages=find_packages(), install_requires=BASE + ["scipy"], extras_require=EXTRAS)
'''


def test_a_setup_py_is_read_without_running_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest = parse(tmp_path, SETUP, "setup.py")
    assert (manifest.computed, manifest.problems) == ((), ())
    assert {(d.name, d.version, d.line) for d in manifest.dependencies} == {
        ("numpy", "1.26.4", 4), ("reqeusts", "", 4), ("scipy", "", 10), ("cupy", "", 5), ("sphinx", "7.0", 6)
    }  # fmt: skip
    assert not (tmp_path / "ran").exists()
    found = list(dependency_typosquat.scan(artifact(tmp_path, SETUP, "setup.py")))
    assert [f.evidence for f in found if isinstance(f, Finding)] == ["reqeusts"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from setuptools import setup\nsetup(install_requires=open('r.txt').readlines())\n", 2),
        ("import setuptools\nsetuptools.setup(**options())\n", 2),
        ("from setuptools import setup\nN = ['numpy']\nN.append(x)\nsetup(install_requires=N)\n", 4),
        ("from setuptools import setup\nsetup(install_requires=[f'numpy=={v}', 'numpy'])\n", 2),
        ("from setuptools import setup\nE = {}\nE['all'] = ['numpy']\nsetup(extras_require=E)\n", 4),
        ("from setuptools import setup\nrun = setup\nrun()\n", 1),
    ],
)
def test_what_a_setup_py_computes_is_a_gap_with_a_name(tmp_path, source, line):
    said = list(dependency_pins.scan(artifact(tmp_path, source, "setup.py")))
    assert [(type(s), s.code) for s in said] == [(Skipped, "computed")]
    assert said[0].reason.startswith(f"line {line}: ")


def test_a_setup_py_that_is_no_installer_says_nothing_and_a_tangled_one_ends(tmp_path):
    assert pins(tmp_path, "def setup(install_requires):\n    pass\nsetup(install_requires=['x'])\n", "setup.py") == []
    names = "".join(f"a{i} = [{', '.join([f'a{i + 1}'] * 50)}]\n" for i in range(20))
    source = f"from setuptools import setup\n{names}setup(install_requires=a0)\n"
    (said,) = pins(tmp_path, source, "setup.py")
    assert isinstance(said, Skipped)
    assert "more often than is followed" in said.reason
    (said,) = pins(tmp_path, "def (:\n", "setup.py")
    assert isinstance(said, Skipped)


def test_a_setup_cfg_that_names_a_file_includes_it(tmp_path):
    manifest = parse(tmp_path, "[options]\ninstall_requires = file: requirements.txt\n", "setup.cfg")
    assert [name for name, _ in manifest.includes] == ["requirements.txt"]
    assert not manifest.problems
