"""Finding what there is: odd names, links, unreadable files; and fetching only what was expected."""

import hashlib
import http.server
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import changed_since, discover, fetch, git_state
from shipworthy.config import Fetch, Load
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.model import Kind
from shipworthy.paths import display_name, inside, matches


def kinds(folder: Path, load: Load | None = None) -> dict[str, Kind]:
    return {artifact.uri: artifact.kind for artifact in discover(folder, load=load).artifacts}


def put(folder: Path, name: str, data: bytes | str = "x\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_files_are_what_they_are(tmp_path: Path) -> None:
    expected = {
        "train.py": Kind.CODE,
        "run.me": Kind.CODE,
        "nb/explore.ipynb": Kind.NOTEBOOK,
        "data/train.csv": Kind.DATASET,
        "data/rows.jsonl": Kind.DATASET,
        "data/rows.csv.gz": Kind.DATASET,
        "requirements-dev.txt": Kind.REQUIREMENTS,
        "pyproject.toml": Kind.REQUIREMENTS,
        "Dockerfile": Kind.DOCKERFILE,
        "deploy/Dockerfile.gpu": Kind.DOCKERFILE,
        "docs/dockerfile.md": Kind.TEXT,
        "build/dockerfile.py": Kind.CODE,
        ".github/workflows/ci.yml": Kind.WORKFLOW,
        "infra/main.tf": Kind.IAC,
        "k8s/deploy.yaml": Kind.IAC,
        "prompts/system.txt": Kind.PROMPT,
        "README.md": Kind.TEXT,
        "model.safetensors": Kind.MODEL,
        "picture.png": Kind.OTHER,
    }
    content = {
        "run.me": "#!/usr/bin/env python3\n",
        "k8s/deploy.yaml": "apiVersion: apps/v1\nkind: Deployment\n",
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    }
    for name in expected:
        put(tmp_path, name, content.get(name, "x\n"))
    assert kinds(tmp_path) == expected


def test_the_settings_globs_win_over_names(tmp_path: Path) -> None:
    put(tmp_path, "weights/base.dat", b"\0\1\2")
    put(tmp_path, "data/rows.txt")
    load = Load(models=("weights/*",), datasets=("data/*.txt",))
    assert kinds(tmp_path, load) == {"weights/base.dat": Kind.MODEL, "data/rows.txt": Kind.DATASET}


def test_digest_and_size_are_those_of_the_bytes(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    put(tmp_path, "blob.bin", data)
    (artifact,) = discover(tmp_path).artifacts
    assert artifact.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert artifact.size == len(data)
    assert str(tmp_path) not in repr(artifact)


def test_odd_names_can_be_printed_and_stay_apart(tmp_path: Path) -> None:
    names = [
        b"new\nline.txt",
        b"bad\xff.txt",
        b"100%.txt",
        b"100%25.txt",
        "übung.txt".encode(),
        "a\u202eb.txt".encode(),
    ]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as stream:
            stream.write(b"x")
    uris = [artifact.uri for artifact in discover(tmp_path).artifacts]
    assert len(set(uris)) == len(names)
    assert all(uri.isprintable() for uri in uris)
    assert "new%0Aline.txt" in uris
    assert "bad%FF.txt" in uris
    assert "übung.txt" in uris


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=20))
def test_display_names_are_printable_and_one_to_one(names: list[str]) -> None:
    shown = [display_name(name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(not any(ord(c) < 32 for c in name) for name in shown)


def test_links_loops_pipes_and_unreadable_files_are_told(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "secret.txt")
    root = tmp_path / "w"
    put(root, "real.txt")
    (root / "loop").mkdir()
    (root / "loop" / "self").symlink_to("../loop")
    (root / "dangling.pkl").symlink_to("not-there.pkl")
    (root / "elsewhere.pkl").symlink_to("/nowhere/at/all")
    (root / "circle").symlink_to("circle")
    (root / "out.txt").symlink_to(outside)
    (root / "in.txt").symlink_to("real.txt")
    os.mkfifo(root / "pipe.txt")
    inventory = discover(root)
    assert [artifact.uri for artifact in inventory.artifacts] == ["real.txt"]
    told = {skip.artifact.uri: skip.reason for skip in inventory.unreadable if skip.artifact}
    assert set(told) == {"dangling.pkl", "elsewhere.pkl", "circle", "out.txt", "pipe.txt"}
    assert told["dangling.pkl"] == told["circle"] == "a link that leads nowhere"
    assert told["elsewhere.pkl"] == told["out.txt"]  # what is not there now may be there where the model is loaded
    assert "out of the workspace" in told["out.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    put(tmp_path, "closed.txt").chmod(0)
    (skip,) = discover(tmp_path).unreadable
    assert "Permission denied" in skip.reason


def test_our_own_folder_and_environments_are_left_out_and_counted(tmp_path: Path) -> None:
    put(tmp_path, ".shipworthy/runs/x/run.json")
    environment(tmp_path / "env")
    put(tmp_path, "big/data.bin")
    put(tmp_path, "app.py")
    inventory = discover(tmp_path, exclude=("big/",))
    assert [artifact.uri for artifact in inventory.artifacts] == ["app.py"]
    assert set(inventory.left_out) == {".shipworthy/", "env/", "big/"}


def environment(folder: Path) -> None:
    """Laid out as `python -m venv` does, with what numpy and joblib install."""
    put(folder, "pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
    put(folder, ".gitignore", "*\n")
    put(folder, "bin/activate_this.py")
    put(folder, "lib/python3.11/site-packages/joblib/test/data/joblib_0.9.2.pkl", EVIL)
    (folder / "lib64").symlink_to("lib")


EVIL = b"cos\nsystem\n(S'echo'\ntR."
EVIL_4 = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x04echo\x94\x85\x94R\x94."


def test_a_file_of_settings_alone_makes_no_environment(tmp_path: Path) -> None:
    put(tmp_path, "v/pyvenv.cfg", "")
    put(tmp_path, "v/a.py")
    put(tmp_path, "v/models/evil.pkl", EVIL)
    put(tmp_path, "w/pyvenv.cfg", "home = /usr/bin\n")
    put(tmp_path, "w/evil.pkl", EVIL)
    inventory = discover(tmp_path)
    assert {"v/a.py", "v/models/evil.pkl", "w/evil.pkl"} <= {artifact.uri for artifact in inventory.artifacts}
    assert inventory.left_out == ()


def test_what_lies_in_an_environment_and_is_no_part_of_one_is_looked_at(tmp_path: Path) -> None:
    environment(tmp_path / "v")
    for name in ("v/models/evil.pkl", "v/a.py", "v/share/evil.pt", "v/lib/python3.11/evil", "v/.lock"):
        put(tmp_path, name, EVIL_4)
    inventory = discover(tmp_path)
    assert inventory.left_out == ("v/",)
    assert {artifact.uri: artifact.kind for artifact in inventory.artifacts} == {
        "v/models/evil.pkl": Kind.MODEL,
        "v/a.py": Kind.MODEL,
        "v/share/evil.pt": Kind.MODEL,
        "v/lib/python3.11/evil": Kind.MODEL,
        "v/.lock": Kind.MODEL,
    }


def test_models_in_a_folder_that_is_left_out_are_looked_at_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, "node_modules/left-pad/index.js")
    put(tmp_path, "node_modules/left-pad/LICENSE", "Do what you want.\n")
    put(tmp_path, "node_modules/left-pad/weights", EVIL_4)
    put(tmp_path, "node_modules/left-pad/legacy.pkl", EVIL)
    put(tmp_path, ".git/evil.joblib", EVIL)
    put(tmp_path, "__pycache__/a.cpython-311.pyc", b"\xa7\r\r\n" + b"\0" * 12)
    put(tmp_path, "__pycache__/b.cpython-311.pyc", EVIL_4)
    put(tmp_path, "__pycache__/c.py")
    inventory = discover(tmp_path)
    assert {artifact.uri for artifact in inventory.artifacts} == {
        "node_modules/left-pad/weights",
        "node_modules/left-pad/legacy.pkl",
        ".git/evil.joblib",
        "__pycache__/b.cpython-311.pyc",
        "__pycache__/c.py",
    }
    assert set(inventory.left_out) == {"node_modules/", ".git/", "__pycache__/"}
    assert discover(tmp_path, exclude=("node_modules/", ".git/", "__pycache__/")).artifacts == ()


def test_more_files_than_are_looked_through_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["shipworthy.artifacts.discover"], "MOST", 3)
    for number in range(5):
        put(tmp_path, f"node_modules/{number}.js")
    (gap,) = discover(tmp_path).unreadable
    assert gap.artifact is not None
    assert (gap.artifact.uri, "only the first 3 files" in gap.reason) == ("node_modules", True)


def test_a_missing_target_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        discover(tmp_path / "nowhere")


def test_a_file_that_is_named_is_looked_at_whatever_it_is(tmp_path: Path) -> None:
    path = put(tmp_path, "thing.xyz", b"\0\1\2\3")
    assert discover(path).artifacts[0].kind is Kind.MODEL


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\0b", "link/x"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    root = tmp_path / "w"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError):
        inside(root, path)


@pytest.mark.parametrize(
    ("uri", "glob", "yes"),
    [
        ("a/b.csv", "a/*.csv", True),
        ("a/c/b.csv", "a/*.csv", False),
        ("a/c/b.csv", "a/**/*.csv", True),
        ("a/b.csv", "a/**/*.csv", True),
        ("x/y/z.py", "*.py", True),
        ("tests/a.py", "tests/", True),
        ("mytests/a.py", "tests/", False),
        ("a.csv", "./a.csv", True),
        ("anything/at/all", "**", True),
        ("a/[x].py", "a/[x].py", True),
    ],
)
def test_globs(uri: str, glob: str, yes: bool) -> None:
    assert matches(uri, (glob,)) is yes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    put(root, "one.py", "a = 1\n")
    put(root, "two.py", "b = 1\n")
    for args in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        git(root, *args)
    return root


def git(root: Path, *args: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(
        ["git", "-C", str(root), *identity, *args], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_git_says_commit_branch_author_and_dirt(repository: Path) -> None:
    state = git_state(repository)
    assert state is not None
    assert (state.commit, state.branch, state.author, state.dirty) == (
        git(repository, "rev-parse", "HEAD"),
        "main",
        "Ada",
        False,
    )
    put(repository, "one.py", "a = 2\n")
    changed = git_state(repository)
    assert changed is not None
    assert changed.dirty
    assert git_state(repository.parent) is None


def test_what_runs_made_is_no_change_of_the_source(repository: Path) -> None:
    """The second run of a pipeline must not be told of the model that the first one made; but what git tracks is
    source, whatever its name."""
    own = ("out/model", "out/model/**")
    put(repository, "out/model/weights.npy", "1")
    for root, globs in ((repository, own), (repository / "out", ("model/**",))):
        state = git_state(root, globs)
        assert state is not None
        assert not state.dirty
    assert getattr(git_state(repository), "dirty", None) is True
    put(repository, "out/notes.txt", "mine")
    assert getattr(git_state(repository, own), "dirty", None) is True
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    put(repository, "out/model/weights.npy", "2")
    assert getattr(git_state(repository, own), "dirty", None) is True


def test_a_repository_without_commits_is_one(tmp_path: Path) -> None:
    root = tmp_path / "new"
    put(root, "build/kept.py", "a = 1\n")
    git(root, "init", "-q", "-b", "trunk")
    git(root, "add", "build/kept.py")
    state = git_state(root)
    assert state is not None
    assert (state.commit, state.branch, state.dirty) == ("", "trunk", False)
    assert [a.uri for a in discover(root).artifacts] == ["build/kept.py"]


def test_a_damaged_branch_is_not_taken_for_a_new_repository(repository: Path) -> None:
    put(repository, ".git/refs/heads/main", "f" * 40 + "\n")
    assert git_state(repository) is None


def test_since_limits_to_what_changed(repository: Path) -> None:
    put(repository, "one.py", "a = 2\n")
    put(repository, "new\nname.py")
    changed = changed_since(repository, "HEAD")
    assert changed == {"one.py", "new%0Aname.py"}
    assert {a.uri for a in discover(repository, only=changed).artifacts} == changed


@pytest.mark.parametrize("revision", ["nonsense", "--output=/tmp/x", "-h"])
def test_a_bad_revision_is_a_usage_error(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError):
        changed_since(repository, revision)


def test_hostile_git_configuration_runs_nothing(repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "owned"
    script = put(tmp_path, "evil.sh", f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(repository, "config", key, str(script))
    hook = put(repository, ".git/hooks/post-index-change", script.read_bytes())
    hook.chmod(0o755)
    assert git_state(repository) is not None
    put(repository, "one.py", "a = 3\n")
    changed_since(repository, "HEAD")
    assert not marker.exists()


class Handler(http.server.BaseHTTPRequestHandler):
    """A server that also lies."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
        elif self.path == "/model":
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"weights")
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
        thread.join()


WEIGHTS = hashlib.sha256(b"weights").hexdigest()


def test_fetching_with_the_expected_digest(tmp_path: Path, server: str) -> None:
    wanted = Fetch(uri=f"{server}/model", to="models/base.bin", sha256=WEIGHTS)
    assert fetch(wanted, tmp_path, offline=True) == f"sha256:{WEIGHTS}"
    assert (tmp_path / "models/base.bin").read_bytes() == b"weights"


def test_other_bytes_than_expected_are_refused_and_nothing_is_left(tmp_path: Path, server: str) -> None:
    put(tmp_path, "base.bin", "before")
    with pytest.raises(EvidenceError, match="not the expected"):
        fetch(Fetch(uri=f"{server}/model", to="base.bin", sha256="0" * 64), tmp_path, offline=True)
    assert [p.name for p in tmp_path.iterdir()] == ["base.bin"]
    assert (tmp_path / "base.bin").read_text() == "before"


@pytest.mark.parametrize("path", ["/away", "/short", "/missing"])
def test_a_server_that_fails_is_an_environment_failure(tmp_path: Path, server: str, path: str) -> None:
    with pytest.raises(EnvironmentFailure):
        fetch(Fetch(uri=server + path, to="x", sha256=WEIGHTS), tmp_path, offline=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wanted",
    [
        Fetch(uri="https://example.org/x", to="../x", sha256=WEIGHTS),
        Fetch(uri="https://example.org/x", to="x", sha256="short"),
        Fetch(uri="gopher://example.org/x", to="x", sha256=WEIGHTS),
        Fetch(uri="git+https://example.org/x@main#y", to="x"),
        Fetch(uri="file://host/etc/passwd", to="x", sha256=WEIGHTS),
        Fetch(),
    ],
)
def test_bad_entries_are_usage_errors(tmp_path: Path, wanted: Fetch) -> None:
    with pytest.raises(UsageError):
        fetch(wanted, tmp_path, offline=False)


def test_offline_fetches_nothing_from_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="offline"):
        fetch(Fetch(uri="https://example.org/x", to="x", sha256=WEIGHTS), tmp_path, offline=True)


def test_a_file_and_a_git_commit_can_be_fetched(tmp_path: Path, repository: Path) -> None:
    source = put(tmp_path, "source.bin", "weights")
    fetch(Fetch(uri=source.as_uri(), to="a.bin", sha256=WEIGHTS), tmp_path / "repo", offline=True)
    commit = git(repository, "rev-parse", "HEAD")
    fetch(Fetch(uri=f"git+file://{repository}@{commit}#one.py", to="b.py"), tmp_path / "repo", offline=True)
    assert (repository / "a.bin").read_text() == "weights"
    assert (repository / "b.py").read_text() == "a = 1\n"


def test_programs_that_the_repository_names_as_filter_or_signature_checker_are_not_run(
    repository: Path, tmp_path: Path
) -> None:
    def git(*args: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", str(repository), *args], check=True, capture_output=True, text=True, input=stdin
        )
        return done.stdout.strip()

    mark = tmp_path / "ran"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=theirs\n")
    git("add", ".gitattributes")
    parent = git("rev-parse", "HEAD")
    person = "name <name@localhost> 1700000000 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n none\n -----END PGP SIGNATURE-----"
    text = f"tree {git('write-tree')}\nparent {parent}\nauthor {person}\ncommitter {person}\n{signature}\n\nsigned\n"
    git("reset", "--quiet", git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text))
    git("config", "filter.theirs.clean", str(program))
    git("config", "gpg.program", str(program))
    git("config", "log.showSignature", "true")
    for path in repository.iterdir():
        if path.is_file():
            path.touch()
            os.utime(path, (1, 1))

    state = git_state(repository)
    changed_since(repository, parent)

    assert state is not None
    assert state.commit == git("rev-parse", "HEAD")
    assert not mark.exists()


@pytest.mark.parametrize("glob", ["**/" * 14 + "z", "**a" * 40 + "z", "*a" * 40 + "z", "/**" * 60 + "z"])
def test_a_glob_that_has_countless_ways_to_match_is_decided_at_once(glob: str) -> None:
    assert not matches("a/" * 24 + "a" * 300 + "b", (glob,))
    assert matches("a/" * 24 + "z", ("**/" * 14 + "z",))


def test_a_folder_that_is_left_out_is_looked_at_where_git_tracks_its_files(repository: Path) -> None:
    environment(repository / "models")
    put(repository, "models/lib/evil.py", "")
    put(repository, "node_modules/setup.py", "")
    environment(repository / ".venv")
    assert {a.uri for a in discover(repository).artifacts} == {"one.py", "two.py"}
    put(repository, "node_modules/.bin/readme.txt", "")
    (repository / "node_modules/.bin/setup").symlink_to("../setup.py")
    git(repository, "add", "--force", "models", "node_modules")
    inventory = discover(repository)
    assert {"models/lib/evil.py", "node_modules/setup.py"} <= {a.uri for a in inventory.artifacts}
    assert inventory.unreadable == ()  # a link to what is looked at anyway, as npm makes them
    assert inventory.left_out == (".git/", ".venv/")


@pytest.mark.parametrize("beside", ["bin/python", "readme.txt"])
def test_one_file_does_not_make_a_folder_of_models_an_environment_that_is_left_out(tmp_path: Path, beside: str) -> None:
    put(tmp_path, "weights/pyvenv.cfg", "home = /usr/bin")
    put(tmp_path, f"weights/{beside}")
    put(tmp_path, "weights/evil.pkl", "cos\nsystem\n(S'echo'\ntR.")
    inventory = discover(tmp_path)
    assert "weights/evil.pkl" in {artifact.uri for artifact in inventory.artifacts}
    assert inventory.left_out == ()


def test_a_link_into_a_folder_that_is_left_out_is_a_gap(tmp_path: Path) -> None:
    put(tmp_path, "node_modules/evil.pkl", "cos\nsystem\n(S'echo'\ntR.")
    (tmp_path / "model.pkl").symlink_to("node_modules/evil.pkl")
    (gap,) = discover(tmp_path).unreadable
    assert gap.artifact is not None
    assert (gap.artifact.uri, "left out" in gap.reason) == ("model.pkl", True)


def test_infrastructure_is_told_apart(tmp_path: Path) -> None:
    files = {
        "stack.yaml": "Resources:\n  B:\n    Type: AWS::S3::Bucket\n",
        "sam.json": '{"Transform": "AWS::Serverless-2016-10-31", "Resources": {}}',
        "a.template": "AWSTemplateFormatVersion: '2010-09-09'\n",
        "k8s/pod.json": '{"apiVersion": "v1", "kind": "Pod"}',
        "k8s/pod.yml": "kind: Pod\napiVersion: v1 # core\n",
        "chart/Chart.yaml": "apiVersion: v2\nname: a\n",
        "chart/values-prod.yaml": "a: 1\n",
        "chart/templates/_helpers.tpl": '{{ define "a" }}{{ end }}',
        "chart/templates/svc.yaml": "apiVersion: {{ .Values.api }}\nkind: Service\n",
        "live/terragrunt.hcl": "inputs = {}\n",
        "main.tf.json": "{}",
        "docker-compose.override.yml": "services: {}\n",
        "app.compose.yaml": "services: {}\n",
        "config.yaml": "apiVersion: 3\nname: x\n",
        "composed.yaml": "a: 1\n",
        "data.json": '{"Type": "x"}',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {artifact.uri: artifact for artifact in discover(tmp_path).artifacts}
    assert {name for name, one in found.items() if one.kind is not Kind.IAC} == {
        "config.yaml",
        "composed.yaml",
        "data.json",
    }
    special = {name: one.media_type for name, one in found.items() if one.media_type.startswith("application/x-")}
    assert special == {
        "stack.yaml": "application/x-cloudformation",
        "sam.json": "application/x-cloudformation",
        "a.template": "application/x-cloudformation",
        "k8s/pod.json": "application/x-kubernetes",
        "k8s/pod.yml": "application/x-kubernetes",
        "chart/templates/svc.yaml": "application/x-kubernetes",
    }
