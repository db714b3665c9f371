"""`scan --shard` and `merge`: a scan in parts says what one scan says, and a part alone says nothing."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.cli import main
from shipworthy.model import Artifact, Kind
from shipworthy.stages.shards import parts

Record = dict[str, Any]
SETTINGS = """
[scan]
checks = ["python-security", "python-ml", "notebook-structure", "repository-hygiene", "model-file"]
cache = false
[gates.scan]
only-new = true
accept-partial = ["repository-hygiene"]
[[waivers]]
rule = "python-shell-true"
path = "two.py"
owner = "me"
reason = "known"
until = 2099-01-01
[[waivers]]
rule = "python-shell-true"
path = "gone.py"
owner = "me"
reason = "no longer there"
until = 2099-01-01
"""
SHELL = "import subprocess\nsubprocess.run('ls', shell=True)\n"


@pytest.fixture(scope="module")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with findings of several checks, equal ones in one file, broken files, a link that leads out."""
    root = tmp_path_factory.mktemp("prototype") / "project"
    (root / "deep").mkdir(parents=True)
    (root / "shipworthy.toml").write_text(SETTINGS)
    for name in ("one", "two", "deep/three"):
        (root / f"{name}.py").write_text(SHELL * 3 + "import pickle\npickle.load(open('x', 'rb'))\n")
    (root / "fine.py").write_text("x = 1\n")
    (root / "broken.py").write_text("def (\n")
    (root / "broken.ipynb").write_text("{")
    (root / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    (root / "odd.bin").write_bytes(random.Random(1).randbytes(3000))
    (root / "out").symlink_to("/etc/hostname")
    for args in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "1"]):
        subprocess.run(["git", *args], check=True, cwd=root)
    return root


@pytest.fixture
def project(prototype: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(prototype, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def scan(project: Path, output: Path, *args: str) -> int:
    return main(["scan", str(project), "-q", "--format", "json", "--output", str(output), *args])


def shards(project: Path, of: int, *args: str) -> list[Path]:
    files = [project.parent / f"shard-{number}.json" for number in range(1, of + 1)]
    for number, file in enumerate(files, 1):
        assert scan(project, file, "--shard", f"{number}/{of}", *args) == 3
    return files


def merge(project: Path, files: list[Path], *args: str) -> int:
    return main(["merge", "-C", str(project), "-q", *map(str, files), *args])


def comparable(path: Path) -> Record:
    """A record without its name and times."""
    run: Record = json.loads(path.read_text())
    for key in ("id", "started", "seconds"):
        del run[key]
    for stage in run["stages"]:
        del stage["started"], stage["seconds"]
        for check in stage["checks"]:
            del check["seconds"]
    return run


@pytest.mark.parametrize("of", [1, 2, 5, 20])
def test_all_shards_merged_are_the_whole_scan(project: Path, of: int, tmp_path: Path) -> None:
    code = scan(project, tmp_path / "whole.json")
    files = shards(project, of)
    random.Random(of).shuffle(files)
    assert merge(project, files, "--format", "json", "--output", str(tmp_path / "merged.json")) == code == 1
    whole, merged = comparable(tmp_path / "whole.json"), comparable(tmp_path / "merged.json")
    assert merged == whole
    assert {f["disposition"] for f in whole["findings"]} == {"new", "waived"}
    assert {f["occurrence"] for f in whole["findings"]} >= {0, 1, 2}
    outcomes = {check["check"]: check["outcome"] for check in whole["stages"][0]["checks"]}
    assert {"ran", "partial", "failed"} <= set(outcomes.values()), outcomes
    assert any("unused waiver" in note for note in whole["stages"][1]["decision"]["notes"])


def test_a_baseline_is_applied_once_and_to_all(project: Path, tmp_path: Path) -> None:
    assert (
        main(
            [
                "scan",
                str(project),
                "-q",
                "--write-baseline",
                "--format",
                "json",
                "--output",
                str(tmp_path / "first.json"),
            ]
        )
        == 0
    )
    code = scan(project, tmp_path / "whole.json")
    assert merge(project, shards(project, 3), "--format", "json", "--output", str(tmp_path / "merged.json")) == code
    assert comparable(tmp_path / "merged.json") == comparable(tmp_path / "whole.json")
    assert "known" in {f["disposition"] for f in comparable(tmp_path / "merged.json")["findings"]}


def test_a_clean_tree_is_worthy_only_when_all_of_it_was_merged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "clean"
    project.mkdir()
    for number in range(6):
        (project / f"m{number}.py").write_text(f"x = {number}\n")
    files = shards(project, 2, "--check", "code")
    for number, file in enumerate(files, 1):
        run = json.loads(file.read_text())
        assert not run["shipworthy"]
        assert run["exit_code"] == 3
        assert f"shard {number} of 2: not a verdict" in run["verdict"]
        assert "compliance" not in run
        assert main(["report", str(file)]) == 2
    assert f"shard {number} of 2: not a verdict" in capsys.readouterr().err
    assert main(["merge", "-C", str(project), *map(str, files)]) == 0
    assert "SHIPWORTHY" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "sarif", "html", "junit", "markdown", "cyclonedx"])
