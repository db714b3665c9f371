"""A bare repository is told what it lacks, a complete one nothing."""

from __future__ import annotations

from shipworthy.checks.compliance.repository_hygiene import scan
from shipworthy.model import Artifact, Kind

CARD = "# Model\n## Intended use\nspam\n## Limitations\nmany\n"


def tree(tmp_path, files):
    artifacts = []
    for name, (kind, content) in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        artifacts.append(Artifact(name, Kind(kind), "sha256:" + "0" * 64, len(content), path=path))
    return tuple(artifacts)


BARE = {
    "train.py": ("code", "x"),
    "models/spam.safetensors": ("model", "x"),
    "data/train.csv": ("dataset", "a,b"),
    "requirements.txt": ("requirements", "numpy>=1\n"),
}
COMPLETE = BARE | {
    "LICENSE": ("text", "Apache"),
    ".github/SECURITY.md": ("text", "mail us"),
    ".github/CODEOWNERS": ("text", "* @o"),
    "models/README.md": ("text", CARD),
    "data/README.md": ("text", "from"),
    "uv.lock": ("requirements", "version = 1"),
}


def rules(tmp_path, files):
    return {f.rule.id.removeprefix("repository-") for f in scan(tree(tmp_path, files))}


def test_a_bare_repository(tmp_path):
    assert rules(tmp_path, BARE) == {
        "no-licence", "no-security-contact", "no-owners", "no-model-card", "no-datasheet", "no-lock-file",
    }  # fmt: skip


def test_a_complete_repository(tmp_path):
    assert rules(tmp_path, COMPLETE) == set()


def test_a_repository_without_models_needs_no_card(tmp_path):
    assert rules(tmp_path, {"a.py": ("code", "x"), "LICENCE.txt": ("text", "x")}) == {
        "no-security-contact",
        "no-owners",
    }


def test_a_readme_that_says_nothing_is_no_card(tmp_path):
    files = COMPLETE | {"models/README.md": ("text", "# Models\nhello\n")}
    assert rules(tmp_path, files) == {"no-model-card"}


def test_what_npm_locks_is_not_asked_for_again(tmp_path):
    files = {k: v for k, v in COMPLETE.items() if k not in ("uv.lock", "requirements.txt")}
    files |= {"package.json": ("requirements", "{}"), "package-lock.json": ("requirements", "{}")}
    assert rules(tmp_path, files) == set()
    assert rules(tmp_path, files | {"requirements.txt": ("requirements", "numpy")}) == {"no-lock-file"}


def test_a_compiled_requirements_file_is_a_lock(tmp_path):
    pinned = "numpy==2.0.0 \\\n    --hash=sha256:00\n# via x\npip==24.0\n"
    files = {k: v for k, v in COMPLETE.items() if k != "uv.lock"}
    assert rules(tmp_path, files | {"requirements.txt": ("requirements", pinned)}) == set()
    assert rules(tmp_path, files) == {"no-lock-file"}


def test_findings_keep_their_fingerprint_when_files_are_added_after(tmp_path):
    before = {f.fingerprint for f in scan(tree(tmp_path, BARE))}
    after = {f.fingerprint for f in scan(tree(tmp_path, BARE | {"z/last.py": ("code", "x")}))}
    assert before == after


def test_nothing_is_said_of_nothing():
    assert list(scan(())) == []
