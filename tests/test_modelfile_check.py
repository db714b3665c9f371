"""The check: issues become findings of the right rule, what was not read is skipped by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

import modelfile_samples as make
from shipworthy.check import Context, registry
from shipworthy.checks.models import model_file
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped
from shipworthy.modelfile import Code

CHECK = registry()["model-file"]


def examine(tmp_path: Path, data: bytes, trust: tuple[str, ...] = ()) -> list[Finding | Skipped]:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    artifact = Artifact("model.bin", Kind.MODEL, digest, len(data), path=path)
    found: Iterable[Finding | Skipped] = CHECK.call(artifact, Context(tmp_path, trust=trust))
    return list(found)


def findings(items: list[Finding | Skipped]) -> list[Finding]:
    return [item for item in items if isinstance(item, Finding)]


def test_the_canary_fires(tmp_path: Path) -> None:
    assert CHECK.canary is not None
    (content,) = CHECK.canary.files.values()
    assert isinstance(content, bytes)
    (found,) = findings(examine(tmp_path, content))
    assert found.rule.id == CHECK.canary.rule
    assert found.severity is Severity.CRITICAL
    assert found.evidence == "os:system('echo shipworthy canary',)"


def test_a_clean_file_leaves_nothing(tmp_path: Path) -> None:
    assert examine(tmp_path, make.PLAIN) == []


def test_a_finding_says_where_it_is(tmp_path: Path) -> None:
    (found,) = findings(examine(tmp_path, make.torch_zip(make.PLAIN, ("m/constants.pkl", make.EVIL))))
    assert found.location.member == "m/constants.pkl"
    assert found.location.offset is not None


def test_an_unread_format_is_skipped_with_its_reason(tmp_path: Path) -> None:
    (skipped,) = examine(tmp_path, b"FEA1" + bytes(60))
    assert isinstance(skipped, Skipped)
    assert "feather" in skipped.reason


def test_findings_and_unread_parts_are_both_told(tmp_path: Path) -> None:
    items = examine(tmp_path, make.torch_zip(make.EVIL, ("m/extra/x", b"GGUF" + bytes(60))))
    assert {type(item) for item in items} == {Finding, Skipped}


def test_trust_covers_the_projects_own_classes(tmp_path: Path) -> None:
    data = make.stream(make.name("mypackage.models", "Net") + b")\x81}b")
    assert [item.rule.id for item in findings(examine(tmp_path, data))] == ["model-unknown-callable"]
    assert examine(tmp_path, data, trust=("mypackage.models:*",)) == []
    with pytest.raises(UsageError, match="no pattern of module:name"):
        examine(tmp_path, data, trust=("mypackage",))


def test_the_fingerprint_survives_a_changed_offset(tmp_path: Path) -> None:
    (one,) = findings(examine(tmp_path, make.EVIL))
    (two,) = findings(examine(tmp_path, make.EVIL[:2] + b"N0" + make.EVIL[2:]))
    assert one.location != two.location
    assert one.fingerprint == two.fingerprint


def test_every_code_has_a_rule_of_its_own() -> None:
    assert set(model_file._RULES) == set(Code)
    assert len({rule.id for rule in model_file._RULES.values()}) == len(Code)
    assert all(rule.description and rule.remedy and rule.taxonomy and rule.help for rule in CHECK.rules)


PINNED = {
    "requirements.txt": "my-pkg==1.2.0\nother>=3\n",
    "uv.lock": 'version = 1\n[[package]]\nname = "my-pkg"\nversion = "1.2.0"\nsource = { registry = "https://x" }\n',
    "requirements/requirements.txt": "My_Pkg==1.2.0\n",
}


@pytest.mark.parametrize("name", PINNED)
def test_an_unknown_name_of_a_pinned_package_is_explained_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(PINNED[name])
    (found,) = findings(examine(tmp_path, make.call("my_pkg.models", "Net", "x")))
    assert found.severity is Severity.HIGH  # a pin says whose code it is, not that it is harmless
    assert f"my-pkg 1.2.0, which {name} pins" in found.message
    (other,) = findings(examine(tmp_path, make.call("other.models", "Net", "x")))
    assert "pins" not in other.message


def test_a_pin_that_changes_is_seen_by_the_cache(tmp_path: Path) -> None:
    assert CHECK.cache_on is not None
    before = CHECK.cache_on(Context(tmp_path))
    (tmp_path / "requirements.txt").write_text("my-pkg==1.2.0\n")
    after = CHECK.cache_on(Context(tmp_path))
    assert before != after
    (tmp_path / "requirements.txt").write_text("my-pkg==1.3.0\n")
    assert after != CHECK.cache_on(Context(tmp_path))
