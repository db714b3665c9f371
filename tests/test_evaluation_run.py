"""Evaluations of a model in the sandbox: labels stay here, predictions are read strictly, claims are checked."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evaluation import EvaluateResult, EvaluateSpec, Unusable, evaluate
from shipworthy.evaluation.predictions import read_predictions
from shipworthy.evaluation.tables import read_table
from shipworthy.tools.interpreter import visible
from shipworthy.tools.sandbox import Limits, Sandbox

CODE = """
    import csv, json, os
    cut = json.load(open(os.path.join(os.environ["SHIPWORTHY_INPUT_MODEL"], "model.json")))["cut"]
    rows = list(csv.DictReader(open(os.environ["SHIPWORTHY_INPUT_HOLDOUT"])))
    assert "label" not in rows[0], "the labels are here"
    with open(os.environ["SHIPWORTHY_OUTPUT_PREDICTIONS"], "w") as file:
        file.write("id,prediction,score\\n")
        for row in rows:
            score = min(1.0, float(row["x"]) / 100)
            file.write(f"{row['id']},{int(score >= cut)},{score}\\n")
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
    (root / "model").mkdir(parents=True)
    (root / "model" / "model.json").write_text('{"cut": 0.5}')
    rows = [f"r{number},{number},{int(number >= 40)}" for number in range(100)]
    (root / "holdout.csv").write_text("\n".join(["id,x,label", *rows]) + "\n")
    (root / "evaluate.py").write_text(textwrap.dedent(CODE))
    return root


def spec(root: Path, **changes: object) -> EvaluateSpec:
    given: dict[str, object] = {"holdout": "holdout.csv", "model": "model/", "limits": Limits(wall_seconds=30)}
    return EvaluateSpec(("python", "evaluate.py"), root, **(given | changes))  # type: ignore[arg-type]


def append(root: Path, code: str) -> None:
    with (root / "evaluate.py").open("a") as file:
        file.write(textwrap.dedent(code))


def failed(result: EvaluateResult, *words: str) -> None:
    assert not result.ok
    assert not result.metrics
    assert all(word in result.reason for word in words), result.reason


