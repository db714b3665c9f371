"""Plans of Terraform are held against features; a feature that was not carried out is never clean."""

from __future__ import annotations

import json
import os
import sys

import pytest

from shipworthy.check import Context, NotApplicable, Skipped
from shipworthy.checks.external import terraform_compliance
from shipworthy.checks.external._plan import PLAN_NAME, NoPlan, addresses
from shipworthy.model import Artifact, Finding, Kind, Severity
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing

FEATURE = """Feature: our rules
  @severity-high
  Scenario: Inputs have names
    Given I have terraform_data defined
    Then it must contain names

  Scenario: Inputs are there
    Given I have terraform_data defined
    Then it must contain input
"""


def resource(kind, name, **values):
    return {
        "address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "schema_version": 0,
        "provider_name": "registry.terraform.io/hashicorp/aws", "values": values, "sensitive_values": {},
    }  # fmt: skip


def plan(*resources):
    return json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "planned_values": {"root_module": {"resources": resources}},
            "resource_changes": [],
            "configuration": {"root_module": {}},
        }
    )


DATA = plan(resource("terraform_data", "a", input="hunter2hunter2"), resource("terraform_data", "b", input="x"))


def given(folder, files):
    artifacts = []
    for number, (uri, text) in enumerate(files.items()):
        path = folder / f"given{number}"
        path.write_text(text)
        artifacts.append(Artifact(uri, Kind.TEXT, "sha256:" + "0" * 64, path.stat().st_size, path=path))
    return tuple(artifacts)


def step(status, said="", line=5):
    result = {"status": status, "duration": 1, **({"error_message": said} if said else {})}
    return {"name": "Then it must contain names", "line": line, "keyword": "Then", "result": result}


def report(name, *steps, tags=("@severity-high",)):
    scenario = {"name": "s", "line": 3, "tags": [{"name": tag, "line": 2} for tag in tags], "steps": list(steps)}
    return {"uri": f"/somewhere/features/{name}", "name": "f", "elements": [scenario]}


KNOWN = [report("known.feature", step("failed", "terraform_data.known (terraform_data) does not have tags property."))]


@pytest.fixture
def ask(tmp_path):
    """Ask a program that answers the known plan as it should, and writes what it is told about the others."""

    def asked(written, code=1, known=KNOWN, body="", files=None, options=None):
        program = tmp_path / "terraform-compliance"
        (tmp_path / "known").write_text(json.dumps(known))
        (tmp_path / "written").write_text(written if isinstance(written, str) else json.dumps(written))
        program.write_text(
            f"#!{sys.executable}\nimport os, shutil, sys, time\n"
            "known = os.listdir('features') == ['known.feature']\n"
            f"if not known:\n    {body or 'pass'}\n"
            f"shutil.copy({str(tmp_path / 'known')!r} if known else {str(tmp_path / 'written')!r}, 'report.json')\n"
            f"sys.exit(1 if known else {code})\n"
        )
        program.chmod(0o755)
        files = {"rules/a.feature": FEATURE, "tfplan.json": DATA} if files is None else files
        context = Context(
            tmp_path, options or {"own-features": False}, tools=Toolbox({"terraform-compliance": str(program)})
        )
        return list(terraform_compliance.scan(given(tmp_path, files), context))

    return asked


def lines(*said):
    return "\n\t  \x1b[1m\x1b[31mFailure\x1b[22m\x1b[39m\x1b[26m  ".join(
        f"\x1b[31m{one}\x1b[39m\x1b[26m" for one in said
    )


def test_none_one_and_many(ask):
    assert ask([report("f0000.feature", step("passed"))], code=0) == []
    (found,) = ask([report("f0000.feature", step("failed", "terraform_data.a (terraform_data) does not have names."))])
    assert (found.artifact.uri, found.location.field, found.severity) == (
        "tfplan.json", "terraform_data.a", Severity.HIGH,
    )  # fmt: skip
    assert found.rule.id == "terraform-compliance-scenario"
    assert "rules/a.feature:5" in found.message
    assert any(item.startswith("CWE-") for item in found.rule.taxonomy)
    said = lines("terraform_data.a (terraform_data) does not have names", "x in terraform_data.b resource is 1.")
    results = ask([report("f0000.feature", *[step("failed", said, line) for line in range(1, 101)])])
    assert len(results) == 200
    assert {one.location.field for one in results} == {"terraform_data.a", "terraform_data.b"}


def test_values_of_the_plan_are_not_told(ask):
    (found,) = ask([report("f0000.feature", step("failed", "input is set to hunter2hunter2 in terraform_data.a."))])
    assert "hunter2" not in repr(found)
    (found,) = ask([report("f0000.feature", step("failed", "hunter2hunter2 is wrong"))])
    assert found.location.field == "the plan"
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "written",
    ["", "null", "[]", "{}", "[1]", '[{"uri": "f0000.feature"}]', "[" * 100_000, '[{"uri": "f0000.feature", "elements"',
     json.dumps([report("other.feature", step("passed"))]),
     json.dumps([report("f0000.feature", step("passed")), report("x.feature", step("passed"))]),
     json.dumps([report("f0000.feature", step("failed"))])],
)  # fmt: skip
def test_truncated_reports_garbage_and_reports_of_other_features_are_no_silence(ask, written):
    (skipped,) = ask(written)
    assert isinstance(skipped, Skipped)
    assert (skipped.artifact.uri, skipped.code) == ("tfplan.json", "unread")


@pytest.mark.parametrize("status", ["untested", "undefined", "pending", "new"])
def test_a_step_that_was_not_carried_out_leaves_the_feature_unread(ask, status):
    (skipped,) = ask([report("f0000.feature", step("passed"), step(status))], code=0)
    assert skipped.artifact.uri == "rules/a.feature"
    assert status in skipped.reason
    empty = {**report("f0000.feature"), "elements": []}
    assert [one.reason for one in ask([empty], code=0)] == [
        "terraform-compliance failed on the file: it has no scenario"
    ]


