"""Every check of the code, dependencies and compliance categories finds its own known-bad sample."""

from __future__ import annotations

import pytest

from shipworthy.check import Context, registry
from shipworthy.model import Artifact, Finding, Kind

KINDS = {".py": Kind.CODE, ".js": Kind.CODE, ".json": Kind.REQUIREMENTS, ".txt": Kind.REQUIREMENTS}
NAMES = [n for n, c in registry().items() if c.category in ("code", "dependencies", "compliance")]


@pytest.mark.parametrize("name", NAMES)
def test_the_canary_fires(name, tmp_path):
    check = registry()[name]
    artifacts = []
    for file, content in check.canary.files.items():
        path = tmp_path / file
        path.write_bytes(content() if callable(content) else content)
        artifacts.append(Artifact(file, KINDS[path.suffix], "sha256:" + "0" * 64, path.stat().st_size, path=path))
    given = artifacts[0] if check.scope == "artifact" else tuple(artifacts)
    found = [f for f in check.call(given, Context(tmp_path, check.options)) if isinstance(f, Finding)]
    assert check.canary.rule in {f.rule.id for f in found}
    assert {f.rule for f in found} <= set(check.rules)


def test_the_checks_have_complete_rules():
    assert len(NAMES) >= 7
    for name in NAMES:
        check = registry()[name]
        assert check.summary.endswith("."), name
        assert check.rules, name
        for rule in check.rules:
            assert all((rule.description, rule.remedy, rule.taxonomy, rule.help)), rule.id
