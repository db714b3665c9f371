"""Other scanners are second witnesses: what they say joins ours, and a report that is no report is never clean."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.check import Context, Skipped, registry
from shipworthy.checks.external import (
    _culprits,
    _wrapped,
    bandit,
    checkov,
    compose_lint,
    gitleaks,
    hadolint,
    semgrep,
    tflint,
    trivy,
)
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.gates import join_results
from shipworthy.model import Artifact, Finding, Kind, Outcome, Severity
from shipworthy.records import replace
from shipworthy.tools import Toolbox, ToolFailed, command


def of_hadolint(rows, errors=()):
    found = [{"code": i, "column": 1, "file": n, "level": "warning", "line": at, "message": "m"} for n, i, at in rows]
    broken = [{"code": "DL1000", "column": 1, "file": n, "level": "error", "line": 3, "message": "m"} for n in errors]
    return json.dumps(found + broken)


def of_bandit(rows, errors=()):
    names = {n for n, _, _ in rows} | set(errors)
    found = [
        {
            "filename": f"./{n}", "test_id": i, "issue_text": "m", "line_number": at, "line_range": [at],
            "issue_severity": "HIGH", "issue_confidence": "LOW", "issue_cwe": {"id": 502},
        }
        for n, i, at in rows
    ]  # fmt: skip
    metrics = {f"./{n}": {} for n in names | {"d000000/a.py"}} | {"_totals": {}}
    return json.dumps(
        {"errors": [{"filename": n, "reason": "r"} for n in errors], "metrics": metrics, "results": found}
    )


def of_compose(rows, errors=()):
    found = [
        {"file": n, "line": at, "rule_id": i, "severity": "high", "service": "a", "message": "m"} for n, i, at in rows
    ]
    return json.dumps({"findings": found, "errors": [{"file": n, "message": "m", "kind": "file"} for n in errors]})


def of_checkov(rows, errors=()):
    found = [
        {
            "check_id": i, "check_name": "m", "file_path": f"/{n}", "file_line_range": [at, at], "resource": f"r{at}",
            "severity": None,
        }
        for n, i, at in rows
    ]  # fmt: skip
    results = {"failed_checks": found, "skipped_checks": [], "parsing_errors": [f"/somewhere/{n}" for n in errors]}
    return json.dumps({"results": results, "summary": {"failed": len(found), "skipped": 0}})


def of_semgrep(rows, errors=()):
    found = [
        {
            "check_id": i, "path": n, "start": {"line": at}, "end": {"line": at},
            "extra": {"message": "m", "severity": "ERROR"},
        }
        for n, i, at in rows
    ]  # fmt: skip
    told = [{"path": n, "type": "Timeout", "message": "m"} for n in errors]
    scanned = [n for n, _, _ in rows] + ["d000000/a.py"]
    return json.dumps({"results": found, "errors": told, "paths": {"scanned": scanned}})


def of_gitleaks(rows, errors=()):
    return json.dumps(
        [{"RuleID": i, "Description": "m", "File": n, "StartLine": at, "EndLine": at} for n, i, at in rows]
    )


def of_trivy(rows, errors=()):
    found = [
        {
            "Target": n, "Class": "config",
            "Misconfigurations": [
                {"ID": i, "AVDID": i, "Title": "m", "Severity": "HIGH",
                 "CauseMetadata": {"Resource": f"r{at}", "StartLine": at, "EndLine": at}}
            ],
        }
        for n, i, at in rows
    ]  # fmt: skip
    return json.dumps({"SchemaVersion": 2, "Results": [{"Target": ".", "Class": "config"}, *found]})


def of_tflint(rows, errors=()):
    found = [
        {
            "rule": {"name": i, "severity": "error", "link": "https://example.com"}, "message": "m", "callers": [],
            "range": {"filename": n, "start": {"line": at, "column": 1}, "end": {"line": at, "column": 9}},
        }
        for n, i, at in rows
    ]  # fmt: skip
    place = {"start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 2}}
    broken = [
        {"summary": "Invalid block", "message": "m", "severity": "error", "range": {"filename": n, **place}}
        for n in errors
    ]
    return json.dumps({"issues": found, "errors": broken})


# module, the report's writer, a file, what is said of it, the severity that it must have
TOOLS = {
    "hadolint": (hadolint, of_hadolint, "Dockerfile", Kind.DOCKERFILE, "DL3002", Severity.LOW),
    "bandit": (bandit, of_bandit, "a.py", Kind.CODE, "B614", Severity.HIGH),
    "compose-lint": (compose_lint, of_compose, "compose.yml", Kind.IAC, "CL-0001", Severity.HIGH),
    "checkov": (checkov, of_checkov, "main.tf", Kind.IAC, "CKV_AWS_17", Severity.HIGH),
    "semgrep": (semgrep, of_semgrep, "a.py", Kind.CODE, "request-to-sql", Severity.HIGH),
    "tflint": (tflint, of_tflint, "main.tf", Kind.IAC, "terraform_module_pinned_source", Severity.MEDIUM),
    "gitleaks": (gitleaks, of_gitleaks, "a.py", Kind.CODE, "private-key", Severity.HIGH),
    "trivy": (trivy, of_trivy, "main.tf", Kind.IAC, "AVD-AWS-0180", Severity.HIGH),
}
SILENT = {"gitleaks", "trivy"}  # they do not tell which files they could not read
each = pytest.mark.parametrize("name", sorted(TOOLS))


@pytest.fixture
def ask(tmp_path):
    """Ask a tool that prints what it is told to print, about one file."""

    def asked(name, printed, code=0, body="", timeout=300.0):
        module, _, file, kind, _, _ = TOOLS[name]
        program, output = tmp_path / name, tmp_path / "printed"
        output.write_text(printed)
        program.write_text(
            f"#!{sys.executable}\nimport sys, time\n{body}\nsys.stdout.write(open({str(output)!r}).read())\n"
            f"sys.exit({code})\n"
        )
        program.chmod(0o755)
        path = tmp_path / "given"
        path.write_text("anything\n" * 400)
        artifact = Artifact(file, kind, "sha256:" + "0" * 64, 9, path=path)
        context = Context(tmp_path, {}, tools=Toolbox({name: str(program)}))
        return list(_wrapped.ask((artifact,), context, replace(module.WRAPPED, timeout=timeout)))

    return asked


def rows(name, *lines):
    module, write, file, _, ident, _ = TOOLS[name]
    known = module.WRAPPED.known
    return write([(f"known/{known.name}", known.ident, 1), *((f"d000000/{file}", ident, line) for line in lines)])


@each
def test_nothing_found_is_nothing_found(ask, name):
    assert ask(name, rows(name)) == []


@each
def test_one_finding_keeps_place_severity_and_weakness(ask, name):
    module, _, file, _, ident, severity = TOOLS[name]
    (found,) = ask(name, rows(name, 7))
    assert isinstance(found, Finding)
    assert (found.artifact.uri, found.location.line, found.witnesses) == (file, 7, (name,))
    assert found.rule == module.RULES[ident if name != "gitleaks" else "secret-private-key"]
    assert found.severity is severity
    assert any(item.startswith("CWE-") for item in found.rule.taxonomy)
    assert ident in found.message


@each
def test_many_findings_are_all_told(ask, name):
    assert [one.location.line for one in ask(name, rows(name, *range(1, 301)))] == list(range(1, 301))


@each
def test_what_has_no_rule_of_ours_is_told_all_the_same(ask, name):
    module, write, file, _, _, _ = TOOLS[name]
    known = module.WRAPPED.known
    printed = write([(f"known/{known.name}", known.ident, 1), (f"d000000/{file}", "NEW-1", 2)])
    (found,) = ask(name, printed.replace("502", "0"))
    assert found.rule == module.RULES["other"]
    assert "NEW-1" in found.message


@each
@pytest.mark.parametrize("cut", [1, 20, 0.5])
def test_a_truncated_report_is_a_failure(ask, name, cut):
    whole = rows(name, 1, 2, 3)
    with pytest.raises(ToolFailed):
        ask(name, whole[: int(len(whole) * cut)] if cut < 1 else whole[:-cut])


@each
@pytest.mark.parametrize(
    "printed", ["", "no such option\n", "null", "[]", "{}", "[1]", '{"results": 7}',
                '{"findings": null, "errors": []}',
                "[" * 100_000,
                '{"errors": [], "results": [], "metrics": {}, "paths": {"scanned": []}, "findings": []}'],
)  # fmt: skip
def test_garbage_and_empty_reports_are_failures(ask, name, printed):
    with pytest.raises(ToolFailed):
        ask(name, printed)


@each
def test_a_report_that_is_silent_about_the_known_bad_file_is_not_believed(ask, name):
    _, write, file, _, ident, _ = TOOLS[name]
    with pytest.raises(ToolFailed, match="known-bad"):
        ask(name, write([(f"d000000/{file}", ident, 1)]))


@each
def test_a_report_about_other_files_is_not_believed(ask, name):
    module, write, _, _, ident, _ = TOOLS[name]
    known = module.WRAPPED.known
    with pytest.raises(ToolFailed, match="not about the given files"):
        ask(name, write([(f"known/{known.name}", known.ident, 1), ("d000000/../../etc/passwd", ident, 1)]))


@pytest.mark.parametrize("name", sorted(set(TOOLS) - SILENT))
def test_a_file_that_it_could_not_read_is_skipped_and_never_clean(ask, name):
    module, write, file, _, _, _ = TOOLS[name]
    known = module.WRAPPED.known
    (skipped,) = ask(name, write([(f"known/{known.name}", known.ident, 1)], errors=[f"d000000/{file}"]))
    assert isinstance(skipped, Skipped)
    assert skipped.artifact.uri == file
    assert skipped.code == "unread"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (
            "compose-lint",
            lambda r: {**r, "errors": [{"file": "", "message": "cannot read its settings", "kind": "run"}]},
        ),
        ("tflint", lambda r: {**r, "errors": [{"message": "no such plugin", "severity": "error"}]}),
        ("semgrep", lambda r: {**r, "errors": [{"type": "RuleParseError", "message": "a rule is broken"}]}),
        ("checkov", lambda r: {**r, "summary": {"failed": 9, "skipped": 0}}),
        ("semgrep", lambda r: {**r, "paths": {"scanned": ["known/known.py"]}}),
        ("bandit", lambda r: {**r, "metrics": {"./known/known.py": {}, "_totals": {}}}),
    ],
)
def test_an_error_inside_of_a_report_with_exit_code_0_is_seen(ask, name, change):
    printed = json.dumps(change(json.loads(rows(name))))
    try:
        results = ask(name, printed)
    except ToolFailed:
        return
    assert [type(one) for one in results] == [Skipped]


@each
def test_a_tool_that_hangs_or_crashes_is_a_failure(ask, name):
    with pytest.raises(ToolFailed, match="still running"):
        ask(name, rows(name), body="time.sleep(60)", timeout=0.5)
    with pytest.raises(ToolFailed, match="exit status 70"):
        ask(name, rows(name), code=70)
    with pytest.raises(ToolFailed):
        ask(name, rows(name), body="import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")


@pytest.fixture
def many(tmp_path):
    """Ask a bandit that reports every file, and dies of one with `CRASH` in it, about files of these contents."""
    program = tmp_path / "bandit"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "names = sys.argv[sys.argv.index('--') + 1:]\n"
        f"open({str(tmp_path / 'runs')!r}, 'a').write(f'{{len(names)}}\\n')\n"
        "texts = [pathlib.Path(name).read_text() for name in names]\n"
        "if any('CRASH' in text for text in texts):\n    print('{\"errors\": [', flush=True)\n    os.abort()\n"
        "if 'GARBAGE' in ''.join(texts):\n    sys.exit('a traceback')\n"
        "if sum('HALF' in text for text in texts) > 1:\n    sys.exit(70)\n"
        "print(json.dumps({'errors': [], 'metrics': dict.fromkeys(names, {}), 'results': [\n"
        "    {'filename': name, 'test_id': 'B301', 'issue_text': 'm', 'line_number': 1, 'line_range': [1],\n"
        "     'issue_severity': 'HIGH', 'issue_confidence': 'LOW', 'issue_cwe': {'id': 502}} for name in names]}))\n"
    )
    program.chmod(0o755)

    def asked(*texts):
        artifacts = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.py"
            path.write_text(text)
            artifacts.append(Artifact(f"a{number % 3}/{number}.py", Kind.CODE, "sha256:" + "0" * 64, 9, path=path))
        context = Context(tmp_path, {}, tools=Toolbox({"bandit": str(program)}))
        results = list(_wrapped.ask(artifacts, context, bandit.WRAPPED))
        found = {int(one.artifact.uri[3:-3]) for one in results if isinstance(one, Finding)}
        skipped = {int(one.artifact.uri[3:-3]): one for one in results if isinstance(one, Skipped)}
        return found, skipped, (tmp_path / "runs").read_text().split()

    return asked


@pytest.mark.parametrize("word", ["CRASH", "GARBAGE"])
@pytest.mark.parametrize(("count", "bad"), [(40, {7}), (40, {0}), (40, {39}), (40, {3, 4, 31}), (2, {0, 1}), (1, {0})])
def test_a_file_that_crashes_the_tool_hides_no_other(many, count, bad, word):
    found, skipped, runs = many(*(word if n in bad else "x = 1\n" for n in range(count)))
    assert set(skipped) == bad
    assert {one.code for one in skipped.values()} == {"unread"}
    assert all("bandit failed on the file" in one.reason for one in skipped.values())
    assert len(found) + len(bad) == count
    assert not found & bad
    assert len(runs) <= 3 + 12 * len(bad)


def test_files_that_it_only_fails_on_together_are_a_failure_and_not_clean(many):
    with pytest.raises(ToolFailed, match="exit status 70"):
        many("x", "HALF", "x", "HALF", "x", "x")


def test_a_tool_that_fails_too_often_leaves_what_it_was_not_asked_about_unread(many, monkeypatch):
    monkeypatch.setattr(_culprits, "_RUNS", 6)
    found, skipped, runs = many(*("CRASH" if n % 2 else "x" for n in range(64)))
    assert found | set(skipped) == set(range(64))
    assert set(range(1, 64, 2)) <= set(skipped)
    assert any("too often" in one.reason for one in skipped.values())
    assert len(runs) <= 9


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=4))))
def test_the_culprits_are_found_whatever_they_are(drawn):
    count, bad = drawn
    names = [str(number) for number in range(count)]

    def attempt(some, timeout):
        assert 0 < timeout <= 300
        if bad & {int(name) for name in some}:
            raise ToolFailed("t", "died")
        return tuple(some)

    answer, refused = _culprits.sift(names, attempt, 300.0, lambda: False)
    assert {int(name) for name in refused} == bad
    assert list(answer) == [name for name in names if int(name) not in bad]


def test_a_run_that_is_over_looks_for_no_culprit():
    asked = []

    def attempt(some, timeout):
        asked.append(some)
        raise ToolFailed("t", "stopped")

    with pytest.raises(ToolFailed):
        _culprits.sift(["a", "b"], attempt, 300.0, lambda: True)
    assert asked == [["a", "b"]]


@each
@pytest.mark.parametrize(("version", "word"), [("0.0.1", "is version 0.0.1"), ("", "does not tell its version")])
def test_a_wrong_version_is_told_and_fails_where_it_is_required(tmp_path, monkeypatch, name, version, word):
    _, _, file, _, _, _ = TOOLS[name]
    place, beside = tmp_path / "w", tmp_path / "bin"
    place.mkdir()
    beside.mkdir()
    (place / file).write_text("import os\n")
    (beside / name).write_text(f"#!/bin/sh\necho '{name} {version}'\n")
    (beside / name).chmod(0o755)
    monkeypatch.setattr(command, "sys", SimpleNamespace(executable=str(tmp_path / "none" / "python")))
    monkeypatch.setenv("PATH", str(beside))
    assert word in outcome_of(name, place, Settings(), Outcome.NOT_APPLICABLE)
    required = replace(Settings(), checks={name: {"required": True}})
    assert word in outcome_of(name, place, required, Outcome.UNAVAILABLE)
    (beside / name).unlink()
    assert "is not installed" in outcome_of(name, place, Settings(), Outcome.NOT_APPLICABLE)
    assert "is not installed" in outcome_of(name, place, required, Outcome.UNAVAILABLE)
    named = replace(Settings(), tools={name: str(beside / name)})
    assert "no program" in outcome_of(name, place, named, Outcome.UNAVAILABLE)


def outcome_of(name, place, settings, wanted):
    with CheckRunner(settings, place, Cache(None), Events()) as runner:
        (result,) = runner.run((registry()[name],), discover(place))
    assert result.outcome is wanted, result.note
    return result.note


def test_names_of_files_cannot_lead_out_or_become_options(tmp_path):
    folders, given = {}, {}
    for uri in (
        "../../x",
        "-rf",
        "a/--config=x",
        "a/.hidden",
        "a/b%0Ac.py",
        "a/ok.py",
        "a/OK.py",
        "b/ok.py",
        "a" * 300,
    ):
        name = _wrapped._name(uri, folders, given)
        given[name] = uri
        folder, _, last = name.partition("/")
        assert folder in folders.values()
        assert _wrapped._PLAIN.fullmatch(last), name
        assert not last.startswith(("-", "."))
    assert len(given) == 9


# --- the real ones, where they are installed -------------------------------------------------------------------------


def really(name, tmp_path):
    """The tool's own word about the folder. Skips where it is not installed."""
    settings = Settings()
    with CheckRunner(settings, tmp_path, Cache(None), Events()) as runner:
        (result,) = runner.run((registry()[name],), discover(tmp_path))
    if result.note.startswith("is not installed"):
        pytest.skip(result.note)
    assert result.outcome in (Outcome.RAN, Outcome.PARTIAL), result.note
    return result