@pytest.mark.parametrize("known", [[], [report("known.feature", step("passed"))], "x"])
def test_a_program_that_does_not_see_the_known_bad_plan_is_not_believed(ask, known):
    with pytest.raises(ToolFailed):
        ask([report("f0000.feature", step("passed"))], code=0, known=known)


def test_our_own_features_that_cannot_be_carried_out_are_a_failure(ask):
    with pytest.raises(ToolFailed, match="our features"):
        ask([report("shipworthy.feature", step("undefined"))], code=0, files={"plan.json": DATA},
            options={"own-features": True})  # fmt: skip


@pytest.mark.parametrize("body", ["sys.exit(70)", "os.abort()", "sys.exit(1)"])
def test_a_program_that_crashes_or_writes_nothing_is_never_clean(ask, body):
    (skipped,) = ask([report("f0000.feature", step("passed"))], body=body)
    assert (skipped.artifact.uri, skipped.code) == ("tfplan.json", "unread")


def test_a_program_that_hangs_is_stopped(ask, monkeypatch):
    monkeypatch.setattr(terraform_compliance, "TIMEOUT", 1.0)
    (skipped,) = ask([report("f0000.feature", step("passed"))], body="time.sleep(60)")
    assert "still running" in skipped.reason


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"a.feature": FEATURE}, "no plan"),
        ({"plan.json": '{"steps": []}', "a.feature": FEATURE}, "no plan"),
        ({"plan.json": DATA, "b.feature": "Feature: x\n  Scenario: y\n    Given I have 3 cucumbers\n"}, "no feature"),
    ],
)
def test_where_nothing_is_to_be_held_against_anything_it_is_said(ask, files, word):
    with pytest.raises(NotApplicable, match=word):
        ask([], files=files)


@pytest.mark.parametrize("name", ["plan.json", "a/tfplan.json", "prod.tfplan.json", "plan.out.json", "my-plan.json"])
def test_plans_are_known_by_their_names_and_what_is_in_them(name):
    assert PLAN_NAME.match(name)
    assert not PLAN_NAME.match("explanation.json")
    nested = json.loads(DATA)
    nested["planned_values"]["root_module"] = {"child_modules": [{"resources": [{"address": "module.m.a.b"}]}]}
    assert addresses(json.dumps(nested).encode()) == {"module.m.a.b"}
    for other in (b"", b"[]", b'{"terraform_version": 1}', b'{"terraform_version": "1"}', b"[" * 100_000):
        with pytest.raises(NoPlan):
            addresses(other)


# --- the real one, where it is installed -----------------------------------------------------------------------------


@pytest.fixture
def really(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME")
    if data := os.environ.get("SHIPWORTHY_TEST_DATA"):
        monkeypatch.setenv("XDG_DATA_HOME", data)
    context = Context(tmp_path, {})
    try:
        context.tools.version(terraform_compliance.PROGRAM)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    return lambda files: list(terraform_compliance.scan(given(tmp_path, files), context))


@pytest.mark.slow
def test_the_real_one_holds_plans_against_the_projects_features(really):
    wrong = "Feature: w\n  Scenario: s\n    Given I have terraform_data defined\n    Then it must frobnicate\n"
    broken = "hello\n    Given I have terraform_data defined\n"
    results = really({"tfplan.json": DATA, "a.feature": FEATURE, "wrong.feature": wrong, "broken.feature": broken})
    found = [one for one in results if isinstance(one, Finding)]
    assert {(one.location.field, one.severity, one.rule.id) for one in found} == {
        (f"terraform_data.{name}", Severity.HIGH, "terraform-compliance-scenario") for name in "ab"
    }
    assert {one.artifact.uri for one in results if isinstance(one, Skipped)} == {"wrong.feature", "broken.feature"}
    assert "hunter2" not in repr(results)


@pytest.mark.slow
def test_the_real_one_holds_plans_against_our_features(really):
    def group(name, block, port):
        rule = {"cidr_blocks": [block], "from_port": port, "to_port": port, "protocol": "tcp", "self": False}
        return resource("aws_security_group", name, ingress=[rule])

    rows = (
        resource("aws_s3_bucket", "open", acl="public-read"), resource("aws_s3_bucket", "shut", acl="private"),
        resource("aws_s3_bucket", "none"), resource("aws_s3_bucket_acl", "open", acl="public-read-write"),
        resource("aws_ebs_volume", "plain", encrypted=False), resource("aws_ebs_volume", "none"),
        resource("aws_ebs_volume", "good", encrypted=True),
        resource("aws_db_instance", "bad", storage_encrypted=False, publicly_accessible=True, password="hunter2hunter"),
        resource("aws_db_instance", "good", storage_encrypted=True, publicly_accessible=False),
        group("open", "0.0.0.0/0", 22), group("web", "0.0.0.0/0", 443), group("inside", "10.0.0.0/8", 22),
    )  # fmt: skip
    results = really({"plan.json": plan(*rows)})
    assert {(one.location.field, one.rule.id.removeprefix("terraform-compliance-cloud-")) for one in results} == {
        ("aws_s3_bucket.open", "storage-public"), ("aws_s3_bucket_acl.open", "storage-public"),
        ("aws_ebs_volume.plain", "unencrypted"), ("aws_ebs_volume.none", "unencrypted"),
        ("aws_db_instance.bad", "unencrypted"), ("aws_db_instance.bad", "database-public"),
        ("aws_security_group.open", "network-open"),
    }  # fmt: skip
    assert "hunter2" not in repr(results)