def test_an_evaluation_and_its_record(project: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    kept = tmp_path / "kept" / "predictions.csv"
    result = evaluate(spec(project, metrics=("accuracy", "roc_auc")), sandbox=sandbox, keep=kept)
    assert result.ok, result.reason
    found = {metric.name: metric for metric in result.metrics}
    assert found["accuracy"].value == 0.9
    assert found["recall"].value == pytest.approx(50 / 60)
    assert found["precision"].value == 1
    assert found["roc_auc"].value == 1
    assert (result.rows, result.task) == (100, "classification")
    assert result.inputs["model"].startswith("sha256:")
    assert kept.read_text().startswith("id,prediction")
    assert not (project / "predictions.csv").exists()
    assert json.loads(json.dumps(result.as_dict()))["ok"] is True


def test_the_order_of_rows_tells_nothing_and_labels_are_nowhere(project: Path, sandbox: Sandbox) -> None:
    append(
        project,
        """
        print([row["id"] for row in rows][:5])
        for folder, _, files in os.walk(".."):
            for name in files:
                path = os.path.join(folder, name)
                text = open(path, errors="replace").read() if os.path.exists(path) else ""
                assert "r1,1," + "0" not in text, name
        """,
    )
    lines: list[str] = []
    result = evaluate(spec(project, code=("**",)), sandbox=sandbox, on_line=lambda _, text: lines.append(text))
    assert result.ok, (result.reason, lines)
    assert lines[0] != str([f"r{number}" for number in range(5)])
    assert "holdout.csv" not in result.code


def test_the_holdout_cannot_be_an_input(project: Path, sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="held back"):
        evaluate(spec(project, inputs={"extra": "holdout.csv"}), sandbox=sandbox)


def test_claims_are_compared(project: Path, sandbox: Sandbox) -> None:
    append(project, "json.dump({'accuracy': 0.999, 'recall': 0.8333, 'charm': 1}, open('metrics.json', 'w'))\n")
    result = evaluate(spec(project), sandbox=sandbox)
    assert result.ok, result.reason
    assert {claim.name: claim.agrees for claim in result.claims} == {"accuracy": False, "recall": True}
    assert result.unmeasured_claims == ("charm",)


BROKEN = {
    "a row is left out": ("lines = lines[:-1]", "1 of 100 rows are not predicted"),
    "a row twice": ("lines.append(lines[-1])", "predicted twice"),
    "a row of its own": ("lines.append('r777,1,0.5')", "row r777 was not asked for"),
    "a score that is no number": ("lines[1] = lines[1].rsplit(',', 1)[0] + ',nan'", "no finite number"),
    "an endless score": ("lines[1] = lines[1].rsplit(',', 1)[0] + ',inf'", "no finite number"),
    "no prediction": ("lines[1] = lines[1].split(',')[0] + ',,0.5'", "has no prediction"),
    "a field too many": ("lines[1] += ',9'", "has 4 fields, not 3"),
    "no header": ("lines = lines[1:]", "no column"),
    "nothing": ("lines = []", "is empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_predictions_that_are_not_what_they_must_be(project: Path, tmp_path: Path, name: str) -> None:
    change, reason = BROKEN[name]
    lines = ["id,prediction,score", *(f"r{number},1,0.5" for number in range(100))]
    scope: dict[str, list[str]] = {"lines": lines}
    exec(change, scope)
    path = tmp_path / "predictions.csv"
    path.write_text("".join(f"{line}\n" for line in scope["lines"]))
    with pytest.raises(Unusable) as caught:
        read_predictions(path, [f"r{number}" for number in range(100)], id_column="id")
    assert reason in str(caught.value)


FAILING = {
    "no predictions": ("os.unlink(os.environ['SHIPWORTHY_OUTPUT_PREDICTIONS'])", '"predictions" is missing'),
    "too few": ("open('predictions.csv', 'w').write('id,prediction\\nr1,1\\n')", "99 of 100 rows"),
    "a claim that is no number": ("open('metrics.json', 'w').write('{\"accuracy\": NaN}')", "not a finite number"),
    "claims that are no JSON": ("open('metrics.json', 'w').write('accuracy: 1')", "no JSON"),
    "something else": (
        "open(os.path.dirname(os.environ['SHIPWORTHY_OUTPUT_METRICS']) + '/x', 'w')",
        "not declared",
    ),
    "a crash": ("raise SystemExit('model is broken')", "model is broken"),
    "a changed model": ("open('model/model.json', 'w').write('{}')", "exit status 1"),
}


@pytest.mark.parametrize("name", FAILING)
def test_an_evaluation_that_fails_says_why(project: Path, sandbox: Sandbox, name: str) -> None:
    code, reason = FAILING[name]
    append(project, code + "\n")
    failed(evaluate(spec(project), sandbox=sandbox), reason)
    assert (project / "model" / "model.json").read_text() == '{"cut": 0.5}'


def test_a_metric_that_must_be_there(project: Path, sandbox: Sandbox) -> None:
    failed(evaluate(spec(project, metrics=("rmse",)), sandbox=sandbox), "rmse cannot be measured")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,label\na,1\na,0\n", "must name each row"),
        ("id,label\na,1\nb,\n", "empty cells"),
        ("id,y\na,1\n", 'no column "label"'),
        ("id,label,label\na,1,1\n", "column twice"),
        ("id,label\n", "no rows"),
        ('id,label\n"a,1\n', "line"),
    ],
)
def test_a_holdout_that_cannot_be_used(project: Path, sandbox: Sandbox, text: str, words: str) -> None:
    (project / "holdout.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        evaluate(spec(project), sandbox=sandbox)


def test_a_flood_of_predictions_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    for text in ("," * (2 << 20), "index,prediction\n" + "0,1\n" * 500_000, "index,prediction\n" + "\n" * (3 << 20)):
        path.write_text(text)
        with pytest.raises(Unusable, match=r"larger than|line of more"):
            read_predictions(path, ["0"], id_column="index")
    path.write_text("index,prediction\n" + "0,1\n" * 100)
    with pytest.raises(Unusable, match="more than 4 rows"):
        read_predictions(path, ["0"], id_column="index")


def test_tables_are_no_links_and_are_text(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"a,b\n\xe9,1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "latin.csv")
    with pytest.raises(Unusable, match="UTF-8"):
        read_table(tmp_path / "latin.csv")
    with pytest.raises(Unusable, match="cannot be read"):
        read_table(tmp_path / "link.csv")


def test_parquet_is_read_where_pyarrow_is(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"id": [1, 2], "label": ["a", "b"]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").column("label") == ["a", "b"]
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(Unusable, match="Parquet"):
        read_table(tmp_path / "broken.parquet")


@pytest.mark.parametrize("options", [{}, {"bubblewrap": None}])
def test_a_project_on_the_import_path_hides_its_labels(project: Path, tmp_path: Path, options: dict[str, None]) -> None:
    """An editable install puts the project on sys.path; its folder must not be seen for that."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "editable.pth").write_text(f"{project}\n{tmp_path}\n")
    try:
        sandbox = Sandbox.open("strict", python=str(venv / "bin" / "python"), **options)  # type: ignore[arg-type]
    except EnvironmentFailure as failure:
        pytest.skip(str(failure))
    assert project in sandbox.interpreter.paths
    append(
        project,
        f"assert not os.access({str(project / 'holdout.csv')!r}, os.R_OK) or open({str(project / 'holdout.csv')!r})\n",
    )
    result = evaluate(spec(project), sandbox=sandbox)
    if options:
        failed(result, "PermissionError")
    else:
        assert result.ok, result.reason


def test_what_is_hidden_is_left_out_and_what_holds_it_is_taken_apart(tmp_path: Path) -> None:
    root = tmp_path / "usr" / "src" / "app"
    root.mkdir(parents=True)
    for name in ("lib", "src/other"):
        (tmp_path / "usr" / name).mkdir()
    (tmp_path / "usr" / "shortcut").symlink_to(root)
    (root / ".venv").mkdir()
    shown = visible([tmp_path / "usr", root / "src", root / ".venv"], [root], keep=[root / ".venv"])
    assert shown == [tmp_path / "usr" / "lib", tmp_path / "usr" / "src" / "other", root / ".venv"]
