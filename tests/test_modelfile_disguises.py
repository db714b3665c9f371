"""Files that are named as models and are none: pages, pointers; and payloads behind or beside what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

import booster_samples as make
from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity, Skipped
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes

NET = '<net name="x" version="11"><layers><layer id="0" name="a" type="Evil" version="extension"/></layers></net>'
CHECKS = [
    load_check(f"shipworthy.checks.models.{module}", name)
    for module, name in (("model_file", "model-file"), ("model_text", "model-text"), ("archive", "model-archive"))
]


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def said(folder: Path) -> list[Finding | Skipped]:
    """What the checks of models say of a folder."""
    context = Context(folder)
    return [
        item
        for artifact in discover(folder).artifacts
        for check in CHECKS
        if check.looks_at(artifact)
        for item in check.call(artifact, context)
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "doctype", ["<!DOCTYPE net>", "<!DOCTYPE html>", "<!DOCTYPE\nnet >", "<!DOCTYPE html><!--<p>-->"]
)
def test_xml_is_judged_behind_a_document_type(doctype: str, encoding: str, tmp_path: Path) -> None:
    raw = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{NET}'.encode(encoding)
    assert codes(scan_bytes(raw)) == {Code.CONTAINER_TAMPERED, Code.CUSTOM_OPERATOR}
    (tmp_path / "m.xml").write_bytes(raw)
    assert any(isinstance(item, Finding) and item.severity >= Severity.HIGH for item in said(tmp_path))


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE net SYSTEM "http://example.com/x.dtd">',
        '<!DOCTYPE html SYSTEM "http://example.com/x.dtd">',
        "<!DOCTYPE net [<!ELEMENT net ANY>]>",
        '<!DOCTYPE html [<!ENTITY p "<p>">]><!-- <p> -->',
    ],
)
def test_xml_that_is_not_read_is_never_passed(doctype: str) -> None:
    report = scan_bytes(f"{doctype}{NET}".encode())
    assert report.worst == "high"
    assert any("read only up to" in reason for reason in report.unknowns)


def test_a_plain_document_type_is_no_more_than_odd() -> None:
    report = scan_bytes(make.pmml("", "<!DOCTYPE PMML>"))
    assert report.worst == "medium"
    assert not any("read only up to" in reason for reason in report.unknowns)


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please log in</body></html>",
        '<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>List</title></head></html>',
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd"><html><head></html>',
        "\ufeff<!-- made by a proxy -->\n<HTML lang=en><body>",
        "<html><head><title>403</title></head><body><h1>Forbidden</h1><hr></body></html>",
        "<h1>Not Found</h1>",
        "<!doctype html><p>Hello",
    ],
)
def test_a_page_is_no_model(page: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text(page, encoding="utf-8")
    report = scan(tmp_path / "model.safetensors")
    assert report.verdict is Verdict.UNKNOWN
    assert "it is an HTML page, not a model" in report.unknowns[0]
    assert [item for item in said(tmp_path) if isinstance(item, Skipped)]
    (tmp_path / "model.safetensors").rename(tmp_path / "page.html")
    assert not said(tmp_path)


def test_other_xml_is_no_page() -> None:
    svg = scan_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"><title>x</title><style/></svg>')
    assert svg.unknowns == ("this version does not judge XML whose root is svg",)
    error = scan_bytes(b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')
    assert "the error of a store" in error.unknowns[0]
