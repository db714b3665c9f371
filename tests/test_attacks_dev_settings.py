"""Attacks by the settings of a stranger's repository, in which somebody stands: they hang, break or wave through."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shipworthy.config import Settings, load_settings
from shipworthy.config.settings import Evaluate, Gate, Image, Protect, Scan, Train
from shipworthy.errors import UsageError
from shipworthy.gates import weaker
from story_world import shipworthy

NUMBERS = [
    "[scan]\njobs = -5",
    "[scan]\nmemory-mb = -5",
    "[scan]\nmemory-mb = 99999999999999999999",
    "[train]\ncommand = ['x']\n[train.limits]\nwall-seconds = -1",
    "[evaluate]\ncommand = ['x']\n[evaluate.limits]\nprocesses = 0",
    "[train]\ncommand = ['x']\n[train.kfold]\nfolds = 1",
    "[image]\nseconds = 0",
    "[service]\nport = 0",
    "[service]\nport = 70000",
    "[service]\nready-seconds = -1",
    "[service]\nmemory-mb = -1",
    "[protect]\nbody = 99999999999999999999",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_that_no_machine_has_are_told_with_their_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "shipworthy.toml").write_text(text)
    with pytest.raises(UsageError, match="must be from") as caught:
        load_settings(tmp_path / "shipworthy.toml")
    assert f"shipworthy.toml:{len(text.splitlines())}" in str(caught.value)


@pytest.mark.parametrize("name", ["shipworthy.toml", "shipworthy-baseline.json", "report.sarif"])
def test_a_pipe_where_a_file_should_be_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    if name == "report.sarif":
        (tmp_path / "shipworthy.toml").write_text('[import]\nreports = [{ tool = "sarif", path = "report.sarif" }]\n')
    os.mkfifo(tmp_path / name)
    done = shipworthy("scan", ".", "--quiet", cwd=tmp_path, timeout=60)
    assert done.returncode == (3 if name == "report.sarif" else 2), done.stdout + done.stderr
    assert "no plain file" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "rule",
    [
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')",
        "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))",
        "size('a') == 99999999999999999999999999",
        "(" * 2000 + "1" + ")" * 2000 + " == 1",
    ],
)
def test_a_gates_rule_never_takes_long(tmp_path: Path, rule: str) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "shipworthy.toml").write_text(f"[gates.scan]\nrules = [{json.dumps(rule)}]\n")
    done = shipworthy("scan", ".", "--quiet", cwd=tmp_path, timeout=60)
    assert done.returncode in (1, 2), done.stdout


@pytest.mark.parametrize(
    ("settings", "gate", "says"),
    [
        (Settings(gates={"scan": Gate(fail_on="never")}), "scan", "no finding stops"),
        (Settings(gates={"scan": Gate(fail_on="critical")}), "scan", 'fail-on = "critical"'),
        (Settings(gates={"scan": Gate(min_confidence="high")}), "scan", "min-confidence"),
        (Settings(gates={"scan": Gate(only_new=True)}), "scan", "only-new"),
        (Settings(gates={"scan": Gate(require=())}), "scan", "require = []"),
        (Settings(scan=Scan(skip=("secrets",))), "before-build", "secrets are not run"),
        (Settings(scan=Scan(checks=("code",))), "before-train", "only code are run"),
        (Settings(train=Train(command=("x",), sandbox="none")), "before-sign", "without a sandbox"),
        (Settings(evaluate=Evaluate(command=("x",), sandbox="none")), "before-sign", "without a sandbox"),
        (Settings(image=Image(network=True)), "before-release", "could fetch"),
        (Settings(protect=Protect(mode="off")), "after-deploy", "looks at nothing"),
        (Settings(protect=Protect(mode="watch")), "after-deploy", "refuses none"),
    ],
)
def test_what_is_weaker_than_the_default_is_told(settings: Settings, gate: str, says: str) -> None:
    (told,) = weaker(gate, settings)
    assert told.startswith("weaker than the default: ")
    assert says in told
    assert weaker(gate, Settings()) == []


def test_stricter_settings_are_no_news() -> None:
    strict = Settings(gates={"scan": Gate(fail_on="info", require=("secrets", "code"))})
    assert weaker("scan", strict) == []


def test_the_reader_of_a_report_sees_it(tmp_path: Path) -> None:
    """The repository brings settings that wave everything through; its report says so in every format."""
    (tmp_path / "a.py").write_text('password = "hunter2-hunter2"\neval(input())\n')
    (tmp_path / "shipworthy.toml").write_text('[scan]\nskip = ["secrets"]\n[gates.scan]\nfail-on = "never"\n')
    for form in ("json", "html", "markdown", "junit", "table"):
        report = tmp_path / f"report.{form}"
        more = ["--format", form, "--output", str(report)] if form != "table" else []
        done = shipworthy("scan", ".", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        text = " ".join((report.read_text() if more else done.stdout).split())
        text = text.replace("\\", "").replace("&#34;", '"').replace("&quot;", '"')
        assert "secrets are not run" in text, form
        assert 'fail-on = "never"' in text, form
        report.unlink(missing_ok=True)
