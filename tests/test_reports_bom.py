"""The bill of materials: valid, resolvable, deterministic, and honest about what it does not know."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import sample_runs as sample
from shipworthy.errors import UsageError
from shipworthy.model import Disposition, Run
from shipworthy.reports import render
from shipworthy.reports.cyclonedx import dangling, to_dict

CASES = {**sample.ALL, "many": lambda: sample.many(60)}
VERSIONS = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}


def bom(run: Run) -> dict[str, Any]:
    return json.loads(render(run, "cyclonedx"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("spec", VERSIONS)
def test_it_is_strictly_valid_and_every_reference_resolves(spec: str, name: str) -> None:
    text = render(CASES[name](), "cyclonedx", spec=spec)
    assert JsonStrictValidator(VERSIONS[spec]).validate_str(text) is None
    assert dangling(json.loads(text)) == []


def test_the_subject_is_the_model_that_was_made_with_its_digest() -> None:
    component = bom(sample.passing())["metadata"]["component"]
    assert (component["type"], component["name"]) == ("machine-learning-model", sample.MODEL.uri)
    assert component["hashes"] == [{"alg": "SHA-256", "content": sample.MODEL.digest.removeprefix("sha256:")}]
    assert [a["name"] for a in component["pedigree"]["ancestors"]] == [sample.BASE.uri]


def test_the_model_card_has_metrics_with_intervals_data_sets_and_parameters() -> None:
    document = bom(sample.passing())
    card = document["metadata"]["component"]["modelCard"]
    first = card["quantitativeAnalysis"]["performanceMetrics"][0]
    assert first == {
        "type": "accuracy",
        "value": "0.947",
        "confidenceInterval": {"lowerBound": "0.936", "upperBound": "0.957"},
    }
    components = {component["bom-ref"]: component for component in document["components"]}
    used = {components[d["ref"]]["name"]: components[d["ref"]] for d in card["modelParameters"]["datasets"]}
    roles = {name: _property(component, "shipworthy:used-for") for name, component in used.items()}
    assert roles == {sample.TRAIN.uri: "training", sample.TEST.uri: "evaluation"}
    assert used[sample.TRAIN.uri]["hashes"][0]["content"] == sample.TRAIN.digest.removeprefix("sha256:")
    assert {"name": "shipworthy:parameter:learning_rate", "value": "0.0003"} in card["properties"]


def _property(component: dict[str, Any], name: str) -> str:
    return next(p["value"] for p in component["properties"] if p["name"] == name)  # type: ignore[no-any-return]


def test_packages_are_libraries_that_the_model_depends_on() -> None:
    document = bom(sample.passing())
    libraries = [c["purl"] for c in document["components"] if c["type"] == "library"]
    assert "pkg:pypi/scikit-learn@1.6.0" in libraries
    assert document["dependencies"][0] == {"ref": "subject", "dependsOn": sorted(libraries)}


def test_only_known_vulnerabilities_are_vulnerabilities_and_the_rest_is_told_too() -> None:
    run = sample.stopped()
    document = bom(run)
    (entry,) = document["vulnerabilities"]
    assert entry["id"] == "CVE-2024-35195"
    assert entry["ratings"][0]["severity"] == "low"
    texts = " ".join(annotation["text"] for annotation in document["annotations"])
    others = {f.fingerprint for f in run.findings if f.rule.id != "vulnerable-dependency"}
    assert set(re.findall(r"Fingerprint: ([0-9a-f]{32})", texts)) == others


def test_a_known_vulnerability_of_an_image_is_one_too() -> None:
    run = sample.stopped()
    (one,) = [f for f in run.findings if f.rule.id == "vulnerable-dependency"]
    rule = replace(one.rule, id="image-vulnerable-package")
    moved = replace(one, category="images", rule=rule, message="openssl 3.0.1: CVE-2022-3602: a buffer is overrun")
    moved = replace(moved, key="deb openssl CVE-2022-3602")
    stages = tuple(
        replace(
            stage,
            checks=tuple(
                replace(check, findings=(moved,) if one in check.findings else check.findings) for check in stage.checks
            ),
        )
        for stage in run.stages
    )
    document = bom(replace(run, stages=stages))
    assert [entry["id"] for entry in document["vulnerabilities"]] == ["CVE-2022-3602"]


def test_a_vulnerability_that_was_waived_says_by_whom() -> None:
    finding = sample.VULNERABLE.at(sample.REQS, "requests: CVE-2024-35195", field="requests").with_(
        disposition=Disposition.WAIVED, waiver="platform@example.org: not reached"
    )
    stage = sample.stage("scan", 0, checks=(sample.check("known-vulnerabilities", "dependencies", (finding,)),))
    (entry,) = bom(replace(sample.empty(), stages=(stage,)))["vulnerabilities"]
    assert entry["analysis"]["response"] == ["will_not_fix"]
    assert "platform@example.org" in entry["analysis"]["detail"]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    document = bom(sample.coverage_failure())
    aggregates = [composition["aggregate"] for composition in document["compositions"]]
    assert "complete" not in aggregates
    assert aggregates.count("unknown") >= 2
    facts = document["metadata"]["properties"]
    assert any(p["name"] == "shipworthy:not-looked-at" and "model-files" in p["value"] for p in facts)
    assert any(p["name"] == "shipworthy:unknown" and sample.TORN.uri in p["value"] for p in facts)
    assert "hashes" not in document["metadata"]["component"]


def test_the_same_run_gives_the_same_document_and_another_model_another_serial_number() -> None:
    assert render(sample.passing(), "cyclonedx") == render(sample.passing(), "cyclonedx")
    other = replace(sample.MODEL, digest=sample.digest("other"))
    run = sample.passing()
    train = replace(run.stages[4], artifacts=(other,), outputs={other.uri: other.digest})
    changed = replace(run, stages=(*run.stages[:4], train, *run.stages[5:]))
    assert bom(changed)["serialNumber"] != bom(run)["serialNumber"]


def test_a_stage_can_name_the_subject_that_it_signed() -> None:
    run = sample.passing()
    named = {"subject": {"name": "spam", "digest": sample.digest("manifest")}}
    run = replace(run, stages=(*run.stages[:8], replace(run.stages[8], details=named), run.stages[9]))
    component = bom(run)["metadata"]["component"]
    assert component["name"] == "spam"
    assert component["hashes"][0]["content"] == sample.digest("manifest").removeprefix("sha256:")
    assert component["type"] == "machine-learning-model"


def test_dangling_and_doubled_references_are_seen() -> None:
    document = to_dict(sample.passing())
    document["dependencies"][0]["dependsOn"].append("pkg:pypi/nowhere@1")
    assert dangling(document) == ["pkg:pypi/nowhere@1"]
    document = to_dict(sample.passing())
    document["components"].append(document["components"][0])
    assert dangling(document) == [document["components"][0]["bom-ref"]]


def test_a_version_that_is_not_written_here_is_an_error() -> None:
    with pytest.raises(UsageError):
        render(sample.empty(), "cyclonedx", spec="1.4")


def test_datasets_are_listed_with_what_they_hold() -> None:
    components = {component["name"]: component for component in bom(sample.passing())["components"]}
    (data,) = components[sample.TRAIN.uri]["data"]
    told = {one["name"]: one["value"] for one in data["contents"]["properties"]}
    assert told["shipworthy:rows"] == "2400"
    assert told["shipworthy:column:text"] == "text; 10000 or more distinct; 3 missing"
    assert (told["shipworthy:label:ham"], told["shipworthy:label:spam"]) == ("2300", "100")
