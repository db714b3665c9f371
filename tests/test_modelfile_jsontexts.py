"""What JSON carries: files in base64 in its texts, and specs of arrays that lie somewhere else."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity
from shipworthy.modelfile import Verdict, scan_bytes

EVIL = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R."
PLAIN = b"\x80\x04]\x94(K\x01K\x02e."
PROGRAM = b"\x7fELF\2\1\1" + bytes(200)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def loud(folder: Path, name: str, value: object) -> set[str]:
    """The rules of high findings that the checks of texts and configurations have of a file."""
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    (artifact,) = discover(folder / name).artifacts
    found = set()
    for module, title in (("model_text", "model-text"), ("model_config", "model-config")):
        check = load_check(f"shipworthy.checks.models.{module}", title)
        if check.looks_at(artifact):
            heard = [item for item in check.call(artifact, Context(folder)) if isinstance(item, Finding)]
            found |= {item.rule.id for item in heard if item.severity >= Severity.HIGH}
    return found


@pytest.mark.parametrize("name", ["model.json", "config.json"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"model": encoded(EVIL)}, "model-code-execution"),
        ([[{"a": {"b": [base64.urlsafe_b64encode(EVIL).decode()]}}]], "model-code-execution"),
        ({"model_type": "bert", "state": encoded(EVIL)}, "model-code-execution"),
        (
            {
                "class_name": "Sequential",
                "config": {"name": "s", "layers": []},
                "keras_version": "2.15.0",
                "note": encoded(EVIL),
            },
            "model-code-execution",
        ),
        ({"model": EVIL.hex()}, "model-code-execution"),
        ({"model": "!".join(encoded(EVIL))}, "model-code-execution"),
        ({"model": " ".join(encoded(b"cos\nsystem\n(S'id'\ntR."))}, "model-code-execution"),
        ([{"model": "!".join(encoded(EVIL))}, *(["a few words"] * 99_999)], "model-code-execution"),
        ({"model": encoded(zlib.compress(EVIL))}, "model-code-execution"),
        ({"model": "data:application/octet-stream;base64," + encoded(EVIL)}, "model-code-execution"),
        (json.dumps({"model": encoded(EVIL * 9)}).replace("/", "\\/").replace("A", "\\u0041"), "model-code-execution"),
        ({"model": encoded(PROGRAM)}, "model-foreign-content"),
    ],
)
def test_a_file_in_a_text_of_json_is_read(tmp_path: Path, name: str, value: object, rule: str) -> None:
    assert rule in loud(tmp_path, name, value)


def test_texts_that_only_look_like_base64_are_left_alone(tmp_path: Path) -> None:
    hashes = {str(n): hashlib.sha256(str(n).encode()).hexdigest() for n in range(20_000)}
    texts = [encoded(hashlib.sha512(str(n).encode()).digest()) for n in range(20_000)]
    assert not loud(
        tmp_path, "a.json", {"hashes": hashes, "texts": [*texts, " " * 40, "=" * 40], "model": encoded(PLAIN)}
    )


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"driver": "zarr", "kvstore": {"driver": "http", "base_url": "http://a.example/"}}, "model-external-data"),
        ({"driver": "n5", "kvstore": {"driver": "s3", "bucket": "b", "path": "x/"}}, "model-external-data"),
        ({"driver": "zarr3", "kvstore": "gs://bucket/x"}, "model-external-data"),
        ({"kvstore": "https://a.example/x.zip|zip:a/|zarr3:"}, "model-external-data"),
        ({"driver": "zarr", "kvstore": {"driver": "ocdbt", "base": "gs://bucket/x"}}, "model-external-data"),
        (
            {"driver": "stack", "layers": [{"driver": "zarr", "kvstore": {"driver": "gcs", "bucket": "b"}}]},
            "model-external-data",
        ),
        ({"driver": "json", "kvstore": {"driver": "file", "path": "/etc/passwd"}}, "model-path-traversal"),
        ({"driver": "zarr", "kvstore": {"driver": "file", "path": "../../x"}}, "model-path-traversal"),
        ({"driver": "zarr", "kvstore": "file:///etc/passwd"}, "model-path-traversal"),
        ({"driver": "cast", "dtype": "int8", "base": {"driver": "zarr", "kvstore": "s3://b/x"}}, "model-external-data"),
    ],
)
def test_a_spec_that_reaches_elsewhere_is_found(tmp_path: Path, spec: object, rule: str) -> None:
    assert loud(tmp_path, "spec.json", spec) == {rule}


@pytest.mark.parametrize(
    "spec",
    [
        {"driver": "zarr", "kvstore": {"driver": "file", "path": "params/"}, "metadata": {"shape": [2]}},
        {"driver": "array", "dtype": "int8", "array": [1, 2]},
        {"driver": "zarr", "kvstore": "memory://x/"},
        {"driver": "bridge", "base": {"name": "docker0"}},
        {"driver": "s3", "bucket": "logs", "retention": 30},
    ],
)
def test_other_specs_are_left_alone(tmp_path: Path, spec: object) -> None:
    assert not loud(tmp_path, "spec.json", spec)
    assert not scan_bytes(json.dumps(spec).encode()).issues


def test_names_of_classes_by_their_numbers() -> None:
    """TorchServe's `index_to_name.json`, which lies in an archive without a word of the model."""
    for names in ({"0": "cat", "1": "dog"}, {"0": ["n01440764", "tench"]}):
        report = scan_bytes(json.dumps(names).encode())
        assert (report.verdict, report.issues, report.unknowns) == (Verdict.CLEAN, (), ())
    for other in ({"0": "cat", "run": "dog"}, {"0": {"class_name": "Lambda"}}, {"0": "x" * 300}):
        assert scan_bytes(json.dumps(other).encode()).verdict is not Verdict.CLEAN
    told = scan_bytes(b'{"0": "{{ cycler.__init__.__globals__.os.popen(1) }}", "0": {"_target_": "os.system"}}')
    assert told.verdict is not Verdict.CLEAN