@pytest.fixture
def users_tools(monkeypatch):
    """The tools that are installed for the user who runs the tests, which each test otherwise does not see."""
    import os

    monkeypatch.delenv("XDG_DATA_HOME")
    if given := os.environ.get("SHIPWORTHY_TEST_DATA"):
        monkeypatch.setenv("XDG_DATA_HOME", given)


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_hadolint_is_not_silenced_by_the_file(tmp_path):
    text = "# hadolint global ignore=DL3007\nFROM debian:latest\n# hadolint ignore=DL3004\nRUN sudo id\n"
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3007, DL3004]\n")
    result = really("hadolint", tmp_path)
    assert {one.rule.id for one in result.findings} >= {"hadolint-dockerfile-base-latest", "hadolint-dockerfile-sudo"}


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_bandit_becomes_a_witness_of_our_finding(tmp_path):
    (tmp_path / "a.py").write_text("import pickle\n\nx = pickle.load(open('a', 'rb'))  # nosec\n")
    (tmp_path / "bad.py").write_text("def (\n")
    theirs = really("bandit", tmp_path)
    assert [one.artifact.uri for one in theirs.skipped] == ["bad.py"]
    with CheckRunner(Settings(), tmp_path, Cache(None), Events()) as runner:
        ours = runner.run((registry()["python-ml"],), discover(tmp_path))
    one, other = join_results([*ours, theirs])
    (joined,) = [finding for finding in one.findings if finding.rule.id == "pickle-load"]
    assert joined.witnesses == ("shipworthy", "bandit")
    assert not [finding for finding in other.findings if finding.location.line == 3]


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_compose_lint_tells_no_secret_and_hides_no_file(tmp_path):
    (tmp_path / "compose.yml").write_text(
        "services:\n  a:\n    image: x:1\n    environment:\n      PASSWORD: hunter2abc\n"
    )
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "compose.yml").write_text("services: [\n")
    result = really("compose-lint", tmp_path)
    assert "compose-lint-container-secret-literal" in {one.rule.id for one in result.findings}
    assert "hunter2" not in repr(result)
    assert [one.artifact.uri for one in result.skipped] == ["bad/compose.yml"]


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_checkov_is_not_silenced_by_the_file(tmp_path):
    (tmp_path / "main.tf").write_text(
        'resource "aws_s3_bucket" "b" {\n  #checkov:skip=CKV_AWS_20:fine\n  acl = "public-read"\n}\n'
    )
    (tmp_path / "broken.tf").write_text('resource "a" {{{\n')
    (tmp_path / ".checkov.yaml").write_text("skip-check: [CKV_AWS_20]\n")
    result = really("checkov", tmp_path)
    (found,) = [one for one in result.findings if one.rule.id == "checkov-cloud-storage-public"]
    assert found.artifact.uri == "main.tf"
    assert "aws_s3_bucket.b" in found.message
    assert [one.artifact.uri for one in result.skipped] == ["broken.tf"]


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_semgrep_follows_requests_to_dangerous_places(tmp_path):
    (tmp_path / "web.py").write_text(
        "import os, pickle, requests\nfrom flask import request, send_file\n\n\ndef a(db):\n    q = request.args['q']\n"
        "    db.execute(\"select * from t where a='%s'\" % q)  # nosem\n    os.system('ls ' + q)\n"
        "    pickle.loads(request.data)\n    requests.get(q)\n    eval(q)\n    return send_file(q)\n\n\ndef fine(db):\n"
        "    n = int(request.args['n'])\n    open(f'/data/{n}')\n    db.execute('select ?', (request.args['q'],))\n"
    )
    (tmp_path / "web.ts").write_text(
        "const cp = require('child_process');\napp.get('/', (req, res) => {\n  cp.exec('ls ' + req.query.a);\n"
        "  db.query('select ' + req.body.x);\n  db.query('select ?', [req.body.x]);\n});\n"
    )
    found = {(one.artifact.uri, one.location.line, one.rule.id) for one in really("semgrep", tmp_path).findings}
    assert found == {
        ("web.py", 7, "semgrep-request-to-sql"), ("web.py", 8, "semgrep-request-to-command"),
        ("web.py", 9, "semgrep-request-to-object"), ("web.py", 10, "semgrep-request-to-address"),
        ("web.py", 11, "semgrep-request-to-code"), ("web.py", 12, "semgrep-request-to-path"),
        ("web.ts", 3, "semgrep-request-to-command"), ("web.ts", 4, "semgrep-request-to-sql"),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_gitleaks_is_not_silenced_and_tells_no_secret(tmp_path):
    from shipworthy.checks.secrets.files import sample_token

    (tmp_path / "a.py").write_bytes(sample_token().rstrip() + b"  # gitleaks:allow\n")
    (tmp_path / ".gitleaks.toml").write_text("[allowlist]\npaths = ['.*']\n")
    (tmp_path / ".gitleaksignore").write_text("a.py:slack-bot-token:1\n")
    result = really("gitleaks", tmp_path)
    assert [(one.artifact.uri, one.location.line, one.rule.id) for one in result.findings] == [
        ("a.py", 1, "gitleaks-token")
    ]
    assert "752174888515" not in repr(result)


@pytest.mark.slow
@pytest.mark.usefixtures("users_tools")
def test_the_real_trivy_is_not_silenced_by_the_file(tmp_path):
    (tmp_path / "main.tf").write_text(
        '#trivy:ignore:AVD-AWS-0092\nresource "aws_s3_bucket" "b" {\n  acl = "public-read" #tfsec:ignore:*\n}\n'
    )
    (tmp_path / ".trivyignore").write_text("AVD-AWS-0092\n")
    result = really("trivy", tmp_path)
    assert ("main.tf", 3, "trivy-cloud-storage-public") in {
        (one.artifact.uri, one.location.line, one.rule.id) for one in result.findings
    }