def test_every_format_can_be_had_of_a_merge(project: Path, form: str, tmp_path: Path) -> None:
    (project / "shipworthy.toml").write_text('[scan]\nchecks = ["python-security"]\n')
    assert merge(project, shards(project, 2), "--format", form, "--output", str(tmp_path / "report")) == 1
    assert "python-shell-true" in (tmp_path / "report").read_text()


def test_a_pipe_that_a_report_goes_to_stays_one(project: Path, tmp_path: Path) -> None:
    """So does a device: replaced by a file, /dev/null would be one for everybody on the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    scan(project, pipe, "--check", "python-ml")
    try:
        assert json.loads(reader.communicate(timeout=20)[0])["pipeline"] == "scan"
    finally:
        reader.kill()
        reader.wait()
    assert pipe.is_fifo()


# --- what does not fit together ------------------------------------------------------------------------------------


@pytest.fixture
def pair(project: Path) -> list[Path]:
    (project / "shipworthy.toml").write_text('[scan]\nchecks = ["python-security", "repository-hygiene"]\n')
    return shards(project, 2)


def refused(project: Path, files: list[Path], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert merge(project, files) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "Traceback" not in printed.err
    return printed.err


def test_a_missing_or_repeated_shard_is_refused(
    project: Path, pair: list[Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "missing: shard 2 of 2" in refused(project, pair[:1], capsys)
    assert "missing: shard 1 of 2" in refused(project, pair[1:], capsys)
    copy = Path(shutil.copy(pair[0], tmp_path / "copy.json"))
    assert "shard 1 is there twice" in refused(project, [*pair, copy], capsys)
    assert merge(project, [pair[0], *pair]) in (1, 3)  # one file, named twice, is one shard


def test_shards_of_different_scans_are_refused(
    project: Path, pair: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "later.py").write_text("y = 2\n")
    scan(project, pair[1], "--shard", "2/2")
    assert "of another tree" in refused(project, pair, capsys)
    scan(project, pair[0], "--shard", "1/2")
    scan(project, pair[1], "--shard", "2/2", "--check", "code")
    assert "with other checks" in refused(project, pair, capsys)
    scan(project, pair[1], "--shard", "2/3")
    assert "another number of shards" in refused(project, pair, capsys)
    args = ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "2"]
    subprocess.run(["git", *args], check=True, cwd=project)
    scan(project, pair[1], "--shard", "2/2")
    assert "of another commit" in refused(project, pair, capsys)


def test_other_settings_are_refused(project: Path, pair: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shipworthy.toml").write_text('[gates.scan]\nfail-on = "never"\n')
    assert "other settings than those here" in refused(project, pair, capsys)
    scan(project, pair[1], "--shard", "2/2")
    assert "made with other settings than" in refused(project, pair, capsys)


def result(run: Record, name: str = "python-security") -> Record:
    return next(check for check in run["stages"][0]["checks"] if check["check"] == name)


def drop_artifact(run: Record) -> None:
    run["stages"][0]["artifacts"].pop()


def bend_digest(run: Record) -> None:
    next(a for a in run["artifacts"] if a["uri"].endswith(".py"))["digest"] = "sha256:" + "0" * 64


def drop_check(run: Record) -> None:
    run["stages"][0]["checks"].remove(result(run))


def double_check(run: Record) -> None:
    run["stages"][0]["checks"].append(result(run))


def set_at(*path: str | int, value: object) -> Callable[[Record], None]:
    def change(run: Record) -> None:
        place: Any = run
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (drop_artifact, "not all of the tree"),
        (bend_digest, "not all of the tree"),
        (drop_check, "no result of python-security"),
        (double_check, "two results of one check"),
        (set_at("stages", 0, "checks", 0, "check", value="invented"), "other"),
        (set_at("stages", 0, "details", value={}), "not a finished shard"),
        (set_at("stages", 0, "details", "shard", value=[]), "not a finished shard"),
        (set_at("stages", 0, "details", "shard", "number", value=10**30), "not a finished shard"),
        (set_at("stages", 0, "details", "shard", "of", value="2/2"), "not a finished shard"),
        (set_at("stages", 0, "details", "shard", "checks", value=7), "not a finished shard"),
        (set_at("stages", 0, "details", "excluded", value="none"), "what was excluded"),
        (set_at("stages", 0, "details", "left-out", value=[1]), "what was left out"),
        (set_at("stages", 0, "status", value="error"), "not a finished shard"),
        (set_at("stages", value=[]), "not a finished shard"),
        (set_at("stages", value=None), "cannot be read"),
        (set_at("versions", "shipworthy", value="0.0.0"), "other versions"),
        (set_at("schema", value="9"), "version"),
    ],
)
def test_a_damaged_shard_is_refused(
    project: Path, pair: list[Path], damage: Callable[[Record], None], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = json.loads(pair[0].read_text())
    damage(run)
    pair[0].write_text(json.dumps(run))
    assert says in refused(project, pair, capsys)


def test_what_is_no_shard_at_all_is_refused(
    project: Path, pair: list[Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    scan(project, tmp_path / "whole.json")
    assert "not a finished shard" in refused(project, [pair[0], tmp_path / "whole.json"], capsys)
    os.mkfifo(tmp_path / "pipe")
    for text in (b"", b"[" * 100_000, b"[]", b"\xff\xfe", b'{"schema": "1"}'):
        (tmp_path / "bad.json").write_bytes(text)
        assert "bad.json" in refused(project, [pair[0], tmp_path / "bad.json"], capsys)
    assert "no such file" in refused(project, [tmp_path / "pipe"], capsys)


def test_a_shard_cannot_waive_its_findings_or_hide_a_file(project: Path, pair: list[Path], tmp_path: Path) -> None:
    for file in pair:
        run = json.loads(file.read_text())
        for finding in run["findings"]:
            finding |= {"disposition": "waived", "waiver": "nobody until 2099-01-01: no reason", "occurrence": 7}
        own = result(run)
        own["examined"] = [uri for uri in own["examined"] if uri != "fine.py"]
        file.write_text(json.dumps(run))
    assert merge(project, pair, "--format", "json", "--output", str(tmp_path / "merged.json")) == 1
    merged = json.loads((tmp_path / "merged.json").read_text())
    assert {f["disposition"] for f in merged["findings"]} == {"new"}
    own = result(merged)
    assert own["outcome"] == "partial"
    assert {
        "artifact": "fine.py",
        "reason": "no shard tells of it",
        "check": "python-security",
        "code": "unread",
    } in own["skipped"]


def test_a_program_of_another_version_is_refused(
    project: Path, pair: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = json.loads(pair[1].read_text())
    result(run)["version"] += ".99"
    pair[1].write_text(json.dumps(run))
    assert "its python-security is" in refused(project, pair, capsys)


def test_a_program_that_one_machine_lacks_is_lacking(project: Path, pair: list[Path], tmp_path: Path) -> None:
    run = json.loads(pair[1].read_text())
    result(run).update(outcome="unavailable", version="1", examined=[], findings=[], note="ruff: is not installed")
    pair[1].write_text(json.dumps(run))
    merge(project, pair, "--format", "json", "--output", str(tmp_path / "merged.json"))
    own = result(json.loads((tmp_path / "merged.json").read_text()))
    assert (own["outcome"], own["examined"], own["note"]) == ("unavailable", [], "ruff: is not installed")


# --- what a shard is not asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", "1/1001", "1/4/2", "٢/4"])
def test_a_shard_that_is_none_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(tmp_path), f"--shard={text}", "--format", "json"]) == 2
    assert "1/4 to 4/4" in capsys.readouterr().err


def test_what_a_shard_cannot_give_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    base = ["scan", str(tmp_path), "--shard", "1/2"]
    assert main(base) == 2
    assert main([*base, "--format", "sarif"]) == 2
    assert main([*base, "--format", "json", "--write-baseline"]) == 2
    assert main([*base, "--format", "json", "--output", str(tmp_path / "s.json")]) == 2
    assert main(["scan", str(tmp_path / "m.py"), "--shard", "1/2", "--format", "json"]) == 2
    assert main(["run", "ml", "-C", str(tmp_path), "--shard", "1/2"]) == 2
    assert "a pipeline is not divided" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m.py"]


# --- the division --------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**9), max_size=60), st.integers(1, 9), st.randoms())
def test_every_artifact_is_in_one_part_and_parts_are_balanced(
    sizes: list[int], of: int, shuffled: random.Random
) -> None:
    artifacts = [Artifact(f"f{n}", Kind.TEXT, "sha256:" + "0" * 64, size) for n, size in enumerate(sizes)]
    made = parts(artifacts, of)
    assert sorted(a.uri for part in made for a in part) == sorted(a.uri for a in artifacts)
    assert len(made) == of
    loads = [sum(a.size + 64 * 1024 for a in part) for part in made]
    assert max(loads) - min(loads) <= max(sizes, default=0) + 64 * 1024
    shuffled.shuffle(artifacts)
    assert parts(artifacts, of) == made
